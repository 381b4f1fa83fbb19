"""What people do to scalpers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from audit.models import AuditEntry
from bots import services
from bots.models import Bot, BotState, ScalperBot, SpreadBot
from exchanges.models import ExchangeConnection
from exchanges.services import create_connection
from tests.bots.scalpers import a_closed_trip, a_scalper, an_open_trip, its_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return User.objects.create_user("olga")


@pytest.fixture
def connection(user: User) -> ExchangeConnection:
    return create_connection(actor=user, owner=user, name="Main", venue="binance", mode="paper")


@pytest.fixture
def bot(connection: ExchangeConnection) -> ScalperBot:
    return a_scalper(connection)


def state_of(bot: Bot) -> str:
    return Bot.objects.get(pk=bot.pk).state


def test_a_new_scalper_is_stopped_and_its_settings_are_on_record(bot: ScalperBot) -> None:
    entry = AuditEntry.objects.get(action="bot.created")
    assert state_of(bot) == BotState.STOPPED
    assert entry.target_type == "bots.scalperbot"
    assert (entry.after["symbols"], entry.after["stop_loss_pct"]) == ("BTC/USDT", "0.01")
    assert "scan_place" not in entry.after


def test_an_update_records_what_changed_and_nothing_else(bot: ScalperBot, user: User) -> None:
    services.update_bot(bot=bot, actor=user, stop_loss_pct=Decimal("0.02"), order_cost=Decimal(50))
    entry = AuditEntry.objects.get(action="bot.updated")
    assert (entry.before, entry.after) == ({"stop_loss_pct": "0.01"}, {"stop_loss_pct": "0.02"})


def test_a_bot_that_is_known_as_a_bot_only_is_changed_as_its_kind(bot: ScalperBot, user: User) -> None:
    services.update_bot(bot=Bot.objects.get(pk=bot.pk), actor=user, exit_tries=7)
    assert ScalperBot.objects.get().exit_tries == 7


def test_the_settings_of_another_kind_are_no_settings(bot: ScalperBot, user: User) -> None:
    with pytest.raises(TypeError, match="not a scalper bot's settings: levels"):
        services.update_bot(bot=bot, actor=user, levels=2)


def test_a_scalper_is_started_paused_and_stopped(bot: ScalperBot, user: User) -> None:
    states = []
    for act in (services.start_bot, services.pause_bot, services.start_bot, services.stop_bot):
        act(bot=bot, actor=user)
        states.append(state_of(bot))
    assert states == ["running", "paused", "running", "stopped"]


def test_a_scalper_with_an_open_position_is_stopped_by_a_worker(bot: ScalperBot, user: User) -> None:
    services.start_bot(bot=bot, actor=user)
    an_open_trip(bot)
    services.stop_bot(bot=bot, actor=user)
    assert state_of(bot) == BotState.STOPPING


def test_a_scalper_that_leaves_its_positions_needs_no_worker_to_stop(bot: ScalperBot, user: User) -> None:
    services.update_bot(bot=bot, actor=user, on_stop="leave")
    services.start_bot(bot=bot, actor=user)
    an_open_trip(bot)
    services.stop_bot(bot=bot, actor=user)
    assert state_of(bot) == BotState.STOPPED


def test_a_closed_position_keeps_nothing_from_stopping(bot: ScalperBot, user: User) -> None:
    services.start_bot(bot=bot, actor=user)
    a_closed_trip(bot)
    services.stop_bot(bot=bot, actor=user)
    assert state_of(bot) == BotState.STOPPED


def test_a_running_scalper_that_holds_nothing_may_have_other_markets(bot: ScalperBot, user: User) -> None:
    services.start_bot(bot=bot, actor=user)
    a_closed_trip(bot)
    services.update_bot(bot=bot, actor=user, symbols="BTC/USDT, ETH/USDT")
    assert ScalperBot.objects.get().listed_symbols == ["BTC/USDT", "ETH/USDT"]


@pytest.mark.parametrize("open_one", ["position", "order"])
def test_the_markets_of_a_scalper_with_something_open_stay(
    bot: ScalperBot, user: User, open_one: str
) -> None:
    if open_one == "position":
        an_open_trip(bot)
    else:
        its_order(a_closed_trip(bot), "buy", "v1", state="open", settled_at=None)
    with pytest.raises(ValidationError) as caught:
        services.update_bot(bot=bot, actor=user, symbols="ETH/USDT")
    assert list(caught.value.message_dict) == ["symbols"]
    services.update_bot(bot=bot, actor=user, exit_tries=1)


def test_a_scalper_that_works_stays_on_its_connection(bot: ScalperBot, user: User) -> None:
    other = create_connection(actor=user, owner=user, name="Other", venue="binance", mode="paper")
    services.start_bot(bot=bot, actor=user)
    with pytest.raises(ValidationError) as caught:
        services.update_bot(bot=bot, actor=user, connection=other)
    assert list(caught.value.message_dict) == ["connection"]


def test_a_copy_has_the_settings_another_name_and_stands_still(bot: ScalperBot, user: User) -> None:
    services.start_bot(bot=bot, actor=user)
    first = services.clone_bot(bot=bot, actor=user)
    second = services.clone_bot(bot=Bot.objects.get(pk=bot.pk), actor=user)
    named = services.clone_bot(bot=bot, actor=user, name="Mine")
    assert [first.name, second.name, named.name] == ["Scalper copy", "Scalper copy 2", "Mine"]
    assert {copy.state for copy in (first, second, named)} == {BotState.STOPPED}
    rows = [ScalperBot.objects.get(pk=each.pk) for each in (bot, first)]
    names = [name for name in services.FIELDS[ScalperBot] if name != "name"]
    assert [getattr(rows[0], name) for name in names] == [getattr(rows[1], name) for name in names]
    entry = AuditEntry.objects.filter(action="bot.cloned").earliest("pk")
    assert (entry.target_id, entry.before, entry.actor) == (str(first.pk), {"original": str(bot.pk)}, user)


def test_a_copy_with_a_taken_name_is_refused(bot: ScalperBot, user: User) -> None:
    with pytest.raises(ValidationError, match="has a bot of this name already"):
        services.clone_bot(bot=bot, actor=user, name=bot.name)


def test_the_longest_name_is_copied(connection: ExchangeConnection, user: User) -> None:
    copy = services.clone_bot(bot=a_scalper(connection, name="x" * 80), actor=user)
    assert copy.name == f"{'x' * 70} copy"


def test_a_spread_bot_is_copied_too(connection: ExchangeConnection, user: User) -> None:
    maker = services.create_spread_bot(
        actor=user, name="Maker", connection=connection, symbol="BTC/USDT", bid_spread_pct=Decimal("0.01"),
        ask_spread_pct=Decimal("0.01"), order_amount=Decimal(1),
    )  # fmt: skip
    services.clone_bot(bot=maker, actor=user)
    assert sorted(SpreadBot.objects.values_list("name", flat=True)) == ["Maker", "Maker copy"]
