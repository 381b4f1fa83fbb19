"""Many rows in one go, and questions whose SQL is written once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from bots.models import Bot, Position, SpreadBot
from database.rows import update_each
from database.standing import Standing
from tests.bots.engine.conftest import make_bot, make_connection

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)


@pytest.fixture
def positions() -> list[Position]:
    connection = make_connection()
    bots = [make_bot(connection, f"B{number}") for number in range(3)]
    return [Position.objects.create(bot=bot, symbol="BTC/USDT") for bot in bots]


def test_each_row_gets_its_own_values_exactly(positions: list[Position]) -> None:
    for number, position in enumerate(positions):
        position.mark_price = Decimal(number) - Decimal("0.000000000000000001")
        position.marked_at, position.day = AT, date(2026, 11, 25)
    update_each(positions, ["mark_price", "marked_at", "day"])
    for position in positions:
        stored = Position.objects.get(pk=position.pk)
        assert (stored.mark_price, stored.marked_at, stored.day) == (
            position.mark_price, AT, date(2026, 11, 25),
        )  # fmt: skip


def test_only_what_is_named_is_written(positions: list[Position]) -> None:
    position = positions[0]
    position.mark_price, position.amount = Decimal(5), Decimal(9)
    update_each([position], ["mark_price"])
    stored = Position.objects.get(pk=position.pk)
    assert (stored.mark_price, stored.amount) == (Decimal(5), Decimal(0))


def test_no_rows_need_no_statement() -> None:
    with CaptureQueriesContext(database) as captured:
        update_each([], ["mark_price"])
    assert not captured.captured_queries


def test_a_standing_question_is_answered_as_the_rows_are_now(positions: list[Position]) -> None:
    question = Standing(SpreadBot.objects.filter(name__in=["B1", "B2"]))
    assert [bot.pk for bot in question.ask()] == [position.bot_id for position in positions[1:]]
    Bot.objects.filter(name="B1").update(name="A")
    (bot,) = question.ask()
    assert bot == SpreadBot.objects.get(name="B2")
    assert bot.order_amount == 1


def test_a_standing_question_about_nothing_is_not_asked() -> None:
    with CaptureQueriesContext(database) as captured:
        assert Standing(Bot.objects.filter(pk__in=[])).ask() == []
    assert not captured.captured_queries
