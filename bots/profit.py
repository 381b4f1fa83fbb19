"""What was earned in a time, from the trades of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import QuerySet

from bots.models import Trade
from bots.strategies.protections import quote_of
from exchanges.types import ZERO

ROWS_AT_ONCE = 5000


@dataclass(frozen=True, kw_only=True, slots=True)
class DayProfit:
    """realised: in the currency, after fees paid in it. mode: live, paper, or dry run."""

    day: date
    mode: str
    currency: str
    realised: Decimal
    trades: int


def daily_profit(trades: QuerySet[Trade], since: datetime, until: datetime) -> list[DayProfit]:
    """By day (UTC), mode and quote currency; the sums are made here, exactly, a row at a time."""
    sums: dict[tuple[date, str, str], tuple[Decimal, int]] = {}
    for time, symbol, mode, is_dry_run, profit in _rows(trades, since, until):
        key = (time.date(), "dry run" if is_dry_run else mode, quote_of(symbol))
        realised, count = sums.get(key, (ZERO, 0))
        sums[key] = (realised + profit, count + 1)
    return [
        DayProfit(day=day, mode=mode, currency=currency, realised=realised, trades=count)
        for (day, mode, currency), (realised, count) in sorted(sums.items())
    ]


def _rows(
    trades: QuerySet[Trade], since: datetime, until: datetime
) -> Iterable[tuple[datetime, str, str, bool, Decimal]]:
    columns = ("time", "symbol", "connection__mode", "is_dry_run", "realised_profit")
    rows = trades.filter(time__gte=since, time__lt=until).order_by().values_list(*columns)
    return rows.iterator(chunk_size=ROWS_AT_ONCE)
