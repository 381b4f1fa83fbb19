"""A paper account on the demo market: five minutes of quoting, from start to books that add up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal

import pytest

from exchanges.errors import OrderNotFoundError
from exchanges.models import ExchangeConnection
from exchanges.types import Balance, OrderRef, OrderReport, Side, TradeReport, VenueOrderStatus
from exchanges.venues.demo import DemoMarketData
from exchanges.venues.paper import PaperGateway
from tests.exchanges.venues.paper_world import START, SetClock, gateway_on, order, saved_connection

SYMBOL = "BTC/USDT"
CYCLES, CYCLE_SECONDS = 60, 5
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def connection(transactional_db: None) -> ExchangeConnection:
    return saved_connection(USDT="10000", BTC="0.1")


async def test_five_minutes_of_quoting_end_with_a_round_trip_and_exact_books(
    connection: ExchangeConnection,
) -> None:
    clock = SetClock()
    demo = DemoMarketData(clock=clock)
    placed: list[OrderRef] = []
    for _ in range(CYCLES):
        # A new process in every cycle: nothing may depend on what one remembers.
        with gateway_on(connection, demo, clock) as paper:
            placed += await requote(paper)
        clock.advance(CYCLE_SECONDS)

    with gateway_on(connection, demo, clock) as paper:
        reports = [await paper.fetch_order(ref) for ref in placed]
        trades = await paper.fetch_trades(SYMBOL, since=START)
        balances = await paper.fetch_balances()

    assert {trade.side for trade in trades} == {Side.BUY, Side.SELL}
    assert_orders_and_trades_agree(reports, trades)
    assert_balances_are_the_start_and_the_trades(balances, trades)


async def requote(paper: PaperGateway) -> list[OrderRef]:
    """Replaces all orders by a bid and an ask 0.1 % from the mid."""
    for report in await paper.fetch_open_orders([SYMBOL]):
        with suppress(OrderNotFoundError):  # filled while the cancel travelled
            await paper.cancel(OrderRef(client_id="", symbol=SYMBOL, venue_id=report.venue_id))
    market = (await paper.load_markets())[SYMBOL]
    mid = (await paper.fetch_book(SYMBOL)).mid
    assert mid is not None
    refs = []
    for side, distance in ((Side.BUY, Decimal("0.999")), (Side.SELL, Decimal("1.001"))):
        price = market.round_price(mid * distance, side)
        request = order(side, "0.01", str(price), symbol=SYMBOL, post_only=True)
        await paper.place(request)
        refs.append(OrderRef(client_id=request.client_id, symbol=SYMBOL))
    return refs


def assert_orders_and_trades_agree(reports: Sequence[OrderReport], trades: Sequence[TradeReport]) -> None:
    filled: dict[str, Decimal] = defaultdict(Decimal)
    for trade in trades:
        filled[trade.order_venue_id] += trade.amount
    for report in reports:
        assert report.filled == filled[report.venue_id] <= report.amount
        assert (report.status is VenueOrderStatus.FILLED) is (report.filled == report.amount)
    assert len({trade.id for trade in trades}) == len(trades)


def assert_balances_are_the_start_and_the_trades(
    balances: Mapping[str, Balance], trades: Sequence[TradeReport]
) -> None:
    expected = {"USDT": Decimal(10000), "BTC": Decimal("0.1")}
    for trade in trades:
        sign = 1 if trade.side is Side.BUY else -1
        expected["BTC"] += sign * trade.amount
        expected["USDT"] -= sign * trade.price * trade.amount
        for fee in trade.fees:
            expected[fee.currency] -= fee.amount
    assert {currency: balance.total for currency, balance in balances.items()} == expected
    assert all(balance.free >= 0 for balance in balances.values())
