"""A day of the desk in a few lines, for one person: of what they see, and of nothing else."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from django.contrib.auth.models import User

from bots.models import RoundTrip, Trade
from bots.overview import Figures, Rows, bot_rows, figures, mode_of, seen_by
from bots.profit import Money, earned_by
from bots.strategies.protections import quote_of
from exchanges.admin.cells import ago, short
from exchanges.models import ExchangeConnection
from exchanges.selectors import visible_connections, visible_rows, worth
from exchanges.types import ZERO

DAY = timedelta(hours=24)
MOST_LINES = 20


def daily_report(user: User, *, now: datetime) -> list[str]:
    """One line a fact: profit, trades and round trips of a day, bots in trouble, what accounts hold."""
    if not user.is_active:
        return ["This person's account is disabled."]
    seen = seen_by(user)
    return [
        *_of_the_day(user, now - DAY, now),
        *_of_all_time(figures(seen)),
        *_in_trouble(bot_rows(seen)),
        *_accounts(visible_connections(user).filter(archived_at=None), now),
    ]


def _of_the_day(user: User, since: datetime, until: datetime) -> Iterator[str]:
    earned = earned_by(visible_rows(user, Trade.objects.filter(time__gt=since, time__lte=until)))
    trips = _closed_trips(user, since, until)
    if not earned and not trips:
        yield "No trades in 24 hours."
    for money in sorted({*earned, *trips}):
        mode, currency = money
        yield (
            f"{mode.capitalize()}: {_signed(earned[money].realised)} {currency} realised in 24 hours, "
            f"{earned[money].trades} trades, {trips[money]} round trips closed."
        )


def _closed_trips(user: User, since: datetime, until: datetime) -> Counter[Money]:
    rows = RoundTrip.objects.traded().filter(closed_at__gt=since, closed_at__lte=until)
    columns = ("symbol", "connection__mode", "is_dry_run")
    return Counter(
        ("dry run" if is_dry_run else mode, quote_of(symbol))
        for symbol, mode, is_dry_run in visible_rows(user, rows).order_by().values_list(*columns)
    )


def _of_all_time(found: Figures) -> Iterator[str]:
    for total in found.totals:
        if not total.bots:
            continue
        yield (
            f"{total.mode.capitalize()}, since the start: {_signed(total.profit.total)} {total.currency} "
            f"({_signed(total.profit.unrealised)} of it unrealised), {total.bots} bots."
        )


def _in_trouble(found: Rows) -> Iterator[str]:
    troubled = [row for row in found.rows if row.trouble]
    for row in troubled[:MOST_LINES]:
        yield f"In trouble: {row.bot} on {row.bot.connection}. {row.trouble}"
    if len(troubled) > MOST_LINES:
        yield f"… and {len(troubled) - MOST_LINES} more bots in trouble."
    if not troubled and found.bots:
        yield "No bot is in trouble."


def _accounts(connections: Iterable[ExchangeConnection], now: datetime) -> Iterator[str]:
    sums: dict[Money, Decimal] = defaultdict(lambda: ZERO)
    oldest: dict[Money, datetime] = {}
    for connection in connections:
        value, read_at = worth(connection), connection.balances_at
        if value is None or read_at is None:
            yield f"The balances of {connection} were not read yet."
            continue
        money = (mode_of(connection), value.quote)
        sums[money] += value.total
        oldest[money] = min(read_at, oldest.get(money, read_at))
    for (mode, currency), total in sorted(sums.items()):
        age = ago(oldest[mode, currency], now)
        held = f"{mode.capitalize()} accounts hold {short(total)} {currency}"
        yield f"{held}; the oldest balance was read {age}."


def _signed(value: Decimal) -> str:
    return f"+{short(value)}" if value > 0 else short(value)
