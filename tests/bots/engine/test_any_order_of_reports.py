"""Any order of any duplicated subset of reports leads to the same order, trades and position.

Reports are of both kinds, as they come: what the venue says of the order, and its trades. The order's life
alone is in tests/bots/test_lifecycle.py, trades of several orders alone are in test_ledger.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bots.engine import ledger
from bots.engine.lease import Lease
from bots.lifecycle import OrderState, apply_report
from bots.models import Order, Position, SpreadBot, Trade
from exchanges.models import ExchangeConnection
from exchanges.types import Fee, OrderReport, OrderType, Side, TradeReport, VenueOrderStatus
from tests.bots.engine.conftest import make_connection, take_lease
from tests.bots.engine.fake_venue import market

D = Decimal
V = VenueOrderStatus
BTC = market("BTC/USDT")
START = datetime(2026, 11, 20, 12, tzinfo=UTC)
Report = OrderReport | TradeReport


@pytest.fixture
def connection(db: None) -> ExchangeConnection:
    return make_connection()


@pytest.fixture
def lease(bot: SpreadBot) -> Lease:
    return take_lease(bot.connection)


def said(status: VenueOrderStatus, filled: Decimal, cost: Decimal) -> OrderReport:
    return OrderReport(
        venue_id="v1", client_id=None, symbol="BTC/USDT", side=Side.BUY, type=OrderType.LIMIT, status=status,
        amount=D(1), filled=filled, price=D(100), average=cost / filled if filled else None, time=None,
    )  # fmt: skip


def traded(number: int, amount: Decimal, price: Decimal) -> TradeReport:
    return TradeReport(
        id=str(number), order_venue_id="v1", client_id=None, symbol="BTC/USDT", side=Side.BUY, price=price,
        amount=amount, cost=price * amount, fees=(Fee(currency="BTC", amount=amount / 1000),), liquidity=None,
        time=START + timedelta(seconds=number),
    )  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> list[Report]:
    """All that a venue says of an order of 1 at 100, first to last."""
    history: list[Report] = [said(V.SUBMITTED, D(0), D(0)), said(V.OPEN, D(0), D(0))]
    filled = cost = D(0)
    sizes = draw(st.lists(st.integers(1, 5), max_size=4).filter(lambda tenths: sum(tenths) <= 10))
    for number, tenths in enumerate(sizes, start=1):
        amount, price = D(tenths) / 10, D(draw(st.sampled_from([96, 98, 100])))
        filled, cost = filled + amount, cost + amount * price
        history += [traded(number, amount, price), said(V.OPEN, filled, cost)]
    end = V.FILLED if filled == 1 else draw(st.sampled_from([V.OPEN, V.CANCELED, V.EXPIRED]))
    return [*history, said(end, filled, cost)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.data(),
    history=histories(),
    start=st.sampled_from([OrderState.INTENDED, OrderState.SUBMITTED, OrderState.OPEN, OrderState.UNKNOWN]),
)
def test_any_order_of_any_duplicated_subset_of_reports_leads_to_the_same_books(
    lease: Lease, bot: SpreadBot, data: st.DataObject, history: list[Report], start: OrderState
) -> None:
    kept = data.draw(st.lists(st.booleans(), min_size=len(history), max_size=len(history)))
    subset = [report for report, is_kept in zip(history, kept, strict=True) if is_kept]
    again = data.draw(st.lists(st.sampled_from(subset), max_size=5)) if subset else []
    arrivals = data.draw(st.permutations([*subset, *again]))
    assert books_after(lease, bot, start, arrivals) == books_after(lease, bot, start, subset)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), history=histories())
def test_when_all_was_reported_the_books_are_the_venues(
    lease: Lease, bot: SpreadBot, data: st.DataObject, history: list[Report]
) -> None:
    books_after(lease, bot, OrderState.SUBMITTED, data.draw(st.permutations(history)))
    order, last = Order.objects.get(), history[-1]
    assert isinstance(last, OrderReport)
    assert (order.state, order.filled, order.traded) == (last.status.value, last.filled, last.filled)
    assert (order.settled_at is not None) == OrderState(order.state).is_final
    held = sum((position.amount for position in Position.objects.all()), D(0))
    assert held == last.filled * D("0.999")


def books_after(lease: Lease, bot: SpreadBot, start: OrderState, reports: Iterable[Report]) -> object:
    for model in (Trade, Position, Order):
        model.objects.all().delete()
    order = Order.objects.create(
        connection=bot.connection, bot=bot, fence=1, symbol="BTC/USDT", side="buy", price=D(100), amount=D(1),
        state=start, created_at=START,
    )  # fmt: skip
    for report in reports:
        if isinstance(report, TradeReport):
            ledger.record_trades(lease, BTC, [(order, report)])
        else:
            ledger.write_facts(order, apply_report(ledger.facts_of(order), report), at=START)
            ledger.save_orders(lease, [order])
    return (
        list(Order.objects.values_list("state", "filled", "traded", "average", "venue_id")),
        [row.settled_at is not None for row in Order.objects.all()],
        sorted(Trade.objects.values_list("venue_id", "amount", "cost", "fee_amount", "realised_profit")),
        list(Position.objects.values_list("amount", "cost", "realised_profit", "fees_base")),
    )
