"""What holds no money is forgotten after a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django_q.models import Task

from bots.engine import retention
from bots.engine.retention import KEPT, forget_what_is_old
from bots.models import BotEvent, Order, SpreadBot
from exchanges.models import AddressBudget, ExchangeConnection
from tests.bots.engine.conftest import make_connection

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def connection(db: None) -> ExchangeConnection:
    return make_connection()


def happen(bot: SpreadBot, at: datetime) -> None:
    BotEvent.objects.create(bot=bot, connection=bot.connection, at=at, kind="started", text="Started.")


def test_old_events_and_results_go_and_young_ones_stay(
    bot: SpreadBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for days in range(5):
        happen(bot, NOW - KEPT - timedelta(days=days, seconds=1))
    happen(bot, NOW - KEPT + timedelta(seconds=1))
    for number, stopped in enumerate([NOW, NOW - KEPT - timedelta(seconds=1)]):
        Task.objects.create(
            id=str(number), name="x", func="f", started=stopped, stopped=stopped, success=False
        )

    for days in (29, 31):
        AddressBudget.objects.create(venue="binance", route=str(days), updated_at=NOW - timedelta(days=days))

    assert forget_what_is_old(NOW) == 7

    assert [row.route for row in AddressBudget.objects.all()] == ["29"]
    assert (BotEvent.objects.count(), Task.objects.count()) == (1, 1)


def test_orders_are_never_forgotten(bot: SpreadBot) -> None:
    Order.objects.create(
        connection=bot.connection, bot=bot, fence=1, symbol="BTC/USDT", side="buy", amount="1", price="1",
        created_at=NOW - 10 * KEPT, state="canceled",
    )  # fmt: skip

    assert forget_what_is_old(NOW) == 0
    assert Order.objects.count() == 1
