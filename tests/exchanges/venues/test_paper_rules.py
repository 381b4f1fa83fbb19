"""Holds, fees and what a fill moves."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.errors import RejectedError
from exchanges.types import ZERO, Side
from exchanges.venues.paper_rules import exchanged, hold, starting_balances

money = st.decimals(min_value="1e-10", max_value="1e9", places=10)
rates = st.decimals(min_value=0, max_value="0.05", places=4)


@pytest.mark.parametrize(
    "wanted",
    [
        {"USDT": "much"},
        {"USDT": "-1"},
        {"USDT": "NaN"},
        {"USDT": None},
        {"": "1"},
        {"USDT": "1e20"},
        ["USDT"],
        7,
    ],
)
def test_starting_balances_that_are_none_are_refused_with_an_example(wanted: object) -> None:
    with pytest.raises(RejectedError, match="for example"):
        starting_balances(wanted)


def test_starting_balances_are_text_or_numbers() -> None:
    wanted = {"USDT": "10000", "BTC": 0.1, "ETH": 2}

    assert starting_balances(wanted) == {"USDT": 10000, "BTC": Decimal("0.1"), "ETH": 2}


def test_a_buy_pays_the_fee_in_base() -> None:
    moved = exchanged(
        Side.BUY, "LTC", "USDT", price=Decimal(75), amount=Decimal(8), fee_rate=Decimal("0.0005")
    )

    assert (moved.cost, moved.fee.currency, moved.fee.amount) == (Decimal(600), "LTC", Decimal("0.004"))
    assert moved.changes == {"LTC": Decimal("7.996"), "USDT": Decimal(-600)}


def test_a_sell_pays_the_fee_in_quote() -> None:
    moved = exchanged(
        Side.SELL, "LTC", "USDT", price=Decimal(75), amount=Decimal(8), fee_rate=Decimal("0.001")
    )

    assert (moved.cost, moved.fee.currency, moved.fee.amount) == (Decimal(600), "USDT", Decimal("0.6"))
    assert moved.changes == {"LTC": Decimal(-8), "USDT": Decimal("599.4")}


@given(side=st.sampled_from(Side), price=money, amount=money, rate=rates)
def test_what_the_account_gains_and_the_fee_make_up_what_it_gave(
    side: Side, price: Decimal, amount: Decimal, rate: Decimal
) -> None:
    moved = exchanged(side, "A", "B", price=price, amount=amount, fee_rate=rate)

    fees = {moved.fee.currency: moved.fee.amount}
    with localcontext(prec=76):
        base, quote = (amount, -moved.cost) if side is Side.BUY else (-amount, moved.cost)
        assert moved.changes["A"] + fees.get("A", ZERO) == base
        assert moved.changes["B"] + fees.get("B", ZERO) == quote


@given(price=money, parts=st.lists(money, min_size=1, max_size=5))
def test_partial_fills_never_cost_more_than_the_order_held(price: Decimal, parts: list[Decimal]) -> None:
    with localcontext(prec=76):
        remaining = sum(parts, ZERO)
        owned = hold(Side.BUY, "A", "B", price=price, remaining=remaining)[1]
        for part in parts:
            moved = exchanged(Side.BUY, "A", "B", price=price, amount=part, fee_rate=ZERO)
            owned += moved.changes["B"]
            remaining -= part
            assert owned >= hold(Side.BUY, "A", "B", price=price, remaining=remaining)[1] >= 0
