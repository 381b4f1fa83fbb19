"""Round trips in the database: the sums of their trades, and what their strategy has to remember."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from bots.accounting import Holding, apply_fill, ratio
from bots.engine.fills import exact_sum, fill_of, in_venue_order
from bots.engine.lease import Lease, fenced
from bots.models import BotEvent, OnScalperStop, RoundTrip, ScalperBot, Trade, TripState
from bots.strategies.barriers import Exit
from bots.strategies.protections import ClosedTrip
from exchanges.types import Market, Side

MEMORY = ("trailing_stop", "closing", "closing_since", "closing_tries")
_END = ("state", "closed_at", "remark", "closing")


def at_work(lease: Lease) -> dict[int, RoundTrip]:
    """The connection's, of the books in use, by their number."""
    rows = RoundTrip.objects.current().at_work().filter(connection_id=lease.connection_id)
    return {row.pk: row for row in rows.order_by("pk")}


def closed_since(bot_id: UUID, since: datetime) -> list[ClosedTrip]:
    """As protections take them, in the order in which they closed."""
    rows = RoundTrip.objects.current().filter(bot_id=bot_id, state=TripState.CLOSED, closed_at__gte=since)
    return [
        ClosedTrip(
            symbol=row.symbol,
            closed_at=row.closed_at,
            reason=Exit(row.closing) if row.closing else None,
            profit=row.realised_profit,
            cost=row.entry_cost,
        )
        for row in rows.order_by("closed_at", "pk")
        if row.closed_at
    ]


def recount(ids: Collection[int], market: Market) -> None:
    """Their sums anew from all of their trades, in the transaction that records some of these.

    One that had ended, and of which more was entered than anybody knew, is at work again.
    """
    for trip in RoundTrip.objects.filter(pk__in=ids):
        left = trip.left
        _count(trip, in_venue_order(Trade.objects.filter(order__round_trip=trip)), market)
        if not trip.is_at_work and trip.left > left:
            trip.state, trip.closed_at, trip.remark = TripState.OPEN, None, ""
        if trip.state == TripState.OPENING:
            trip.state = TripState.OPEN
        trip.save()


def _count(trip: RoundTrip, trades: list[Trade], market: Market) -> None:
    holding = Holding()
    for trade in trades:
        holding, _ = apply_fill(holding, fill_of(trade, market))
    trip.holding = holding
    entries = [trade for trade in trades if trade.side == trip.side]
    exits = [trade for trade in trades if trade.side != trip.side]
    trip.entered, trip.entry_cost = _sums(entries)
    trip.exited, trip.exit_cost = _sums(exits)
    trip.entry_fees = exact_sum(trade.fee_amount for trade in entries if trade.fee_currency == market.quote)
    trip.opened_at = trades[0].time
    fees = trip.entry_fees if trip.side == Side.BUY else -trip.entry_fees
    paid = trip.entry_cost + fees
    trip.profit_pct = ratio(trip.realised_profit, paid) if paid else None


def _sums(trades: Iterable[Trade]) -> tuple[Decimal, Decimal]:
    trades = list(trades)
    return exact_sum(trade.amount for trade in trades), exact_sum(trade.cost for trade in trades)


def remember(lease: Lease, trips: Iterable[RoundTrip]) -> None:
    """Where their stops stand, and whether they are being closed."""
    with fenced(lease):
        for trip in trips:
            trip.save(update_fields=MEMORY)


def finish(lease: Lease, trip: RoundTrip, event: BotEvent | None) -> None:
    """It is closed, or its entry was missed."""
    with fenced(lease):
        trip.save(update_fields=_END)
        if event is not None:
            event.save()


def last_exit_at(trip: RoundTrip) -> datetime | None:
    exits = Trade.objects.filter(order__round_trip=trip).exclude(side=trip.side)
    last: datetime | None = exits.order_by("-time").values_list("time", flat=True).first()
    return last


def keep_from_stopping(bot_id: UUID) -> bool:
    """Positions are open that the bot closes before it stops."""
    closes = ScalperBot.objects.filter(pk=bot_id, on_stop=OnScalperStop.CLOSE)
    return closes.exists() and RoundTrip.objects.current().at_work().filter(bot_id=bot_id).exists()


def keep_place(lease: Lease, bot_id: UUID, place: str, event: BotEvent) -> None:
    """Of a scan. Not a change of settings: workers need not read them anew."""
    with fenced(lease):
        ScalperBot.objects.filter(pk=bot_id).update(scan_place=place)
        event.save()
