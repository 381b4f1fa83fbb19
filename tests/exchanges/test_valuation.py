from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.types import Market, Ticker
from exchanges.valuation import Price, lines_as_json, lines_from_json, market_of, price_in, valued

D = Decimal
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def price(value: str, *, minutes_old: int = 0, symbol: str = "BTC/USDT") -> Price:
    return Price(value=D(value), at=NOW - timedelta(minutes=minutes_old), symbol=symbol)


def market(symbol: str, *, active: bool = True) -> Market:
    base, quote = symbol.split("/")
    return Market(
        symbol=symbol, base=base, quote=quote, price_step=D("0.01"), amount_step=D("0.01"), active=active
    )


def ticker(symbol: str, bid: str | None, ask: str | None, last: str | None) -> Ticker:
    numbers = {"bid": bid, "ask": ask, "last": last}
    return Ticker(symbol=symbol, time=NOW, **{name: D(n) if n else None for name, n in numbers.items()})


def test_an_account_is_worth_its_quote_currency_and_what_the_rest_costs() -> None:
    worth = valued({"USDT": D(100), "BTC": D("0.5")}, {"BTC": price("40000")}, quote="USDT", at=NOW)
    assert worth.total == D(20_100)
    assert worth.unpriced == ()


def test_what_has_no_price_is_named_and_not_worth_nothing() -> None:
    worth = valued({"USDT": D(100), "XYZ": D(7), "OLD": D(0)}, {}, quote="USDT", at=NOW)
    assert [(line.currency, line.amount, line.value) for line in worth.unpriced] == [("XYZ", D(7), None)]
    assert worth.total == D(100)


def test_the_oldest_price_says_how_old_the_total_may_be() -> None:
    prices = {"BTC": price("40000", minutes_old=3), "ETH": price("3000", minutes_old=50)}
    worth = valued({"USDT": D(1), "BTC": D(1), "ETH": D(1)}, prices, quote="USDT", at=NOW)
    assert worth.oldest_price == prices["ETH"]
    assert valued({"USDT": D(1)}, prices, quote="USDT", at=NOW).oldest_price is None


@pytest.mark.parametrize(
    ("symbols", "found"),
    [
        (["BTC/USDT", "USDT/BTC"], "BTC/USDT"),
        (["USDT/BTC"], "USDT/BTC"),
        (["BTC/EUR"], None),
    ],
)
def test_a_currency_is_valued_over_its_own_market_only(symbols: list[str], found: str | None) -> None:
    assert market_of("BTC", "USDT", {symbol: market(symbol) for symbol in symbols}) == found


def test_a_market_that_is_closed_gives_no_price() -> None:
    assert market_of("BTC", "USDT", {"BTC/USDT": market("BTC/USDT", active=False)}) is None


@pytest.mark.parametrize(
    ("seen", "value"),
    [
        (ticker("BTC/USDT", "99", "101", "90"), D(100)),
        (ticker("BTC/USDT", None, "101", "90"), D(90)),
        (ticker("BTC/USDT", "102", "101", "90"), D(90)),
        (ticker("BTC/USDT", None, None, "0"), None),
        (ticker("BTC/USDT", None, None, None), None),
        (ticker("USDT/BTC", "0.24", "0.26", None), D(4)),
    ],
)
def test_a_price_is_the_middle_else_the_last_and_turned_round_where_need_be(
    seen: Ticker, value: Decimal | None
) -> None:
    found = price_in("USDT", seen)
    assert (found.value if found else None) == value
    assert found is None or (found.at, found.symbol) == (NOW, seen.symbol)


amounts = st.decimals(min_value=D("0.000000000000000001"), max_value=D(10**15), places=18)


@given(
    held=st.dictionaries(st.sampled_from(["USDT", "BTC", "ETH", "XYZ"]), amounts),
    prices=st.dictionaries(st.sampled_from(["BTC", "ETH"]), amounts),
)
def test_a_valuation_comes_back_from_json_to_the_last_digit(
    held: dict[str, Decimal], prices: dict[str, Decimal]
) -> None:
    known = {name: Price(value=value, at=NOW, symbol=f"{name}/USDT") for name, value in prices.items()}
    lines = valued(held, known, quote="USDT", at=NOW).lines
    assert lines_from_json(json.loads(json.dumps(lines_as_json(lines)))) == lines


@given(held=st.dictionaries(st.sampled_from(["USDT", "BTC", "XYZ"]), amounts))
def test_every_currency_is_in_the_total_or_named(held: dict[str, Decimal]) -> None:
    worth = valued(held, {"BTC": price("40000")}, quote="USDT", at=NOW)
    assert {line.currency for line in worth.lines} == held.keys()
    assert {line.currency for line in worth.unpriced} == held.keys() & {"XYZ"}
    assert worth.total >= held.get("USDT", D(0))
