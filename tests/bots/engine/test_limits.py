from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.engine.limit_context import LimitContext, LimitRule, Limits
from bots.engine.limits import RULES, check
from bots.strategies.base import OpenOrder, Quote
from exchanges.types import ZERO
from tests.bots.strategies.builders import BOOK, BUY, NOW, SELL, book, market, order, quote

D = Decimal
BID, ASK = quote(BUY, "99"), quote(SELL, "101")


def context(limits: dict[str, Any] | None = None, **changes: Any) -> LimitContext:
    values: dict[str, Any] = {
        "now": NOW,
        "market": market(),
        "book": BOOK,
        "limits": Limits(**(limits or {})),
        "free_base": D(100),
        "free_quote": D(10000),
    }
    return LimitContext(**{**values, **changes})


def refused(wanted: Quote, seen: LimitContext) -> tuple[LimitRule, str]:
    verdict = check([wanted], seen)
    assert verdict.allowed == ()
    (refusal,) = verdict.refusals
    assert refusal.quote == wanted
    return refusal.rule, refusal.sentence


def test_quotes_within_all_limits_are_allowed() -> None:
    verdict = check([BID, ASK], context())
    assert (verdict.allowed, verdict.refusals) == ((BID, ASK), ())


def test_every_rule_has_a_place_in_the_order() -> None:
    assert [rule for rule, _ in RULES] == list(LimitRule)


@pytest.mark.parametrize(
    ("wanted", "seen", "rule", "sentence"),
    [
        (BID, context(connection_enabled=False), "connection_disabled", "The connection is switched off."),
        (
            BID,
            context(bot_running=False),
            "bot_not_running",
            "The bot is not running: it places nothing new.",
        ),
        (
            BID,
            context(market=market(active=False)),
            "market_closed",
            "BTC/USDT is closed, or listed no more, at the venue.",
        ),
        (BID, context(book=None), "no_book", "There is no book of BTC/USDT."),
        (
            BID,
            context(now=NOW + timedelta(seconds=15.5)),
            "stale_book",
            "The book is 15.5 s old, the limit is 15 s.",
        ),
        (
            BID,
            context(book=book([("101", "1")], [("100", "1")])),
            "crossed_book",
            "The book is crossed: bid 101, ask 100.",
        ),
        (
            BID,
            context({"daily_loss_limit": D(50)}, day_profit=D(-50)),
            "daily_loss",
            "Today's loss of 50 USDT has reached this bot's limit of 50 USDT: it places nothing until",
        ),
        (
            quote(BUY, "99.005"),
            context(),
            "price_step",
            "The price 99.005 is not a positive multiple of the tick size 0.01.",
        ),
        (
            quote(BUY, "99", "0.0015"),
            context(),
            "amount_step",
            "The amount 0.0015 is not a positive multiple of the lot size 0.001.",
        ),
        (
            quote(BUY, "99", "0"),
            context(),
            "amount_step",
            "The amount 0 is not a positive multiple",
        ),
        (
            BID,
            context(market=market(min_amount=D(2))),
            "min_amount",
            "The order of 1 BTC is below the venue's minimum of 2 BTC.",
        ),
        (
            BID,
            context(market=market(max_amount=D("0.5"))),
            "max_amount",
            "The order of 1 BTC is above the venue's maximum of 0.5 BTC.",
        ),
        (
            BID,
            context(market=market(min_cost=D(100))),
            "min_cost",
            "The order of 99 USDT is below the venue's minimum of 100 USDT.",
        ),
        (
            quote(BUY, "79.99"),
            context(),
            "price_band",
            "The price 79.99 is 20.01% away from the market at 100, the limit is 20 %.",
        ),
        (
            quote(BUY, "100.5"),
            context(),
            "post_only",
            "The bid at 100.5 would take the ask at 100.5, and it is post-only.",
        ),
        (
            quote(SELL, "99.5"),
            context(),
            "post_only",
            "The ask at 99.5 would take the bid at 99.5, and it is post-only.",
        ),
        (
            quote(BUY, "60", "2"),
            context({"max_order_cost": D(100), "price_band_pct": D("0.5")}),
            "max_order_cost",
            "The order of 120 USDT is above this bot's limit of 100 USDT.",
        ),
        (
            BID,
            context({"max_open_orders": 1}, open_orders=(order(SELL, "105", is_certain=False),)),
            "max_open_orders",
            "It would be open order 2, this bot's limit is 1.",
        ),
        (
            BID,
            context({"max_position": D(5)}, position=D("4.5")),
            "max_position",
            "With all open buy orders filled, the position would be 5.5 BTC, this bot's limit is 5 BTC.",
        ),
        (
            ASK,
            context({"max_position": D(5)}, position=D("-4.5")),
            "max_position",
            "With all open sell orders filled, the position would be -5.5 BTC, this bot's limit is 5 BTC.",
        ),
        (BID, context(free_quote=D(98)), "free_balance", "It needs 99 USDT, and 98 USDT is free."),
        (ASK, context(free_base=D("0.5")), "free_balance", "It needs 1 BTC, and 0.5 BTC is free."),
    ],
)
def test_a_refusal_names_the_rule_and_the_numbers(
    wanted: Quote, seen: LimitContext, rule: str, sentence: str
) -> None:
    refused_by, said = refused(wanted, seen)
    assert refused_by == rule
    assert said.startswith(sentence)


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        (BID, context(now=NOW + timedelta(seconds=15))),
        (BID, context({"daily_loss_limit": D(50)}, day_profit=D("-49.99"))),
        (quote(BUY, "80"), context()),
        (quote(BUY, "100.49"), context()),
        (BID, context({"max_order_cost": D(99)})),
        (BID, context({"max_position": D(5)}, position=D(4))),
        (BID, context(free_quote=D(99))),
        (BID, context(market=market(min_amount=D(1), max_amount=D(1), min_cost=D(99)))),
    ],
)
def test_what_is_exactly_at_a_limit_is_allowed(wanted: Quote, seen: LimitContext) -> None:
    assert check([wanted], seen).allowed == (wanted,)


def test_a_position_over_the_limit_may_be_reduced() -> None:
    verdict = check([BID, ASK], context({"max_position": D(5)}, position=D(8)))
    assert verdict.allowed == (ASK,)


@pytest.mark.parametrize(
    "exposure",
    [
        {"open_orders": (order(BUY, "98", "2", is_certain=False),)},
        {"open_orders": (order(BUY, "98", "2", is_canceling=True),)},
        {"unrecorded_fills": D(2)},
        {"position": D(2)},
    ],
)
def test_unknown_orders_unconfirmed_cancels_and_unrecorded_fills_count(exposure: dict[str, Any]) -> None:
    assert check([BID], context({"max_position": D("2.5")}, **exposure)).allowed == ()
    assert check([BID], context({"max_position": D(3)}, **exposure)).allowed == (BID,)


def test_an_order_that_makes_room_for_its_quote_does_not_count_beside_it() -> None:
    seen = context({"max_position": D(1), "max_open_orders": 1}, open_orders=(order(BUY, "98"),))
    assert check([BID], seen).allowed == (BID,)


def test_what_own_orders_hold_may_be_used_again() -> None:
    seen = context(free_quote=ZERO, open_orders=(order(BUY, "99"),))
    assert check([BID], seen).allowed == (BID,)


def test_what_an_unsettled_order_holds_may_not() -> None:
    seen = context(free_quote=ZERO, open_orders=(order(BUY, "99", is_canceling=True),))
    assert refused(BID, seen)[0] is LimitRule.FREE_BALANCE


def test_a_limit_keeps_out_what_is_new_before_what_rests_already() -> None:
    near, deep = quote(BUY, "99"), quote(BUY, "98")
    seen = context(
        {"max_open_orders": 2}, open_orders=(order(BUY, "98"), order(BUY, "99.1", is_canceling=True))
    )
    verdict = check([near, deep], seen)
    assert verdict.allowed == (deep,)
    assert [refusal.quote for refusal in verdict.refusals] == [near]


def test_own_orders_in_the_book_are_not_a_reason_to_refuse() -> None:
    facing = book([("99.5", "1")], [("100.5", "1"), ("103", "1")])
    seen = context(book=facing, open_orders=(order(SELL, "100.5"),))
    wanted = quote(BUY, "101")
    assert check([wanted], seen).allowed == (wanted,)


def test_an_order_that_may_take_is_allowed_to_cross() -> None:
    wanted = Quote(side=BUY, price=D(101), amount=D(1), level="", post_only=False)
    assert check([wanted], context()).allowed == (wanted,)


def test_without_a_middle_the_band_is_around_the_one_side_or_the_last_price() -> None:
    assert check([BID], context(book=book([("99.5", "1")], []))).allowed == (BID,)
    assert check([BID], context(book=book([], []), last_price=D(100))).allowed == (BID,)
    assert refused(BID, context(book=book([], [])))[0] is LimitRule.PRICE_BAND


quotes = st.lists(
    st.builds(
        lambda side, cents, amount: quote(side, str(D(cents) / 100), str(amount)),
        st.sampled_from([BUY, SELL]),
        st.integers(min_value=7000, max_value=13000),
        st.decimals(min_value="0.001", max_value="20", places=3),
    ),
    max_size=10,
)
unsettled = st.lists(
    st.builds(
        lambda side, price, left, certain: order(side, str(price), str(left), is_certain=certain),
        st.sampled_from([BUY, SELL]),
        st.integers(min_value=80, max_value=120),
        st.integers(min_value=1, max_value=5),
        st.booleans(),
    ),
    max_size=3,
)


@given(quotes, unsettled, st.integers(min_value=-10, max_value=10))
def test_no_limit_is_ever_exceeded_by_what_is_allowed(
    wanted: list[Quote], orders: list[OpenOrder], position: int
) -> None:
    limits = {"max_position": D(10), "max_open_orders": 4, "max_order_cost": D(600)}
    seen = context(limits, open_orders=tuple(orders), position=D(position), free_base=D(5), free_quote=D(700))
    allowed = check(wanted, seen).allowed
    live = [o for o in orders if not o.is_certain]
    buys = sum(q.amount for q in allowed if q.side is BUY)
    sells = sum(q.amount for q in allowed if q.side is SELL)
    if buys:
        assert position + buys + sum(o.remaining for o in live if o.side is BUY) <= 10
    if sells:
        assert position - sells - sum(o.remaining for o in live if o.side is SELL) >= -10
    assert not allowed or len(allowed) + len(live) <= 4
    assert all(q.cost <= 600 for q in allowed)
    held = sum(o.price * o.remaining for o in orders if o.is_certain and o.side is BUY)
    assert sum(q.cost for q in allowed if q.side is BUY) <= 700 + held


@given(quotes, unsettled)
def test_every_quote_is_either_allowed_or_refused(wanted: list[Quote], orders: list[OpenOrder]) -> None:
    verdict = check(wanted, context(open_orders=tuple(orders)))
    together = [*verdict.allowed, *(refusal.quote for refusal in verdict.refusals)]
    assert sorted(map(repr, together)) == sorted(map(repr, wanted))
