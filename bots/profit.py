"""What was earned in a time, from the trades of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from operator import itemgetter
from typing import Any

from django.db.models import Count, QuerySet, TextChoices
from django.db.models.functions import TruncDate

from bots.models import Trade
from bots.strategies.protections import quote_of
from database.money import ExactSum
from exchanges.types import ZERO


class Period(TextChoices):
    """Of the calendar in UTC; weeks begin on Mondays."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def begins(self, day: date) -> date:
        """The first day of the period in which a day is."""
        match self:
            case Period.DAY:
                return day
            case Period.WEEK:
                return day - timedelta(days=day.weekday())
            case Period.MONTH:
                return day.replace(day=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class PeriodProfit:
    """day: the first of the period. realised: in the currency, after fees paid in it. mode: live, paper, or
    dry run."""

    day: date
    mode: str
    currency: str
    realised: Decimal
    trades: int


@dataclass(slots=True)
class Earned:
    """realised: in the currency, of so many trades."""

    realised: Decimal = ZERO
    trades: int = 0


Money = tuple[str, str]  # mode and currency: play money is never added to real money


def profit_by(
    period: Period, trades: QuerySet[Trade], *, since: datetime, until: datetime
) -> list[PeriodProfit]:
    """By period, mode and quote currency."""
    sums: dict[tuple[date, Money], Earned] = defaultdict(Earned)
    days = trades.filter(time__gte=since, time__lt=until).annotate(day=TruncDate("time", tzinfo=UTC))
    for money, earned, day in _by_market(days, "day"):
        _add(sums[period.begins(day), money], earned)
    return [
        PeriodProfit(day=day, mode=mode, currency=currency, realised=sum_.realised, trades=sum_.trades)
        for (day, (mode, currency)), sum_ in sorted(sums.items(), key=itemgetter(0))
    ]


def earned_by(trades: QuerySet[Trade]) -> dict[Money, Earned]:
    """By mode and quote currency."""
    sums: dict[Money, Earned] = defaultdict(Earned)
    for money, earned in _by_market(trades):
        _add(sums[money], earned)
    return sums


def _by_market(trades: QuerySet[Trade], *columns: str) -> Iterator[tuple[Any, ...]]:
    """(whose money, its sum, values of the columns), summed by the database."""
    known = ("symbol", "connection__mode", "is_dry_run")
    rows = trades.order_by().values_list(*known, *columns)
    sums = rows.annotate(ExactSum("realised_profit"), Count("pk"))
    for symbol, mode, is_dry_run, *others, profit, number in sums:
        money = ("dry run" if is_dry_run else mode, quote_of(symbol))
        yield money, Earned(realised=profit, trades=number), *others


def _add(total: Earned, more: Earned) -> None:
    total.realised += more.realised
    total.trades += more.trades
