"""Brings our books up to the venue's: open orders, lookups, trades.

The venue's books are the truth, but one answer is not: an order that is not in the open list is looked up;
one that the venue does not know is asked for again; only the same explicit answer, several times, after a
grace time and with the trades checked, ends it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from bots.engine import ledger, trips
from bots.engine.account import Account, ask_for, by_client_id, ref_of
from bots.engine.balances import fills_were_counted
from bots.engine.clock import uptime, utc_now
from bots.engine.testimony import check_fills, check_report
from bots.lifecycle import OrderState, advance, apply_report
from bots.models import BotEvent, Order, Severity
from exchanges.errors import MalformedAnswerError, OrderNotFoundError, VenueError
from exchanges.types import OrderRef, OrderReport, TradeReport, VenueOrderStatus

GRACE = timedelta(seconds=20)
ABSENCES_TO_BELIEVE = 3
TRADES_EVERY_SECONDS = 60.0
TRADE_OVERLAP = timedelta(minutes=1)
CLOCK_TOLERANCE = timedelta(minutes=10)  # the cursor starts from our clock, trades carry the venue's
LATE_TRADES = timedelta(seconds=10)
CANCEL_PATIENCE = timedelta(seconds=5)
TURNS_UP_WITHIN = timedelta(hours=1)


async def observe(account: Account, symbols: Collection[str], *, thorough: bool = False) -> None:
    """One look at orders and trades in these symbols. `thorough` asks for trades in any case.

    Raises VenueError when the venue could not be asked; what was learnt until then is kept.
    """
    reports = await account.gateway.fetch_open_orders(symbols)
    changed = await _renumber(account, reports)
    matched, strangers, contradiction = _match(account, reports)
    changed += matched
    changed += await _adopt(account, strangers)
    listed = {report.client_id for report in reports}
    listed_ids = {(report.symbol, report.venue_id) for report in reports}
    missing = [
        order
        for order in account.live_orders()
        if order.symbol in symbols
        and order.client_id not in listed
        and (order.symbol, order.venue_id) not in listed_ids
    ]
    looked_up, failure = await _look_up(account, missing)
    await _save(account, [*changed, *looked_up])
    failure = contradiction or failure
    if failure:
        raise failure
    for symbol in symbols:
        if thorough or _wants_trades(account, symbol):
            await collect_trades(account, symbol)
    await _give_up_absent(account)


async def _renumber(account: Account, reports: Iterable[OrderReport]) -> list[Order]:
    """An order that is listed under another number than its create was answered with is asked for by its
    client id: what two answers agree on is its number. Those whose number changed."""
    changed = []
    for report in reports:
        order = account.orders.get(report.client_id or "")
        if order is None or not order.venue_id or order.venue_id == report.venue_id:
            continue
        if account.by_venue_id(report.symbol, report.venue_id):
            continue
        seen = await account.gateway.fetch_order(by_client_id(order))
        if seen.venue_id == report.venue_id:
            order.venue_id = seen.venue_id
            changed.append(order)
    return changed


def _match(
    account: Account, reports: Iterable[OrderReport]
) -> tuple[list[Order], list[OrderReport], VenueError | None]:
    """(orders that the reports changed, reports of orders that memory does not have, the first of those
    that cannot be believed)."""
    changed, strangers = [], []
    contradiction: VenueError | None = None
    for report in reports:
        order = account.find(report)
        try:
            if order is None:
                strangers.append(report)
            elif _write(account, order, report):
                changed.append(order)
        except MalformedAnswerError as error:
            contradiction = contradiction or error
    return changed, strangers, contradiction


def _write(account: Account, order: Order, report: OrderReport) -> bool:
    """True when the report said something new of the order. Raises MalformedAnswerError."""
    check_report(account, order, report)
    seen_again = order.not_found_count > 0
    order.not_found_count = 0
    before = order.state
    changed = ledger.write_facts(order, apply_report(ledger.facts_of(order), report), at=utc_now())
    if order.state == OrderState.OPEN and (before == OrderState.UNKNOWN or _is_cancel_overdue(order)):
        # It rests, so its cancel did not arrive, or was accepted and forgotten; it may be asked for again.
        changed = changed or order.cancel_requested_at is not None
        order.cancel_requested_at = None
    if order.state != OrderState.UNKNOWN and order.submitted_at is None:
        order.submitted_at = order.created_at
    return changed or seen_again


def _is_cancel_overdue(order: Order) -> bool:
    asked_at = order.cancel_requested_at
    return asked_at is not None and utc_now() - asked_at > CANCEL_PATIENCE


async def _adopt(account: Account, strangers: Iterable[OrderReport]) -> list[Order]:
    """Orders of ours that were thought ended or were never heard of again; foreign ones are remembered."""
    unknown = [report for report in strangers if (report.symbol, report.venue_id) not in account.foreign]
    by_client_id = {report.client_id: report for report in unknown if report.client_id}
    ours = await account.database.run(ledger.find_orders, account.lease, by_client_id) if by_client_id else []
    for order in ours:
        await _reopen(account, order)
        _write(account, order, by_client_id[order.client_id])
    known = {order.client_id for order in ours}
    account.foreign |= {(r.symbol, r.venue_id) for r in unknown if r.client_id not in known}
    adopted = [order for order in ours if not OrderState(order.state).is_final]
    account.hold(adopted)
    return adopted


async def _reopen(account: Account, order: Order) -> None:
    """An order that had ended for us is listed as open. A list may lag behind, so the order itself is asked
    for; if it rests, it lives."""
    if not OrderState(order.state).is_final or order.state in {OrderState.FILLED, OrderState.NEVER_PLACED}:
        return
    try:
        report = await account.gateway.fetch_order(ref_of(order))
    except OrderNotFoundError:
        return
    if report.status is VenueOrderStatus.OPEN:
        ledger.write_facts(order, advance(ledger.facts_of(order), OrderState.UNKNOWN), at=utc_now())


async def _look_up(account: Account, orders: Collection[Order]) -> tuple[list[Order], VenueError | None]:
    """Asks for each by id; (orders of which something became known, the first failure to ask)."""
    answers = await asyncio.gather(*(_ask(account, order) for order in orders), return_exceptions=True)
    failure: VenueError | None = None
    known = []
    for order, answer in zip(orders, answers, strict=True):
        if isinstance(answer, OrderNotFoundError):
            _note_absence(order)
            known.append(order)
        elif isinstance(answer, VenueError):
            failure = failure or answer
        elif isinstance(answer, BaseException):
            raise answer
        elif answer:
            known.append(order)
    return known, failure


async def _ask(account: Account, order: Order) -> bool:
    """True when something became known of it. Raises VenueError."""
    return _write(account, order, await ask_for(account.gateway, order))


def _note_absence(order: Order) -> None:
    order.not_found_count += 1
    ledger.write_facts(order, advance(ledger.facts_of(order), OrderState.UNKNOWN), at=utc_now())


async def _save(account: Account, orders: Collection[Order], events: Iterable[BotEvent] = ()) -> None:
    events = list(events)
    if orders or events:
        await account.database.run(ledger.save_orders, account.lease, orders, events=events)
        account.hold(orders)


# --- Trades


def _wants_trades(account: Account, symbol: str) -> bool:
    if uptime() - account.trades_checked_at.get(symbol, float("-inf")) > TRADES_EVERY_SECONDS:
        return True
    return any(
        order.filled != order.traded or order.not_found_count
        for order in account.orders.values()
        if order.symbol == symbol
    )


async def collect_trades(account: Account, symbol: str) -> None:
    """Counts our fills since the cursor, and moves it to the last one seen.

    What one answer tells is counted before the next question: a venue that is slow to answer many must not
    keep us from ever counting any.
    """
    since = account.trade_cursors.get(symbol) or await _first_cursor(account, symbol)
    reports = list(await account.gateway.fetch_trades(symbol, since=since - TRADE_OVERLAP))
    await _count(account, symbol, reports)
    late = await _late_trades(account, symbol, {report.id for report in reports})
    await _count(account, symbol, late)
    times = [report.time for report in (*reports, *late)]
    # A venue's clock may be ahead of ours: what it makes until then must not lie before the cursor.
    account.trade_cursors[symbol] = min(max([since, *times]), max(since, utc_now()))
    account.trades_checked_at[symbol] = uptime()


async def _count(account: Account, symbol: str, reports: Sequence[TradeReport]) -> None:
    """Ours among them, each once."""
    await _claim_unknown(account, symbol, reports)
    fills = await _claim(account, symbol, reports)
    check_fills(account, fills, utc_now())
    if not fills:
        return
    market = account.markets[symbol]
    counted = await account.database.run(ledger.record_trades, account.lease, market, fills)
    account.hold(order for order, _ in fills)
    if counted:
        fills_were_counted(account, counted)
        account.positions = await account.database.run(ledger.positions_of, account.lease)
    if any(order.round_trip_id for order, _ in fills):
        account.trips = await account.database.run(trips.at_work, account.lease)


async def _first_cursor(account: Account, symbol: str) -> datetime:
    earliest = await account.database.run(ledger.trades_missing_since, account.lease, symbol)
    return (earliest or utc_now()) - CLOCK_TOLERANCE


async def _late_trades(account: Account, symbol: str, seen: set[str]) -> list[TradeReport]:
    """The fills of orders that ended a while ago and still lack some, asked for order by order."""
    late: list[TradeReport] = []
    for order in list(account.orders.values()):
        overdue = order.closed_at and utc_now() - order.closed_at > LATE_TRADES
        if order.symbol == symbol and order.venue_id and overdue and order.filled != order.traded:
            late += await account.gateway.fetch_order_trades(ref_of(order))
    return [report for report in late if report.id not in seen]


async def _claim_unknown(account: Account, symbol: str, reports: Iterable[TradeReport]) -> None:
    """An order without a venue id may have traded, even one that was given up: ask whose order each
    unclaimed trade belongs to."""
    ours = {order.venue_id for order in account.orders.values() if order.symbol == symbol}
    candidates = {report.order_venue_id for report in reports} - ours
    candidates = {venue_id for venue_id in candidates if (symbol, venue_id) not in account.foreign}
    if not candidates:
        return
    nameless = [order for order in account.live_orders() if order.symbol == symbol and not order.venue_id]
    nameless += await account.database.run(
        ledger.never_placed_since, account.lease, symbol, utc_now() - TURNS_UP_WITHIN
    )
    if not nameless:
        return
    by_client_id = {order.client_id: order for order in nameless}
    settled = await account.database.run(ledger.orders_by_venue_id, account.lease, symbol, candidates)
    candidates -= {order.venue_id for order in settled}
    changed = []
    for venue_id in candidates:
        try:
            report = await account.gateway.fetch_order(
                OrderRef(client_id="", symbol=symbol, venue_id=venue_id)
            )
        except OrderNotFoundError:  # it traded, so it was; the venue may know it again later
            continue
        order = by_client_id.get(report.client_id or "")
        if order is None:
            account.foreign.add((symbol, venue_id))
        elif _write(account, order, report):
            changed.append(order)
    await _save(account, changed)


async def _claim(
    account: Account, symbol: str, reports: Iterable[TradeReport]
) -> list[tuple[Order, TradeReport]]:
    """Each fill with its order; fills of foreign orders are left out."""
    reports = list(reports)
    by_venue_id = {
        order.venue_id: order
        for order in account.orders.values()
        if order.symbol == symbol and order.venue_id
    }
    unclaimed = {report.order_venue_id for report in reports} - by_venue_id.keys()
    unclaimed = {venue_id for venue_id in unclaimed if (symbol, venue_id) not in account.foreign}
    if unclaimed:
        settled = await account.database.run(ledger.orders_by_venue_id, account.lease, symbol, unclaimed)
        by_venue_id |= {order.venue_id: order for order in settled}
    return [(by_venue_id[r.order_venue_id], r) for r in reports if r.order_venue_id in by_venue_id]


# --- Orders that the venue does not know


def symbols_of_the_denied(account: Account) -> set[str]:
    """Where an order was given up lately: should the venue have it after all, it turns up there."""
    since = uptime() - TURNS_UP_WITHIN.total_seconds()
    account.denied_at = {symbol: at for symbol, at in account.denied_at.items() if at >= since}
    return set(account.denied_at)


async def _give_up_absent(account: Account) -> None:
    """Ends orders that the venue has denied often enough; their trades were asked for meanwhile."""
    now = utc_now()
    ended = [order for order in account.live_orders() if _is_absent(order, now)]
    account.denied_at |= {order.symbol: uptime() for order in ended}
    events = [_end_absent(account, order, now) for order in ended]
    await _save(account, ended, events)


def _is_absent(order: Order, now: datetime) -> bool:
    since = max(filter(None, (order.created_at, order.cancel_requested_at, order.unknown_since)))
    return order.not_found_count >= ABSENCES_TO_BELIEVE and now - since >= GRACE


def _end_absent(account: Account, order: Order, now: datetime) -> BotEvent:
    """An order that the venue had once acknowledged is canceled; one it never did was never placed."""
    state = OrderState.CANCELED if order.venue_id else OrderState.NEVER_PLACED
    ledger.write_facts(order, advance(ledger.facts_of(order), state), at=now)
    times = order.not_found_count
    order.reason = f"the venue said {times} times that it has no such order"
    return account.event(
        "order_absent",
        f"{order}: {account.name} said {times} times that it has no such order; booked as "
        f"{state.replace('_', ' ')}.",
        at=now,
        order=order,
        severity=Severity.WARNING,
    )
