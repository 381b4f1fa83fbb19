"""What the first page shows: the sums over all bots, and those bots that a person should look at."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q
from django.utils import timezone

from bots.accounting import Holding, unrealised
from bots.models import KINDS, AnyBot, Bot, BotState, Order, Position
from bots.selectors import BotRow, Profit, refused_newest, rows_of
from bots.strategies.protections import quote_of
from exchanges.models import ExchangeConnection
from exchanges.selectors import SEES_ALL, visible_connections, worths
from exchanges.types import ZERO
from exchanges.valuation import Price, Valuation

SHOWN_BOTS = 50
Person = User | AnonymousUser
_SHOWN = Q(archived_at=None) | ~Q(state=BotState.STOPPED)


@dataclass(frozen=True, kw_only=True)
class Total:
    """The sums of one mode in one quote currency; play money is never added to real money.

    today: profit since midnight UTC. equity: what the accounts are worth that are counted in this currency;
    None where there is none, or where what is on record is another account's: the real one's in a dry run.
    unpriced: currencies that are not in it, because nobody knows their price.
    """

    mode: str
    currency: str
    bots: int
    profit: Profit
    today: Decimal
    equity: Decimal | None
    unpriced: Collection[str] = ()


@dataclass(frozen=True, kw_only=True)
class Figures:
    """states: how many bots are in each. orders: how many are live."""

    totals: Sequence[Total]
    states: Mapping[BotState, int]
    orders: int


@dataclass(frozen=True, kw_only=True)
class Rows:
    """rows: SHOWN_BOTS of the bots at most; bots: how many there are."""

    rows: Sequence[BotRow]
    bots: int


@dataclass(kw_only=True)
class Earned:
    """By one bot, in all of its markets. marks: the last prices, by symbol. traded_at: when one of its
    positions changed last."""

    profits: dict[str, Profit] = field(default_factory=dict)
    today: dict[str, Decimal] = field(default_factory=dict)
    marks: dict[str, Price] = field(default_factory=dict)
    traded_at: datetime | None = None

    def add(self, symbol: str, profit: Profit, today: Decimal, changed_at: datetime) -> None:
        quote = quote_of(symbol)
        self.profits[quote] = self.profits.get(quote, Profit()) + profit
        self.today[quote] = self.today.get(quote, ZERO) + today
        self.traded_at = max(self.traded_at or changed_at, changed_at)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a person sees of the desk: its connections, the bots that are not archived or still are at work,
    and what they earned."""

    bots: Sequence[AnyBot]
    connections: Mapping[UUID, ExchangeConnection]
    earned: Mapping[UUID, Earned]


def seen_by(person: Person, kinds: Iterable[type[AnyBot]] = KINDS) -> Seen:
    """In as many statements as there are kinds, and two."""
    connections = {row.pk: row for row in visible_connections(person).select_related("last_snapshot")}
    shown = _SHOWN if person.has_perm(SEES_ALL) else _SHOWN & Q(connection__in=connections)
    bots = [bot for kind in kinds for bot in kind.objects.filter(shown).only(*kind.ESSENTIALS)]
    return Seen(bots=bots, connections=connections, earned=_earned(shown))


def figures(seen: Seen) -> Figures:
    """Two statements more."""
    states = Counter(BotState(bot.state) for bot in seen.bots)
    live = Order.objects.current().live().filter(settled_at=None, connection__in=seen.connections)
    return Figures(totals=_totals(seen), states=states, orders=live.count())


def bot_rows(seen: Seen) -> Rows:
    chosen = seen.bots if len(seen.bots) <= SHOWN_BOTS else _most_urgent(seen)
    return Rows(rows=rows_of(_in_full(chosen)), bots=len(seen.bots))


def _earned(shown: Q) -> dict[UUID, Earned]:
    earned: dict[UUID, Earned] = defaultdict(Earned)
    positions = Position.objects.current().filter(bot__in=Bot.objects.filter(shown)).order_by()
    columns = (
        "bot_id", "symbol", "amount", "cost", "realised_profit", "mark_price", "marked_at", "updated_at",
        "day", "day_start_profit",
    )  # fmt: skip
    today = timezone.now().date()
    for row in positions.values_list(*columns):
        bot_id, symbol, amount, cost, realised, mark, marked_at, changed_at, day, start = row
        holding = Holding(amount=amount, cost=cost, realised_profit=realised)
        profit = Profit(realised=realised, unrealised=ZERO if mark is None else unrealised(holding, mark))
        of_today = profit.total - start if day == today else ZERO
        earned[bot_id].add(symbol, profit, of_today, changed_at)
        if mark is not None and marked_at is not None:
            earned[bot_id].marks[symbol] = Price(value=mark, at=marked_at, symbol=symbol)
    return earned


def _most_urgent(seen: Seen) -> list[AnyBot]:
    """Those in trouble, then those that traded last."""
    refused = set(refused_newest(Bot.objects.at_work()).values_list("bot_id", flat=True))

    def urgency(bot: AnyBot) -> tuple[bool, float]:
        fails = bot.pk in refused or seen.connections[bot.connection_id].last_error
        traded_at = seen.earned[bot.pk].traded_at if bot.pk in seen.earned else None
        is_troubled = bot.state != BotState.STOPPED and bool(fails)
        return is_troubled, traded_at.timestamp() if traded_at else 0.0

    return sorted(seen.bots, key=urgency, reverse=True)[:SHOWN_BOTS]


def _in_full(bots: Iterable[AnyBot]) -> list[AnyBot]:
    """By name, with all of their columns."""
    keys = [bot.pk for bot in bots]
    whole = [bot for kind in KINDS for bot in kind.objects.filter(pk__in=keys).select_related("connection")]
    return sorted(whole, key=lambda bot: bot.name)


def _totals(seen: Seen) -> list[Total]:
    groups: dict[tuple[str, str], list[Profit]] = {}
    today: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for bot in seen.bots:
        mode, earned = mode_of(seen.connections[bot.connection_id]), seen.earned.get(bot.pk) or Earned()
        for quote, profit in (dict.fromkeys(bot.quotes, Profit()) | earned.profits).items():
            groups.setdefault((mode, quote), []).append(profit)
            today[mode, quote] += earned.today.get(quote, ZERO)
    worth = _worth(seen)
    return [
        Total(
            mode=mode, currency=currency, bots=len(profits), profit=sum(profits, Profit()),
            today=today[mode, currency], **_equity(worth.get((mode, currency), ())),
        )
        for (mode, currency), profits in sorted({**dict.fromkeys(worth, ()), **groups}.items())
    ]  # fmt: skip


def _worth(seen: Seen) -> dict[tuple[str, str], list[Valuation]]:
    """By mode and the currency in which an account is counted: at the bots' marks, which are newer than the
    hourly prices, where there are any."""
    marks: dict[UUID, dict[str, Price]] = defaultdict(dict)
    for bot in seen.bots:
        if bot.pk in seen.earned:
            marks[bot.connection_id] |= seen.earned[bot.pk].marks
    used = [row for row in seen.connections.values() if row.archived_at is None and not row.is_dry_run]
    values: dict[tuple[str, str], list[Valuation]] = defaultdict(list)
    for connection, value in worths(used, marks):
        values[mode_of(connection), value.quote].append(value)
    return values


def _equity(values: Collection[Valuation]) -> dict[str, Any]:
    unpriced = {line.currency for value in values for line in value.unpriced}
    equity = sum((value.total for value in values), ZERO) if values else None
    return {"equity": equity, "unpriced": sorted(unpriced)}


def mode_of(connection: ExchangeConnection) -> str:
    return "dry run" if connection.is_dry_run else connection.mode
