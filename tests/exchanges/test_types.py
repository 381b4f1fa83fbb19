from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.types import Market, Side

D = Decimal


def market(price_step: str = "0.01", amount_step: str = "0.001", digits: int | None = None) -> Market:
    return Market(
        symbol="LTC/USDT",
        base="LTC",
        quote="USDT",
        price_step=D(price_step),
        amount_step=D(amount_step),
        price_digits=digits,
    )


def test_a_price_between_two_ticks_goes_to_the_lower_or_the_upper_one() -> None:
    assert market("0.5").ceil_price(D("234.43")) == D("234.5")
    assert market("0.5").floor_price(D("234.43")) == D("234.0")


def test_bids_go_down_and_asks_up() -> None:
    assert market("0.5").round_price(D("234.43"), Side.BUY) == D("234.0")
    assert market("0.5").round_price(D("234.43"), Side.SELL) == D("234.5")


def test_an_amount_is_never_rounded_up() -> None:
    assert market().floor_amount(D("2.9999")) == D("2.999")


def test_what_is_on_the_step_stays() -> None:
    assert market("0.5").ceil_price(D("234.5")) == market("0.5").floor_price(D("234.5")) == D("234.5")


@pytest.mark.parametrize(
    ("price", "step"),
    [
        ("97.5", "0.0001"),
        ("102.5", "0.001"),
        ("100", "0.0001"),
        ("100.001", "0.001"),
        ("0.5", "0.000001"),
        ("1234567", "10"),
    ],
)
def test_six_significant_digits_make_the_step_follow_the_price(price: str, step: str) -> None:
    assert market("0.000001", digits=6).price_step_at(D(price)) == D(step)


@given(
    st.decimals(min_value="0.000001", max_value="1000000", places=9),
    st.sampled_from(["0.000001", "0.01", "0.5", "1", "25"]),
)
def test_rounding_moves_by_less_than_a_step(price: Decimal, step: str) -> None:
    rules = market(step)
    assert 0 <= price - rules.floor_price(price) < D(step)
    assert 0 <= rules.ceil_price(price) - price < D(step)
    assert rules.floor_price(price) % D(step) == 0
