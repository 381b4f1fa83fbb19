"""Who trades, at which commission, and with which keys."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal
from typing import NamedTuple

from tests.lab.orders import ZERO, Side
from tests.lab.rules import SMALLEST, MarketRules

COUNTED_MS = (10_000, 86_400_000)  # ten seconds and a day: the intervals of Binance's order limits


class Commission(NamedTuple):
    currency: str
    amount: Decimal


@dataclass(frozen=True, kw_only=True)
class FeeSchedule:
    """maker, taker: fractions, 0.001 is 0.1 %.

    currency: a third currency that pays while there is enough of it, as BNB; None for what is received.
    discount: what remains to pay then, 0.75 is three quarters.
    price_in_quote: the third currency's price in each quote currency.
    """

    maker: Decimal = Decimal("0.001")
    taker: Decimal = Decimal("0.001")
    currency: str | None = None
    discount: Decimal = Decimal("0.75")
    price_in_quote: dict[str, Decimal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.maker < 0 or self.taker < 0:
            raise ValueError("a commission is not negative here: there are no rebates on this exchange")

    def on_received(
        self, rules: MarketRules, side: Side, amount: Decimal, cost: Decimal, rate: Decimal
    ) -> Commission:
        """Out of what is received: base on a buy, quote on a sell, rounded down to 1e-8."""
        received = amount if side is Side.BUY else cost
        return Commission(rules.base if side is Side.BUY else rules.quote, _round_down(received * rate))

    def in_quote(self, rules: MarketRules, cost: Decimal, rate: Decimal) -> Commission:
        """In quote whatever the side, rounded down to 1e-8."""
        return Commission(rules.quote, _round_down(cost * rate))

    def in_third_currency(self, rules: MarketRules, cost: Decimal, rate: Decimal) -> Commission | None:
        price = self.price_in_quote.get(rules.quote)
        if self.currency is None or price is None:
            return None
        return Commission(self.currency, _round_down(cost * rate * self.discount / price))

    def rate(self, *, is_maker: bool) -> Decimal:
        return self.maker if is_maker else self.taker


@dataclass(kw_only=True)
class Account:
    """can_trade: the venue lets it, whatever its keys may do.

    is_crowd: one of the lab's own, which nobody asks about: no journal, no memory of unfilled orders.
    unfilled: accepted orders that nothing was filled of, by (interval, its number), both of COUNTED_MS.
    """

    name: str
    uid: int
    fees: FeeSchedule = field(default_factory=FeeSchedule)
    can_trade: bool = True
    is_crowd: bool = False
    unfilled: Counter[tuple[int, int]] = field(default_factory=Counter, repr=False)

    def count_unfilled(self, time_ms: int, change: int) -> None:
        """An order accepted at that time, by the venue's clock: 1 when it comes, -1 at its first fill."""
        if not self.is_crowd:
            for interval in COUNTED_MS:
                self.unfilled[interval, time_ms // interval] += change


class Login(NamedTuple):
    """What an operator pastes into a connection; the passphrase is empty where the venue has none."""

    key: str
    secret: str
    passphrase: str = ""


@dataclass(kw_only=True)
class ApiKey:
    """allowed_ips: empty for any."""

    key: str
    secret: str = field(repr=False)
    passphrase: str = field(default="", repr=False)
    account: str
    created_ms: int
    reading: bool = True
    trading: bool = True
    withdrawals: bool = False
    allowed_ips: frozenset[str] = frozenset()
    is_revoked: bool = False

    def admits(self, address: str) -> bool:
        return not self.is_revoked and (not self.allowed_ips or address in self.allowed_ips)


class KeyRing:
    """All keys of one venue."""

    def __init__(self) -> None:
        self._keys: dict[str, ApiKey] = {}

    def add(self, key: ApiKey) -> None:
        self._keys[key.key] = key

    def __getitem__(self, key: str) -> ApiKey:
        return self._keys[key]

    def find(self, key: str | None) -> ApiKey | None:
        return self._keys.get(key) if key else None


def _round_down(value: Decimal) -> Decimal:
    return value.quantize(SMALLEST, rounding=ROUND_FLOOR) if value else ZERO
