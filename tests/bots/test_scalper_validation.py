"""What a scalper may be, what it may not, and what is odd about it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from bots import services
from bots.models import Position, ScalperBot
from bots.strategies.barriers import Barriers, Exit, Watch, due_exit
from bots.strategies.sense import loss_at_entry
from bots.validation import warnings_of
from exchanges.models import ExchangeConnection
from exchanges.services import create_connection
from exchanges.types import Side
from tests.bots.scalpers import SETTINGS, a_market, a_scalper

D = Decimal
pytestmark = pytest.mark.django_db
ALL = {"markets": "all", "symbols": "", "quote_currency": "USDT"}


@pytest.fixture
def user() -> User:
    return User.objects.create_user("olga")


@pytest.fixture
def connection(user: User) -> ExchangeConnection:
    return create_connection(actor=None, owner=user, name="Main", venue="binance", mode="paper")


def refusal(connection: ExchangeConnection, **settings: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        a_scalper(connection, **settings)
    return caught.value.message_dict


@pytest.mark.parametrize(
    ("settings", "field", "words"),
    [
        ({"order_cost": D(0)}, "order_cost", "The entry size must be more than 0."),
        ({"entry_move_pct": D(0)}, "entry_move_pct", "must be more than 0 and less than 1: 0.01 is one per"),
        ({"entry_move_pct": D(5)}, "entry_move_pct", "must be more than 0 and less than 1"),
        ({"entry_move_pct": D("0.2")}, "entry_move_pct", "beyond the price band of 20 % are taken for"),
        ({"max_spread_pct": D("-0.1")}, "max_spread_pct", "from 0 to less than 1"),
        ({"min_free_quote": D(-1)}, "min_free_quote", "must be 0 or more"),
        ({"max_order_cost": D(49)}, "max_order_cost", "less than the entry size of 50"),
        ({"max_latency_ms": 8001}, "max_latency_ms", "this gate would never shut"),
        ({"most_positions": 9}, "most_positions", "more positions than its connection may have"),
        ({"most_stops": 2, "stops_window_seconds": 0}, "stops_window_seconds", "must be more than 0"),
        ({"most_losses": 2, "losses_pause_seconds": 0}, "losses_pause_seconds", "must be more than 0"),
        ({"stop_loss_pct": D("-0.05")}, "stop_loss_pct", "must be more than 0 and less than 1, or empty"),
        ({"stop_loss_pct": D(1)}, "stop_loss_pct", "must be more than 0 and less than 1, or empty"),
        ({"take_profit_pct": D(0)}, "take_profit_pct", "must be more than 0, or empty"),
        ({"time_limit_seconds": 0}, "time_limit_seconds", "must be more than 0, or empty"),
        ({"trailing_delta_pct": D("0.01")}, "trailing_activation_pct", "0 begins above break-even"),
        ({"trailing_activation_pct": D(0)}, "trailing_delta_pct", "no trailing stop"),
        ({"stop_loss_pct": None}, "stop_loss_pct", "A position that falls would never be closed"),
        ({"rests_take_profit": True, "take_profit_pct": None}, "rests_take_profit", "no take profit"),
        ({"direction": "short", "take_profit_pct": D(1)}, "take_profit_pct", "cannot earn 100 %"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_at_its_field(
    connection: ExchangeConnection, settings: dict[str, Any], field: str, words: str
) -> None:
    found = refusal(connection, **settings)
    assert list(found) == [field]
    assert len(found[field]) == 1
    assert words in found[field][0]


@pytest.mark.parametrize(
    ("settings", "field", "words"),
    [
        ({"symbols": " , \n"}, "symbols", "List the markets"),
        ({"symbols": "BTCUSDT"}, "symbols", "“BTCUSDT” is not a market: write base and quote with a slash"),
        ({"symbols": "BTC/USDT/X"}, "symbols", "“BTC/USDT/X” is not a market"),
        ({"symbols": "BTC/USDT, ETH/USDT\nBTC/USDT"}, "symbols", "BTC/USDT is listed twice."),
        ({"symbols": "A/B,C/D,A/B,C/D"}, "symbols", "A/B and C/D are listed twice."),
        (ALL | {"quote_currency": ""}, "quote_currency", "Name the quote currency"),
    ],
)
def test_a_list_of_markets_is_well_formed(
    connection: ExchangeConnection, settings: dict[str, Any], field: str, words: str
) -> None:
    found = refusal(connection, **settings)
    assert list(found) == [field]
    assert words in found[field][0]


def test_a_market_that_the_venue_does_not_have_is_named_with_the_nearest(
    connection: ExchangeConnection,
) -> None:
    a_market()
    sentence = refusal(connection, symbols="BTC/USDT, BTC/USTD, FOO/BAR")["symbols"][0]
    assert sentence == (
        "Binance has no market BTC/USTD and FOO/BAR: correct the list. Did you mean BTC/USDT?"
    )


def test_a_quote_currency_without_markets_is_refused_with_the_nearest(connection: ExchangeConnection) -> None:
    a_market()
    a_market("BTC/EUR", active=False)
    assert "no market in usdt that trades: there is USDT." in refusal(
        connection, **(ALL | {"quote_currency": "usdt"})
    )["quote_currency"][0]  # fmt: skip
    assert "no market in EUR" in refusal(connection, **(ALL | {"quote_currency": "EUR"}))["quote_currency"][0]


def test_markets_are_not_judged_while_the_venues_list_is_not_known(connection: ExchangeConnection) -> None:
    assert a_scalper(connection, symbols="FOO/BAR").listed_symbols == ["FOO/BAR"]


def test_a_market_that_went_is_named_as_the_bot_starts(connection: ExchangeConnection) -> None:
    bot = a_scalper(connection, symbols="FOO/BAR")
    a_market()
    with pytest.raises(ValidationError, match="Binance has no market FOO/BAR: correct the list"):
        services.start_bot(bot=bot, actor=None)


def test_one_closed_market_of_several_is_warned_of_and_all_of_them_keep_it_from_starting(
    connection: ExchangeConnection,
) -> None:
    a_market()
    closed = a_market("ETH/USDT", active=False)
    bot = a_scalper(connection, symbols="BTC/USDT ETH/USDT")
    assert "Binance does not trade ETH/USDT at the moment: nothing is opened there." in warnings_of(bot)
    services.start_bot(bot=bot, actor=None)
    alone = a_scalper(connection, name="Alone", symbols=closed.symbol)
    with pytest.raises(ValidationError, match="does not trade ETH/USDT at the moment"):
        services.start_bot(bot=alone, actor=None)


def test_an_entry_below_the_venues_minimum_does_not_start(connection: ExchangeConnection) -> None:
    a_market(min_cost=D(60))
    with pytest.raises(ValidationError, match="An entry of 50 USDT is below the minimum of 60 USDT in BTC"):
        services.start_bot(bot=a_scalper(connection), actor=None)


def test_an_entry_that_buys_less_than_a_lot_does_not_start(
    connection: ExchangeConnection, user: User
) -> None:
    a_market(amount_step=D("0.01"))
    bot = a_scalper(connection)
    Position.objects.create(bot=bot, symbol="BTC/USDT", mark_price=D(50_000))
    with pytest.raises(
        ValidationError, match=r"buys 0 BTC at the last known price, below the minimum of 0\.01"
    ):
        services.start_bot(bot=bot, actor=None)


def test_of_all_markets_one_that_takes_the_entry_is_enough(connection: ExchangeConnection) -> None:
    a_market(min_cost=D(60))
    bot = a_scalper(connection, **ALL)
    with pytest.raises(ValidationError, match="below the minimum of 60 USDT"):
        services.start_bot(bot=bot, actor=None)
    a_market("ETH/USDT")
    services.start_bot(bot=bot, actor=None)


@pytest.mark.parametrize("stop_loss", ["0.001", "0.0019", "0.001998"])
def test_a_stop_loss_within_the_fees_would_fire_at_once_and_is_refused_with_the_number(
    connection: ExchangeConnection, stop_loss: str
) -> None:
    a_market()
    watch = Watch(side=Side.BUY, entry=D(100), fee=D("0.001"))
    assert due_exit(watch, Barriers(stop_loss_pct=D(stop_loss)), D(100), D(0)) is Exit.STOP_LOSS
    sentence = refusal(connection, stop_loss_pct=D(stop_loss))["stop_loss_pct"][0]
    assert "closes each position at once: the fees of both ways are about 0.2 %" in sentence


def test_fees_that_became_known_since_it_was_saved_count_as_it_starts(connection: ExchangeConnection) -> None:
    bot = a_scalper(connection, stop_loss_pct=D("0.0025"))
    a_market(taker_fee=D("0.002"))
    with pytest.raises(ValidationError, match=r"A stop loss of 0\.25 % closes each position at once"):
        services.start_bot(bot=bot, actor=None)


def test_a_stop_loss_just_beyond_the_fees_is_taken(connection: ExchangeConnection) -> None:
    a_market()
    just_beyond = loss_at_entry(Side.BUY, D("0.001")).quantize(D("0.000001")) + D("0.000001")
    watch = Watch(side=Side.BUY, entry=D(100), fee=D("0.001"))
    assert due_exit(watch, Barriers(stop_loss_pct=just_beyond), D(100), D(0)) is None
    a_scalper(connection, stop_loss_pct=just_beyond)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"take_profit_pct": D("0.001")}, "The take profit of 0.1 % is less than the fees of both ways"),
        ({"max_spread_pct": D("0.02")}, "within the fees and the widest spread, about 2.196 %"),
        ({"trailing_delta_pct": D("0.01"), "trailing_activation_pct": D("0.02")}, "never closes anything"),
        ({"trailing_delta_pct": D("0.01"), "trailing_activation_pct": D(0)}, "below break-even"),
        (
            {"trailing_delta_pct": D("0.01"), "trailing_activation_pct": D("0.011"), "stop_loss_pct": None},
            "A position that never rises above its trailing activation is never closed",
        ),
        ({"symbols": "BTC/USDT, ETH/BTC"}, "an entry costs 50 BTC or 50 USDT."),
    ],
)  # fmt: skip
def test_what_is_allowed_and_odd_is_one_warning(
    connection: ExchangeConnection, settings: dict[str, Any], words: str
) -> None:
    a_market()
    a_market("ETH/BTC")
    assert [sentence for sentence in warnings_of(a_scalper(connection, **settings)) if words in sentence]
    assert len(warnings_of(a_scalper(connection, name="Same", **settings))) == 1


def test_sound_settings_are_not_warned_of(connection: ExchangeConnection) -> None:
    a_market()
    trailing = {"trailing_delta_pct": D("0.005"), "trailing_activation_pct": D("0.01")}
    assert warnings_of(a_scalper(connection, **trailing)) == ()


def test_a_rotation_that_takes_longer_than_the_window_is_warned_of(connection: ExchangeConnection) -> None:
    symbols = [a_market(f"C{number}/USDT").symbol for number in range(31)]
    bot = a_scalper(connection, symbols=",".join(symbols), window_seconds=10)
    assert "It looks at 31 markets in turns of 15, so at each of them every 15 s" in warnings_of(bot)[0]
    bot.window_seconds = 15
    assert warnings_of(bot) == ()
    bot.markets, bot.quote_currency, bot.window_seconds = "all", "USDT", 5
    assert "31 markets" in warnings_of(bot)[0]


def test_both_sides_of_a_bot_that_opens_both_are_judged(connection: ExchangeConnection) -> None:
    a_market(taker_fee=D("0.1"))
    of_a_long = D("0.19")  # what a long position loses at once is 0.1818, a short one 0.2222
    a_scalper(connection, stop_loss_pct=of_a_long)
    assert list(refusal(connection, stop_loss_pct=of_a_long, direction="both", name="B")) == ["stop_loss_pct"]


@pytest.mark.parametrize(
    ("venue", "settings"),
    [("demo", {}), ("coinstore", {}), ("binance", ALL)],
    ids=["demo", "coinstore", "all"],
)
def test_a_window_shorter_than_a_cycle_is_refused_where_no_stream_tells_of_changes(
    user: User, venue: str, settings: dict[str, Any]
) -> None:
    there = create_connection(actor=None, owner=user, name="There", venue=venue, mode="paper")
    found = refusal(there, window_seconds=3, **settings)
    assert list(found) == ["window_seconds"]
    assert "A window of 3 s is shorter than the 5 s between two looks" in found["window_seconds"][0]


def test_a_short_window_is_taken_where_a_stream_tells_of_changes(connection: ExchangeConnection) -> None:
    assert a_scalper(connection, window_seconds=3).window_seconds == 3


def test_an_archived_connection_is_refused(connection: ExchangeConnection) -> None:
    bot = a_scalper(connection)
    assert isinstance(bot, ScalperBot)
    from exchanges.services import archive_connection

    archive_connection(connection=connection, actor=None)
    connection.refresh_from_db()
    assert "is archived" in refusal(connection, **(SETTINGS | {"name": "Other"}))["connection"][0]
