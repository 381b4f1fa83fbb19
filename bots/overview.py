"""What the first page shows: the sums over all bots, and those bots that a person should look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q, QuerySet

from bots.accounting import Holding, unrealised
from bots.models import KINDS, AnyBot, Bot, BotState, Position
from bots.selectors import BotRow, Profit, refused_newest, rows_of, visible_bots
from bots.strategies.protections import quote_of
from exchanges.models import ExchangeConnection
from exchanges.selectors import visible_rows
from exchanges.types import ZERO

SHOWN_BOTS = 50
_SHOWN = Q(archived_at=None) | ~Q(state=BotState.STOPPED)


@dataclass(frozen=True, kw_only=True)
class Total:
    """The sums of all bots of one mode in one quote currency; play money is never added to real money."""

    mode: str
    currency: str
    bots: int
    profit: Profit


@dataclass(frozen=True, kw_only=True)
class Desk:
    """rows: SHOWN_BOTS of the bots at most; bots: how many there are; totals: over all of them."""

    rows: Sequence[BotRow]
    bots: int
    totals: Sequence[Total]


@dataclass(kw_only=True)
class Earned:
    """By one bot, in all of its markets. traded_at: when one of its positions changed last."""

    profits: dict[str, Profit] = field(default_factory=dict)
    traded_at: datetime | None = None

    def add(self, symbol: str, profit: Profit, changed_at: datetime) -> None:
        quote = quote_of(symbol)
        self.profits[quote] = self.profits.get(quote, Profit()) + profit
        self.traded_at = max(self.traded_at or changed_at, changed_at)


def desk(user: User | AnonymousUser, kinds: Iterable[type[AnyBot]] = KINDS) -> Desk:
    """Of the bots of these kinds that this person sees, and that are not archived or still are at work."""
    bots: list[AnyBot] = []
    for kind in kinds:
        shown: QuerySet[Any] = kind.objects.filter(_SHOWN)
        bots += visible_rows(user, shown).only(*kind.ESSENTIALS)
    connections = ExchangeConnection.objects.in_bulk({bot.connection_id for bot in bots})
    earned = _earned(user)
    chosen = bots if len(bots) <= SHOWN_BOTS else _most_urgent(bots, connections, earned)
    return Desk(rows=rows_of(_in_full(chosen)), bots=len(bots), totals=_totals(bots, connections, earned))


def _earned(user: User | AnonymousUser) -> dict[UUID, Earned]:
    earned: dict[UUID, Earned] = defaultdict(Earned)
    positions = Position.objects.current().filter(bot__in=visible_bots(user).filter(_SHOWN)).order_by()
    columns = ("bot_id", "symbol", "amount", "cost", "realised_profit", "mark_price", "updated_at")
    for bot_id, symbol, amount, cost, realised, mark, changed_at in positions.values_list(*columns):
        holding = Holding(amount=amount, cost=cost, realised_profit=realised)
        profit = ZERO if mark is None else unrealised(holding, mark)
        earned[bot_id].add(symbol, Profit(realised=realised, unrealised=profit), changed_at)
    return earned


def _most_urgent(
    bots: Sequence[AnyBot],
    connections: Mapping[UUID, ExchangeConnection],
    earned: Mapping[UUID, Earned],
) -> list[AnyBot]:
    """Those in trouble, then those that traded last."""
    refused = set(refused_newest(Bot.objects.at_work()).values_list("bot_id", flat=True))

    def urgency(bot: AnyBot) -> tuple[bool, float]:
        fails = bot.pk in refused or connections[bot.connection_id].last_error
        traded_at = earned[bot.pk].traded_at if bot.pk in earned else None
        is_troubled = bot.state != BotState.STOPPED and bool(fails)
        return is_troubled, traded_at.timestamp() if traded_at else 0.0

    return sorted(bots, key=urgency, reverse=True)[:SHOWN_BOTS]


def _in_full(bots: Iterable[AnyBot]) -> list[AnyBot]:
    """By name, with all of their columns."""
    keys = [bot.pk for bot in bots]
    whole = [bot for kind in KINDS for bot in kind.objects.filter(pk__in=keys).select_related("connection")]
    return sorted(whole, key=lambda bot: bot.name)


def _totals(
    bots: Iterable[AnyBot],
    connections: Mapping[UUID, ExchangeConnection],
    earned: Mapping[UUID, Earned],
) -> list[Total]:
    groups: dict[tuple[str, str], list[Profit]] = {}
    for bot in bots:
        profits = earned[bot.pk].profits if bot.pk in earned else {}
        for quote, profit in (dict.fromkeys(bot.quotes, Profit()) | profits).items():
            groups.setdefault((_mode(connections[bot.connection_id]), quote), []).append(profit)
    return [
        Total(mode=mode, currency=currency, bots=len(profits), profit=sum(profits, Profit()))
        for (mode, currency), profits in sorted(groups.items())
    ]


def _mode(connection: ExchangeConnection) -> str:
    return "dry run" if connection.is_dry_run else connection.mode
