"""When a scalper opens a position, and which gate keeps it from that."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.strategies.entries import Chance, View, look_for_entry
from bots.strategies.momentum import Mid
from bots.strategies.protections import Lock
from bots.strategies.scalper_settings import Direction, ScalperSettings
from exchanges.types import Book, Level, Market, Side

D = Decimal
NOW = datetime(2026, 1, 1, tzinfo=UTC)
MARKET = Market(
    symbol="BTC/USDT", base="BTC", quote="USDT", price_step=D("0.01"), amount_step=D("0.001"),
    min_amount=D("0.001"), min_cost=D(5), taker_fee=D("0.001"),
)  # fmt: skip
SETTINGS = ScalperSettings(order_cost=D(100), entry_move_pct=D("0.01"), direction=Direction.BOTH)


def book(bid: str = "100.9", ask: str = "101.1", amount: str = "5", **more: Any) -> Book:
    fields: dict[str, Any] = {"bids": (Level(D(bid), D(amount)),), "asks": (Level(D(ask), D(amount)),)}
    return Book(symbol="BTC/USDT", **(fields | {"time": NOW} | more))


def view(*, before: str = "100", after: str = "101", **more: Any) -> View:
    mids = (Mid(NOW - timedelta(seconds=60), D(before)), Mid(NOW, D(after)))
    fields: dict[str, Any] = {"book": book(), "mids": mids, "free_base": D(10), "free_quote": D(1000)}
    return View(now=NOW, market=MARKET, **(fields | more))


def look(seen: View, **settings: Any) -> Chance:
    return look_for_entry(seen, replace(SETTINGS, **settings))


def test_a_rise_is_bought_at_the_ask() -> None:
    chance = look(view())
    assert chance.quote is not None
    assert (chance.quote.side, chance.quote.price, chance.quote.amount) == (Side.BUY, D("101.1"), D("0.989"))
    assert chance.reason == "Opens: it moved by 1 % in 60 s."


def test_a_fall_is_sold_at_the_bid() -> None:
    chance = look(view(after="99", book=book("98.9", "99.1")))
    assert chance.quote is not None
    assert (chance.quote.side, chance.quote.price) == (Side.SELL, D("98.9"))


def test_a_jump_by_nine_tenths_is_not_believed() -> None:
    assert look(view(after="10", book=book("9.9", "10.1"))).reason == (
        "it moved by -90 % in 60 s, more than the 20 % that are believed"
    )


def test_an_entry_may_go_through_the_touch() -> None:
    chance = look(view(), through_pct=D("0.001"))
    assert chance.quote is not None
    assert chance.quote.price == D("101.21")  # 101.2011, up to the tick


@pytest.mark.parametrize(
    ("seen", "settings", "words"),
    [
        ({"after": "100.9"}, {}, "it moved by 0.9 %"),
        ({"mids": ()}, {}, "was not seen for 60 s"),
        ({}, {"direction": Direction.SHORT}, "does not trade buy first"),
        ({"after": "90"}, {"direction": Direction.LONG}, "does not trade sell first"),
        ({"after": "90", "free_base": D(0)}, {}, "no BTC is held that could be sold"),
        ({"after": "90", "free_base": D("0.5")}, {}, "only 0.5 BTC are held"),
        ({"free_quote": D(100)}, {}, "only 100 USDT are free"),
        ({"free_quote": D(400)}, {"min_free_quote": D(500)}, "only 400 USDT are free"),
        ({"median_ms": 900.0}, {"max_latency_ms": 500}, "takes 900 ms, more than 500"),
        ({}, {"max_spread_pct": D("0.001")}, "the spread is 0.198 %"),
        ({}, {"min_touch_cost": D(1000)}, "only 504.5 USDT rest at the touch"),
        ({"positions": 1}, {}, "1 of 1 positions are open"),
        ({"connection_positions": 8}, {}, "8 of the connection's 8 positions"),
        ({"book": None}, {}, "no two-sided book"),
        ({"book": book(asks=())}, {}, "no two-sided book"),
        ({"book": book("102", "101")}, {}, "crossed"),
        ({"book": book(closed="the stock market is closed")}, {}, "the stock market is closed"),
        ({"book": book(time=NOW - timedelta(seconds=20))}, {}, "20.0 s old"),
        ({}, {"order_cost": D("0.05")}, "less than the venue takes"),
        ({}, {"order_cost": D("4")}, "less than the venue takes"),
        ({"market": replace(MARKET, active=False)}, {}, "the market is closed"),
    ],
)
def test_what_keeps_it_from_opening_is_said(
    seen: dict[str, Any], settings: dict[str, Any], words: str
) -> None:
    fields = dict(seen)
    market = fields.pop("market", MARKET)
    chance = look(replace(view(**fields), market=market), **settings)
    assert chance.quote is None
    assert words in chance.reason


def test_a_lock_holds_until_its_end() -> None:
    lock = Lock(symbol=None, until=NOW + timedelta(seconds=30), reason="3 stops within 600 s")
    assert look(view(locks=[lock])).reason == "3 stops within 600 s; until 00:00:30 UTC"
    assert look(view(locks=[replace(lock, until=NOW)])).quote is not None


prices = st.decimals("0.01", 100_000, places=2)


@given(prices, prices, prices, st.decimals("0", 1000, places=2))
def test_an_entry_never_costs_more_than_is_free_nor_more_than_its_size(
    before: D, bid: D, spread: D, free: D
) -> None:
    shown = book(str(bid), str(bid + spread))
    seen = view(before=str(before), after=str(bid), book=shown, free_quote=free, free_base=free)
    chance = look(seen)
    if chance.quote is not None:
        assert chance.quote.cost <= SETTINGS.order_cost
        assert (chance.quote.cost if chance.quote.side is Side.BUY else chance.quote.amount) <= free
