"""A desk with a long past: a few rows made with care, and copied inside the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from bots.models import Bot, BotEvent, Order, Position, Trade
from tests.bench.planting import plant

BATCH = 10_000  # trades, copied as a whole with their orders and events
TRADES_PER_ORDER, TRADES_PER_EVENT = 5, 10
SPAN = timedelta(days=365)
BOTS = 1000  # at most


def seed(*, trades: int) -> None:
    """Migrates; bots with so many trades, an order for five and an event for ten of them, over a year."""
    plant(bots=min(BOTS, trades))
    bots = list(Bot.objects.select_related("connection").order_by("name"))
    batch = min(BATCH, trades)
    now, step = timezone.now(), SPAN / trades
    with transaction.atomic():
        orders = [
            _order(bots[n % len(bots)], n, now - TRADES_PER_ORDER * n * step)
            for n in range(-(-batch // TRADES_PER_ORDER))
        ]
        events = [
            _event(bots[n % len(bots)], now - TRADES_PER_EVENT * n * step)
            for n in range(batch // TRADES_PER_EVENT)
        ]
        Order.objects.bulk_create(orders)
        Trade.objects.bulk_create(
            _trade(orders[n // TRADES_PER_ORDER], n, now - n * step) for n in range(batch)
        )
        BotEvent.objects.bulk_create(events)
        Position.objects.bulk_create([_position(bot) for bot in bots])
        for copy in range(1, trades // batch):
            at, ordered = now - copy * batch * step, Further(copy * len(orders))
            _copy(Order, len(orders), copy, created_at=at, settled_at=at, client_id=copy, venue_id=copy)
            _copy(Trade, batch, copy, time=at, venue_id=copy, order_id=ordered)
            _copy(BotEvent, len(events), copy, at=at)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


@dataclass(frozen=True)
class Further:
    """A key that moves on by so many rows."""

    rows: int


def _order(bot: Bot, number: int, at: datetime) -> Order:
    return Order(
        client_id=f"0000{number:028}", venue_id=f"0000{number}", connection=bot.connection, bot=bot, fence=1,
        symbol="C00/USDT", side="buy",
        price="100.10", amount="0.50", level="bid 1", state="filled", filled="0.50", traded="0.50",
        average="100.10", created_at=at, submitted_at=at, closed_at=at, settled_at=at,
    )  # fmt: skip


def _trade(order: Order, number: int, at: datetime) -> Trade:
    return Trade(
        connection=order.connection, bot=order.bot, order=order, venue_id=f"0000{number}",
        symbol=order.symbol, side=order.side, price="100.10", amount="0.50", cost="50.05",
        fee_amount="0.05005", fee_currency="USDT", liquidity="maker", realised_profit="0.01", time=at,
    )  # fmt: skip


def _event(bot: Bot, at: datetime) -> BotEvent:
    return BotEvent(
        bot=bot, connection=bot.connection, at=at, kind="order_refused", text="The venue refused an order."
    )


def _position(bot: Bot) -> Position:
    return Position(bot=bot, symbol="C00/USDT", amount="0.5", cost="50.05", realised_profit="1.23")


def _copy(model: type[Model], rows: int, copy: int, **changed: datetime | int | Further) -> None:
    """The first `rows` once more: a time is set, and a name gets another number in front."""
    table, quote = model._meta.db_table, connection.ops.quote_name
    values: list[str] = []
    arguments: list[datetime | str | None] = []
    columns = [str(field.column) for field in model._meta.concrete_fields]
    for column in columns:
        change = Further(copy * rows) if column == "id" else changed.get(column)
        if isinstance(change, Further):
            values.append(f"{quote(column)} + {change.rows}")
        elif isinstance(change, int):
            values.append(f"'{change:04}' || substr({quote(column)}, 5)")
        elif isinstance(change, datetime):
            values.append("%s")
            arguments.append(connection.ops.adapt_datetimefield_value(change))
        else:
            values.append(quote(column))
    names = ", ".join(map(quote, columns))
    statement = f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} FROM {table} WHERE id <= {rows}"
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
