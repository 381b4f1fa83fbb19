"""What charts show: profit and equity over time, and the price of a market with what a bot did in it.

Each reads a bounded number of rows, whatever there is. Times are whole seconds since 1970, UTC.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q
from django.utils import timezone

from bots.models import AnyBot, Order, PricePoint, Trade
from bots.overview import Total, mode_of
from bots.strategies.protections import quote_of
from exchanges.models import BalanceSnapshot, ExchangeConnection, Mode
from exchanges.selectors import SEES_ALL, visible_connections
from exchanges.types import ZERO

Person = User | AnonymousUser
Point = tuple[int, Decimal]
Key = tuple[str, str]  # mode and quote currency: play money is never added to real money
DAY, WEEK = timedelta(days=1), timedelta(days=7)
STEP_SECONDS = 60
MOST_TRADES = 10_000
MOST_SNAPSHOTS = 50_000
MOST_FILLS = 500


@dataclass(frozen=True, kw_only=True)
class Series:
    title: str
    points: Sequence[Point]


@dataclass(frozen=True, kw_only=True)
class MarketHistory:
    """fills: of one bot, oldest first; orders: those of it that rest now."""

    prices: Sequence[Point]
    fills: Sequence[Trade]
    orders: Sequence[Order]


def profit_of_day(person: Person) -> list[Series]:
    """What the trades of the last 24 hours brought in, added up as they came: the newest of them, where they
    are many."""
    since = timezone.now() - DAY
    connections = {row.pk: row for row in visible_connections(person)}
    of_whom = Q() if person.has_perm(SEES_ALL) else Q(connection__in=connections)
    trades = Trade.objects.current().filter(of_whom, time__gte=since)
    rows = trades.values_list("time", "connection_id", "symbol", "realised_profit")[:MOST_TRADES]
    gains: dict[Key, list[tuple[datetime, Decimal]]] = defaultdict(list)
    for at, key, symbol, profit in reversed(list(rows)):
        gains[mode_of(connections[key]), quote_of(symbol)].append((at, profit))
    return [Series(title=_title(key), points=added_up(steps)) for key, steps in sorted(gains.items())]


def equity_of_week(person: Person, totals: Iterable[Total]) -> list[Series]:
    """The accounts' worth hour by hour; where an hour has no snapshot, the last one known counts.

    totals: as they are now.
    """
    connections = {row.pk: row for row in visible_connections(person) if row.archived_at is None}
    rows = BalanceSnapshot.objects.filter(taken_at__gte=timezone.now() - WEEK, connection__in=connections)
    columns = ("hour", "connection_id", "quote", "total")
    seen: dict[datetime, list[tuple[UUID, str, Decimal]]] = defaultdict(list)
    for hour, key, quote, total in rows.order_by().values_list(*columns)[:MOST_SNAPSHOTS]:
        seen[hour].append((key, quote, total))
    series = _carried(seen, connections)
    for total in totals:
        if total.equity is not None and total.mode in Mode.values:
            series[total.mode, total.currency].append((_seconds(timezone.now()), total.equity))
    return [Series(title=_title(key), points=points) for key, points in sorted(series.items())]


def profit_of_bot(bot: AnyBot) -> list[Series]:
    """What its newest trades brought in, by quote currency, added up."""
    rows = Trade.objects.current().filter(bot=bot).values_list("time", "symbol", "realised_profit")
    gains: dict[str, list[tuple[datetime, Decimal]]] = defaultdict(list)
    for at, symbol, profit in reversed(list(rows[:MOST_FILLS])):
        gains[quote_of(symbol)].append((at, profit))
    return [Series(title=quote, points=added_up(steps, 1)) for quote, steps in sorted(gains.items())]


def market_history(bot: AnyBot, symbol: str) -> MarketHistory:
    """Of the last day."""
    since = timezone.now() - PricePoint.KEPT
    points = PricePoint.objects.filter(venue=bot.connection.venue, symbol=symbol, minute__gte=since)
    rows = points.order_by("minute").values_list("minute", "price")
    fills = Trade.objects.current().filter(bot=bot, symbol=symbol, time__gte=since)[:MOST_FILLS]
    orders = Order.objects.current().live().filter(bot=bot, symbol=symbol)
    return MarketHistory(
        prices=[(_seconds(minute), price) for minute, price in rows],
        fills=list(fills)[::-1],
        orders=list(orders.order_by("price")),
    )


def added_up(gains: Iterable[tuple[datetime, Decimal]], step_seconds: int = STEP_SECONDS) -> list[Point]:
    """From 0 on; the last sum of each step. gains: oldest first."""
    sums: dict[int, Decimal] = {}
    total = ZERO
    for at, gain in gains:
        total += gain
        second = _seconds(at)
        sums[second - second % step_seconds] = total
    first = min(sums, default=0)
    return [(first - step_seconds, ZERO), *sorted(sums.items())] if sums else []


def _carried(
    seen: Mapping[datetime, Iterable[tuple[UUID, str, Decimal]]],
    connections: Mapping[UUID, ExchangeConnection],
) -> dict[Key, list[Point]]:
    last: dict[UUID, tuple[Key, Decimal]] = {}
    points: dict[Key, list[Point]] = defaultdict(list)
    for hour in sorted(seen):
        for connection, quote, total in seen[hour]:
            last[connection] = ((connections[connection].mode, quote), total)
        sums: dict[Key, Decimal] = defaultdict(Decimal)
        for key, total in last.values():
            sums[key] += total
        for key, total in sums.items():
            points[key].append((_seconds(hour), total))
    return points


def _title(key: Key) -> str:
    return f"{key[0].capitalize()}, {key[1]}"


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
