"""Reports that are well-typed and cannot be true: none is booked, and nothing true is lost by them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bots.engine import observe
from bots.models import BotEvent, BotState, Order, Position, Trade
from exchanges.types import OrderRef, OrderReport, OrderRequest, Side, TradeReport
from tests.bots.engine.conftest import Desk
from tests.bots.engine.fake_venue import FakeGateway, FakeVenue

D = Decimal
Report = TypeVar("Report", OrderReport, TradeReport)
LONG_AGO, FAR_OFF = timedelta(days=-3650), timedelta(days=3650)


def turned(report: Any) -> Side:
    return Side(report.side).opposite


# What a report says instead of the truth.
ORDER_LIES: dict[str, Callable[[OrderReport], OrderReport]] = {
    "negative filled": lambda r: replace(r, filled=D(-1)),
    "filled for more than its amount": lambda r: replace(r, filled=r.amount * 2, average=D(99)),
    "average of nothing": lambda r: replace(r, filled=r.amount / 2, average=D(0)),
    "another symbol": lambda r: replace(r, symbol="ETH/USDT"),
    "another side": lambda r: replace(r, side=turned(r)),
    "another amount": lambda r: replace(r, amount=r.amount * 3),
    "another id": lambda r: replace(r, venue_id="987654"),
}
TRADE_LIES: dict[str, Callable[[TradeReport], TradeReport]] = {
    "another side": lambda t: replace(t, side=turned(t)),
    "negative amount": lambda t: replace(t, amount=-t.amount),
    "more than the order": lambda t: replace(t, amount=D(50)),
    "no price": lambda t: replace(t, price=D(0)),
    "negative cost": lambda t: replace(t, cost=-t.cost),
    "long ago": lambda t: replace(t, time=t.time + LONG_AGO),
    "far off": lambda t: replace(t, time=t.time + FAR_OFF),
}


class Liar(FakeGateway):
    """Tells of orders and trades what `lies` says, call by call; the truth when those are used up."""

    def __init__(self, truth: FakeGateway, lies: list[str]) -> None:
        super().__init__(truth.venue, truth.licence)
        self._lies = lies
        self.told = 0

    def _order(self, report: OrderReport) -> OrderReport:
        return self._bent(report, ORDER_LIES)

    def _trade(self, report: TradeReport) -> TradeReport:
        return self._bent(report, TRADE_LIES)

    def _bent(self, report: Report, lies: dict[str, Callable[[Report], Report]]) -> Report:
        lie = self._lies.pop(0) if self._lies else ""
        self.told += lie in lies
        return lies[lie](report) if lie in lies else report

    async def fetch_open_orders(self, symbols: Any) -> list[OrderReport]:
        return [self._order(report) for report in await super().fetch_open_orders(symbols)]

    async def fetch_order(self, ref: OrderRef) -> OrderReport:
        return self._order(await super().fetch_order(ref))

    async def fetch_trades(self, symbol: str, *, since: datetime) -> list[TradeReport]:
        return [self._trade(report) for report in await super().fetch_trades(symbol, since=since)]

    async def place(self, request: OrderRequest) -> OrderReport:
        return self._order(await super().place(request))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GRACE", "LATE_TRADES", "CANCEL_PATIENCE"):
        monkeypatch.setattr(observe, name, timedelta(0))


async def lie_to(desk: Desk, *lies: str) -> Liar:
    """From now on, until the next lease."""
    desk.account.gateway = liar = Liar(FakeGateway(desk.venue, desk.duty.lease), list(lies))
    return liar


async def books_agree(desk: Desk) -> None:
    """Each order and trade of ours is the venue's, and the position is their sum."""
    theirs = {order.client_id: order for order in desk.venue.orders.values()}
    ours = await desk.orders()
    assert len(ours) == len(theirs)
    for order in ours:
        report = theirs[order.client_id]
        told = (report.venue_id, report.status.value, report.filled, report.filled)
        assert (order.venue_id, order.state, order.filled, order.traded) == told
    trades = await desk.do(lambda: list(Trade.objects.all()))
    assert sorted((t.venue_id, t.side, t.price, t.amount, t.cost, t.time) for t in trades) == sorted(
        (t.id, t.side.value, t.price, t.amount, t.cost, t.time) for t in desk.venue.trades
    )
    bought = sum((t.amount if t.side is Side.BUY else -t.amount for t in desk.venue.trades), D(0))
    positions = await desk.do(lambda: list(Position.objects.all()))
    assert sum((position.amount for position in positions), D(0)) == bought


async def trade_on(desk: Desk) -> None:
    """A part of the bid is filled, and the bot goes on."""
    for order in desk.venue.resting():
        desk.venue.fill(order.venue_id, "0.25")
    desk.account.trades_checked_at.clear()
    await desk.rounds(2)


@pytest.mark.parametrize("lie", ORDER_LIES)
async def test_a_list_that_contradicts_what_was_sent_isolates_the_connection(desk: Desk, lie: str) -> None:
    await desk.round()
    await lie_to(desk, lie)
    await desk.round()
    (event,) = await desk.events("connection_failed")
    assert "contradicts what was sent" in event.text
    assert await desk.states() == ["open", "open"]
    await desk.rounds(2)
    assert len(await desk.events("connection_recovered")) == 1
    await trade_on(desk)
    await books_agree(desk)


@pytest.mark.parametrize("lie", ORDER_LIES)
async def test_a_create_whose_answer_contradicts_it_is_looked_up_and_not_sent_again(
    desk: Desk, lie: str
) -> None:
    await desk.set_state(BotState.PAUSED)
    await desk.round()
    liar = await lie_to(desk, lie)
    await desk.set_state(BotState.RUNNING)
    await desk.rounds(2)
    assert liar.told == 1
    assert desk.venue.counts()["place"] == 2
    assert await desk.states() == ["open", "open"]
    await trade_on(desk)
    await books_agree(desk)


@pytest.mark.parametrize("lie", TRADE_LIES)
async def test_a_trade_that_cannot_be_is_not_counted_and_the_true_one_is(desk: Desk, lie: str) -> None:
    await desk.round()
    desk.venue.fill(desk.venue.resting_at("99").venue_id, "0.25")
    liar = await lie_to(desk, "", "", lie)
    await desk.round()
    assert liar.told == 1
    assert not await desk.do(Trade.objects.exists)
    assert len(await desk.events("connection_failed")) == 1
    await trade_on(desk)
    await books_agree(desk)


async def test_trades_that_add_up_to_more_than_their_order_are_not_counted(desk: Desk) -> None:
    await desk.round()
    trade = desk.venue.fill(desk.venue.resting_at("99").venue_id, "0.75")
    desk.venue.trades.append(replace(trade, id="again"))
    await desk.round()
    (event,) = await desk.events("connection_failed")
    assert "add up to 1.5," in event.text
    desk.venue.trades.pop()
    await trade_on(desk)
    await books_agree(desk)


async def test_an_order_that_filled_under_a_misread_number_is_found_by_its_client_id(desk: Desk) -> None:
    await desk.set_state(BotState.PAUSED)
    await desk.round()
    await lie_to(desk, "another id")
    await desk.set_state(BotState.RUNNING)
    await desk.round()
    misread = (await desk.orders(venue_id="987654"))[0]
    bid = next(o for o in desk.venue.resting() if o.client_id == misread.client_id)
    desk.venue.fill(bid.venue_id, "1")
    await desk.rounds(3)
    await books_agree(desk)


async def test_a_trade_dated_ahead_does_not_hide_the_next_one(desk: Desk) -> None:
    await desk.round()
    ahead = desk.venue.fill(desk.venue.resting_at("99").venue_id, "0.25")
    desk.venue.trades[0] = replace(ahead, time=ahead.time + timedelta(days=1))
    await desk.round()
    await trade_on(desk)
    await books_agree(desk)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lies=st.lists(st.sampled_from(["", "", *ORDER_LIES, *TRADE_LIES]), max_size=30))
async def test_no_row_of_lies_invents_or_loses_anything(desk: Desk, lies: list[str]) -> None:
    await forget(desk)
    await desk.round()
    await lie_to(desk, *lies)
    for price in ("0.25", "0.5"):
        for order in desk.venue.resting():
            desk.venue.fill(order.venue_id, price)
        desk.venue.quoted["BTC/USDT"] = (f"{D(100) + D(price) * 4}", f"{D(101) + D(price) * 4}")
        desk.account.feed._cells.clear()
        await desk.rounds(2)
    await lie_to(desk)
    await desk.rounds(6)
    await books_agree(desk)
    assert not any("Internal error" in event.text for event in await desk.events("connection_failed"))


async def forget(desk: Desk) -> None:
    """Everything of the last example."""
    await desk.do(lambda: [model.objects.all().delete() for model in (Trade, Order, Position, BotEvent)])
    fresh = FakeVenue()
    desk.venue.orders, desk.venue.trades, desk.venue.calls = {}, [], []
    desk.venue.quoted, desk.venue.funds = {}, fresh.funds
    await desk.office.feeds.close()
    await desk.open()
