"""The numbers are those that a peer market maker asserts; its market has six significant digits."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.strategies.base import Decision, Snapshot
from bots.strategies.budget import affordable_amount, needed_funds
from bots.strategies.inventory import skew_ratios
from bots.strategies.spread import ReferenceKind, Rung, SpreadSettings, decide
from exchanges.types import ZERO, Side
from tests.bots.strategies.builders import BOOK, BUY, SELL, book, market, order, quote, settings, snapshot

D = Decimal
SIX_DIGITS = market(price_step=D("0.000001"), amount_step=D("0.000001"), price_digits=6)


def quoted(decision: Decision, side: Side) -> list[tuple[str, str]]:
    return [
        (f"{q.price.normalize():f}", f"{q.amount.normalize():f}") for q in decision.quotes if q.side is side
    ]


def rows(text: str) -> list[tuple[str, str]]:
    """ "99x1 98x2" is two quotes: price x amount."""
    return [(price, amount) for price, _, amount in (pair.partition("x") for pair in text.split())]


THREE = {"levels": 3, "level_spread_pct": D("0.01"), "level_amount": D(1)}
SKEWED = {"inventory_skew": True, "inventory_target_pct": D("0.9")}
OTHER = {"reference": ReferenceKind.OTHER_MARKET}
OVERRIDES = (Rung(BUY, D("0.005"), D("0.7")), Rung(BUY, D("0.013"), D("1.1")), Rung(SELL, D("0.011"), D(2)))


@pytest.mark.parametrize(
    ("seen", "wanted", "bids", "asks"),
    [
        pytest.param({}, {}, "99x1", "101x1", id="one level"),
        pytest.param({}, THREE, "99x1 98x2 97x3", "101x1 102x2 103x3", id="three levels"),
        pytest.param(
            {"base_balance": D(6), "quote_balance": D(586)},
            THREE,
            "99x1 98x2 97x3",
            "101x1 102x2 103x3",
            id="just enough funds",
        ),
        pytest.param(
            {"base_balance": D(50), "quote_balance": ZERO},
            THREE,
            "",
            "101x1 102x2 103x3",
            id="no quote currency",
        ),
        pytest.param(
            {"base_balance": D(4), "quote_balance": D(246)},
            THREE,
            "99x1 98x1.5",
            "101x1 102x2 103x1",
            id="funds for a part",
        ),
        pytest.param(
            {"book": book([("99.5", "1")], [("115.5", "1")])},
            {**THREE, "price_ceiling": D(105)},
            "",
            "108.575x1 109.65x2 110.725x3",
            id="above the ceiling",
        ),
        pytest.param(
            {"book": book([("84.5", "1")], [("100.5", "1")])},
            {**THREE, "price_floor": D(95)},
            "91.575x1 90.65x2 89.725x3",
            "",
            id="below the floor",
        ),
        pytest.param({}, {"price_ceiling": D(100)}, "", "101x1", id="at the ceiling"),
        pytest.param({}, {"price_floor": D(100)}, "99x1", "", id="at the floor"),
        pytest.param(
            {"book": book([("97.5", "1")], [("102.5", "1")])},
            {"order_optimization": True},
            "97.5001x1",
            "102.499x1",
            id="optimised",
        ),
        pytest.param(
            {"book": book([("99", "1"), ("98.5", "4"), ("97", "9")], [("101", "9")])},
            {**THREE, "order_optimization": True, "bid_optimization_depth": D(5)},
            "98.5001x1 97.515x2 96.53x3",
            "101x1 102.01x2 103.02x3",
            id="optimised past a depth, deeper levels follow",
        ),
        pytest.param({}, {**SKEWED, "inventory_range_multiplier": D(5)}, "99x0.5", "101x1.5", id="skewed"),
        pytest.param(
            {},
            {
                **SKEWED,
                "inventory_range_multiplier": D("0.5"),
                "levels": 5,
                "level_spread_pct": D("0.01"),
                "level_amount": D("0.5"),
            },
            "99x0.5 98x0.75 97x1 96x1.25 95x1.5",
            "101x1.5 102x2.25 103x3 104x3.75 105x4.5",
            id="five levels skewed",
        ),
        pytest.param(
            {}, {"level_overrides": OVERRIDES}, "99.5x0.7 98.7x1.1", "101.1x2", id="levels of one's own"
        ),
        pytest.param({"other_mid": D(50)}, OTHER, "49.5x1", "", id="asks would take bids"),
        pytest.param({"other_mid": D(150)}, OTHER, "", "151.5x1", id="bids would take asks"),
        pytest.param({"other_mid": D(50), "book": None}, OTHER, "49.5x1", "50.5x1", id="no book"),
        pytest.param(
            {"other_mid": D(50)}, {**OTHER, "post_only": False}, "49.5x1", "50.5x1", id="taking is allowed"
        ),
        pytest.param({}, {"minimum_spread_pct": D("0.02")}, "98x1", "102x1", id="minimum spread"),
    ],
)
def test_the_quotes_of_a_situation(
    seen: dict[str, Any], wanted: dict[str, Any], bids: str, asks: str
) -> None:
    decision = decide(snapshot(market=SIX_DIGITS, **seen), settings(**wanted))
    assert quoted(decision, BUY) == rows(bids)
    assert quoted(decision, SELL) == rows(asks)


@pytest.mark.parametrize(
    ("base", "quote_amount", "price", "target", "range_base", "bid", "ask"),
    [
        ("100", "10", "1", "0.35", "200", "0", "2"),
        ("10", "100", "1", "0.75", "200", "2", "0"),
        ("85000", "10000", "0.0036", "0.03", "20000", "1.04416667", "0.95583333"),
        ("8500", "10000", "0.0036", "0.03", "20000", "2", "0"),
        ("200000", "10000", "0.0036", "0.03", "20000", "0", "2"),
        ("50", "50", "1", "0.5", "10", "1", "1"),
        ("0", "100", "1", "0", "10", "1", "1"),
        ("0", "0", "1", "0.5", "10", "0", "0"),
    ],
)
def test_the_skew_is_linear_in_the_distance_from_the_target(
    base: str, quote_amount: str, price: str, target: str, range_base: str, bid: str, ask: str
) -> None:
    ratios = skew_ratios(
        base=D(base), quote=D(quote_amount), price=D(price), target_pct=D(target), range_base=D(range_base)
    )
    assert (round(ratios.bid, 8), round(ratios.ask, 8)) == (D(bid), D(ask))


def test_all_or_none_of_what_the_funds_do_not_pay_for_is_none() -> None:
    wanted = quote(BUY, "2", "10")
    assert affordable_amount(wanted, funds=D(10), market=market(), fee=D("0.01"), all_or_none=True) == 0


def test_a_part_is_cut_to_the_lot_and_leaves_room_for_the_fee() -> None:
    lots = market(amount_step=D("0.01"))
    amount = affordable_amount(quote(BUY, "2", "10"), funds=D(10), market=lots, fee=D("0.01"))
    assert amount == D("4.95")
    part = quote(BUY, "2", str(amount))
    assert part.cost == D("9.9")
    assert needed_funds(part, D("0.01")) - part.cost == D("0.099")


def test_asks_are_paid_for_in_base() -> None:
    assert affordable_amount(quote(SELL, "2", "10"), funds=D("3.0005"), market=market()) == D(3)


# --- Reference price


@pytest.mark.parametrize(
    ("kind", "first_bid"),
    [
        (ReferenceKind.MID, "99"),
        (ReferenceKind.LAST, "89.1"),
        (ReferenceKind.BID, "98.5"),
        (ReferenceKind.ASK, "99.49"),
        (ReferenceKind.OWN_TRADE, "79.2"),
        (ReferenceKind.OTHER_MARKET, "69.3"),
    ],
)
def test_the_reference_price_is_the_one_that_is_set(kind: ReferenceKind, first_bid: str) -> None:
    seen = snapshot(last_price=D(90), last_own_price=D(80), other_mid=D(70))
    assert quoted(decide(seen, settings(reference=kind)), BUY) == [(first_bid, "1")]


def test_before_the_first_own_trade_the_middle_is_the_reference() -> None:
    assert decide(snapshot(), settings(reference=ReferenceKind.OWN_TRADE)).reference_price == 100


@pytest.mark.parametrize("kind", [kind for kind in ReferenceKind if kind is not ReferenceKind.OTHER_MARKET])
def test_without_a_reference_price_the_bot_stands_aside_and_says_why(kind: ReferenceKind) -> None:
    decision = decide(snapshot(book=None), settings(reference=kind))
    assert decision.quotes == ()
    assert decision.reason.startswith("Stands aside: ")


def test_a_one_sided_book_has_no_middle() -> None:
    decision = decide(snapshot(book=book([("99", "1")], [])), settings())
    assert decision.reason == "Stands aside: the book has no middle, as it lacks bids or asks."


def test_while_the_market_is_closed_the_bot_stands_aside_and_says_so() -> None:
    closed = replace(BOOK, closed="the US stock market is closed and opens on 2026-11-23 14:30 UTC")

    decision = decide(snapshot(book=closed), settings(reference=ReferenceKind.LAST))

    assert decision.quotes == ()
    assert decision.reason == (
        "Stands aside: the US stock market is closed and opens on 2026-11-23 14:30 UTC."
    )


def test_in_front_of_a_crossed_book_the_bot_stands_aside() -> None:
    decision = decide(snapshot(book=book([("101", "1")], [("100", "1")])), settings())
    assert decision.quotes == ()
    assert decision.reason == "Stands aside: the book is crossed, bid 101 and ask 100."


# --- Steps


def test_bids_are_rounded_down_and_asks_up() -> None:
    coarse = market(price_step=D("0.5"))
    decision = decide(snapshot(market=coarse, book=BOOK), settings(bid_spread_pct=D("0.003")))
    assert quoted(decision, BUY) == [("99.5", "1")]
    decision = decide(snapshot(market=coarse, book=BOOK), settings(ask_spread_pct=D("0.006")))
    assert quoted(decision, SELL) == [("101", "1")]


def test_own_orders_are_not_jumped_ahead_of() -> None:
    seen = snapshot(
        book=book([("98.9", "1"), ("98", "5")], [("101", "1"), ("102", "5")]),
        open_orders=(order(BUY, "98.9"), order(SELL, "101")),
    )
    assert quoted(decide(seen, settings(order_optimization=True)), BUY) == [("98.01", "1")]


def test_what_others_have_at_an_own_price_counts() -> None:
    seen = snapshot(book=book([("98.5", "3")], [("101", "1")]), open_orders=(order(BUY, "98.5"),))
    assert quoted(decide(seen, settings(order_optimization=True)), BUY) == [("98.51", "1")]


def test_a_quote_may_cross_an_own_order_that_is_to_make_room() -> None:
    seen = snapshot(
        book=book([("99.5", "1")], [("100.5", "1"), ("109", "1")]),
        other_mid=D(105),
        open_orders=(order(SELL, "100.5"),),
    )
    assert quoted(decide(seen, settings(reference=ReferenceKind.OTHER_MARKET)), BUY) == [("103.95", "1")]


def test_the_fee_belongs_to_a_bids_price() -> None:
    seen = snapshot(market=market(maker_fee=D("0.001")), quote_balance=D(99))
    assert quoted(decide(seen, settings()), BUY) == [("99", "0.999")]


def test_quotes_below_the_venues_minimum_are_left_out_with_a_word() -> None:
    decision = decide(snapshot(market=market(min_cost=D(100))), settings())
    assert quoted(decision, BUY) == []
    assert quoted(decision, SELL) == [("101", "1")]
    assert "1 bid left out below the venue's minimum size" in decision.reason


def test_a_bid_at_zero_or_below_is_left_out() -> None:
    decision = decide(snapshot(), settings(levels=3, level_spread_pct=D("0.5")))
    assert quoted(decision, BUY) == [("99", "1"), ("49", "1")]
    assert "1 bid left out whose price or size would be 0" in decision.reason


def test_settings_that_put_a_bid_on_an_ask_quote_nothing() -> None:
    same = (Rung(BUY, ZERO, D(1)), Rung(SELL, ZERO, D(1)))
    decision = decide(snapshot(), settings(level_overrides=same))
    assert decision.quotes == ()
    assert "the settings put a bid at 100 and an ask at 100" in decision.reason


@pytest.mark.parametrize(
    ("seen", "wanted", "word"),
    [
        ({}, {"price_ceiling": D(90)}, "no bids at or above the price ceiling of 90"),
        ({"quote_balance": ZERO}, {}, "1 bid cut or left out for lack of USDT"),
        ({"other_mid": D(50)}, OTHER, "1 ask left out that would take the bid at 99.5"),
        ({}, SKEWED, "sizes of bids x 0 and of asks x 2 for the inventory"),
    ],
)
def test_the_reason_says_what_was_left_out(seen: dict[str, Any], wanted: dict[str, Any], word: str) -> None:
    assert word in decide(snapshot(**seen), settings(**wanted)).reason


# --- Properties

fractions = st.decimals(min_value="0.0001", max_value="0.3", places=4)
sizes = st.decimals(min_value="0.001", max_value="50", places=3)
balances = st.decimals(min_value="0", max_value="10000", places=2)
any_settings = st.builds(
    SpreadSettings,
    bid_spread_pct=fractions,
    ask_spread_pct=fractions,
    order_amount=sizes,
    reference=st.just(ReferenceKind.OTHER_MARKET),
    minimum_spread_pct=fractions | st.just(ZERO),
    levels=st.integers(min_value=1, max_value=6),
    level_spread_pct=fractions,
    level_amount=sizes,
    order_optimization=st.booleans(),
    inventory_skew=st.booleans(),
)
any_snapshot = st.builds(
    lambda reference, base, quote_amount, fee: snapshot(
        other_mid=reference, base_balance=base, quote_balance=quote_amount, market=market(maker_fee=fee)
    ),
    st.decimals(min_value="1", max_value="300", places=2),
    balances,
    balances,
    st.decimals(min_value="0", max_value="0.01", places=4),
)


@given(any_snapshot, any_settings)
def test_bids_are_below_asks_and_below_the_book(seen: Snapshot, wanted: SpreadSettings) -> None:
    decision = decide(seen, wanted)
    bids = [q.price for q in decision.quotes if q.side is BUY]
    asks = [q.price for q in decision.quotes if q.side is SELL]
    assert all(bid < D("100.5") for bid in bids)
    assert all(ask > D("99.5") for ask in asks)
    assert max(bids, default=ZERO) < min(asks, default=D("Infinity"))


@given(any_snapshot, any_settings)
def test_never_more_is_spent_than_there_is(seen: Snapshot, wanted: SpreadSettings) -> None:
    quotes = decide(seen, wanted).quotes
    fee = seen.market.maker_fee
    assert sum(q.cost * (1 + fee) for q in quotes if q.side is BUY) <= seen.quote_balance
    assert sum(q.amount for q in quotes if q.side is SELL) <= seen.base_balance


@given(any_snapshot, any_settings)
def test_every_quote_is_on_tick_and_lot_and_beyond_the_minimum_spread(
    seen: Snapshot, wanted: SpreadSettings
) -> None:
    reference = seen.other_mid or ZERO
    for q in decide(seen, wanted).quotes:
        assert q.price % D("0.01") == 0
        assert q.amount % D("0.001") == 0
        assert q.price > 0
        assert q.amount > 0
        assert abs(q.price - reference) >= wanted.minimum_spread_pct * reference
