from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.accounting import Fill, Holding, apply_fill, total_profit, unrealised
from exchanges.types import Level, Side, cost_of

D = Decimal
FEE = D("0.0025")


def fill(side: str, amount: str, price: str, **fees: Decimal) -> Fill:
    return Fill(side=Side(side), amount=D(amount), cost=D(amount) * D(price), **fees)


def after(*fills: Fill, start: Holding | None = None) -> Holding:
    holding = start or Holding()
    for each in fills:
        holding, _ = apply_fill(holding, each)
    return holding


def test_buys_add_up_at_cost() -> None:
    holding = after(fill("buy", "1", "9000"), fill("buy", "1", "9000"))
    assert (holding.amount, holding.cost) == (D(2), D(18000))


def test_a_sell_releases_its_share_of_the_cost() -> None:
    holding = after(fill("sell", "0.5", "10000"), start=Holding(amount=D(1), cost=D(9000)))
    assert (holding.amount, holding.cost) == (D("0.5"), D(4500))


def test_realised_and_unrealised_profit_of_a_half_closed_position() -> None:
    holding = after(fill("buy", "10", "100"), fill("sell", "5", "110"))
    assert holding.realised_profit == 50
    assert unrealised(holding, D(105)) == 25
    assert total_profit(holding, D(105)) == 75
    assert (holding.amount, holding.average) == (D(5), D(100))


def test_a_short_holding_mirrors_a_long_one() -> None:
    holding = after(fill("sell", "10", "100"), fill("buy", "5", "90"))
    assert (holding.amount, holding.cost, holding.realised_profit) == (D(-5), D(-500), D(50))
    assert unrealised(holding, D(95)) == 25
    assert holding.average == 100


def test_a_sell_through_zero_closes_the_long_and_opens_a_short() -> None:
    holding = after(fill("buy", "5", "100"), fill("sell", "8", "120"))
    assert (holding.amount, holding.cost, holding.realised_profit) == (D(-3), D(-360), D(100))


def test_a_buy_through_zero_closes_the_short_and_opens_a_long() -> None:
    holding = after(fill("sell", "5", "100"), fill("buy", "8", "90"))
    assert (holding.amount, holding.cost, holding.realised_profit) == (D(3), D(270), D(50))


def test_an_empty_holding_has_no_average() -> None:
    assert after(fill("buy", "1", "100"), fill("sell", "1", "101")).average is None


def test_a_fee_in_quote_reduces_realised_profit_at_once() -> None:
    holding, realised = apply_fill(Holding(), fill("buy", "1", "100", fee_quote=D("0.1")))
    assert realised == holding.realised_profit == D("-0.1")
    assert (holding.cost, holding.fees_quote) == (D(100), D("0.1"))


def test_a_fee_in_base_reduces_what_is_owned_and_the_cost_stays() -> None:
    holding, realised = apply_fill(Holding(), fill("buy", "8.0", "50", fee_base=D("0.004")))
    assert holding.amount == D("7.996")
    assert (holding.cost, holding.fees_base, realised) == (D(400), D("0.004"), D(0))


def test_a_sell_whose_fee_is_taken_in_base_costs_that_amount_too() -> None:
    holding = after(fill("sell", "1", "100", fee_base=D("0.01")), start=Holding(amount=D(2), cost=D(200)))
    assert (holding.amount, holding.cost, holding.realised_profit) == (D("0.99"), D(99), D(-1))


def test_a_rebate_is_income() -> None:
    assert after(fill("sell", "1", "100", fee_quote=D("-0.02"))).realised_profit == D("0.02")


def test_a_dust_buy_that_went_into_its_fee_is_a_loss() -> None:
    holding = after(fill("buy", "0.00000001", "100", fee_base=D("0.00000001")))
    assert (holding.amount, holding.cost, holding.realised_profit) == (D(0), D(0), D("-0.000001"))


@pytest.mark.parametrize(
    ("close", "closing_fee", "profit", "ratio_pct"),
    [
        ("2.1", "0.0025", "2.6925", "4.476309"),
        ("1.9", "0.0025", "-3.2925", "-5.473815"),
        ("2.2", "0.0025", "5.685", "9.451372"),
        ("2.1", "0.0030", "2.661", "4.42394"),
    ],
)
def test_a_round_trip_with_fees_earns_what_is_left(
    close: str, closing_fee: str, profit: str, ratio_pct: str
) -> None:
    entry = fill("buy", "30", "2.0", fee_quote=D(60) * FEE)
    end = fill("sell", "30", close, fee_quote=D(30) * D(close) * D(closing_fee))
    holding = after(entry, end)
    assert holding.realised_profit == D(profit)
    paid = D(60) * (1 + FEE)
    assert round(holding.realised_profit / paid * 100, 6) == D(ratio_pct)


def test_the_average_of_a_market_buy_over_levels() -> None:
    asks = [("25.566", "14.27"), ("25.567", "48.484"), ("25.568", "92.349")]
    amount, cost = cost_of((Level(D(price), D(size)) for price, size in asks), D(100))
    holding = after(Fill(side=Side.BUY, amount=amount, cost=cost))
    assert holding.average == D("25.56722976")


numbers = st.decimals(min_value="0.00000001", max_value="1000000", places=8)
fills = st.builds(
    lambda side, amount, price, fee: Fill(side=side, amount=amount, cost=amount * price, fee_quote=fee),
    st.sampled_from(Side),
    numbers,
    numbers,
    st.decimals(min_value="-1", max_value="10", places=8),
)


@given(st.lists(fills, max_size=12))
def test_realised_profit_less_cost_is_the_cash_that_came_in_to_the_last_digit(many: list[Fill]) -> None:
    holding = after(*many)
    with localcontext(prec=80):
        cash = sum((f.cost if f.side is Side.SELL else -f.cost) - f.fee_quote for f in many)
        assert holding.realised_profit - holding.cost == cash
        assert holding.amount == sum(f.amount if f.side is Side.BUY else -f.amount for f in many)


@given(st.lists(fills, max_size=6), fills, st.integers(min_value=1, max_value=9))
def test_splitting_a_fill_changes_nothing_but_the_eighteenth_place(
    before: list[Fill], last: Fill, tenths: int
) -> None:
    share = D(tenths) / 10
    parts = [
        Fill(side=last.side, amount=last.amount * s, cost=last.cost * s, fee_quote=last.fee_quote * s)
        for s in (share, 1 - share)
    ]
    whole, split = after(*before, last), after(*before, *parts)
    assert split.amount == whole.amount
    place = D("3e-18") * max(D(1), last.cost / last.amount)
    assert abs(split.cost - whole.cost) <= place
    assert abs(split.realised_profit - whole.realised_profit) <= place


@given(st.lists(fills, max_size=8))
def test_cost_has_the_sign_of_the_amount(many: list[Fill]) -> None:
    holding = after(*many)
    assert holding.cost == 0 if holding.amount == 0 else holding.cost * holding.amount >= 0
