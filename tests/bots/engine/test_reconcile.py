from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bots.engine.reconcile import Plan, reconcile
from bots.strategies.base import OpenOrder, Quote
from exchanges.types import OrderType, Side
from tests.bots.strategies.builders import BUY, SELL, order, quote

D = Decimal


def plan(
    desired: list[Quote], open_orders: list[OpenOrder], tolerance: str = "0.001", minimum: str = "0"
) -> Plan:
    return reconcile(
        desired,
        open_orders,
        tolerance_pct=D(tolerance),
        minimum_distance_pct=D(minimum),
        reference_price=D(100),
    )


def test_an_order_within_the_tolerance_stays() -> None:
    near = order(BUY, "99.05")
    assert plan([quote(BUY, "99")], [near]) == Plan(keep=(near,))


def test_an_order_beyond_the_tolerance_is_replaced() -> None:
    wanted, far = quote(BUY, "99"), order(BUY, "99.2")
    made = plan([wanted], [far])
    assert [(pair.cancel, pair.place) for pair in made.replace] == [(far, wanted)]
    assert (made.keep, made.place, made.cancel) == ((), (), ())


def test_without_an_open_order_the_quote_is_placed() -> None:
    wanted = quote(SELL, "101")
    assert plan([wanted], []) == Plan(place=(wanted,))


def test_an_order_that_no_quote_stands_for_is_canceled() -> None:
    resting = order(SELL, "101")
    assert plan([quote(BUY, "99")], [resting]).cancel == (resting,)


def test_a_partly_filled_order_keeps_its_place_while_half_of_it_is_left() -> None:
    half = order(BUY, "99", "0.5", amount=D(1))
    assert plan([quote(BUY, "99")], [half]).keep == (half,)


def test_an_order_in_the_book_does_not_stand_for_one_at_market() -> None:
    resting, wanted = order(SELL, "94"), quote(SELL, "94", type=OrderType.MARKET)
    assert [(pair.cancel, pair.place) for pair in plan([wanted], [resting]).replace] == [(resting, wanted)]


def test_an_order_at_market_is_left_to_end() -> None:
    sent = order(SELL, "0", type=OrderType.MARKET)
    assert plan([quote(SELL, "94", type=OrderType.MARKET)], [sent]).keep == (sent,)


def test_an_order_of_which_less_than_half_is_left_is_replaced() -> None:
    rest = order(BUY, "99", "0.49", amount=D(1))
    assert [pair.cancel for pair in plan([quote(BUY, "99")], [rest]).replace] == [rest]


def test_an_order_larger_than_wanted_is_replaced() -> None:
    large = order(BUY, "99", "1.01")
    assert [pair.cancel for pair in plan([quote(BUY, "99")], [large]).replace] == [large]


def test_an_order_nearer_than_the_minimum_spread_is_replaced_though_within_the_tolerance() -> None:
    near = order(BUY, "99.05")
    assert [pair.cancel for pair in plan([quote(BUY, "99")], [near], minimum="0.01").replace] == [near]


def test_nothing_is_placed_while_a_cancel_is_unconfirmed() -> None:
    going, wanted = order(BUY, "98", is_canceling=True), quote(BUY, "99")
    assert plan([wanted], [going]) == Plan(waiting=(wanted,), unsettled=(going,))


def test_nothing_is_placed_while_an_outcome_is_unknown() -> None:
    unknown, wanted = order(BUY, "99", is_certain=False), quote(BUY, "99")
    assert plan([wanted], [unknown]) == Plan(waiting=(wanted,), unsettled=(unknown,))


def test_an_unsettled_order_holds_up_its_own_slot_only() -> None:
    going, near, deep = order(BUY, "98.1", is_canceling=True), quote(BUY, "99"), quote(BUY, "98")
    made = plan([near, deep], [going])
    assert (made.place, made.waiting) == ((near,), (deep,))


def test_an_unsettled_order_takes_no_slot_from_an_order_that_stays() -> None:
    going, resting = order(BUY, "98.1", is_canceling=True), order(BUY, "98")
    near, deep = quote(BUY, "99"), quote(BUY, "98")
    made = plan([near, deep], [going, resting])
    assert (made.keep, made.waiting, made.replace) == ((resting,), (near,), ())


def test_a_bid_waits_for_an_own_ask_at_or_below_it_and_the_old_bid_stays() -> None:
    old_bid, old_ask = order(BUY, "99"), order(SELL, "101")
    new_bid, new_ask = quote(BUY, "101"), quote(SELL, "103")
    made = plan([new_bid, new_ask], [old_bid, old_ask])
    assert (made.keep, made.waiting) == ((old_bid,), (new_bid,))
    assert [(pair.cancel, pair.place) for pair in made.replace] == [(old_ask, new_ask)]


def test_an_ask_waits_for_an_unknown_bid_at_or_above_it() -> None:
    unknown, wanted = order(BUY, "99", is_certain=False), quote(SELL, "99")
    assert plan([wanted], [unknown]).waiting == (wanted,)


def test_an_order_that_stands_in_the_way_of_the_other_side_does_not_stay() -> None:
    old_bid, new_bid, new_ask = order(BUY, "99.05"), quote(BUY, "99"), quote(SELL, "99.04")
    made = plan([new_bid, new_ask], [old_bid])
    assert [(pair.cancel, pair.place) for pair in made.replace] == [(old_bid, new_bid)]
    assert made.waiting == (new_ask,)


def test_replacements_take_the_sides_in_turn_from_the_touch_outwards() -> None:
    desired = [quote(BUY, "98"), quote(BUY, "99"), quote(SELL, "102"), quote(SELL, "101")]
    open_orders = [order(BUY, "95"), order(BUY, "96"), order(SELL, "105"), order(SELL, "104")]
    placed = [pair.place.price for pair in plan(desired, open_orders).replace]
    assert placed == [D(99), D(101), D(98), D(102)]


def test_a_book_as_desired_leaves_nothing_to_do() -> None:
    assert plan([quote(BUY, "99"), quote(SELL, "101")], [order(BUY, "99"), order(SELL, "101")]).is_idle


amounts = st.decimals(min_value="0.1", max_value="3", places=1)
bid_prices = st.decimals(min_value="90", max_value="100", places=1)
ask_prices = st.decimals(min_value="100.1", max_value="110", places=1)
desired_quotes = st.tuples(
    st.lists(st.builds(lambda p, a: quote(BUY, p, a), bid_prices.map(str), amounts.map(str)), max_size=5),
    st.lists(st.builds(lambda p, a: quote(SELL, p, a), ask_prices.map(str), amounts.map(str)), max_size=5),
).map(lambda sides: sides[0] + sides[1])
open_lists = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.decimals(min_value="90", max_value="110", places=1),
        amounts,
        st.booleans(),
        st.booleans(),
    ),
    max_size=6,
).map(
    lambda rows: [
        order(side, str(price), str(left), client_id=str(i), is_canceling=canceling, is_certain=certain)
        for i, (side, price, left, canceling, certain) in enumerate(rows)
    ]
)


@given(desired_quotes, open_lists)
def test_every_order_and_every_quote_has_exactly_one_fate(
    desired: list[Quote], open_orders: list[OpenOrder]
) -> None:
    made = plan(desired, open_orders)
    fates = [*made.cancel, *(pair.cancel for pair in made.replace), *made.keep, *made.unsettled]
    assert sorted(o.client_id for o in fates) == sorted(o.client_id for o in open_orders)
    placed = [*made.place, *(pair.place for pair in made.replace)]
    assert all(placed.count(q) + made.waiting.count(q) <= desired.count(q) for q in desired)
    assert all(q in desired for q in (*placed, *made.waiting))


@given(desired_quotes, open_lists)
def test_never_more_is_placed_or_kept_than_desired(
    desired: list[Quote], open_orders: list[OpenOrder]
) -> None:
    made = plan(desired, open_orders)
    for side in Side:
        placed = [q for q in (*made.place, *(pair.place for pair in made.replace)) if q.side is side]
        kept = [o for o in made.keep if o.side is side]
        wanted = [q for q in desired if q.side is side]
        assert len(placed) + len(kept) <= len(wanted)
        assert sum(q.amount for q in placed) <= sum(q.amount for q in wanted)


@given(desired_quotes, open_lists)
def test_no_quote_is_placed_that_would_meet_an_own_order(
    desired: list[Quote], open_orders: list[OpenOrder]
) -> None:
    made = plan(desired, open_orders)
    placed = [*made.place, *(pair.place for pair in made.replace)]
    bids = [q.price for q in placed if q.side is BUY]
    asks = [q.price for q in placed if q.side is SELL]
    assert all(bid < o.price for bid in bids for o in open_orders if o.side is SELL)
    assert all(ask > o.price for ask in asks for o in open_orders if o.side is BUY)
    assert all(bid < ask for bid in bids for ask in asks)
