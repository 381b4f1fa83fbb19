"""What pages need to know of a scalper's positions, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from bots.accounting import unrealised
from bots.engine import trips
from bots.models import Position, RoundTrip, ScalperBot, TripState
from bots.strategies.protections import Lock, locks


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
    rows = RoundTrip.objects.current().filter(bot=bot)
    return TripsPage(
        open=_open(bot, list(rows.at_work().order_by("created_at"))),
        last=list(rows.traded().filter(state=TripState.CLOSED).order_by("-closed_at")[:last]),
        locks=locks_now(bot, now),
    )


def locks_now(bot: ScalperBot, now: datetime) -> tuple[Lock, ...]:
    """From the rows that its worker takes them from."""
    since = now - timedelta(seconds=bot.protections.window_seconds)
    return locks(trips.closed_since(bot.pk, since), bot.protections, now)


def _open(bot: ScalperBot, rows: Iterable[RoundTrip]) -> list[OpenTrip]:
    positions = Position.objects.current().filter(bot=bot)
    marks = dict(positions.values_list("symbol", "mark_price"))
    return [OpenTrip(trip=trip, mark_price=marks.get(trip.symbol)) for trip in rows]
