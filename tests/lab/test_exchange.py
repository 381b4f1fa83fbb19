"""The matching engine and its ledgers."""

from __future__ import annotations

import pytest

from tests.lab.accounts import FeeSchedule
from tests.lab.floor import SYMBOL, D, Floor
from tests.lab.journal import Event
from tests.lab.ledger import FEES
from tests.lab.orders import (
    Kind,
    Reason,
    RefusedError,
    SelfTrade,
    State,
    TimeInForce,
)


@pytest.fixture
def floor() -> Floor:
    return Floor()


# --- Holds and fees


def test_a_resting_bid_holds_its_cost_and_a_cancel_gives_it_back(floor: Floor) -> None:
    order = floor.buy("ann", "2", "1000")
    assert floor.holding("ann", "USDT") == (D(98_000), D(2000))
    floor.exchange.cancel(order)
    assert floor.holding("ann", "USDT") == (D(100_000), D(0))


def test_a_resting_ask_holds_its_amount(floor: Floor) -> None:
    floor.sell("ann", "2", "1000")
    assert floor.holding("ann", "BTC") == (D(8), D(2))


def test_each_side_pays_its_fee_out_of_what_it_receives(floor: Floor) -> None:
    floor.exchange.accounts["bob"].fees = FeeSchedule(maker=D("0.0005"), taker=D("0.002"))
    floor.sell("ann", "1", "1000")
    floor.buy("bob", "1", "1000")
    assert floor.holding("ann", "USDT").free == D("100999")  # maker, 0.1 % of 1000 USDT
    assert floor.holding("bob", "BTC").free == D("10.998")  # taker, 0.2 % of 1 BTC
    assert floor.holding(FEES, "USDT").free == D(1)
    assert floor.holding(FEES, "BTC").free == D("0.002")


def test_a_fee_is_rounded_down_to_eight_decimals(floor: Floor) -> None:
    floor.sell("ann", "0.00777", "1000.01")
    floor.buy("bob", "0.00777", "1000.01")
    fees = {fill.account: fill.fee for account in ("ann", "bob") for fill in floor.exchange.fills(account)}
    assert fees == {"ann": D("0.00777007"), "bob": D("0.00000777")}


def test_where_fees_are_in_quote_a_buy_holds_its_commission_too(floor: Floor) -> None:
    floor.exchange.fees_in_quote = True
    floor.exchange.accounts["ann"].fees = FeeSchedule(maker=D("0.004"), taker=D("0.006"))
    order = floor.buy("ann", "1", "1000")
    assert floor.holding("ann", "USDT") == (D(98_994), D(1006))
    floor.sell("bob", "0.5", "1000")
    assert floor.holding("ann", "USDT") == (D(98_995), D(503))  # 2 paid, 1 freed
    floor.exchange.cancel(order)
    assert floor.holding("ann", "USDT") == (D(99_498), D(0))
    assert floor.holding("ann", "BTC").free == D("10.5")


def test_where_fees_are_in_quote_the_whole_balance_buys_without_an_overdraft(floor: Floor) -> None:
    floor.exchange.fees_in_quote = True
    floor.exchange.accounts["ann"].fees = FeeSchedule(maker=D("0.25"), taker=D("0.25"))
    floor.sell("bob", "8", "10000")
    floor.buy("ann", "8", "10000")
    fills = {fill.account: (fill.fee_currency, fill.fee) for fill in floor.exchange.fills("ann")}
    assert fills == {"ann": ("USDT", D(20_000))}
    assert floor.holding("ann", "USDT") == (D(0), D(0))
    assert floor.refusal("buy", "ann", "0.001", "10000") is Reason.INSUFFICIENT_FUNDS


def test_a_third_currency_pays_the_fee_while_there_is_enough_of_it(floor: Floor) -> None:
    prices = {"USDT": D(500)}
    floor.exchange.accounts["bob"].fees = FeeSchedule(currency="BNB", price_in_quote=prices)
    floor.exchange.ledger.deposit("bob", "BNB", D("0.002"))
    floor.sell("ann", "2", "1000")
    floor.buy("bob", "1", "1000")
    floor.buy("bob", "1", "1000")
    fees = [(fill.fee_currency, fill.fee) for fill in floor.exchange.fills("bob")]
    assert fees == [("BNB", D("0.0015")), ("BTC", D("0.001"))]


def test_a_buy_below_its_price_gets_the_difference_back(floor: Floor) -> None:
    floor.sell("ann", "1", "900")
    floor.buy("bob", "2", "1000")
    assert floor.holding("bob", "USDT") == (D(98_100), D(1000))


# --- Priority


def test_the_better_price_is_filled_first_and_at_its_own_price(floor: Floor) -> None:
    floor.sell("ann", "1", "1010")
    floor.sell("bob", "1", "1000")
    taker = floor.buy("eve", "1.5", "1020")
    assert [(fill.account, fill.price, fill.amount) for fill in floor.exchange.market(SYMBOL).fills[::2]] == [
        ("bob", D(1000), D(1)),
        ("ann", D(1010), D("0.5")),
    ]
    assert (taker.state, taker.cost) == (State.FILLED, D(1505))


def test_of_equal_prices_the_older_order_is_filled_first(floor: Floor) -> None:
    first, second = floor.buy("ann", "1", "1000"), floor.buy("bob", "1", "1000")
    floor.sell("eve", "1.2")
    assert (first.filled, second.filled) == (D(1), D("0.2"))


def test_a_cancelled_order_loses_its_place(floor: Floor) -> None:
    first, second = floor.buy("ann", "1", "1000"), floor.buy("bob", "1", "1000")
    floor.exchange.cancel(first)
    again = floor.buy("ann", "1", "1000")
    floor.sell("eve", "1")
    assert (second.filled, again.filled) == (D(1), D(0))


# --- Kinds of orders


def test_a_market_order_takes_what_there_is_and_the_rest_expires(floor: Floor) -> None:
    floor.sell("ann", "1", "1000")
    order = floor.buy("bob", "3")
    assert (order.state, order.filled) == (State.EXPIRED, D(1))
    assert floor.holding("bob", "USDT") == (D(99_000), D(0))


def test_a_market_buy_by_budget_spends_no_more_than_the_budget(floor: Floor) -> None:
    floor.sell("ann", "1", "1000")
    floor.sell("ann", "1", "1100")
    order = floor.buy("bob", None, budget=D(1500))
    assert (order.state, order.filled, order.cost) == (State.FILLED, D("1.45454"), D("1499.994"))
    assert floor.holding("bob", "USDT") == (D("98500.006"), D(0))


def test_a_market_order_by_budget_needs_somebody_to_trade_with(floor: Floor) -> None:
    assert floor.refusal("buy", "bob", None, budget=D(1000)) is Reason.NO_LIQUIDITY


def test_an_immediate_or_cancel_order_never_rests(floor: Floor) -> None:
    floor.sell("ann", "1", "1000")
    order = floor.buy("bob", "3", "1000", time_in_force=TimeInForce.IOC)
    assert (order.state, order.filled) == (State.EXPIRED, D(1))
    assert floor.exchange.open_orders("bob") == []


def test_a_fill_or_kill_order_takes_all_or_nothing(floor: Floor) -> None:
    floor.sell("ann", "1", "1000")
    killed = floor.buy("bob", "3", "1000", time_in_force=TimeInForce.FOK)
    assert (killed.state, killed.filled) == (State.EXPIRED, D(0))
    assert floor.buy("bob", "1", "1000", time_in_force=TimeInForce.FOK).state is State.FILLED


def test_a_post_only_order_is_refused_when_it_would_take(floor: Floor) -> None:
    floor.sell("ann", "1", "1000")
    assert floor.refusal("buy", "bob", "1", "1000", kind=Kind.POST_ONLY) is Reason.WOULD_TAKE
    assert floor.buy("bob", "1", "999.99", kind=Kind.POST_ONLY).is_open


def test_a_venue_may_accept_a_post_only_order_that_would_take_and_end_it(floor: Floor) -> None:
    floor.exchange.accepts_crossing_makers = True
    resting = floor.sell("ann", "1", "1000")
    ended = floor.buy("bob", "1", "1000", kind=Kind.POST_ONLY)
    assert (ended.state, ended.filled) == (State.EXPIRED, D(0))
    assert resting.is_open
    assert floor.holding("bob", "USDT").used == 0


# --- Self-trades


def test_an_own_resting_order_expires_instead_of_trading(floor: Floor) -> None:
    resting = floor.sell("ann", "1", "1000")
    floor.sell("bob", "1", "1001")
    order = floor.buy("ann", "1", "1001")
    assert (resting.state, resting.prevented) == (State.SELF_TRADE, D(1))
    assert (order.state, order.cost) == (State.FILLED, D(1001))
    assert floor.holding("ann", "BTC") == (D("10.999"), D(0))


def test_the_taker_may_choose_to_expire_itself(floor: Floor) -> None:
    resting = floor.sell("ann", "1", "1000")
    order = floor.buy("ann", "1", "1001", self_trade=SelfTrade.EXPIRE_TAKER)
    assert (resting.state, order.state) == (State.OPEN, State.SELF_TRADE)
    assert floor.holding("ann", "USDT") == (D(100_000), D(0))


def test_both_may_expire(floor: Floor) -> None:
    resting = floor.sell("ann", "1", "1000")
    order = floor.buy("ann", "1", "1001", self_trade=SelfTrade.EXPIRE_BOTH)
    assert (resting.state, order.state) == (State.SELF_TRADE, State.SELF_TRADE)


# --- Rules


@pytest.mark.parametrize(
    ("amount", "price", "reason"),
    [
        ("1", "1000.001", Reason.PRICE_FILTER),
        ("0.000001", "1000", Reason.LOT_SIZE),
        ("1.000001", "1000", Reason.LOT_SIZE),
        ("9000.1", "1000", Reason.LOT_SIZE),
        ("0.004", "1000", Reason.NOTIONAL),
        ("9000", "1001", Reason.NOTIONAL),
        ("1", "1000000.01", Reason.PRICE_FILTER),
        ("101", None, Reason.MARKET_LOT_SIZE),
        ("200", "1000", Reason.INSUFFICIENT_FUNDS),
    ],
)
def test_an_order_against_the_rules_is_refused(
    floor: Floor, amount: str, price: str | None, reason: Reason
) -> None:
    assert floor.refusal("buy", "ann", amount, price) is reason
    assert floor.holding("ann", "USDT") == (D(100_000), D(0))


def test_a_price_far_from_the_average_is_refused(floor: Floor) -> None:
    floor.sell("ann", "1", "1000")
    floor.buy("bob", "1", "1000")
    assert floor.refusal("buy", "bob", "1", "199.99") is Reason.PERCENT_PRICE
    assert floor.refusal("sell", "bob", "1", "5000.01") is Reason.PERCENT_PRICE
    assert floor.sell("bob", "1", "5000").is_open


def test_the_average_price_looks_back_some_minutes_only(floor: Floor) -> None:
    market = floor.exchange.market(SYMBOL)
    for price, amount in (("1000", "3"), ("1100", "1")):
        floor.sell("ann", amount, price)
        floor.buy("bob", amount, price)
        if price == "1000":
            assert market.average_price(floor.now_ms) == D(1000)
    assert market.average_price(floor.now_ms) == D(1025)
    floor.now_ms += 5 * 60_000 + 1
    assert market.average_price(floor.now_ms) == D(1100)  # nothing traded: the last price


def test_open_orders_are_limited_per_account() -> None:
    floor = Floor(max_open_orders=2)
    first = floor.buy("ann", "1", "1000")
    floor.buy("ann", "1", "1000")
    assert floor.refusal("buy", "ann", "1", "1000") is Reason.MAX_OPEN_ORDERS
    floor.exchange.cancel(first)
    assert floor.buy("ann", "1", "1000").is_open


def test_a_client_id_is_free_again_when_its_order_is_closed(floor: Floor) -> None:
    order = floor.buy("ann", "1", "1000", client_id="same")
    assert floor.refusal("buy", "ann", "1", "1000", client_id="same") is Reason.DUPLICATE
    assert floor.buy("bob", "1", "1000", client_id="same").is_open
    floor.exchange.cancel(order)
    again = floor.buy("ann", "1", "1000", client_id="same")
    assert floor.exchange.market(SYMBOL).by_client_id("ann", "same") is again


def test_a_closed_order_is_not_cancelled_again(floor: Floor) -> None:
    order = floor.buy("ann", "1", "1000")
    floor.exchange.cancel(order)
    with pytest.raises(RefusedError, match="unknown_order"):
        floor.exchange.cancel(order)


def test_a_closed_market_takes_no_orders() -> None:
    assert Floor(is_trading=False).refusal("buy", "ann", "1", "1000") is Reason.MARKET_CLOSED


def test_the_journal_tells_the_whole_story(floor: Floor) -> None:
    floor.sell("ann", "1", "1000", client_id="a", key="ann's key")
    floor.buy("bob", "2", "1000", client_id="b")
    floor.refusal("buy", "bob", "1", "1000.001", client_id="c")
    story = [(entry.event, entry.account, entry.client_id) for entry in floor.exchange.journal.entries()]
    assert story == [
        (Event.ACCEPTED, "ann", "a"),
        (Event.ACCEPTED, "bob", "b"),
        (Event.FILLED, "ann", "a"),
        (Event.FILLED, "bob", "b"),
        (Event.REFUSED, "bob", "c"),
    ]
    first = floor.exchange.journal.entries(event=Event.FILLED, account="ann")[0]
    assert (first.key, first.amount, first.price, first.trade_id) == ("ann's key", D(1), D(1000), 1)


# --- Halts


def test_an_order_in_a_halted_market_waits_and_trades_when_it_resumes(floor: Floor) -> None:
    floor.sell("bob", "1", "50000")
    floor.exchange.halt(SYMBOL)
    order = floor.buy("ann", "0.4", "50010")
    assert (order.is_open, order.filled, floor.holding("ann", "USDT").used) == (True, D(0), D("20004.0"))

    floor.now_ms += 60_000
    floor.exchange.resume(SYMBOL)

    (fill,) = floor.exchange.fills("ann")
    assert (fill.price, fill.amount, fill.time_ms) == (D(50000), D("0.4"), floor.now_ms)
    assert floor.holding("ann", "USDT").used == 0


def test_an_order_that_waits_can_be_cancelled_and_a_market_order_does_not_wait(floor: Floor) -> None:
    floor.sell("bob", "1", "50000")
    floor.exchange.halt(SYMBOL)
    floor.exchange.cancel(floor.buy("ann", "0.4", "50010"))
    assert floor.refusal("buy", "ann", "0.4") is Reason.MARKET_CLOSED

    floor.exchange.resume(SYMBOL)

    assert floor.exchange.fills("ann") == []


def test_an_order_whose_time_is_over_gives_back_what_it_held(floor: Floor) -> None:
    order = floor.buy("ann", "0.4", "50000")

    floor.exchange.expire(order)

    assert (order.state, floor.holding("ann", "USDT").used) == (State.EXPIRED, D(0))


def test_a_market_may_be_free_of_charge() -> None:
    floor = Floor(is_free_of_charge=True)
    floor.sell("bob", "1", "50000")

    floor.buy("ann", "0.4", "50000")

    assert [fill.fee for fill in floor.exchange.fills("ann")] == [D(0)]
