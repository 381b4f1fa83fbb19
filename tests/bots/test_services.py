from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone

from audit.models import AuditEntry
from bots import services
from bots.models import Bot, BotEvent, BotState, Decision, Order, SpreadBot
from exchanges.models import ExchangeConnection, Market

pytestmark = pytest.mark.django_db
SETTINGS = {"bid_spread_pct": Decimal("0.01"), "ask_spread_pct": Decimal("0.01"), "order_amount": Decimal(1)}


@pytest.fixture
def user() -> User:
    return User.objects.create_user("olga")


@pytest.fixture
def connection(user: User) -> ExchangeConnection:
    return ExchangeConnection.objects.create(name="Main", venue="binance", owner=user)


@pytest.fixture
def bot(connection: ExchangeConnection, user: User) -> SpreadBot:
    return services.create_spread_bot(
        actor=user, name="Maker", connection=connection, symbol="BTC/USDT", **SETTINGS
    )


@pytest.fixture
def market() -> Market:
    return Market.objects.create(
        venue="binance", symbol="BTC/USDT", base="BTC", quote="USDT", price_step="0.01", amount_step="0.001",
        min_amount="0.01", min_cost="10", maker_fee="0", taker_fee="0",
    )  # fmt: skip


def state_of(bot: Bot) -> str:
    return Bot.objects.get(pk=bot.pk).state


def unsettled_order(bot: Bot) -> Order:
    return Order.objects.create(
        connection=bot.connection, bot=bot, fence=1, symbol="BTC/USDT", side="buy", price=Decimal(100),
        amount=Decimal(1), created_at=timezone.now(),
    )  # fmt: skip


def created(user: User, connection: ExchangeConnection, **settings: object) -> SpreadBot:
    return services.create_spread_bot(
        actor=user, **({"name": "X", "connection": connection, "symbol": "BTC/USDT"} | SETTINGS | settings)
    )


def test_a_new_bot_is_stopped_and_its_settings_are_on_record(bot: SpreadBot) -> None:
    assert state_of(bot) == BotState.STOPPED
    assert AuditEntry.objects.get(action="bot.created").after["bid_spread_pct"] == "0.01"


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"bid_spread_pct": Decimal("-0.01")}, "bid_spread_pct"),
        ({"ask_spread_pct": Decimal(1)}, "ask_spread_pct"),
        ({"bid_spread_pct": Decimal(0), "ask_spread_pct": Decimal(0)}, "ask_spread_pct"),
        ({"order_amount": Decimal(0)}, "order_amount"),
        ({"levels": 0}, "levels"),
        ({"levels": 3, "level_amount": Decimal("-0.5")}, "level_amount"),
        ({"price_floor": Decimal(10), "price_ceiling": Decimal(9)}, "price_ceiling"),
        ({"inventory_target_pct": Decimal(2)}, "inventory_target_pct"),
        ({"max_order_cost": Decimal(0)}, "max_order_cost"),
        ({"symbol": "BTCUSDT"}, "symbol"),
        ({"reference": "other_market", "reference_symbol": "BTC/USDT"}, "reference_connection"),
        ({"level_overrides": [["buy", "0.01"]]}, "level_overrides"),
        ({"level_overrides": [["hold", "0.01", "1"]]}, "level_overrides"),
        ({"level_overrides": [["buy", 0.01, "1"]]}, "level_overrides"),
        ({"level_overrides": [["buy", "-0.01", "1"]]}, "level_overrides"),
    ],
)
def test_a_setting_that_cannot_be_is_one_sentence_at_its_field(
    user: User, connection: ExchangeConnection, settings: dict[str, object], field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        created(user, connection, **settings)
    assert [(name, len(sentences)) for name, sentences in caught.value.message_dict.items()] == [(field, 1)]
    assert not Bot.objects.exists()


def test_an_update_records_what_changed_and_nothing_else(bot: SpreadBot, user: User) -> None:
    services.update_bot(bot=bot, actor=user, bid_spread_pct=Decimal("0.02"), order_amount=Decimal(1))
    entry = AuditEntry.objects.get(action="bot.updated")
    assert (entry.before, entry.after) == ({"bid_spread_pct": "0.01"}, {"bid_spread_pct": "0.02"})


def test_an_update_does_not_undo_a_state_change_that_came_meanwhile(bot: SpreadBot, user: User) -> None:
    opened_in_a_form = SpreadBot.objects.get(pk=bot.pk)
    services.start_bot(bot=bot, actor=user)
    services.update_bot(bot=opened_in_a_form, actor=user, bid_spread_pct=Decimal("0.02"))
    assert state_of(bot) == BotState.RUNNING


def test_a_running_bot_keeps_its_market(bot: SpreadBot, user: User) -> None:
    services.start_bot(bot=bot, actor=user)
    with pytest.raises(ValidationError) as caught:
        services.update_bot(bot=bot, actor=user, symbol="ETH/USDT")
    assert list(caught.value.message_dict) == ["symbol"]


def test_two_clicks_on_start_are_one_start(bot: SpreadBot, user: User) -> None:
    services.start_bot(bot=bot, actor=user)
    services.start_bot(bot=bot, actor=user)
    assert state_of(bot) == BotState.RUNNING
    assert AuditEntry.objects.filter(action="bot.started").count() == 1
    assert BotEvent.objects.filter(bot=bot, kind="started").count() == 1


def test_a_post_only_bot_is_refused_where_there_is_no_such_thing(user: User) -> None:
    alpaca = ExchangeConnection.objects.create(name="Stocks", venue="alpaca", owner=user)

    with pytest.raises(ValidationError) as caught:
        created(user, alpaca, symbol="AAPL/USD")

    (sentence,) = caught.value.message_dict["post_only"]
    assert sentence.startswith("Alpaca has no post-only orders: take post-only away from this bot")
    assert created(user, alpaca, symbol="AAPL/USD", post_only=False).pk


def test_a_post_only_bot_that_got_there_all_the_same_does_not_start(bot: SpreadBot, user: User) -> None:
    ExchangeConnection.objects.update(venue="alpaca")

    with pytest.raises(ValidationError, match="no post-only orders"):
        services.start_bot(bot=SpreadBot.objects.get(pk=bot.pk), actor=user)


def test_a_bot_of_an_archived_connection_does_not_start(
    bot: SpreadBot, user: User, connection: ExchangeConnection
) -> None:
    ExchangeConnection.objects.update(archived_at=timezone.now())
    with pytest.raises(ValidationError, match="is archived"):
        services.start_bot(bot=bot, actor=user)


def test_a_bot_of_a_disabled_connection_does_not_start(bot: SpreadBot, user: User) -> None:
    ExchangeConnection.objects.update(enabled=False)
    with pytest.raises(ValidationError, match="is disabled"):
        services.start_bot(bot=bot, actor=user)
    assert state_of(bot) == BotState.STOPPED


def test_a_live_bot_without_a_key_does_not_start(bot: SpreadBot, user: User) -> None:
    ExchangeConnection.objects.update(mode="live")
    with pytest.raises(ValidationError, match="no API key"):
        services.start_bot(bot=bot, actor=user)


def test_the_demo_venue_does_not_run_live(bot: SpreadBot, user: User) -> None:
    ExchangeConnection.objects.update(mode="live", venue="demo")
    with pytest.raises(ValidationError, match="choose paper"):
        services.start_bot(bot=bot, actor=user)


@pytest.mark.parametrize("mode", ["paper", "live"])
def test_no_bot_starts_where_trading_has_ended(bot: SpreadBot, user: User, mode: str) -> None:
    ExchangeConnection.objects.update(venue="bitmart", mode=mode)
    with pytest.raises(ValidationError, match="ended trading on 2026-08-26 and closes on 2027-01-31"):
        services.start_bot(bot=bot, actor=user)


def test_a_symbol_that_the_venue_does_not_have_does_not_start(
    bot: SpreadBot, user: User, market: Market
) -> None:
    services.update_bot(bot=bot, actor=user, symbol="DOGE/EUR")
    with pytest.raises(ValidationError, match="no market DOGE/EUR"):
        services.start_bot(bot=bot, actor=user)


def test_a_symbol_is_not_judged_while_no_market_of_the_venue_is_known(bot: SpreadBot, user: User) -> None:
    services.start_bot(bot=bot, actor=user)
    assert state_of(bot) == BotState.RUNNING


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"order_amount": Decimal("0.009")}, "below the venue's minimum of 0.01 BTC"),
        ({"order_amount": Decimal("0.0105")}, "off the lot"),
        ({"order_amount": Decimal(1), "levels": 2, "level_amount": Decimal("0.0001")}, "off the lot"),
        ({"level_overrides": [["buy", "0.01", "0.001"]]}, "below the venue's minimum"),
    ],
)
def test_an_amount_that_the_venue_would_refuse_does_not_start(
    bot: SpreadBot, user: User, market: Market, settings: dict[str, object], words: str
) -> None:
    services.update_bot(bot=bot, actor=user, **settings)
    with pytest.raises(ValidationError, match=words):
        services.start_bot(bot=bot, actor=user)


def test_an_order_below_the_minimum_cost_at_the_last_known_price_does_not_start(
    bot: SpreadBot, user: User, market: Market
) -> None:
    Decision.objects.create(bot=bot, reason="x", reference_price=Decimal("9.99"), at=timezone.now())
    with pytest.raises(ValidationError, match="minimum of 10 USDT"):
        services.start_bot(bot=bot, actor=user)
    Decision.objects.update(reference_price=Decimal(10))
    services.start_bot(bot=bot, actor=user)


def test_a_paused_bot_goes_on_from_when_it_was_started(bot: SpreadBot, user: User) -> None:
    services.start_bot(bot=bot, actor=user)
    started_at = Bot.objects.get(pk=bot.pk).started_at
    services.pause_bot(bot=bot, actor=user)
    assert state_of(bot) == BotState.PAUSED
    services.start_bot(bot=bot, actor=user)
    assert Bot.objects.get(pk=bot.pk).started_at == started_at


def test_a_stopped_bot_cannot_be_paused(bot: SpreadBot, user: User) -> None:
    with pytest.raises(ValidationError, match="nothing to pause"):
        services.pause_bot(bot=bot, actor=user)


def test_a_bot_that_never_ran_is_stopped_at_once(bot: SpreadBot, user: User) -> None:
    services.start_bot(bot=bot, actor=user)
    services.stop_bot(bot=bot, actor=user)
    assert state_of(bot) == BotState.STOPPED


def test_a_bot_with_an_unsettled_order_is_stopped_by_a_worker(bot: SpreadBot, user: User) -> None:
    services.start_bot(bot=bot, actor=user)
    unsettled_order(bot)
    services.stop_bot(bot=bot, actor=user)
    services.stop_bot(bot=bot, actor=user)
    assert state_of(bot) == BotState.STOPPING
    assert AuditEntry.objects.filter(action="bot.stopping").count() == 1


def test_a_bot_that_ran_is_stopped_by_a_worker(bot: SpreadBot, user: User) -> None:
    services.start_bot(bot=bot, actor=user)
    Bot.objects.update(last_cycle_at=timezone.now())
    services.stop_bot(bot=bot, actor=user)
    assert state_of(bot) == BotState.STOPPING


def test_a_bot_whose_first_order_a_worker_may_be_placing_is_stopped_by_it(bot: SpreadBot, user: User) -> None:
    services.start_bot(bot=bot, actor=user)
    ExchangeConnection.objects.update(
        lease_owner=uuid4(), lease_expires_at=timezone.now() + timedelta(seconds=15)
    )
    services.stop_bot(bot=bot, actor=user)
    assert state_of(bot) == BotState.STOPPING


def test_a_stopping_bot_does_not_start(bot: SpreadBot, user: User) -> None:
    Bot.objects.update(state=BotState.STOPPING)
    with pytest.raises(ValidationError, match="still stopping"):
        services.start_bot(bot=bot, actor=user)


def test_a_running_bot_that_is_archived_is_stopped_first(bot: SpreadBot, user: User) -> None:
    services.start_bot(bot=bot, actor=user)
    unsettled_order(bot)
    services.archive_bot(bot=bot, actor=user)
    services.archive_bot(bot=bot, actor=user)
    archived = Bot.objects.get(pk=bot.pk)
    assert archived.state == BotState.STOPPING
    assert archived.archived_at is not None
    assert AuditEntry.objects.filter(action="bot.archived").count() == 1


def test_an_archived_bot_neither_starts_nor_changes(bot: SpreadBot, user: User) -> None:
    services.archive_bot(bot=bot, actor=user)
    with pytest.raises(ValidationError, match="does not start"):
        services.start_bot(bot=bot, actor=user)
    with pytest.raises(ValidationError, match="not changed"):
        services.update_bot(bot=bot, actor=user, levels=2)


def test_the_venue_of_a_connection_with_orders_stays(
    bot: SpreadBot, user: User, connection: ExchangeConnection
) -> None:
    from exchanges.services import update_connection

    unsettled_order(bot)
    with pytest.raises(ValidationError) as caught:
        update_connection(connection=connection, actor=user, mode="live")
    assert list(caught.value.message_dict) == ["mode"]
