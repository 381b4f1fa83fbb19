"""When a position is closed, and at which profit."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.strategies.barriers import (
    Barriers,
    Exit,
    Watch,
    due_exit,
    followed,
    price_at_profit,
    profit_pct,
    stop_price,
)
from exchanges.types import Side

D = Decimal

LONG = Watch(side=Side.BUY, entry=D(100))
SHORT = Watch(side=Side.SELL, entry=D(100))


@pytest.mark.parametrize(
    ("watch", "barriers", "price", "reason"),
    [
        (LONG, Barriers(stop_loss_pct=D("0.05")), "95.01", None),
        (LONG, Barriers(stop_loss_pct=D("0.05")), "95", Exit.STOP_LOSS),
        (LONG, Barriers(take_profit_pct=D("0.1")), "109.99", None),
        (LONG, Barriers(take_profit_pct=D("0.1")), "110", Exit.TAKE_PROFIT),
        (SHORT, Barriers(stop_loss_pct=D("0.05")), "104.99", None),
        (SHORT, Barriers(stop_loss_pct=D("0.05")), "105", Exit.STOP_LOSS),
        (SHORT, Barriers(take_profit_pct=D("0.1")), "90", Exit.TAKE_PROFIT),
        (LONG, Barriers(), "1", None),
    ],
)
def test_a_barrier_closes_at_its_price_and_not_before(
    watch: Watch, barriers: Barriers, price: str, reason: Exit | None
) -> None:
    assert due_exit(watch, barriers, D(price), D(0)) is reason


@pytest.mark.parametrize(("watch", "price"), [(LONG, "110"), (SHORT, "90")])
def test_a_take_profit_order_rests_where_its_profit_is(watch: Watch, price: str) -> None:
    assert price_at_profit(watch, D("0.1")) == D(price)


@pytest.mark.parametrize(
    ("price", "fee", "pct"),
    [("2.1", "0.0025", "4.476309"), ("1.9", "0.0025", "-5.473815"), ("2.2", "0.0025", "9.451372")],
)
def test_profit_counts_the_fees_of_both_ways(price: str, fee: str, pct: str) -> None:
    """30 bought at 2.0: 60.15 is paid, and 62.8425 received at 2.1."""
    watch = Watch(side=Side.BUY, entry=D(2), fee=D(fee))
    assert round(100 * profit_pct(watch, D(price)), 6) == D(pct)


def test_a_trailing_stop_follows_the_best_price_and_never_falls_back() -> None:
    barriers = Barriers(trailing_delta_pct=D("0.1"))
    watch, stops = Watch(side=Side.BUY, entry=D(1)), []
    for price in ("1.02", "1.10", "1.20", "1.10"):
        watch = followed(watch, barriers, D(price))
        stops.append(stop_price(watch, barriers))
        assert due_exit(watch, barriers, D(price), D(0)) is None
    assert stops == [D("0.918"), D("0.99"), D("1.08"), D("1.08")]
    assert due_exit(watch, barriers, D("1.08"), D(0)) is Exit.TRAILING_STOP


def test_a_trailing_stop_of_a_short_position_comes_down_with_the_price() -> None:
    barriers = Barriers(trailing_delta_pct=D("0.1"))
    watch = followed(followed(SHORT, barriers, D(90)), barriers, D(95))
    assert watch.trailing_stop == D(99)
    assert due_exit(watch, barriers, D(99), D(0)) is Exit.TRAILING_STOP


@pytest.mark.parametrize(("price", "is_armed"), [("102", False), ("102.01", True)])
def test_a_trailing_stop_arms_above_its_activation_and_not_at_it(price: str, is_armed: bool) -> None:
    barriers = Barriers(trailing_delta_pct=D("0.01"), trailing_activation_pct=D("0.02"))
    assert (followed(LONG, barriers, D(price)).trailing_stop is not None) is is_armed


def test_the_time_limit_closes_when_it_is_up() -> None:
    barriers = Barriers(time_limit_seconds=D(60))
    assert due_exit(LONG, barriers, D(100), D("59.9")) is None
    assert due_exit(LONG, barriers, D(100), D(60)) is Exit.TIME_LIMIT


def test_where_several_barriers_are_reached_the_stop_loss_is_named_first() -> None:
    barriers = Barriers(stop_loss_pct=D("0.05"), trailing_delta_pct=D("0.01"), time_limit_seconds=D(1))
    watch = Watch(side=Side.BUY, entry=D(100), trailing_stop=D(105))
    assert due_exit(watch, barriers, D(94), D(2)) is Exit.STOP_LOSS
    assert due_exit(watch, barriers, D(100), D(2)) is Exit.TRAILING_STOP


prices = st.decimals("0.01", 10_000, places=2)


@given(st.lists(prices, min_size=1, max_size=30), st.sampled_from([Side.BUY, Side.SELL]))
def test_an_armed_stop_only_moves_towards_profit(path: list[D], side: Side) -> None:
    barriers = Barriers(trailing_delta_pct=D("0.05"))
    watch = Watch(side=side, entry=D(100), trailing_stop=None)
    seen = []
    for price in path:
        watch = followed(watch, barriers, price)
        if watch.trailing_stop is not None:
            seen.append(watch.trailing_stop)
    assert seen == sorted(seen, reverse=side is Side.SELL)


@given(
    st.decimals("0.01", 100_000, places=4),
    st.decimals("0", "0.01", places=4),
    st.decimals("-0.9", "0.9", places=3),
    st.sampled_from([Side.BUY, Side.SELL]),
)
def test_the_price_of_a_profit_has_that_profit(entry: D, fee: D, pct: D, side: Side) -> None:
    watch = Watch(side=side, entry=entry, fee=fee)
    assert profit_pct(watch, price_at_profit(watch, pct)) == pytest.approx(pct, abs=D("1e-20"))
