"""What a process knows of the bots that are wanted, and how little it asks to stay up to date."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from bots import services
from bots.engine.board import READ_WHOLE_SECONDS, Board, Notice, read_notice
from bots.models import Bot, BotState, KillSwitch, Reference, Scope, SpreadBot
from exchanges.models import ExchangeConnection
from tests.bots.engine.conftest import make_bot, make_connection

D = Decimal
pytestmark = pytest.mark.django_db


class Watcher:
    """Looks at the board as a runtime does. seconds: its clock."""

    def __init__(self, *connections: ExchangeConnection) -> None:
        self.ids = [connection.pk for connection in connections]
        self.board, self.seconds = Board(), 0.0

    def look(self) -> Notice:
        self.seconds += 1
        notice = read_notice(self.ids, self.board.known_bots(self.seconds))
        self.board.post(notice)
        return notice

    def bot(self, key: UUID) -> SpreadBot | None:
        bot = {bot.pk: bot for bot in self.look().bots}.get(key)
        assert bot is None or isinstance(bot, SpreadBot)
        return bot


@pytest.fixture
def other(connection: ExchangeConnection) -> SpreadBot:
    return make_bot(make_connection("Other"), "Other")


def test_a_bot_that_did_not_change_is_not_read_again(connection: ExchangeConnection, bot: SpreadBot) -> None:
    watcher = Watcher(connection)
    first = watcher.bot(bot.pk)
    assert first is not None
    assert watcher.bot(bot.pk) is first


def test_a_setting_that_a_person_changes_is_seen_at_the_next_look(
    connection: ExchangeConnection, bot: SpreadBot
) -> None:
    watcher = Watcher(connection)
    watcher.look()
    services.update_bot(bot=bot, actor=None, order_amount=D(7))
    seen = watcher.bot(bot.pk)
    assert seen is not None
    assert seen.order_amount == 7


def test_a_state_is_seen_whoever_wrote_it(connection: ExchangeConnection, bot: SpreadBot) -> None:
    watcher = Watcher(connection)
    watcher.look()
    Bot.objects.filter(pk=bot.pk).update(state=BotState.PAUSED)
    seen = watcher.bot(bot.pk)
    assert seen is not None
    assert seen.state == BotState.PAUSED
    Bot.objects.filter(pk=bot.pk).update(state=BotState.STOPPED)
    assert watcher.bot(bot.pk) is None


def test_what_was_written_past_save_is_seen_within_a_minute(
    connection: ExchangeConnection, bot: SpreadBot
) -> None:
    watcher = Watcher(connection)
    watcher.look()
    SpreadBot.objects.filter(pk=bot.pk).update(order_amount=D(7))
    watcher.seconds += READ_WHOLE_SECONDS
    seen = watcher.bot(bot.pk)
    assert seen is not None
    assert seen.order_amount == 7


def test_the_way_out_of_another_market_is_seen_when_it_changes(
    connection: ExchangeConnection, other: SpreadBot
) -> None:
    bot = make_bot(
        connection, reference=Reference.OTHER_MARKET, reference_connection=other.connection,
        reference_symbol="BTC/USDT",
    )  # fmt: skip
    watcher = Watcher(connection)
    watcher.look()
    ExchangeConnection.objects.filter(pk=other.connection_id).update(proxy_url="http://127.0.0.1:1")
    seen = watcher.bot(bot.pk)
    assert seen is not None
    assert seen.reference_connection is not None
    assert seen.reference_connection.proxy_url == "http://127.0.0.1:1"


def test_bots_of_connections_that_this_process_does_not_hold_are_not_on_the_board(
    connection: ExchangeConnection, bot: SpreadBot, other: SpreadBot
) -> None:
    assert [seen.pk for seen in Watcher(connection).look().bots] == [bot.pk]
    assert list(Watcher().look().bots) == []


def test_a_bot_that_moves_to_another_connection_moves_on_the_board(
    connection: ExchangeConnection, bot: SpreadBot, other: SpreadBot
) -> None:
    watcher = Watcher(connection, other.connection)
    watcher.look()
    Bot.objects.filter(pk=bot.pk).update(connection=other.connection)
    watcher.look()
    assert watcher.board.bots(connection.pk) == []
    assert {seen.pk for seen in watcher.board.bots(other.connection_id)} == {bot.pk, other.pk}


def test_a_kill_switch_is_on_the_board_at_the_next_look(
    connection: ExchangeConnection, bot: SpreadBot
) -> None:
    watcher = Watcher(connection)
    watcher.look()
    KillSwitch.objects.create(scope=Scope.DESK, reason="Fire.")
    watcher.look()
    assert watcher.board.kill_switch(bot, connection) == "Fire."


def statements(watcher: Watcher) -> list[str]:
    with CaptureQueriesContext(database) as captured:
        watcher.look()
    return [query["sql"] for query in captured.captured_queries]


def test_a_look_at_thirty_bots_asks_no_more_than_one_at_three(connection: ExchangeConnection) -> None:
    few, many = Watcher(connection), Watcher(connection)
    for number in range(3):
        make_bot(connection, f"B{number}")
    few.look()
    asked_for_few = statements(few)
    for number in range(3, 30):
        make_bot(connection, f"B{number}")
    many.look()
    assert len(statements(many)) == len(asked_for_few) == 3
    assert not any("order_amount" in sql for sql in asked_for_few)


def test_every_save_of_a_bot_is_another_edition_of_it(bot: SpreadBot) -> None:
    editions = [Bot.objects.get(pk=bot.pk).changed_at]
    for fields in (None, ["order_amount"]):
        bot.save(update_fields=fields)
        editions.append(Bot.objects.get(pk=bot.pk).changed_at)
    assert len(set(editions)) == 3
