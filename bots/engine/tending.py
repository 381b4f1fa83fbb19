"""Looks after one round trip of a scalper: its entry's remainder, its exits, and its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from bots.engine import ledger, submit, trips
from bots.engine.account import Account, open_order_of
from bots.engine.clock import uptime, utc_now
from bots.engine.execution import Errand, carry_out
from bots.engine.funds import Funds
from bots.engine.limit_context import LimitContext
from bots.engine.limits import Refusal, Verdict, check_exits
from bots.engine.observe import collect_trades
from bots.engine.reconcile import reconcile
from bots.engine.scalping_sheet import ScalpingSheet
from bots.engine.snapshot import current_book, others_book
from bots.engine.submit import Placed
from bots.engine.trip_orders import (
    end_entry,
    held_of,
    left_of,
    live_exits,
    orders_of,
    price_of_the_close,
    rests_on,
)
from bots.lifecycle import OrderState
from bots.models import BotState, RoundTrip, Severity, TripState
from bots.strategies.barriers import Exit, Watch
from bots.strategies.base import Quote
from bots.strategies.exits import CLOSE, Care, Closing, Trip, is_dust, look_after
from bots.strategies.figures import per_cent, plain
from exchanges.errors import InsufficientFundsError, InvalidOrderError, RejectedError, Rule
from exchanges.types import ZERO, Book, Market, OrderType, Side

ALL = Decimal(1)
SAVE_EVERY_SECONDS = 1.0
TOO_LITTLE = (Rule.MIN_AMOUNT, Rule.MIN_COST)
REFUSALS_TO_BELIEVE = 3


@dataclass(frozen=True, kw_only=True)
class Tended:
    """What became of one round trip in this cycle. mid: of its market, None where it is not known."""

    reason: str
    quotes: Sequence[Quote] = ()
    refusals: Sequence[Refusal] = ()
    mid: Decimal | None = None


async def tend(account: Account, sheet: ScalpingSheet, trip: RoundTrip, funds: Funds) -> Tended:
    market = account.markets.get(trip.symbol)
    if market is None or not market.active:
        return await _without_market(account, sheet, trip)
    book = await current_book(
        account.feed, trip.symbol, cycle_seconds=sheet.bot.cycle_seconds, health=account.health
    )
    book = book and others_book(account, book)
    care = _care(account, sheet, trip, market, book)
    if await end_entry(account, sheet, trip):
        care = _care(account, sheet, trip, market, book)  # it may have filled meanwhile
    memory = sheet.memory(trip)
    quotes = [] if care is None or care.quote is None else [care.quote]
    if memory.lacks_funds:
        quotes = [held for quote in quotes for held in held_of(account, trip, market, quote)]
    verdict = _allowed(account, sheet, trip, market, book, quotes)
    left = left_of(account, trip, market).amount
    ending = [order for order in live_exits(account, trip) if rests_on(order, market, care, left)]
    exits = [open_order_of(order) for order in live_exits(account, trip) if order not in ending]
    plan = reconcile(verdict.allowed, exits, tolerance_pct=ZERO, least_share=ALL)

    def still_allowed(wanted: list[Quote]) -> list[Quote]:
        """A cancel may have told of a fill: what is left now is what may be closed."""
        left = market.floor_amount(left_of(account, trip, market).amount)
        smaller = [replace(quote, amount=min(quote.amount, left)) for quote in wanted]
        return list(_allowed(account, sheet, trip, market, book, smaller).allowed)

    errand = Errand(
        bot=sheet.bot,
        symbol=trip.symbol,
        funds=funds,
        hold=memory.holds[quotes[0].level if quotes else CLOSE],
        still_allowed=still_allowed,
        trip=trip,
    )
    memory.write(trip)  # with the intent of an exit, where there is one
    placed = await carry_out(account, plan, errand)
    if placed.orders:
        memory.is_saved(uptime())
    await _remember(account, sheet, trip)
    _learn(sheet, trip, placed)
    await count_what_filled(account, trip)
    await _finish(account, sheet, account.trips.get(trip.pk, trip), market, book)
    reason = care.reason if care else f"An entry in {trip.symbol} is on its way."
    mid = book.mid if book else None
    return Tended(reason=reason, quotes=verdict.allowed, refusals=verdict.refusals, mid=mid)


# --- What is wanted


def _care(
    account: Account, sheet: ScalpingSheet, trip: RoundTrip, market: Market, book: Book | None
) -> Care | None:
    """What its strategy wants of it now, remembered; None while nothing of it is open."""
    left, memory, now = left_of(account, trip, market), sheet.memory(trip), utc_now()
    if sheet.leaves_all or left.amount <= 0 or left.entry is None or left.opened_at is None:
        return None
    if sheet.closes_all and memory.closing is None:
        memory.closing = Closing(reason=Exit.STOPPED, since=now)
    if memory.closing is not None and (sheet.kill_switch or not sheet.connection_enabled):
        now = memory.closing.since  # no price is tried meanwhile, so none runs out of time
    seen = Trip(
        watch=Watch(
            side=Side(trip.side), entry=left.entry, fee=market.taker_fee, trailing_stop=memory.trailing_stop
        ),
        amount=left.amount,
        opened_at=left.opened_at,
        closing=memory.closing,
        exit_price=price_of_the_close(account, trip),
        takes_market_orders=memory.takes_market_orders,
    )
    care = look_after(seen, market, book, sheet.bot.strategy_settings, now)
    memory.trailing_stop, memory.closing = care.trip.watch.trailing_stop, care.trip.closing
    return care


def _allowed(
    account: Account,
    sheet: ScalpingSheet,
    trip: RoundTrip,
    market: Market,
    book: Book | None,
    quotes: Sequence[Quote],
) -> Verdict:
    context = LimitContext(
        now=utc_now(),
        market=market,
        book=book,
        limits=sheet.limits,
        kill_switch=sheet.kill_switch,
        connection_enabled=sheet.connection_enabled,
        open_orders=tuple(open_order_of(order) for order in live_exits(account, trip)),
    )
    return check_exits(quotes, context)


# --- What is kept of it


def _learn(sheet: ScalpingSheet, trip: RoundTrip, placed: Placed) -> None:
    """From what the venue said to an exit: not every venue lists the least it takes, or takes orders at
    market, and somebody may have taken something off the account. Another order is next then, and need not
    wait."""
    memory = sheet.memory(trip)
    refusal = placed.refusals[0] if placed.refusals else None
    if isinstance(refusal, InvalidOrderError) and refusal.rule in TOO_LITTLE:
        memory.too_little = (memory.too_little[0] + 1, placed.orders[0].amount)
    elif isinstance(refusal, InsufficientFundsError):
        if not memory.lacks_funds:
            memory.holds.clear()
        memory.lacks_funds = True
    elif isinstance(refusal, RejectedError) and placed.orders[0].type == OrderType.MARKET:
        memory.takes_market_orders = False
        memory.holds.clear()
    elif placed.orders and refusal is None:
        memory.too_little, memory.lacks_funds = (0, ZERO), False


def _is_refused_as_dust(sheet: ScalpingSheet, trip: RoundTrip, amount: Decimal) -> bool:
    """The venue has said so often enough to be believed."""
    times, refused = sheet.memory(trip).too_little
    return times >= REFUSALS_TO_BELIEVE and amount <= refused


async def count_what_filled(account: Account, trip: RoundTrip) -> None:
    """What the venue said at once to have filled is a position: its exit does not wait for the next look."""
    if any(order.filled > order.traded for order in orders_of(account, trip)):
        await collect_trades(account, trip.symbol)


async def _remember(account: Account, sheet: ScalpingSheet, trip: RoundTrip) -> None:
    """A stop that follows is written once a second, a decision to close at once."""
    memory = sheet.memory(trip)
    if memory.known == memory.saved:
        return
    if memory.closing == memory.saved[1] and uptime() - memory.saved_at < SAVE_EVERY_SECONDS:
        return
    await account.database.run(trips.remember, account.lease, [trip])
    memory.is_saved(uptime())


# --- Its end


async def _finish(
    account: Account, sheet: ScalpingSheet, trip: RoundTrip, market: Market, book: Book | None
) -> None:
    """When nothing of it is on its way any more, and nothing is left, or less than the venue takes."""
    if orders_of(account, trip):
        return
    if not trip.entered:
        await _end(account, sheet, trip, TripState.MISSED)
        return
    price, left = _price_of_dust(sheet, trip, book), market.floor_amount(trip.left)
    if trip.left == 0:
        await _end(account, sheet, trip, TripState.CLOSED)
    elif is_dust(market, price, left) or _is_refused_as_dust(sheet, trip, left):
        remark = f"{plain(trip.left)} {market.base} are left, less than the venue takes: dust."
        await _end(account, sheet, trip, TripState.CLOSED, remark)


def _price_of_dust(sheet: ScalpingSheet, trip: RoundTrip, book: Book | None) -> Decimal:
    """What nothing was closed of yet is not given up because its market fell so far: it may rise again."""
    entry = trip.entry_average or ZERO
    mid = (book.mid if book else None) or entry
    return mid if trip.exited or sheet.closes_all else max(mid, entry)


async def _end(
    account: Account, sheet: ScalpingSheet, trip: RoundTrip, state: TripState, remark: str = ""
) -> None:
    sheet.memory(trip).write(trip)
    if state == TripState.CLOSED and not trip.closing and trip.exited:
        trip.closing = Exit.TAKE_PROFIT  # the order that rested for it
    last = await account.database.run(trips.last_exit_at, trip)
    trip.state, trip.remark, trip.closed_at = state, remark, last or utc_now()
    event = None
    if state == TripState.CLOSED:
        event = account.event("round_trip_closed", _told(trip), at=utc_now(), bot_id=trip.bot_id)
    await account.database.run(trips.finish, account.lease, trip, event)
    account.trips.pop(trip.pk, None)
    sheet.forget(trip)
    sheet.closed = None  # read anew, with this one


def _told(trip: RoundTrip) -> str:
    quote = trip.symbol.partition("/")[2]
    why = trip.get_closing_display().lower() or "nothing could be closed"
    profit = per_cent(round(trip.profit_pct, 6)) if trip.profit_pct is not None else ""
    earned = f"{plain(trip.realised_profit)} {quote} ({profit})"
    return f"{trip.symbol}: closed, {why}: {earned}. {trip.remark}".strip()


async def _without_market(account: Account, sheet: ScalpingSheet, trip: RoundTrip) -> Tended:
    """Delisted, or closed for a while. Who is told to stop does not wait for it."""
    what = f"{plain(trip.left)} of {trip.symbol} cannot be closed: {account.name} does not trade it now."
    text = f"{what} Look at the venue; it is closed here when it is traded again."
    await tell_trouble(account, sheet, trip, "market_gone", text)
    if sheet.bot.state == BotState.STOPPING:
        resting = [o for o in account.live_orders_of(trip) if o.state == OrderState.OPEN]
        await submit.cancel(account, [o for o in resting if o.cancel_requested_at is None])
    if sheet.bot.state == BotState.STOPPING and not orders_of(account, trip):
        state = TripState.CLOSED if trip.entered else TripState.MISSED
        await _end(account, sheet, trip, state, f"{what} The bot was stopped.")
    return Tended(reason=what)


async def tell_trouble(account: Account, sheet: ScalpingSheet, trip: RoundTrip, kind: str, text: str) -> None:
    """Once: what keeps a position from being looked after."""
    memory = sheet.memory(trip)
    if memory.trouble == text:
        return
    memory.trouble = text
    event = account.event(kind, text, at=utc_now(), bot_id=trip.bot_id, severity=Severity.ERROR)
    await account.database.run(ledger.save_event, event)
