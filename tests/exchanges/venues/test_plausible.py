"""What Binance never says is not believed; what it says at the edge is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from exchanges.errors import MalformedAnswerError
from exchanges.types import Fee, Market, Side, TradeReport
from exchanges.venues.binance.dialect import DIALECT as BINANCE
from exchanges.venues.binance.dialect import has_balances
from exchanges.venues.dialect import Dialect
from exchanges.venues.plausible import plausible_trade

D = Decimal
BTC = Market(symbol="BTC/USDT", base="BTC", quote="USDT", price_step=D("0.01"), amount_step=D("0.00001"))
TRADE = TradeReport(
    id="7", order_venue_id="28", client_id=None, symbol="BTC/USDT", side=Side.BUY, price=D(100), amount=D(1),
    cost=D(100), fees=(Fee(currency="BNB", amount=D("0.001")),), liquidity=None,
    time=datetime(2026, 1, 1, tzinfo=UTC),
)  # fmt: skip


def fee(currency: str, amount: str) -> tuple[Fee, ...]:
    return (Fee(currency=currency, amount=D(amount)),)


@pytest.mark.parametrize("fees", [fee("BNB", "0.5"), fee("BTC", "0.001"), fee("USDT", "0")])
def test_a_fee_in_a_currency_that_is_paid_here_is_believed(fees: tuple[Fee, ...]) -> None:
    assert plausible_trade(replace(TRADE, fees=fees), BINANCE, BTC).fees == fees


@pytest.mark.parametrize("change", [
    {"id": "abc"}, {"id": "9" * 20}, {"order_venue_id": "HALTED"}, {"fees": ()}, {"fees": fee("ABC", "1")},
    {"fees": fee("BNB", "-0.001")}, {"fees": fee("BTC", "1")}, {"fees": fee("USDT", "100")},
])  # fmt: skip
def test_a_trade_that_binance_cannot_mean_is_not_believed(change: dict[str, object]) -> None:
    with pytest.raises(MalformedAnswerError):
        plausible_trade(replace(TRADE, **change), BINANCE, BTC)  # type: ignore[arg-type]


def test_another_venue_may_pay_rebates_and_name_trades_as_it_likes() -> None:
    rebate = replace(TRADE, id="TX-4", fees=fee("USDT", "-0.1"))
    assert plausible_trade(rebate, Dialect(), BTC) == rebate


@pytest.mark.parametrize("answer", [
    None, [], {}, {"balances": {}}, {"balances": ["BTC"]}, {"balances": [{"asset": "BTC", "free": "1"}]},
])  # fmt: skip
def test_an_answer_without_balances_is_no_empty_account(answer: object) -> None:
    assert not has_balances(answer)


def test_an_empty_account_has_balances() -> None:
    assert has_balances({"balances": []})
