"""What pages need to know of a scalper's positions, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from bots.accounting import unrealised
from bots.models import Position, RoundTrip, ScalperBot, TripState
from bots.strategies.barriers import Exit
from bots.strategies.protections import ClosedTrip, Lock, locks


@dataclass(frozen=True, kw_only=True)
class OpenTrip:
    """unrealised_profit: quote; None without a mark price."""

    trip: RoundTrip
    mark_price: Decimal | None

    @property
    def unrealised_profit(self) -> Decimal | None:
        return None if self.mark_price is None else unrealised(self.trip.holding, self.mark_price)


@dataclass(frozen=True, kw_only=True)
class TripsPage:
    """locks: those that hold now."""

    open: Sequence[OpenTrip]
    last: Sequence[RoundTrip]
    locks: Sequence[Lock]


def trips_page(bot: ScalperBot, *, now: datetime, last: int = 10) -> TripsPage:
    trips = RoundTrip.objects.current().filter(bot=bot)
    return TripsPage(
        open=_open(bot, list(trips.at_work().order_by("created_at"))),
        last=list(trips.traded().filter(state=TripState.CLOSED).order_by("-closed_at")[:last]),
        locks=locks_now(bot, now),
    )


def locks_now(bot: ScalperBot, now: datetime) -> tuple[Lock, ...]:
    return locks(closed_trips(bot, now), bot.protections, now)


def closed_trips(bot: ScalperBot, now: datetime) -> list[ClosedTrip]:
    """Those that its protections still look at, in the order in which they closed."""
    since = now - timedelta(seconds=bot.protections.window_seconds)
    rows = RoundTrip.objects.current().traded().filter(bot=bot, state=TripState.CLOSED, closed_at__gt=since)
    return [closed_trip(row) for row in rows.order_by("closed_at", "pk")]


def closed_trip(row: RoundTrip) -> ClosedTrip:
    """A row that is closed, as the protections take it."""
    if row.closed_at is None:
        raise ValueError(f"{row} is not closed")
    return ClosedTrip(
        symbol=row.symbol,
        closed_at=row.closed_at,
        reason=Exit(row.closing) if row.closing else None,
        profit=row.realised_profit,
        cost=row.entry_cost,
    )


def _open(bot: ScalperBot, trips: Iterable[RoundTrip]) -> list[OpenTrip]:
    positions = Position.objects.current().filter(bot=bot)
    marks = dict(positions.values_list("symbol", "mark_price"))
    return [OpenTrip(trip=trip, mark_price=marks.get(trip.symbol)) for trip in trips]
