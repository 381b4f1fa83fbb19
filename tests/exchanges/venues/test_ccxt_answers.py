"""ccxt's structures are read exactly, and what no venue should answer is an error."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from ccxt.base.decimal_to_precision import DECIMAL_PLACES, SIGNIFICANT_DIGITS, TICK_SIZE

from exchanges.errors import MalformedAnswerError
from exchanges.types import Fee, OrderRequest, OrderType, Side, VenueOrderStatus
from exchanges.venues.ccxt_answers import (
    balances_of,
    book_of,
    day_volumes_of,
    market_of,
    order_of,
    placement_of,
    plain,
    time_of,
    trade_of,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ORDER: dict[str, Any] = {
    "id": "28",
    "clientOrderId": "6f" * 16,
    "symbol": "BTC/USDT",
    "side": "buy",
    "type": "limit",
    "status": "open",
    "amount": "10.00000000",
    "filled": "3.00000000",
    "average": "0.1",
    "price": "0.10000000",
    "timestamp": 1507725176595,
}
TRADE: dict[str, Any] = {
    "id": "7",
    "order": "28",
    "symbol": "BTC/USDT",
    "side": "buy",
    "price": "4.00000100",
    "amount": "12.00000000",
    "cost": "48.000012",
    "takerOrMaker": "maker",
    "timestamp": 1499865549590,
    "fees": [{"currency": "BNB", "cost": "0.00000001"}],
}
MARKET: dict[str, Any] = {
    "symbol": "BTC/USDT",
    "base": "BTC",
    "quote": "USDT",
    "precision": {"price": "0.01000000", "amount": "0.00001000"},
    "limits": {"amount": {"min": "0.00001000", "max": "9000.00000000"}, "cost": {"min": "5.00000000"}},
    "maker": "0.001",
    "taker": 0.002,
    "active": True,
}


def test_steps_are_ticks_without_trailing_zeros() -> None:
    market = market_of(MARKET, TICK_SIZE)

    assert (str(market.price_step), str(market.amount_step)) == ("0.01", "0.00001")
    assert (str(market.max_amount), str(market.min_cost)) == ("9000", "5")
    assert (market.maker_fee, market.taker_fee) == (Decimal("0.001"), Decimal("0.002"))


def test_decimal_places_become_steps() -> None:
    market = market_of(MARKET | {"precision": {"price": 2, "amount": 0}}, DECIMAL_PLACES)

    assert (market.price_step, market.amount_step) == (Decimal("0.01"), Decimal(1))


def test_significant_digits_stay_digits() -> None:
    market = market_of(MARKET | {"precision": {"price": 5, "amount": 8}}, SIGNIFICANT_DIGITS)

    assert market.price_digits == 5
    assert market.floor_price(Decimal("12345.678")) == Decimal(12345)


def test_a_whole_number_has_no_exponent() -> None:
    assert str(plain(Decimal("1E+3"))) == "1000"


def test_an_order_is_read_to_the_last_digit() -> None:
    report = order_of(ORDER, "BTC/USDT")

    assert (report.venue_id, report.status) == ("28", VenueOrderStatus.OPEN)
    assert (report.amount, report.filled, report.average) == (Decimal(10), Decimal(3), Decimal("0.1"))
    assert report.time == datetime(2017, 10, 11, 12, 32, 56, 595_000, tzinfo=UTC)


def test_an_order_that_closed_unfilled_was_cancelled() -> None:
    assert order_of(ORDER | {"status": "closed"}, "BTC/USDT").status is VenueOrderStatus.CANCELED


def test_an_acknowledgement_without_a_state_is_submitted() -> None:
    request = OrderRequest(
        client_id="6f" * 16,
        symbol="BTC/USDT",
        side=Side.BUY,
        type=OrderType.LIMIT,
        amount=Decimal(10),
        price=Decimal(1),
    )

    report = placement_of({"id": "28", "status": None, "filled": None}, request)

    assert (report.status, report.amount, report.filled) == (
        VenueOrderStatus.SUBMITTED,
        Decimal(10),
        Decimal(0),
    )


def test_a_trade_carries_its_fee_in_its_currency() -> None:
    trade = trade_of(TRADE, "BTC/USDT")

    assert (trade.cost, trade.fees) == (
        Decimal("48.000012"),
        (Fee(currency="BNB", amount=Decimal("0.00000001")),),
    )


def test_a_cost_may_be_rounded_to_its_last_digit() -> None:
    trade = trade_of(TRADE | {"price": "0.0333", "amount": "0.3", "cost": "0.01"}, "BTC/USDT")

    assert trade.cost == Decimal("0.01")


def test_milliseconds_survive() -> None:
    assert time_of(1499865549590).microsecond == 590_000


def test_balances_that_hold_nothing_are_left_out() -> None:
    answer = {"free": {"BTC": "0.1", "ETH": "0"}, "used": {"BTC": "0.2", "ETH": "0"}}

    assert list(balances_of(answer)) == ["BTC"]


def test_a_days_volume_is_in_quote_and_exact() -> None:
    told = {
        "A/USDT": {"quoteVolume": "0.10000000000000000001", "baseVolume": "7"},
        "B/USDT": {"baseVolume": "3", "vwap": "0.1", "last": "9"},
        "C/USDT": {"baseVolume": 3, "last": 0.1},
        "D/USDT": {"quoteVolume": "0"},
    }

    assert day_volumes_of(told, told.keys()) == {
        "A/USDT": Decimal("0.10000000000000000001"),
        "B/USDT": Decimal("0.3"),
        "C/USDT": Decimal("0.3"),
        "D/USDT": Decimal(0),
    }


def test_markets_of_which_no_volume_is_told_and_those_of_others_are_left_out() -> None:
    told = {"A/USDT": {"baseVolume": "3"}, "B/USDT": {"last": "1"}, "FUTURE": {"quoteVolume": "5"}}

    assert day_volumes_of(told, {"A/USDT", "B/USDT"}) == {}


def read_volumes(change: dict[str, Any]) -> object:
    return day_volumes_of({"A/USDT": {"quoteVolume": "1"} | change}, {"A/USDT"})


def read_order(change: dict[str, Any]) -> object:
    return order_of(ORDER | change, "BTC/USDT")


def read_trade(change: dict[str, Any]) -> object:
    return trade_of(TRADE | change, "BTC/USDT")


def read_book(change: dict[str, Any]) -> object:
    return book_of({"bids": [], "asks": [], **change}, "BTC/USDT", NOW)


def read_balances(change: dict[str, Any]) -> object:
    return balances_of({"free": {"BTC": "1"}, "used": {}, **change})


@pytest.mark.parametrize(
    ("read", "change"),
    [
        (read_order, {"id": None}),
        (read_order, {"status": "dreaming"}),
        (read_order, {"status": None}),
        (read_order, {"amount": "-1"}),
        (read_order, {"amount": "NaN"}),
        (read_order, {"filled": "-1"}),
        (read_order, {"filled": None}),
        (read_order, {"filled": "11"}),
        (read_order, {"filled": "Infinity"}),
        (read_order, {"average": None}),
        (read_order, {"symbol": "ETH/USDT"}),
        (read_order, {"side": "both"}),
        (read_order, {"price": "cheap"}),
        (read_order, {"id": {"value": 28}}),
        (read_order, {"id": True}),
        (read_order, {"id": "-28"}),
        (read_order, {"id": "9" * 81}),
        (read_order, {"amount": "1e999"}),
        (read_order, {"amount": 10**30}),
        (read_order, {"filled": "\N{ARABIC-INDIC DIGIT THREE}"}),
        (read_order, {"filled": "1_0"}),
        (read_trade, {"cost": "-48.000012"}),
        (read_trade, {"cost": "480.00012"}),
        (read_trade, {"cost": ["48.000012"]}),
        (read_trade, {"fees": [{"cost": "1", "currency": {}}]}),
        (read_trade, {"id": ""}),
        (read_trade, {"order": None}),
        (read_trade, {"price": "0"}),
        (read_trade, {"amount": None}),
        (read_trade, {"timestamp": None}),
        (read_trade, {"timestamp": 10**30}),
        (read_trade, {"fees": [{"cost": "1", "currency": None}]}),
        (read_volumes, {"quoteVolume": "-1"}),
        (read_volumes, {"quoteVolume": "much"}),
        (read_book, {"bids": None}),
        (read_book, {"bids": [["-1", "1"]]}),
        (read_book, {"asks": [["1", "-1"]]}),
        (read_balances, {"free": None}),
        (read_balances, {"free": {"BTC": "-1"}}),
    ],
)
def test_what_no_venue_should_answer_is_an_error(
    read: Callable[[dict[str, Any]], object], change: dict[str, Any]
) -> None:
    with pytest.raises(MalformedAnswerError):
        read(change)
