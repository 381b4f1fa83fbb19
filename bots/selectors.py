"""What pages need to know of bots, in a fixed number of queries however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils import timezone

from bots.accounting import Holding, unrealised
from bots.engine import broker
from bots.lifecycle import LIVE, OrderState
from bots.models import (
    KINDS,
    AnyBot,
    Bot,
    BotEvent,
    BotState,
    Decision,
    KillSwitch,
    Order,
    Position,
    RoundTrip,
    Runtime,
    SpreadBot,
    Trade,
)
from bots.strategies.protections import quote_of
from exchanges import selectors as exchanges
from exchanges.models import Mode
from exchanges.types import ZERO

WORKER_SILENT_AFTER = timedelta(seconds=45)  # and pages renew themselves: told within a minute
TRADES_COUNTED = timedelta(hours=24)
_OTHERWISE = {
    True: "But a worker runs without DRY_RUN and trades for real: restart it with this environment.",
    False: "A worker runs with DRY_RUN, and trades with play money on live connections: restart it without.",
}
_DOING = {
    BotState.STOPPING: "Stopping: a worker settles its orders first.",
    BotState.STOPPED: "Stopped.",
}


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
class Profit:
    """In one quote currency. unrealised: of the positions whose mark price is known."""

    realised: Decimal = ZERO
    unrealised: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return self.realised + self.unrealised

    def __add__(self, other: Profit) -> Profit:
        return Profit(realised=self.realised + other.realised, unrealised=self.unrealised + other.unrealised)


@dataclass(frozen=True, kw_only=True)
class BotRow:
    """refused: its newest order, where the venue or the limits refused that one.

    positions: by symbol, those that it has or had. open_trips: a scalper's positions that are open now.
    trades: of the last 24 hours; all that it ever made are too many to count for a page.
    """

    bot: AnyBot
    decision: Decision | None
    refused: Order | None
    positions: Mapping[str, Figures]
    open_trips: int
    trades: int
    live_orders: int

    @property
    def profits(self) -> dict[str, Profit]:
        """By quote currency, over all of its positions; 0 in those where it has none yet."""
        return dict.fromkeys(self.bot.quotes, Profit()) | profits_of(self.positions.items())

    @property
    def trouble(self) -> str:
        """What keeps a bot that is at work from its work; nothing when all is well."""
        if self.bot.state == BotState.STOPPED:
            return ""
        if self.bot.connection.last_error:
            return self.bot.connection.last_error
        return f"Its newest order was refused: {self.refused.reason}" if self.refused else ""

    @property
    def decides(self) -> bool:
        """Whether what it decided last is news: it runs, or closes what is open."""
        looks_after = self.open_trips > 0 and self.bot.state != BotState.STOPPED
        return self.bot.state == BotState.RUNNING or looks_after

    @property
    def doing(self) -> str:
        """What it does now; the decision that was its last is no news of a bot that does not decide."""
        if self.decides:
            return self.decision.reason if self.decision else "It has decided nothing yet."
        if self.bot.state == BotState.PAUSED:
            return f"Paused: {self.bot.when_paused}"
        return _DOING[BotState(self.bot.state)]


@dataclass(frozen=True, kw_only=True)
class BotPage:
    """What every bot's own page shows beside its settings."""

    row: BotRow
    live_orders: Sequence[Order]
    last_trades: Sequence[Trade]
    events: Sequence[BotEvent]


def visible_bots(user: User | AnonymousUser) -> QuerySet[Bot]:
    """Those on the connections that this person sees."""
    return exchanges.visible_rows(user, Bot.objects.all())


def figures_of(position: Position | None) -> Figures:
    if position is None:
        return Figures(holding=Holding(), mark_price=None, unrealised_profit=None)
    holding = position.holding
    mark: Decimal | None = position.mark_price
    profit = None if mark is None else unrealised(holding, mark)
    return Figures(holding=holding, mark_price=mark, unrealised_profit=profit)


def profits_of(positions: Iterable[tuple[str, Figures]]) -> dict[str, Profit]:
    """By quote currency. positions: symbol and figures."""
    sums: dict[str, Profit] = {}
    for symbol, figures in positions:
        profit = Profit(
            realised=figures.holding.realised_profit, unrealised=figures.unrealised_profit or ZERO
        )
        quote = quote_of(symbol)
        sums[quote] = sums.get(quote, Profit()) + profit
    return sums


def last_known_price(bot: SpreadBot) -> tuple[Decimal | None, str]:
    """Quote per base, and where it is from: the mark of the position, else the last decision's reference."""
    position = Position.objects.current().filter(bot=bot, symbol=bot.symbol).first()
    if position is not None and position.mark_price is not None:
        at = f"{position.marked_at:%H:%M:%S} UTC" if position.marked_at else "an unknown time"
        return position.mark_price, f"the price of {at}"
    return last_reference(bot), "the last decision's reference price"


def last_reference(bot: SpreadBot) -> Decimal | None:
    decision = Decision.objects.filter(bot=bot).first()
    reference: Decimal | None = decision.reference_price if decision else None
    return reference


def known_prices(bot: AnyBot) -> dict[str, Decimal]:
    """By symbol, quote per base, as far as any bot at this venue has seen them."""
    if isinstance(bot, SpreadBot):
        price = last_known_price(bot)[0]
        return {} if price is None else {bot.symbol: price}
    positions = Position.objects.filter(bot__connection__venue=bot.connection.venue).order_by("marked_at")
    marks = positions.filter(mark_price__isnull=False).values_list("symbol", "mark_price")
    return {symbol: price for symbol, price in marks if price is not None}


def bot_page(bot: AnyBot, *, last: int = 10) -> BotPage:
    orders = Order.objects.current().filter(bot=bot)
    return BotPage(
        row=rows_of([bot])[0],
        live_orders=list(orders.live().order_by("side", "price")),
        last_trades=list(Trade.objects.current().filter(bot=bot)[:last]),
        events=list(BotEvent.objects.filter(bot=bot)[:last]),
    )


def last_trades(person: User | AnonymousUser, count: int = 8) -> list[Trade]:
    """Of what this person sees, those that were recorded last."""
    trades = exchanges.visible_rows(person, Trade.objects.select_related("bot", "connection"))
    return list(trades.order_by("-pk")[:count])


def last_events(person: User | AnonymousUser, count: int = 10) -> list[BotEvent]:
    events = exchanges.visible_rows(person, BotEvent.objects.select_related("bot", "connection"))
    return list(events[:count])


def dry_run_notice(user: User | AnonymousUser | None = None) -> str:
    """What every page and every start says while DRY_RUN is set here, or at a worker; nothing otherwise.

    user: of what they see; None: of the whole desk, for who starts a process of it.
    """
    notice = exchanges.dry_run_setting()
    others = Runtime.objects.filter(heartbeat_at__gt=timezone.now() - WORKER_SILENT_AFTER)
    if others.filter(is_dry_run=not settings.DRY_RUN).exists():
        notice = f"{notice} {_OTHERWISE[settings.DRY_RUN]}".strip()
    real = _real_orders_left(user) if settings.DRY_RUN else 0
    return f"{notice} {_left(real)}" if real else notice


def _real_orders_left(user: User | AnonymousUser | None) -> int:
    left = Order.objects.live().filter(is_dry_run=False, connection__mode=Mode.LIVE)
    return (left if user is None else exchanges.visible_rows(user, left)).count()


def _left(count: int) -> str:
    orders = "1 real order is" if count == 1 else f"{count} real orders are"
    return (
        f"{orders} on record from before: nobody asks after them or cancels them, and they may fill. Cancel "
        "them at the venue, or set DRY_RUN=false."
    )


def workers_alive() -> int:
    """Worker processes that were heard of lately."""
    return Runtime.objects.filter(heartbeat_at__gt=timezone.now() - WORKER_SILENT_AFTER).count()


def newest_heartbeat() -> tuple[int, datetime | None]:
    """How many workers were heard of lately, and when any of them was last."""
    beats = list(Runtime.objects.values_list("heartbeat_at", flat=True))
    return sum(beat > timezone.now() - WORKER_SILENT_AFTER for beat in beats), max(beats, default=None)


def bots_by_kind_and_state() -> dict[tuple[str, str], int]:
    """Of the whole desk, without those that are archived; each state, 0 where it has none."""
    counts: dict[tuple[str, str], int] = {}
    for kind in KINDS:
        rows = kind.objects.filter(archived_at=None).order_by().values_list("state").annotate(Count("pk"))
        name = str(kind._meta.verbose_name)
        counts |= {(name, state): 0 for state in BotState.values}
        counts |= {(name, state): count for state, count in rows}
    return counts


def live_orders_by_state() -> dict[tuple[str], int]:
    """Of the whole desk, those of the books in use."""
    rows = Order.objects.current().filter(settled_at=None).live().order_by().values_list("state")
    return {(state.value,): 0 for state in LIVE} | {(state,): n for state, n in rows.annotate(Count("pk"))}


def switches_on() -> int:
    return KillSwitch.objects.engaged().count()


def bots_by_state(user: User | AnonymousUser) -> dict[str, int]:
    """Of those that this person sees and that are not archived; each state, 0 where it has none."""
    counted = visible_bots(user).filter(archived_at=None).order_by().values_list("state")
    return dict.fromkeys(BotState.values, 0) | dict(counted.annotate(Count("pk")))


def worker_warning(user: User | AnonymousUser) -> str:
    """One sentence when bots that this person sees are at work and no worker is; nothing when all is well."""
    at_work = visible_bots(user).exclude(state=BotState.STOPPED).count()
    if not at_work:
        return ""
    if workers_alive():
        return ""
    bots = "1 bot is" if at_work == 1 else f"{at_work} bots are"
    return f"No worker is running while {bots} at work: start one with `python manage.py worker`."


def redis_answers() -> bool:
    """True as well where the database carries the tasks."""
    return not broker.is_away()


def broker_warning() -> str:
    """One sentence while Redis is away; nothing when all is well, or where the database carries the tasks."""
    if redis_answers():
        return ""
    return (
        "Redis does not answer: bots go on trading, but messages to people wait. "
        "Start its server, or correct REDIS_URL."
    )


def rows_of(bots: Sequence[AnyBot]) -> list[BotRow]:
    ids = [bot.pk for bot in bots]
    decisions = {decision.bot_id: decision for decision in Decision.objects.filter(bot__in=ids)}
    positions: dict[UUID, dict[str, Figures]] = {}
    for row in Position.objects.current().filter(bot__in=ids):
        positions.setdefault(row.bot_id, {})[row.symbol] = figures_of(row)
    refused = {order.bot_id: order for order in refused_newest(Bot.objects.filter(pk__in=ids))}
    since = timezone.now() - TRADES_COUNTED
    trades = _counts(Trade.objects.current().filter(bot__in=ids, time__gte=since))
    live_orders = _counts(Order.objects.current().filter(bot__in=ids, state__in=LIVE))
    open_trips = _counts(RoundTrip.objects.current().at_work().filter(bot__in=ids))
    return [
        BotRow(
            bot=bot,
            decision=decisions.get(bot.pk),
            refused=refused.get(bot.pk),
            positions=positions.get(bot.pk, {}),
            open_trips=open_trips.get(bot.pk, 0),
            trades=trades.get(bot.pk, 0),
            live_orders=live_orders.get(bot.pk, 0),
        )
        for bot in bots
    ]


def refused_newest(bots: QuerySet[Bot]) -> QuerySet[Order]:
    """Of each bot the newest order, where that one was refused. In two statements: joined in one, they make
    the database look through all orders for refused ones."""
    newest = Order.objects.current().filter(bot=OuterRef("pk")).order_by("-created_at").values("pk")[:1]
    keys = bots.order_by().values_list(Subquery(newest), flat=True)
    return Order.objects.filter(pk__in=[key for key in keys if key], state=OrderState.REJECTED)


def _counts(rows: QuerySet[Any]) -> dict[UUID, int]:
    """How many each bot has."""
    return dict(rows.values_list("bot").annotate(Count("pk")).order_by())
