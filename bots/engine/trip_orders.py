"""The orders of a round trip: what is left of it by their word, and which of them may go on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from bots.engine import submit
from bots.engine.account import Account, held_by, open_order_of
from bots.engine.clock import utc_now
from bots.engine.scalping_sheet import ScalpingSheet
from bots.lifecycle import OrderState
from bots.models import Order, RoundTrip
from bots.strategies.base import Quote
from bots.strategies.entries import ENTRY
from bots.strategies.exits import CLOSE, TAKE_PROFIT, Care, is_dust
from exchanges.types import ZERO, Market, OrderType, Side

TRADES_PATIENCE = timedelta(seconds=3)


def orders_of(account: Account, trip: RoundTrip) -> list[Order]:
    """Those that are not settled yet."""
    return [order for order in account.orders.values() if order.round_trip_id == trip.pk]


# --- What is left


@dataclass(frozen=True, kw_only=True)
class Left:
    """amount: base, what is held and not closed. entry: its average price; opened_at: its first fill; both
    None while nothing of it can be looked after."""

    amount: Decimal
    entry: Decimal | None = None
    opened_at: datetime | None = None


def left_of(account: Account, trip: RoundTrip, market: Market) -> Left:
    """By its trades, less what its exits have filled beyond them.

    What an entry has filled beyond its trades counts when they are late, less the fee that they may tell of.
    """
    left, entry, opened_at = trip.left, trip.entry_average, trip.opened_at
    for order in orders_of(account, trip):
        untold = max(order.filled - order.traded, ZERO)
        if order.side != trip.side:
            left -= untold
        elif untold and _is_late(order):
            left += untold * (1 - market.taker_fee)
            entry = entry or order.average or order.price
            opened_at = opened_at or order.submitted_at or order.created_at
    return Left(amount=left, entry=entry, opened_at=opened_at)


def _is_late(order: Order) -> bool:
    return order.closed_at is not None and utc_now() - order.closed_at > TRADES_PATIENCE


def held_of(account: Account, trip: RoundTrip, market: Market, quote: Quote) -> list[Quote]:
    """The exit, of no more than the account has for it; none where that is less than the venue takes.

    What its exits hold in the book comes on top of what is free: this one takes their place.
    """
    held = held_by(live_exits(account, trip))[quote.side]
    if quote.side is Side.SELL:
        most = account.free(market.base) + held
    else:
        most = (account.free(market.quote) + held) / (quote.price * (1 + market.taker_fee))
    amount = market.floor_amount(min(quote.amount, most))
    return [] if is_dust(market, quote.price, amount) else [replace(quote, amount=amount)]


# --- Its entry, and its exits


async def end_entry(account: Account, sheet: ScalpingSheet, trip: RoundTrip) -> bool:
    """Cancels what is left of an entry that may fill no longer; True where there was something to cancel."""
    over = [
        order
        for order in account.live_orders_of(trip)
        if order.level == ENTRY
        and order.state == OrderState.OPEN
        and order.cancel_requested_at is None
        and not _may_fill(sheet, trip, order)
    ]
    await submit.cancel(account, over)
    return bool(over)


def _may_fill(sheet: ScalpingSheet, trip: RoundTrip, entry: Order) -> bool:
    """As long as it has time and nothing is being closed. A clock that stepped back behind its beginning has
    lost count of that time: it is over."""
    if sheet.memory(trip).closing is not None or not sheet.is_running:
        return False
    if sheet.kill_switch or not sheet.connection_enabled:
        return False
    return timedelta(0) <= utc_now() - entry.created_at < timedelta(seconds=sheet.bot.entry_seconds)


def live_exits(account: Account, trip: RoundTrip) -> list[Order]:
    return [order for order in account.live_orders_of(trip) if order.closes]


def price_of_the_close(account: Account, trip: RoundTrip) -> Decimal | None:
    closes = [o for o in live_exits(account, trip) if o.level == CLOSE and o.type == OrderType.LIMIT]
    return closes[-1].price if closes else None


def rests_on(order: Order, market: Market, care: Care | None, left: Decimal) -> bool:
    """What rests of an exit stays, though none is wanted: where there is no book to price another one by, and
    what is less than the venue would take anew as long as it has time."""
    if care is None or care.quote is not None or order.price is None:
        return False
    remaining = open_order_of(order).remaining
    if remaining > left:
        return False
    if care.trip.closing is not None and not care.is_dust:
        return True
    if not is_dust(market, order.price, remaining):
        return False
    if care.trip.closing is None:
        return order.level == TAKE_PROFIT
    return order.level == CLOSE and care.trip.exit_price is not None
