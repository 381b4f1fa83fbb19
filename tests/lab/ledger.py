"""Who owns what: free and held amounts per account, moved but never made.

Only `deposit` and `withdraw` change what exists; everything else moves it, so that
`total(currency)` equals `deposited(currency)` at any time.
"""

from __future__ import annotations

from collections import defaultdict, deque
from decimal import Decimal
from typing import NamedTuple

from tests.lab.clock import Clock

ZERO = Decimal(0)
KEPT_MS = 60_000
FEES = "fees"  # the venue's own account, where commissions go


class InsufficientFundsError(Exception):
    pass


class Holding(NamedTuple):
    """free: can be used; used: held for open orders."""

    free: Decimal
    used: Decimal


class Ledger:
    """Of the accounts that it is told to remember, it also knows what they had up to KEPT_MS ago."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._past: dict[tuple[str, str], deque[tuple[int, Holding]]] = {}
        self._remembered: set[str] = set()
        self._free: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        self._used: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        self._deposited: defaultdict[str, Decimal] = defaultdict(Decimal)

    def deposit(self, account: str, currency: str, amount: Decimal) -> None:
        if amount < 0:
            raise ValueError(f"cannot deposit {amount} {currency}")
        self._free[account, currency] += amount
        self._deposited[currency] += amount
        self._note(account, currency)

    def withdraw(self, account: str, currency: str, amount: Decimal) -> None:
        self._take_free(account, currency, amount)
        self._deposited[currency] -= amount
        self._note(account, currency)

    def hold(self, account: str, currency: str, amount: Decimal) -> None:
        """Set aside for an order."""
        self._take_free(account, currency, amount)
        self._used[account, currency] += amount
        self._note(account, currency)

    def release(self, account: str, currency: str, amount: Decimal) -> None:
        self._take_used(account, currency, amount)
        self._free[account, currency] += amount
        self._note(account, currency)

    def pay(self, payer: str, payee: str, currency: str, amount: Decimal) -> None:
        """Out of what the payer holds into what the payee is free to use."""
        self._take_used(payer, currency, amount)
        self._free[payee, currency] += amount
        self._note(payer, currency)
        self._note(payee, currency)

    def charge(self, account: str, currency: str, amount: Decimal) -> None:
        """A commission, out of the free amount."""
        self._take_free(account, currency, amount)
        self._free[FEES, currency] += amount
        self._note(account, currency)

    def holding(self, account: str, currency: str) -> Holding:
        return Holding(self._free.get((account, currency), ZERO), self._used.get((account, currency), ZERO))

    def holdings(self, account: str) -> dict[str, Holding]:
        """By currency, sorted; those that were ever touched, zero or not."""
        names = sorted({currency for owner, currency in self._free if owner == account})
        return {name: self.holding(account, name) for name in names}

    def remember(self, account: str) -> None:
        self._remembered.add(account)

    def holdings_at(self, account: str, at_ms: int) -> dict[str, Holding]:
        """As `holdings`, but as they stood then, by this machine's clock; of a remembered account.

        The first deposit in a currency was always there.
        """
        names = sorted(currency for owner, currency in self._past if owner == account)
        return {name: self._holding_at(account, name, at_ms) for name in names}

    def _holding_at(self, account: str, currency: str, at_ms: int) -> Holding:
        past = self._past[account, currency]
        return next((holding for since, holding in reversed(past) if since <= at_ms), past[0][1])

    def _note(self, account: str, currency: str) -> None:
        if account not in self._remembered:
            return
        now = self._clock.true_ms()
        past = self._past.setdefault((account, currency), deque())
        past.append((now, self.holding(account, currency)))
        while len(past) > 1 and past[1][0] < now - KEPT_MS:
            past.popleft()

    def currencies(self) -> list[str]:
        return sorted({currency for _, currency in self._free})

    def total(self, currency: str) -> Decimal:
        """Over all accounts, free and held, the venue's fees included."""
        both = (self._free, self._used)
        return sum((v for side in both for (_, name), v in side.items() if name == currency), ZERO)

    def deposited(self, currency: str) -> Decimal:
        """What was ever brought in, less what was taken out."""
        return self._deposited[currency]

    def _take_free(self, account: str, currency: str, amount: Decimal) -> None:
        if amount < 0 or self._free[account, currency] < amount:
            raise InsufficientFundsError(
                f"{account} has {self._free[account, currency]} {currency}, not {amount}"
            )
        self._free[account, currency] -= amount

    def _take_used(self, account: str, currency: str, amount: Decimal) -> None:
        if amount < 0 or self._used[account, currency] < amount:
            raise InsufficientFundsError(
                f"{account} holds {self._used[account, currency]} {currency}, not {amount}"
            )
        self._used[account, currency] -= amount
