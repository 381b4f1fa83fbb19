"""What is made of a venue's answers; pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from exchanges.checkup.report import Holding, Outcome
from exchanges.gateway import AccountPermissions
from exchanges.types import ZERO, Balance, Market

# The narrowest window in which a venue accepts a signed request is Binance's default of 5 s.
LARGEST_CLOCK_DIFFERENCE = timedelta(seconds=5)
NOTED_CLOCK_DIFFERENCE = timedelta(seconds=1)

WITHDRAWAL = (
    "WARNING: whoever has this key can WITHDRAW the account's money, which Botdesk never needs. "
    "Take that permission away from the key at the venue."
)

if TYPE_CHECKING:
    from exchanges.venues.handshakes import Handshake

Verdict = tuple[Outcome, str]


def tls_sentence(shaken: Handshake | None) -> str:
    if shaken is None:
        return "The venue answers over a trusted connection."
    until = f", valid until {shaken.expires:%Y-%m-%d}" if shaken.expires else ""
    return f"{shaken.version} with a trusted certificate of {shaken.host}{until}."


def clock_verdict(ahead: timedelta) -> Verdict:
    """ahead: how far the venue's clock is ahead of ours."""
    seconds = ahead.total_seconds()
    size = abs(ahead)
    if size <= NOTED_CLOCK_DIFFERENCE:
        return Outcome.PASSED, f"The venue's clock agrees with ours ({round(seconds * 1000):+d} ms)."
    direction = "ahead of" if seconds > 0 else "behind"
    difference = f"The venue's clock is {abs(seconds):.1f} s {direction} ours"
    if size <= LARGEST_CLOCK_DIFFERENCE:
        return Outcome.WARNING, f"{difference}: let this machine's clock be set over the network (NTP)."
    return (
        Outcome.FAILED,
        f"{difference}, so signed requests will be refused: correct this machine's clock (NTP).",
    )


def markets_verdict(markets: Mapping[str, Market]) -> Verdict:
    active = sum(market.active for market in markets.values())
    if not active:
        return Outcome.FAILED, f"{len(markets)} markets, none of them open for trading: ask the venue why."
    return Outcome.PASSED, f"{len(markets)} markets, {active} of them open for trading."


def permissions_verdict(permissions: AccountPermissions, no_orders_because: str = "") -> Verdict:
    """no_orders_because: of a venue where trading has ended."""
    if permissions.can_trade is False and not no_orders_because:
        alarm = f" {WITHDRAWAL}" if permissions.can_withdraw else ""
        return Outcome.FAILED, f"The key may not trade: allow spot trading for it at the venue.{alarm}"
    if permissions.can_withdraw:
        return Outcome.WARNING, WITHDRAWAL
    if no_orders_because:
        return Outcome.WARNING, no_orders_because
    if permissions.can_trade is None and permissions.can_withdraw is None:
        return (
            Outcome.PASSED,
            "The venue does not say what the key may do: see there that it may not withdraw.",
        )
    may_trade = (
        "The key may trade" if permissions.can_trade else "The venue does not say whether it may trade"
    )
    may_not = ", and it may not withdraw" if permissions.can_withdraw is False else ""
    return Outcome.PASSED, f"{may_trade}{may_not}."


def address_verdict(permissions: AccountPermissions) -> Verdict:
    """The venue has answered to the key, so it lets this address in."""
    listed = {
        True: " The key works from listed addresses only.",
        False: " The key works from every address: bind it to yours there, so that nobody else can use it.",
        None: "",
    }[permissions.is_address_bound]
    return Outcome.PASSED, f"The venue lets this address in.{listed}"


def holdings_of(balances: Mapping[str, Balance]) -> tuple[Holding, ...]:
    """What is not zero, by currency."""
    return tuple(
        Holding(currency=name, total=_text(balance.total), used=_text(balance.used))
        for name, balance in sorted(balances.items())
        if balance.total != ZERO
    )


def balances_verdict(holdings: tuple[Holding, ...]) -> Verdict:
    """Without the amounts: the sentence is kept in the audit log."""
    if not holdings:
        return Outcome.PASSED, "The account is empty."
    return Outcome.PASSED, f"The account holds {', '.join(holding.currency for holding in holdings)}."


def _text(amount: Decimal) -> str:
    """Exact, without an exponent and without trailing zeros."""
    text = f"{amount:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
