"""Fills from a book and a tape, without a database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.types import Book, Level, PublicTrade, Side
from exchanges.venues.paper_matching import (
    LevelKey,
    MarketView,
    RestingOrder,
    Taken,
    TakenLevels,
    TapeCursor,
    advanced,
    arrive,
    queue_ahead,
    settle,
    still_valid,
)

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(seconds=10)


def book(bids: Sequence[tuple[int, int]] = (), asks: Sequence[tuple[int, int]] = ()) -> Book:
    return Book(symbol="A/B", bids=_levels(bids), asks=_levels(asks), time=LATER)


def _levels(pairs: Sequence[tuple[int, int]]) -> tuple[Level, ...]:
    return tuple(Level(Decimal(price), Decimal(amount)) for price, amount in pairs)


def resting(id: int, side: Side, price: int, remaining: int, *, queue: int = 0, at: int = 0) -> RestingOrder:  # noqa: A002
    return RestingOrder(
        id=id,
        side=side,
        price=Decimal(price),
        remaining=Decimal(remaining),
        queue_ahead=Decimal(queue),
        arrived_at=NOON + timedelta(seconds=at),
    )


def trade(id: int, side: Side, price: int, amount: int, *, at: int = 1) -> PublicTrade:  # noqa: A002
    return PublicTrade(
        id=str(id),
        symbol="A/B",
        side=side,
        price=Decimal(price),
        amount=Decimal(amount),
        time=NOON + timedelta(seconds=at),
    )


def fills_of(
    orders: Sequence[RestingOrder], *trades: PublicTrade, shown: Book | None = None
) -> dict[int, Decimal]:
    settlement = settle(orders, {}, MarketView(book=shown or book(), trades=trades), None)
    filled: dict[int, Decimal] = defaultdict(Decimal)
    for fill in settlement.fills:
        filled[fill.order_id] += fill.amount
    return dict(filled)


def test_a_trade_at_our_price_first_uses_up_the_queue_ahead() -> None:
    order = resting(1, Side.BUY, 100, 10, queue=8)

    assert fills_of([order], trade(1, Side.SELL, 100, 5)) == {}
    assert fills_of([order], trade(1, Side.SELL, 100, 5), trade(2, Side.SELL, 100, 5)) == {1: 2}


def test_a_queue_that_moves_without_a_fill_is_a_change() -> None:
    view = MarketView(book=book(), trades=[trade(1, Side.SELL, 100, 5)])

    (changed,) = settle([resting(1, Side.BUY, 100, 10, queue=8)], {}, view, None).changed

    assert changed.queue_ahead == 3


def test_a_trade_through_our_price_skips_the_queue() -> None:
    view = MarketView(book=book(), trades=[trade(1, Side.SELL, 99, 5)])

    settlement = settle([resting(1, Side.BUY, 100, 10, queue=8)], {}, view, None)

    assert [(fill.price, fill.amount) for fill in settlement.fills] == [(Decimal(100), Decimal(5))]
    assert settlement.changed[0].queue_ahead == 0


def test_one_trade_is_shared_in_price_and_time_order() -> None:
    orders = [
        resting(1, Side.SELL, 101, 10, at=0),
        resting(2, Side.SELL, 100, 10, at=5),
        resting(3, Side.SELL, 100, 10, at=4),
    ]

    assert fills_of(orders, trade(1, Side.BUY, 102, 25, at=6)) == {3: 10, 2: 10, 1: 5}


def test_a_buying_taker_does_not_fill_a_bid() -> None:
    assert fills_of([resting(1, Side.BUY, 100, 10)], trade(1, Side.BUY, 99, 5)) == {}


@pytest.mark.parametrize("at", [2, 3])
def test_trades_until_our_arrival_do_not_count(at: int) -> None:
    assert fills_of([resting(1, Side.BUY, 100, 10, at=3)], trade(1, Side.SELL, 99, 5, at=at)) == {}


def test_a_book_that_crosses_us_fills_at_our_price_and_by_its_amounts() -> None:
    view = MarketView(book=book(asks=[(98, 3), (100, 4), (101, 50)]), trades=[])

    settlement = settle([resting(1, Side.BUY, 100, 10)], {}, view, None)
    again = settle(settlement.changed, settlement.taken, view, None)

    assert [(fill.price, fill.amount) for fill in settlement.fills] == [(Decimal(100), Decimal(7))]
    assert again.fills == ()


def test_a_silent_market_changes_nothing() -> None:
    view = MarketView(book=book(bids=[(99, 5)], asks=[(101, 5)]), trades=[])

    assert settle([resting(1, Side.BUY, 100, 10, queue=3)], {}, view, None).changed == ()


def test_a_used_trade_is_not_used_again() -> None:
    first, second = trade(1, Side.SELL, 99, 5), trade(2, Side.SELL, 99, 3)
    cursor = advanced(None, [first])
    view = MarketView(book=book(), trades=[first, second])

    settlement = settle([resting(1, Side.BUY, 100, 10)], {}, view, cursor)

    assert [fill.amount for fill in settlement.fills] == [3]
    assert advanced(cursor, [first, second]) == TapeCursor(until=first.time, ids=frozenset({"1", "2"}))


def test_the_cursor_never_moves_back() -> None:
    cursor = advanced(None, [trade(2, Side.SELL, 99, 5, at=5)])

    assert advanced(cursor, [trade(1, Side.SELL, 99, 5, at=4)]) == cursor
    assert advanced(cursor, []) == cursor


def test_the_queue_is_what_others_show_at_our_price() -> None:
    shown = book(bids=[(100, 7), (99, 4)])

    assert queue_ahead(Side.BUY, Decimal(99), shown) == 4
    assert queue_ahead(Side.BUY, Decimal(98), shown) == 0


def test_a_level_that_left_or_changed_is_fresh_again() -> None:
    taken = {LevelKey(Side.SELL, Decimal(price)): Taken(Decimal(1), Decimal(5)) for price in (100, 101, 102)}

    assert set(still_valid(taken, book(asks=[(100, 5), (101, 6)]))) == {LevelKey(Side.SELL, Decimal(100))}


prices = st.integers(90, 110)
amounts = st.integers(1, 20)
sides = st.sampled_from(Side)


@st.composite
def books(draw: st.DrawFn) -> Book:
    mid = draw(prices)
    bids = draw(st.dictionaries(st.integers(80, mid - 1), amounts, max_size=6))
    asks = draw(st.dictionaries(st.integers(mid + 1, 120), amounts, max_size=6))
    return book(sorted(bids.items(), reverse=True), sorted(asks.items()))


@st.composite
def order_lists(draw: st.DrawFn) -> list[RestingOrder]:
    rows = draw(
        st.lists(st.tuples(sides, prices, amounts, st.integers(0, 20), st.integers(0, 5)), max_size=6)
    )
    return [
        resting(id, side, price, amount, queue=queue, at=at)
        for id, (side, price, amount, queue, at) in enumerate(rows)  # noqa: A001
    ]


@st.composite
def tapes(draw: st.DrawFn) -> list[PublicTrade]:
    rows = draw(st.lists(st.tuples(sides, prices, amounts, st.integers(0, 9)), max_size=8))
    rows.sort(key=lambda row: row[3])
    return [trade(id, side, price, amount, at=at) for id, (side, price, amount, at) in enumerate(rows)]  # noqa: A001


@given(orders=order_lists(), tape=tapes(), shown=books())
def test_fills_never_exceed_the_orders_nor_what_the_market_had(
    orders: list[RestingOrder], tape: list[PublicTrade], shown: Book
) -> None:
    settlement = settle(orders, {}, MarketView(book=shown, trades=tape), None)

    by_id = {order.id: order for order in orders}
    for side in Side:
        got = sum(fill.amount for fill in settlement.fills if by_id[fill.order_id].side is side)
        sold = sum(one.amount for one in tape if one.side is side.opposite)
        shown_amount = sum(level.amount for level in shown.side(side.opposite))
        assert got <= sold + shown_amount
    left = {order.id: order.remaining for order in settlement.changed}
    for order in orders:
        got = sum(fill.amount for fill in settlement.fills if fill.order_id == order.id)
        assert left.get(order.id, order.remaining) == order.remaining - got >= 0
    assert all(fill.amount > 0 and fill.price == by_id[fill.order_id].price for fill in settlement.fills)


@given(orders=order_lists(), tape=tapes(), shown=books(), cut=st.integers(0, 8))
def test_looking_often_gives_what_looking_once_gives(
    orders: list[RestingOrder], tape: list[PublicTrade], shown: Book, cut: int
) -> None:
    nothing = book()
    once = settle(orders, {}, MarketView(book=nothing, trades=tape), None)
    first = settle(orders, {}, MarketView(book=nothing, trades=tape[:cut]), None)
    between = {order.id: order for order in orders} | {order.id: order for order in first.changed}
    second = settle(
        [order for order in between.values() if order.remaining],
        first.taken,
        MarketView(book=nothing, trades=tape),
        advanced(None, tape[:cut]),
    )

    assert [*first.fills, *second.fills] == list(once.fills)


@given(arrivals=st.lists(st.tuples(sides, st.integers(1, 60), st.none() | prices), max_size=6), shown=books())
def test_takers_share_one_book_and_pay_no_more_than_their_limit(
    arrivals: list[tuple[Side, int, int | None]], shown: Book
) -> None:
    taken: TakenLevels = {}
    got: dict[tuple[Side, Decimal], Decimal] = defaultdict(Decimal)
    for side, amount, price in arrivals:
        limit = None if price is None else Decimal(price)
        arrival = arrive(side, Decimal(amount), limit, shown, taken)
        taken = arrival.taken
        assert arrival.amount <= amount
        for part in arrival.parts:
            got[side.opposite, part.price] += part.amount
            assert limit is None or (part.price <= limit if side is Side.BUY else part.price >= limit)
    for side in Side:
        for level in shown.side(side):
            assert got[side, level.price] <= level.amount
