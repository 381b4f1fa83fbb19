"""What pages need to know of bots, in a fixed number of queries however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.db.models import Count, Q
from django.utils import timezone

from bots.accounting import Holding, unrealised
from bots.lifecycle import LIVE
from bots.models import Bot, BotEvent, Decision, Order, Position, Runtime, SpreadBot, Trade
from exchanges.types import ZERO

WORKER_SILENT_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a bot holds and has earned in its market. unrealised_profit: quote; None without a mark price."""

    holding: Holding
    mark_price: Decimal | None
    unrealised_profit: Decimal | None

    @property
    def total_profit(self) -> Decimal:
        return self.holding.realised_profit + (self.unrealised_profit or ZERO)


@dataclass(frozen=True, kw_only=True)
class BotRow:
    bot: SpreadBot
    decision: Decision | None
    figures: Figures
    trades: int
    live_orders: int

    @property
    def quote(self) -> str:
        return self.bot.symbol.partition("/")[2].partition(":")[0]


@dataclass(frozen=True, kw_only=True)
class Total:
    """The sums of all bots of one mode in one quote currency; play money is never added to real money."""

    mode: str
    currency: str
    bots: int
    realised_profit: Decimal
    unrealised_profit: Decimal


@dataclass(frozen=True, kw_only=True)
class BotPage:
    """Everything that a bot's own page shows beside its settings."""

    row: BotRow
    live_orders: Sequence[Order]
    last_trades: Sequence[Trade]
    events: Sequence[BotEvent]


def figures_of(position: Position | None) -> Figures:
    if position is None:
        return Figures(holding=Holding(), mark_price=None, unrealised_profit=None)
    holding = Holding(
        amount=position.amount,
        cost=position.cost,
        realised_profit=position.realised_profit,
        fees_quote=position.fees_quote,
        fees_base=position.fees_base,
    )
    mark: Decimal | None = position.mark_price
    profit = None if mark is None else unrealised(holding, mark)
    return Figures(holding=holding, mark_price=mark, unrealised_profit=profit)


def bot_rows() -> list[BotRow]:
    """All bots that are not archived, or that still are at work."""
    shown = SpreadBot.objects.filter(Q(archived_at=None) | Q(pk__in=Bot.objects.at_work()))
    return _rows(list(shown.select_related("connection").order_by("name")))


def bot_page(bot: SpreadBot, *, last: int = 10) -> BotPage:
    orders = Order.objects.filter(bot=bot)
    return BotPage(
        row=_rows([bot])[0],
        live_orders=list(orders.live().order_by("side", "price")),
        last_trades=list(Trade.objects.filter(bot=bot)[:last]),
        events=list(BotEvent.objects.filter(bot=bot)[:last]),
    )


def totals(rows: Iterable[BotRow]) -> list[Total]:
    groups: dict[tuple[str, str], list[Figures]] = {}
    for row in rows:
        groups.setdefault((row.bot.connection.mode, row.quote), []).append(row.figures)
    return [
        Total(
            mode=mode,
            currency=currency,
            bots=len(figures),
            realised_profit=sum((each.holding.realised_profit for each in figures), ZERO),
            unrealised_profit=sum((each.unrealised_profit or ZERO for each in figures), ZERO),
        )
        for (mode, currency), figures in sorted(groups.items())
    ]


def worker_warning() -> str:
    """One sentence when bots are at work and no worker is; nothing when all is well."""
    at_work = Bot.objects.at_work().count()
    if not at_work:
        return ""
    if Runtime.objects.filter(heartbeat_at__gt=timezone.now() - WORKER_SILENT_AFTER).exists():
        return ""
    bots = "1 bot is" if at_work == 1 else f"{at_work} bots are"
    return f"No worker is running while {bots} at work: start one with `python manage.py worker`."


def _rows(bots: Sequence[SpreadBot]) -> list[BotRow]:
    ids = [bot.pk for bot in bots]
    decisions = {decision.bot_id: decision for decision in Decision.objects.filter(bot__in=ids)}
    positions = {(row.bot_id, row.symbol): row for row in Position.objects.filter(bot__in=ids)}
    trades = _counts(Trade.objects.filter(bot__in=ids).values_list("bot").annotate(Count("pk")).order_by())
    live = Order.objects.filter(bot__in=ids, state__in=LIVE)
    live_orders = _counts(live.values_list("bot").annotate(Count("pk")).order_by())
    return [
        BotRow(
            bot=bot,
            decision=decisions.get(bot.pk),
            figures=figures_of(positions.get((bot.pk, bot.symbol))),
            trades=trades.get(bot.pk, 0),
            live_orders=live_orders.get(bot.pk, 0),
        )
        for bot in bots
    ]


def _counts(pairs: Iterable[tuple[object, int]]) -> dict[object, int]:
    return dict(pairs)
