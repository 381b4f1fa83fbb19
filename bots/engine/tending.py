"""Looks after one round trip of a scalper: its entry's remainder, its exits, and its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from bots.engine import submit, trips
from bots.engine.account import Account, open_order_of
from bots.engine.clock import uptime, utc_now
from bots.engine.execution import Errand, carry_out
from bots.engine.funds import Funds
from bots.engine.limits import LimitContext, Refusal, Verdict, check_exits
from bots.engine.observe import collect_trades
from bots.engine.reconcile import reconcile
from bots.engine.scalping_sheet import ScalpingSheet
from bots.engine.snapshot import current_book
from bots.engine.submit import Placed
from bots.lifecycle import OrderState
from bots.models import BotState, Order, RoundTrip, Severity, TripState
from bots.strategies.barriers import Exit, Watch
from bots.strategies.base import Quote
from bots.strategies.entries import ENTRY
from bots.strategies.exits import CLOSE, Care, Closing, Trip, is_dust, look_after
from bots.strategies.figures import per_cent, plain
from exchanges.errors import InvalidOrderError, Rule
from exchanges.types import ZERO, Book, Market, OrderType, Side

ALL = Decimal(1)
SAVE_EVERY_SECONDS = 1.0
TOO_LITTLE = (Rule.MIN_AMOUNT, Rule.MIN_COST)
REFUSALS_TO_BELIEVE = 3
TRADES_PATIENCE = timedelta(seconds=3)


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
    care = _care(account, sheet, trip, market, book)
    if await _end_entry(account, sheet, trip):
        care = _care(account, sheet, trip, market, book)  # it may have filled meanwhile
    quotes = [] if care is None or care.quote is None else [care.quote]
    verdict = _allowed(account, sheet, trip, market, book, quotes)
    exits = tuple(open_order_of(order) for order in _live_exits(account, trip))
    plan = reconcile(verdict.allowed, exits, tolerance_pct=ZERO, least_share=ALL)

    def still_allowed(wanted: list[Quote]) -> list[Quote]:
        """A cancel may have told of a fill: what is left now is what may be closed."""
        left = market.floor_amount(_left(account, trip, market))
        smaller = [replace(quote, amount=min(quote.amount, left)) for quote in wanted]
        return list(_allowed(account, sheet, trip, market, book, smaller).allowed)

    errand = Errand(
        bot=sheet.bot,
        symbol=trip.symbol,
        funds=funds,
        hold=sheet.exit_holds[trip.pk],
        still_allowed=still_allowed,
        trip=trip,
    )
    memory = sheet.memory(trip)
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
    left, memory, now = _left(account, trip, market), sheet.memory(trip), utc_now()
    entry, opened_at = trip.entry_average, trip.opened_at
    if sheet.leaves_all or left <= 0 or entry is None or opened_at is None:
        return None
    if sheet.closes_all and memory.closing is None:
        memory.closing = Closing(reason=Exit.STOPPED, since=now)
    seen = Trip(
        watch=Watch(
            side=Side(trip.side), entry=entry, fee=market.taker_fee, trailing_stop=memory.trailing_stop
        ),
        amount=left,
        opened_at=opened_at,
        closing=memory.closing,
        exit_price=_price_of_the_close(account, trip),
        takes_market_orders=memory.takes_market_orders,
    )
    care = look_after(seen, market, book, sheet.bot.strategy_settings, now)
    memory.trailing_stop, memory.closing = care.trip.watch.trailing_stop, care.trip.closing
    return care


def _left(account: Account, trip: RoundTrip, market: Market) -> Decimal:
    """Base, what is held of it and not closed: by its trades, less what its exits have filled beyond them.

    What an entry has filled beyond its trades counts when they are late, less the fee that they may tell of.
    """
    left = trip.left
    for order in _orders(account, trip):
        untold = max(order.filled - order.traded, ZERO)
        if order.side != trip.side:
            left -= untold
        elif order.closed_at is not None and utc_now() - order.closed_at > TRADES_PATIENCE:
            left += untold * (1 - market.taker_fee)
    return left


def _price_of_the_close(account: Account, trip: RoundTrip) -> Decimal | None:
    closes = [o for o in _live_exits(account, trip) if o.level == CLOSE and o.type == OrderType.LIMIT]
    return closes[-1].price if closes else None


async def _end_entry(account: Account, sheet: ScalpingSheet, trip: RoundTrip) -> bool:
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
    if sheet.memory(trip).closing is not None or not sheet.is_running or sheet.kill_switch:
        return False
    return timedelta(0) <= utc_now() - entry.created_at < timedelta(seconds=sheet.bot.entry_seconds)


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
        open_orders=tuple(open_order_of(order) for order in _live_exits(account, trip)),
    )
    return check_exits(quotes, context)


def _orders(account: Account, trip: RoundTrip) -> list[Order]:
    return [order for order in account.orders.values() if order.round_trip_id == trip.pk]


def _live_exits(account: Account, trip: RoundTrip) -> list[Order]:
    return [order for order in account.live_orders_of(trip) if order.closes]


# --- What is kept of it


def _learn(sheet: ScalpingSheet, trip: RoundTrip, placed: Placed) -> None:
    """From what the venue said to an exit: not every venue lists the least it takes, or takes orders at
    market. Where it refused one of these, another kind of order is next, and need not wait."""
    memory = sheet.memory(trip)
    if any(isinstance(error, InvalidOrderError) and error.rule in TOO_LITTLE for error in placed.refusals):
        memory.too_little = (memory.too_little[0] + 1, placed.orders[0].amount)
    elif placed.refusals and placed.orders[0].type == OrderType.MARKET:
        memory.takes_market_orders = False
        sheet.exit_holds.pop(trip.pk, None)
    elif placed.orders:
        memory.too_little = (0, ZERO)


def _is_refused_as_dust(sheet: ScalpingSheet, trip: RoundTrip, amount: Decimal) -> bool:
    """The venue has said so often enough to be believed."""
    times, refused = sheet.memory(trip).too_little
    return times >= REFUSALS_TO_BELIEVE and amount <= refused


async def count_what_filled(account: Account, trip: RoundTrip) -> None:
    """What the venue said at once to have filled is a position: its exit does not wait for the next look."""
    if any(order.filled > order.traded for order in _orders(account, trip)):
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
    if _orders(account, trip):
        return
    if not trip.entered:
        await _end(account, sheet, trip, TripState.MISSED)
        return
    price, left = (book.mid if book else None) or trip.entry_average or ZERO, market.floor_amount(trip.left)
    if trip.left == 0:
        await _end(account, sheet, trip, TripState.CLOSED)
    elif is_dust(market, price, left) or _is_refused_as_dust(sheet, trip, left):
        remark = f"{plain(trip.left)} {market.base} are left, less than the venue takes: dust."
        await _end(account, sheet, trip, TripState.CLOSED, remark)


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
    memory = sheet.memory(trip)
    what = f"{plain(trip.left)} of {trip.symbol} cannot be closed: {account.name} does not trade it now."
    if memory.trouble != what:
        memory.trouble = what
        text = f"{what} Look at the venue; it is closed here when it is traded again."
        event = account.event("market_gone", text, at=utc_now(), bot_id=trip.bot_id, severity=Severity.ERROR)
        await account.database.run(trips.tell, event)
    if sheet.bot.state == BotState.STOPPING and not _orders(account, trip):
        state = TripState.CLOSED if trip.entered else TripState.MISSED
        await _end(account, sheet, trip, state, f"{what} The bot was stopped.")
    return Tended(reason=what)
