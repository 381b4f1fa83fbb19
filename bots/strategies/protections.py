"""Locks that keep a bot from opening positions, from the round trips that it has closed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from bots.strategies.barriers import Exit
from bots.strategies.figures import per_cent, plain
from exchanges.types import ZERO

DAY_SECONDS = 86_400
STOPS = frozenset({Exit.STOP_LOSS, Exit.TRAILING_STOP})


@dataclass(frozen=True, kw_only=True, slots=True)
class ClosedTrip:
    """profit: quote, after fees. cost: quote, what its entry cost."""

    symbol: str
    closed_at: datetime
    reason: Exit | None
    profit: Decimal
    cost: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Protections:
    """Each is off where its number is 0. Times are in seconds, shares are fractions.

    cooldown_seconds: after an exit, in its market.
    most_stops: in stops_window_seconds, over all markets; then nothing for stops_pause_seconds.
    most_drawdown_pct: of drawdown_window_seconds: how far the summed profit fell from its best, as a
        fraction of what the entries cost; then nothing for drawdown_pause_seconds.
    most_losses: in a row in one market; then nothing there for losses_pause_seconds.
    most_daily_loss: quote, of the trips that closed since midnight UTC, in each quote currency; then nothing
        there until the next midnight. None: off.
    """

    cooldown_seconds: int = 0
    most_stops: int = 0
    stops_window_seconds: int = 3600
    stops_pause_seconds: int = 3600
    most_drawdown_pct: Decimal = ZERO
    drawdown_window_seconds: int = 86_400
    drawdown_pause_seconds: int = 3600
    most_losses: int = 0
    losses_pause_seconds: int = 3600
    most_daily_loss: Decimal | None = None

    @property
    def window_seconds(self) -> int:
        """How far back round trips matter at all."""
        stops = self.stops_window_seconds + self.stops_pause_seconds
        drawdown = self.drawdown_window_seconds + self.drawdown_pause_seconds
        return max(self.cooldown_seconds, stops, drawdown, self.losses_pause_seconds, DAY_SECONDS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """symbol: None for all markets of the bot; quote: those of this quote currency only, empty: of any."""

    symbol: str | None
    until: datetime
    reason: str
    quote: str = ""

    def holds(self, symbol: str, now: datetime) -> bool:
        is_meant = self.symbol in (None, symbol) and self.quote in ("", quote_of(symbol))
        return is_meant and now < self.until


def quote_of(symbol: str) -> str:
    return symbol.partition("/")[2].partition(":")[0]


def locks(trips: Sequence[ClosedTrip], wanted: Protections, now: datetime) -> tuple[Lock, ...]:
    """Those that hold now. trips: in the order in which they closed."""
    found = (
        *_cooldowns(trips, wanted),
        *_too_many_stops(trips, wanted, now),
        *_drawdown(trips, wanted, now),
        *_losers(trips, wanted),
        *_daily_loss(trips, wanted, now),
    )
    return tuple(lock for lock in found if lock.until > now)


def _cooldowns(trips: Iterable[ClosedTrip], wanted: Protections) -> Iterator[Lock]:
    if not wanted.cooldown_seconds:
        return
    last = {trip.symbol: trip.closed_at for trip in trips}
    for symbol, closed_at in last.items():
        until = closed_at + timedelta(seconds=wanted.cooldown_seconds)
        yield Lock(symbol=symbol, until=until, reason="it has just closed a position there")


def _too_many_stops(trips: Iterable[ClosedTrip], wanted: Protections, now: datetime) -> Iterator[Lock]:
    if not wanted.most_stops:
        return
    span = timedelta(seconds=wanted.stops_window_seconds)
    stops = [trip.closed_at for trip in trips if trip.reason in STOPS]
    for number, at in enumerate(stops):
        count = sum(1 for before in stops[: number + 1] if before > at - span)
        until = at + timedelta(seconds=wanted.stops_pause_seconds)
        if count >= wanted.most_stops and until > now:
            yield Lock(
                symbol=None, until=until, reason=f"{count} stops within {wanted.stops_window_seconds} s"
            )


def _drawdown(trips: Iterable[ClosedTrip], wanted: Protections, now: datetime) -> Iterator[Lock]:
    if not wanted.most_drawdown_pct:
        return
    since = now - timedelta(seconds=wanted.drawdown_window_seconds)
    recent = [trip for trip in trips if trip.closed_at > since]
    cost = sum((trip.cost for trip in recent), ZERO)
    profit, best = ZERO, ZERO
    for trip in recent:
        profit += trip.profit
        best = max(best, profit)
        fall = (best - profit) / cost if cost else ZERO
        if fall >= wanted.most_drawdown_pct:
            until = trip.closed_at + timedelta(seconds=wanted.drawdown_pause_seconds)
            yield Lock(symbol=None, until=until, reason=f"a drawdown of {per_cent(round(fall, 6))}")


def _losers(trips: Iterable[ClosedTrip], wanted: Protections) -> Iterator[Lock]:
    if not wanted.most_losses:
        return
    in_a_row: dict[str, int] = {}
    for trip in trips:
        in_a_row[trip.symbol] = in_a_row.get(trip.symbol, 0) + 1 if trip.profit < 0 else 0
        if in_a_row[trip.symbol] >= wanted.most_losses:
            until = trip.closed_at + timedelta(seconds=wanted.losses_pause_seconds)
            count = plain(Decimal(in_a_row[trip.symbol]))
            yield Lock(symbol=trip.symbol, until=until, reason=f"{count} losses in a row there")


def _daily_loss(trips: Iterable[ClosedTrip], wanted: Protections, now: datetime) -> Iterator[Lock]:
    if wanted.most_daily_loss is None:
        return
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    profits: dict[str, Decimal] = {}
    for trip in trips:
        if trip.closed_at >= midnight:
            quote = quote_of(trip.symbol)
            profits[quote] = profits.get(quote, ZERO) + trip.profit
    for quote, profit in profits.items():
        if -profit >= wanted.most_daily_loss:
            reason = f"today's loss of {plain(-profit)} {quote} has reached {plain(wanted.most_daily_loss)}"
            yield Lock(symbol=None, quote=quote, until=midnight + timedelta(days=1), reason=reason)
