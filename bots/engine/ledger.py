"""Where money is written down: orders, trades, positions. Every change is one fenced transaction.

Intents are committed before their request leaves. Trades are counted once, by the venue's id, and a
position is what its trades add up to; a trade that comes late rebuilds the position in the right order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Max, Min
from django.db.models.functions import Now

from bots.accounting import Holding, apply_fill
from bots.engine import trips
from bots.engine.board import identity
from bots.engine.fills import exact_sum, fill_of, in_venue_order, venue_order
from bots.engine.lease import Lease, fenced
from bots.lifecycle import OrderFacts, OrderState, advance, apply_traded
from bots.models import (
    Bot,
    BotEvent,
    BotState,
    Decision,
    KillSwitch,
    OnStop,
    Order,
    Position,
    RoundTrip,
    SpreadBot,
    Trade,
)
from bots.models.order import OrderQuerySet
from database.rows import update_each
from exchanges.errors import MalformedAnswerError
from exchanges.models import ExchangeConnection
from exchanges.types import ZERO, Market, TradeReport

_CHANGING = (
    "state",
    "venue_id",
    "filled",
    "traded",
    "average",
    "reason",
    "submitted_at",
    "cancel_requested_at",
    "unknown_since",
    "not_found_count",
    "closed_at",
    "settled_at",
)
_MARKS = ("mark_price", "marked_at", "day", "day_start_profit")


def facts_of(order: Order) -> OrderFacts:
    return OrderFacts(
        state=OrderState(order.state),
        amount=order.amount,
        filled=order.filled,
        average=order.average,
        venue_id=order.venue_id or None,
    )


def write_facts(order: Order, facts: OrderFacts, *, at: datetime) -> bool:
    """Puts facts on the row (not yet into the database); True when that changed anything."""
    if facts == facts_of(order):
        return False
    order.state = facts.state
    order.filled = facts.filled
    order.average = facts.average
    order.venue_id = facts.venue_id or ""
    order.unknown_since = (order.unknown_since or at) if facts.state is OrderState.UNKNOWN else None
    order.closed_at = (order.closed_at or at) if facts.state.is_final else None
    return True


# Who is paused, or is to stop, opens nothing and closes what it holds.
MAY_OPEN = (BotState.RUNNING,)
MAY_CLOSE = (BotState.RUNNING, BotState.PAUSED, BotState.STOPPING)


class BotNotRunningError(Exception):
    """Somebody stopped or paused the bot meanwhile; nothing may be sent."""


def save_intents(lease: Lease, bot: Bot, orders: Sequence[Order], *, trip: RoundTrip | None = None) -> None:
    """Commits them, with the round trip that they open; they close one that is there already.

    Raises LeaseLostError or BotNotRunningError, and then nothing may be sent.
    """
    closes = trip is not None and trip.pk is not None
    with fenced(lease, unexpired=True):
        bots = Bot.objects.filter(pk=bot.pk, state__in=MAY_CLOSE if closes else MAY_OPEN)
        active = bots.filter(connection__enabled=True, connection__archived_at=None)
        running = active.select_related("connection").first()
        if running is None:
            raise BotNotRunningError(f"{bot} is not running any more")
        connection = running.connection
        if KillSwitch.objects.all().covering(bot, connection):
            raise BotNotRunningError(f"a kill switch covers {bot}")
        if trip is not None:
            trip.is_dry_run = connection.is_dry_run
            trip.save(update_fields=trips.MEMORY if closes else None)
        for order in orders:
            order.is_dry_run, order.round_trip = connection.is_dry_run, trip
        Order.objects.bulk_create(orders)


def take_over_unsettled(lease: Lease, at: datetime) -> list[Order]:
    """The connection's orders that are live, or whose trades are not all here.

    An intent of an earlier holder may have left or not: nobody knows, so it becomes unknown.
    """
    with fenced(lease):
        orders = list(_orders(lease).unsettled().order_by("pk"))
        for order in orders:
            if order.state == OrderState.INTENDED:
                order.reason = "the worker that intended it ended before it wrote down an answer"
                write_facts(order, advance(facts_of(order), OrderState.UNKNOWN), at=at)
                _save(order)
    return orders


def find_orders(lease: Lease, client_ids: Iterable[str]) -> list[Order]:
    return list(_orders(lease).filter(client_id__in=list(client_ids)))


def orders_by_venue_id(lease: Lease, symbol: str, venue_ids: Iterable[str]) -> list[Order]:
    return list(_orders(lease).filter(symbol=symbol, venue_id__in=list(venue_ids)))


def never_placed_since(lease: Lease, symbol: str, since: datetime) -> list[Order]:
    """Orders that were given up lately; should the venue fill one after all, the fill is ours."""
    given_up = _orders(lease).filter(symbol=symbol, venue_id="")
    return list(given_up.filter(state=OrderState.NEVER_PLACED, created_at__gte=since))


def trades_missing_since(lease: Lease, symbol: str) -> datetime | None:
    """Since when trades may be missing: the oldest unsettled order, or else the last order there was."""
    orders = _orders(lease).filter(symbol=symbol)
    missing: datetime | None = orders.unsettled().aggregate(first=Min("created_at"))["first"]
    latest: datetime | None = orders.aggregate(last=Max("created_at"))["last"]
    return missing or latest


def save_orders(lease: Lease, orders: Iterable[Order], *, events: Iterable[BotEvent] = ()) -> None:
    """Writes what became known of orders, settles those that are complete, and keeps the events."""
    with fenced(lease):
        for order in orders:
            _save(order)
        BotEvent.objects.bulk_create(events)


def record_trades(lease: Lease, market: Market, fills: Sequence[tuple[Order, TradeReport]]) -> list[Trade]:
    """Counts each fill once; the new ones. Orders and positions are written in the same transaction.

    Seen before: ignored. The orders are the caller's own instances and are brought up to date.
    Raises MalformedAnswerError, and counts nothing, where an order would have traded more than its amount.
    """
    with fenced(lease):
        seen = set(
            Trade.objects.current()
            .filter(
                connection_id=lease.connection_id,
                symbol=market.symbol,
                venue_id__in=[report.id for _, report in fills],
            )
            .values_list("venue_id", flat=True)
        )
        fresh = {report.id: (order, report) for order, report in fills if report.id not in seen}
        _check_sums(fresh.values())
        trades = [_trade(order, report) for order, report in fresh.values()]
        _count(trades, market)
        for order, report in fresh.values():
            order.traded = exact_sum((order.traded, report.amount))
            write_facts(order, apply_traded(facts_of(order), order.traded), at=report.time)
        for order in {order.pk: order for order, _ in fresh.values()}.values():
            if order.traded == order.filled:
                order.average = _average_of(order)
            _save(order)
        trips.recount({order.round_trip_id for order, _ in fresh.values() if order.round_trip_id}, market)
    return trades


def _check_sums(fills: Iterable[tuple[Order, TradeReport]]) -> None:
    sums: dict[int, Decimal] = {}
    for order, report in fills:
        sums[order.pk] = exact_sum((sums.get(order.pk, order.traded), report.amount))
        if sums[order.pk] > order.amount:
            raise MalformedAnswerError(
                f"The trades of {order} add up to {sums[order.pk].normalize():f}, more than its amount. "
                "They are not counted; the venue is asked again."
            )


def _average_of(order: Order) -> Decimal | None:
    """Quote per base over its trades; reports round it, or come too early to say."""
    trades = list(Trade.objects.filter(order=order))
    amount = exact_sum(trade.amount for trade in trades)
    return Holding(amount=amount, cost=exact_sum(trade.cost for trade in trades)).average


def bots_that_leave_orders(bot_ids: Iterable[UUID]) -> set[UUID]:
    """Those of them that leave their orders in the book when they stop."""
    return set(
        SpreadBot.objects.filter(pk__in=list(bot_ids), on_stop=OnStop.LEAVE).values_list("pk", flat=True)
    )


def positions_of(lease: Lease) -> dict[tuple[UUID, str], Position]:
    rows = Position.objects.current().filter(bot__connection_id=lease.connection_id)
    return {(row.bot_id, row.symbol): row for row in rows}


def last_own_price(bot_id: UUID, symbol: str) -> Decimal | None:
    trades = Trade.objects.current().filter(bot_id=bot_id, symbol=symbol)
    last = trades.order_by("-time", "-pk").first()
    return last.price if last else None


def save_decision(lease: Lease, decision: Decision, positions: Iterable[Position]) -> None:
    """What a bot decided, and the prices at which its positions were marked."""
    with fenced(lease):
        names = ("reason", "reference_price", "quotes", "refusals", "at")
        said = {name: getattr(decision, name) for name in names}
        if not Decision.objects.filter(bot_id=decision.bot_id).update(**said):
            decision.save()
        for position in positions:
            save_mark(position)


def save_stand_aside(lease: Lease, bot_ids: Iterable[UUID], reason: str, events: Iterable[BotEvent]) -> None:
    """These bots decide nothing now, and why."""
    with fenced(lease):
        for bot_id in bot_ids:
            Decision.objects.update_or_create(
                bot_id=bot_id,
                defaults={"reason": reason, "quotes": [], "refusals": [], "at": Now()},
            )
        BotEvent.objects.bulk_create(events)


def save_mark(position: Position) -> None:
    if position.pk:
        position.save(update_fields=_MARKS)
    else:
        position.save()


def save_marks(lease: Lease, positions: Collection[Position], *, at: datetime) -> None:
    """Those of a round's bots that decided nothing new: their decisions hold as of `at`."""
    with fenced(lease):
        Decision.objects.filter(bot__in=[position.bot_id for position in positions]).update(at=at)
        update_each(positions, _MARKS)


def save_pause(lease: Lease, until: datetime) -> None:
    """For whoever holds the lease then: a worker that starts anew must not ask a venue that said wait."""
    with fenced(lease):
        ExchangeConnection.objects.filter(pk=lease.connection_id).update(paused_until=until)


def save_credentials_work(lease: Lease, tested: ExchangeConnection, event: BotEvent) -> None:
    """Unless they were changed while the venue was asked: then those are tried, too."""
    with fenced(lease):
        row = ExchangeConnection.objects.get(pk=lease.connection_id)
        if row.credentials_tested_at is None and identity(row) == identity(tested):
            ExchangeConnection.objects.filter(pk=row.pk).update(credentials_tested_at=Now())
            event.save()


def save_event(event: BotEvent) -> None:
    event.save()


def save_events(events: Iterable[BotEvent]) -> None:
    BotEvent.objects.bulk_create(events)


def finish_stopping(lease: Lease, bot: Bot, event: BotEvent) -> bool:
    """From stopping to stopped, unless somebody wants it otherwise by now, or an order is not settled yet
    that the bot does not leave in the book."""
    with fenced(lease):
        unsettled = _orders(lease).unsettled().filter(bot_id=bot.pk)
        if bot.pk in bots_that_leave_orders([bot.pk]):
            unsettled = unsettled.exclude(state=OrderState.OPEN)
        if unsettled.exists() or trips.keep_from_stopping(bot.pk):
            return False
        stopped = Bot.objects.filter(pk=bot.pk, state=BotState.STOPPING).update(state=BotState.STOPPED)
        if stopped:
            event.save()
            # What its orders held is free; should the venue not say so now, it is asked again soon.
            looked_after = ExchangeConnection.objects.exclude(balances_due_at=None)
            looked_after.filter(pk=lease.connection_id).update(balances_due_at=Now())
    return bool(stopped)


def _orders(lease: Lease) -> OrderQuerySet:
    """The connection's, of the books in use."""
    return Order.objects.current().filter(connection_id=lease.connection_id)


def _save(order: Order) -> None:
    complete = OrderState(order.state).is_final and order.traded == order.filled
    order.settled_at = (order.settled_at or order.closed_at) if complete else None
    order.save(update_fields=_CHANGING)


def _trade(order: Order, report: TradeReport) -> Trade:
    fee_currency = report.fees[0].currency if report.fees else ""
    return Trade(
        connection_id=order.connection_id,
        order=order,
        bot_id=order.bot_id,
        is_dry_run=order.is_dry_run,
        venue_id=report.id,
        symbol=report.symbol,
        side=report.side,
        price=report.price,
        amount=report.amount,
        cost=report.cost,
        fee_amount=sum((fee.amount for fee in report.fees if fee.currency == fee_currency), ZERO),
        fee_currency=fee_currency,
        liquidity=report.liquidity or "",
        time=report.time,
    )


def _count(trades: Sequence[Trade], market: Market) -> None:
    """Adds trades to their bots' positions, in the order in which the venue made them."""
    for bot_id, is_dry_run in {(trade.bot_id, trade.is_dry_run) for trade in trades}:
        where = {"bot_id": bot_id, "symbol": market.symbol, "is_dry_run": is_dry_run}
        mine = in_venue_order(trade for trade in trades if trade.bot_id == bot_id)
        position = Position.objects.filter(**where).first() or Position(**where)
        since = Trade.objects.filter(**where, time__gte=mine[0].time)
        if any(venue_order(mine[0]) < venue_order(trade) for trade in since):
            Trade.objects.bulk_create(mine)
            _rebuild(position, market)
        else:
            _add(position, mine, market)
            Trade.objects.bulk_create(mine)
        position.save()


def _rebuild(position: Position, market: Market) -> None:
    """The position anew from all of its trades; what each one earned may change with its place."""
    where = {"bot_id": position.bot_id, "symbol": position.symbol, "is_dry_run": position.is_dry_run}
    trades = in_venue_order(Trade.objects.filter(**where))
    position.holding = Holding()
    _add(position, trades, market)
    Trade.objects.bulk_update(trades, ["realised_profit"])


def _add(position: Position, trades: Iterable[Trade], market: Market) -> None:
    holding = position.holding
    for trade in trades:
        holding, trade.realised_profit = apply_fill(holding, fill_of(trade, market))
    position.holding = holding
