"""Tries a connection step by step, so that a person sees which part of it does not work."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from exchanges.errors import VenueError
from exchanges.gateway import AccountPermissions, Gateway, MarketData
from exchanges.types import ZERO, Balance, Market
from vault.keyring import VaultError

# The narrowest window in which a venue accepts a signed request is Binance's default of 5 s.
LARGEST_CLOCK_DIFFERENCE = timedelta(seconds=5)
NOTED_CLOCK_DIFFERENCE = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that was tried. sentence: what came of it; seconds: how long it took."""

    name: str
    ok: bool
    sentence: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Checkup:
    """steps: in the order in which they were tried; what was not reached is None."""

    steps: tuple[Step, ...]
    markets: Mapping[str, Market] | None = None
    balances: Mapping[str, Balance] | None = None


class _GiveUpError(Exception):
    """A step failed and the rest is pointless."""


@dataclass
class _Examination:
    steps: list[Step] = field(default_factory=list)
    markets: Mapping[str, Market] | None = None
    balances: Mapping[str, Balance] | None = None
    permissions: AccountPermissions | None = None

    async def run(self, name: str, look: Callable[[], Awaitable[tuple[bool, str]]]) -> None:
        """Adds the step's result. Raises _GiveUpError where the venue or the vault says no."""
        started = time.monotonic()
        failed = False
        try:
            ok, sentence = await look()
        except VenueError as error:
            ok, sentence, failed = False, error.sentence, True
        except VaultError as error:
            ok, sentence, failed = False, str(error), True
        seconds = time.monotonic() - started
        self.steps.append(Step(name=name, ok=ok, sentence=sentence, seconds=seconds))
        if failed:
            raise _GiveUpError

    async def look_at_the_clock(self, data: MarketData) -> tuple[bool, str]:
        before = datetime.now(UTC)
        venue_time = await data.fetch_time()
        return clock_verdict(venue_time - (before + (datetime.now(UTC) - before) / 2))

    async def look_at_the_markets(self, data: MarketData) -> tuple[bool, str]:
        self.markets = await data.load_markets()
        active = sum(market.active for market in self.markets.values())
        return active > 0, f"{len(self.markets)} markets, {active} of them open for trading."

    async def look_at_the_key(self, account: Gateway) -> tuple[bool, str]:
        self.permissions = await account.fetch_permissions()
        return True, "The venue accepts the key."

    async def look_at_the_permissions(self) -> tuple[bool, str]:
        assert self.permissions is not None  # noqa: S101 - the key's step came first
        return permissions_verdict(self.permissions)

    async def look_at_the_balances(self, account: Gateway) -> tuple[bool, str]:
        self.balances = await account.fetch_balances()
        held = sorted(balance.currency for balance in self.balances.values() if balance.total > ZERO)
        return True, f"The account holds {', '.join(held)}." if held else "The account is empty."


async def examine(data: MarketData, account: Gateway | None, *, needs_key: bool) -> Checkup:
    """account: None where there is no key; needs_key: this connection is of no use without one."""
    examination = _Examination()
    run = examination.run
    try:
        await run("Time", partial(examination.look_at_the_clock, data))
        await run("Markets", partial(examination.look_at_the_markets, data))
        if account is not None:
            await run("Key", partial(examination.look_at_the_key, account))
            await run("Permissions", examination.look_at_the_permissions)
            await run("Balances", partial(examination.look_at_the_balances, account))
        elif needs_key:
            examination.steps.append(missing_key())
    except _GiveUpError:
        pass  # its step says why
    return Checkup(steps=tuple(examination.steps), markets=examination.markets, balances=examination.balances)


def missing_key() -> Step:
    sentence = "No API key is set: a live connection needs one; enter it and test again."
    return Step(name="Key", ok=False, sentence=sentence, seconds=0.0)


def clock_verdict(ahead: timedelta) -> tuple[bool, str]:
    """ahead: how far the venue's clock is ahead of ours."""
    size = abs(ahead)
    if size <= NOTED_CLOCK_DIFFERENCE:
        return True, "The venue answers, and its clock agrees with ours."
    direction = "ahead of" if ahead > timedelta(0) else "behind"
    difference = f"The venue's clock is {size.total_seconds():.1f} s {direction} ours"
    if size <= LARGEST_CLOCK_DIFFERENCE:
        return True, f"{difference}."
    return False, f"{difference}: signed requests will be refused; correct this machine's clock."


def permissions_verdict(permissions: AccountPermissions) -> tuple[bool, str]:
    if permissions.can_trade is False:
        return False, "The key may not trade: allow spot trading for it at the venue."
    may_trade = "The key may trade" if permissions.can_trade else "The venue does not say what the key may do"
    if permissions.can_withdraw:
        return True, f"{may_trade}. Warning: it may also withdraw, which Botdesk never needs; take that away."
    return (
        True,
        f"{may_trade}, and it may not withdraw." if permissions.can_withdraw is False else f"{may_trade}.",
    )
