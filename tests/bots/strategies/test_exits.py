"""How an open position is looked after, and closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bots.strategies.barriers import Barriers, Exit, Watch
from bots.strategies.exits import Care, Closing, Trip, look_after
from bots.strategies.scalper_settings import ScalperSettings
from exchanges.types import Book, Level, Market, OrderType, Side

D = Decimal
OPENED = datetime(2026, 1, 1, tzinfo=UTC)
MARKET = Market(
    symbol="BTC/USDT", base="BTC", quote="USDT", price_step=D("0.01"), amount_step=D("0.001"),
    min_amount=D("0.01"), min_cost=D(5),
)  # fmt: skip
LONG = Trip(watch=Watch(side=Side.BUY, entry=D(100)), amount=D("0.9"), opened_at=OPENED)
SHORT = replace(LONG, watch=Watch(side=Side.SELL, entry=D(100)))
BARRIERS = Barriers(stop_loss_pct=D("0.05"), take_profit_pct=D("0.1"))


def look(
    trip: Trip,
    bid: str | None,
    *,
    after: float = 1,
    age: float = 0,
    barriers: Barriers = BARRIERS,
    **more: Any,
) -> Care:
    """The ask is one above the bid. after: seconds since the entry; age: of the book, in seconds."""
    now = OPENED + timedelta(seconds=after)
    book = None
    if bid is not None:
        bids, asks = (Level(D(bid), D(9)),), (Level(D(bid) + 1, D(9)),)
        book = Book(symbol="BTC/USDT", bids=bids, asks=asks, time=now - timedelta(seconds=age))
    settings = ScalperSettings(order_cost=D(100), entry_move_pct=D("0.01"), barriers=barriers, **more)
    return look_after(trip, MARKET, book, settings, now)


def test_a_position_within_its_barriers_is_held() -> None:
    care = look(LONG, "99")
    assert (care.quote, care.trip) == (None, LONG)
    assert care.reason == "Holds 0.9 BTC from 100."


def test_a_stop_closes_what_has_filled_and_no_more() -> None:
    care = look(LONG, "94.5")
    assert care.quote is not None
    assert (care.quote.side, care.quote.amount, care.quote.price) == (Side.SELL, D("0.9"), D("94.5"))
    assert care.trip.closing == Closing(reason=Exit.STOP_LOSS, since=OPENED + timedelta(seconds=1))
    assert care.reason == "Closes: stop loss, at 94.5."


def test_a_short_position_is_measured_and_closed_at_the_ask() -> None:
    assert look(SHORT, "103.99").quote is None  # it would close at 104.99
    care = look(SHORT, "104")
    assert care.quote is not None
    assert (care.quote.side, care.quote.price) == (Side.BUY, D(105))


def test_a_closing_position_stays_closing_when_the_price_comes_back() -> None:
    closing = look(LONG, "94.5").trip
    care = look(closing, "99", after=3)
    assert care.quote is not None
    assert care.quote.price == D(99)


def test_an_exit_that_does_not_fill_in_time_is_priced_anew_and_at_last_goes_at_market() -> None:
    trip = look(LONG, "94.5", exit_seconds=5, exit_tries=2).trip
    seen = []
    for after in (4, 6, 11, 16):
        care = look(trip, "90", after=after, exit_seconds=5, exit_tries=2)
        assert care.quote is not None
        trip = care.trip
        seen.append((trip.closing.tries if trip.closing else 0, care.quote.type))
    assert seen == [(1, OrderType.LIMIT), (2, OrderType.LIMIT), (3, OrderType.MARKET), (4, OrderType.MARKET)]


def test_a_take_profit_rests_until_a_stop_takes_its_place() -> None:
    care = look(LONG, "100", rests_take_profit=True)
    assert care.quote is not None
    assert (care.quote.level, care.quote.price, care.quote.amount) == ("take profit", D(110), D("0.9"))
    care = look(LONG, "94", rests_take_profit=True)
    assert care.quote is not None
    assert (care.quote.level, care.quote.price) == ("close", D(94))


def test_a_resting_take_profit_is_rounded_to_the_better_tick() -> None:
    trip = replace(LONG, watch=Watch(side=Side.BUY, entry=D("100.003")))
    care = look(trip, "100", rests_take_profit=True)
    assert care.quote is not None
    assert care.quote.price == D("110.01")


def test_the_trailing_stop_is_remembered_from_look_to_look() -> None:
    barriers = Barriers(trailing_delta_pct=D("0.01"), trailing_activation_pct=D("0.02"))
    trip = look(LONG, "110", barriers=barriers).trip
    assert trip.watch.trailing_stop == D("108.9")
    care = look(trip, "109", barriers=barriers)
    assert care.reason.endswith("its trailing stop at 108.9.")
    assert look(care.trip, "108.9", barriers=barriers).trip.closing is not None


def test_the_time_limit_closes() -> None:
    care = look(LONG, "100", after=60, barriers=Barriers(time_limit_seconds=D(60)))
    assert care.trip.closing is not None
    assert care.trip.closing.reason is Exit.TIME_LIMIT


def test_a_clock_that_stepped_back_closes_nothing() -> None:
    assert look(LONG, "100", after=-30, barriers=Barriers(time_limit_seconds=D(60))).quote is None


@pytest.mark.parametrize("amount", ["0.009", "0.0009"])
def test_a_remainder_below_the_venues_minimum_is_dust(amount: str) -> None:
    care = look(replace(LONG, amount=D(amount)), "50")
    assert care.is_dust
    assert care.quote is None
    assert care.reason == f"{amount} BTC are left, less than the venue takes."


@pytest.mark.parametrize(("bid", "age"), [(None, 0), ("50", 60)])
def test_without_a_fresh_book_nothing_is_decided(bid: str | None, age: float) -> None:
    care = look(LONG, bid, age=age)
    assert (care.quote, care.trip.closing) == (None, None)
    assert care.reason.startswith("Holds;")


def test_a_price_that_falls_by_nine_tenths_closes_at_what_is_left() -> None:
    care = look(LONG, "10")
    assert care.quote is not None
    assert care.quote.price == D(10)


def test_an_exit_keeps_its_price_until_its_time_is_over() -> None:
    closing = replace(look(LONG, "94.5").trip, exit_price=D("94.5"))
    care = look(closing, "93", after=3)
    assert care.quote is not None
    assert care.quote.price == D("94.5")
    care = look(closing, "93", after=6)
    assert care.quote is not None
    assert care.quote.price == D("93")


def test_a_clock_that_steps_back_neither_hastens_nor_holds_up_an_exit() -> None:
    closing = look(LONG, "94.5", after=3600).trip
    care = look(closing, "94.5", after=1)
    assert care.trip.closing == Closing(reason=Exit.STOP_LOSS, since=OPENED + timedelta(seconds=1))
    assert look(care.trip, "94.5", after=6).trip.closing == Closing(
        reason=Exit.STOP_LOSS, since=OPENED + timedelta(seconds=6), tries=2
    )
