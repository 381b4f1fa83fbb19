"""A scalper at the lab's Binance, Kraken and Coinstore: it enters, whole and in part, and leaves.

Unmodified clients on a real wire; after each trip the books are the lab's to the last digit.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import pytest_asyncio

from bots.models import BotState
from bots.strategies.barriers import Exit
from database.thread import DatabaseThread
from tests.bots.engine.scalper_house import (
    MANY,
    SYMBOLS,
    ScalperHouse,
    brisk_house,
    open_scalper,
    scalper_house,
)
from tests.lab.display import Look
from tests.lab.house import House
from tests.lab.lab import Lab
from tests.lab.orders import Side

D = Decimal
A_SECOND = 1.05
entered = pytest.mark.parametrize("asks", [MANY, "0.001"], ids=["whole", "in part"])


@pytest.fixture(params=SYMBOLS)
def house(request: pytest.FixtureRequest, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> House:
    return brisk_house(lab, request.param, monkeypatch)


@pytest_asyncio.fixture
async def desk(
    transactional_db: None, lab: Lab, house: House, database: DatabaseThread, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ScalperHouse]:
    connection = await database.run(open_scalper, house)
    async with scalper_house(lab, house, connection, database, monkeypatch) as desk:
        yield desk


async def enter(desk: ScalperHouse, asks: str = MANY) -> Decimal:
    """What it bought; where less than it wanted was asked, the remainder's time is over."""
    await desk.rise(asks=asks)
    if asks != MANY:
        await desk.change(entry_seconds=0)
    await desk.rounds(2)
    assert [level for level, state in await desk.ends() if state == "open" and level == "entry"] == []
    trip = await desk.trip()
    assert (trip.state, trip.entry_average) == ("open", D(40010))
    assert trip.entered == D("0.001") if asks != MANY else trip.entered > D("0.0024")
    return D(trip.entered)


async def left_by(desk: ScalperHouse, reason: Exit, price: str) -> None:
    """The trip is closed for this reason, at this price, and all books are exact."""
    trip = await desk.trip()
    assert (trip.state, trip.closing, trip.exit_average) == ("closed", reason, D(price)), trip.remark
    assert (await desk.ends())[-1] == ("close", "filled")
    await desk.is_exact()


@entered
async def test_a_stop_loss_sells_what_was_bought(desk: ScalperHouse, asks: str) -> None:
    await enter(desk, asks)
    await desk.look("37000", "37020")
    await left_by(desk, Exit.STOP_LOSS, "37000")


@entered
async def test_a_trailing_stop_follows_and_sells(desk: ScalperHouse, asks: str) -> None:
    await desk.change(
        trailing_delta_pct=D("0.02"),
        trailing_activation_pct=D("0.01"),
        take_profit_pct=None,
    )
    await enter(desk, asks)
    await desk.look("42000", "42020")
    await desk.look("41200", "41220")
    assert (await desk.trip()).trailing_stop == D(41160)
    await desk.look("41160", "41180")
    await left_by(desk, Exit.TRAILING_STOP, "41160")


@entered
async def test_a_take_profit_is_taken_at_the_touch(desk: ScalperHouse, asks: str) -> None:
    await enter(desk, asks)
    await desk.look("44600", "44620")
    await left_by(desk, Exit.TAKE_PROFIT, "44600")


@entered
async def test_a_time_limit_sells_at_what_is_bid(desk: ScalperHouse, asks: str) -> None:
    await enter(desk, asks)
    await desk.change(time_limit_seconds=1)
    await asyncio.sleep(A_SECOND)
    await desk.look("40100", "40120")
    await left_by(desk, Exit.TIME_LIMIT, "40100")


@entered
async def test_a_scalper_that_is_told_to_stop_sells_first(desk: ScalperHouse, asks: str) -> None:
    await enter(desk, asks)
    await desk.set_state(BotState.STOPPING)
    await desk.look("39900", "39920", rounds=4)
    assert await desk.state() == BotState.STOPPED
    await left_by(desk, Exit.STOPPED, "39900")


async def test_a_scalper_that_is_told_to_stop_while_it_enters_keeps_no_order(desk: ScalperHouse) -> None:
    """A part was bought already: that is sold."""
    await desk.change(entry_seconds=60)
    await desk.rise(asks="0.001")
    assert [order.side for order in desk.resting()] == ["buy"]
    await desk.set_state(BotState.STOPPING)
    await desk.rounds(5)
    assert await desk.state() == BotState.STOPPED
    assert await desk.ends() == [("entry", "canceled"), ("close", "filled")]
    await left_by(desk, Exit.STOPPED, "39990")


@entered
async def test_a_take_profit_that_rests_is_filled_in_the_book(desk: ScalperHouse, asks: str) -> None:
    await desk.change(rests_take_profit=True)
    await enter(desk, asks)
    (target,) = desk.resting()
    assert target.side is Side.SELL
    await desk.look(str(target.price + 10), str(target.price + 30))
    trip = await desk.trip()
    assert (trip.state, trip.closing, trip.exit_average) == ("closed", Exit.TAKE_PROFIT, target.price)
    assert trip.profit_pct is not None
    assert trip.profit_pct >= D("0.099")
    assert (await desk.ends())[-1] == ("take profit", "filled")
    await desk.is_exact()


async def test_a_take_profit_that_filled_in_part_leaves_the_rest_to_the_stop(desk: ScalperHouse) -> None:
    await desk.change(rests_take_profit=True)
    await enter(desk)
    (target,) = desk.resting()
    desk.trade(Side.SELL, "5", str(target.price + 10))
    desk.trade(Side.BUY, "0.001", str(target.price), "passer-by")
    for order in desk.house.exchange.open_orders("passer-by"):
        desk.house.exchange.cancel(order)
    await desk.look("37000", "37020", rounds=2)
    assert await desk.ends() == [("entry", "filled"), ("take profit", "canceled"), ("close", "filled")]
    trip = await desk.trip()
    assert (trip.state, trip.closing) == ("closed", Exit.STOP_LOSS)
    await desk.is_exact()


async def test_an_entry_that_nobody_meets_is_cancelled_after_its_time(desk: ScalperHouse) -> None:
    market = desk.house.exchange.market(desk.symbol)
    await desk.change(entry_seconds=1)
    await desk.rounds()
    desk.quote("39990", "40010")
    market.display.change(Look.FROZEN, market.update_id)
    desk.house.exchange.cancel(
        desk.house.exchange.open_orders("crowd")[1]
    )  # the ask: it was shown, and is gone
    desk.trade(Side.SELL, "5", "40100")
    await desk._moved("39200")
    assert [order.price for order in desk.resting()] == [D(40010)]
    await desk.change(entry_move_pct=D("0.1"))
    await asyncio.sleep(A_SECOND)
    await desk.rounds(3)
    assert desk.resting() == []
    assert (await desk.trip()).state == "missed"


async def test_an_exit_that_fills_in_part_is_priced_anew(desk: ScalperHouse) -> None:
    await desk.change(exit_seconds=1)
    await enter(desk)
    await desk.look("37000", "37020", bids="0.001")
    assert [order.price for order in desk.resting()] == [D(37000)]
    await desk.look("36900", "37020", bids=MANY)
    assert len(await desk.orders(level="close")) == 1  # its time is not over
    await asyncio.sleep(A_SECOND)
    await desk.rounds(2)
    closes = await desk.orders(level="close")
    assert [(order.price, order.state) for order in closes] == [(D(37000), "canceled"), (D(36900), "filled")]
    assert (await desk.trip()).closing == Exit.STOP_LOSS
    await desk.is_exact()


async def test_an_exit_that_never_fills_goes_at_market(desk: ScalperHouse) -> None:
    """The venue shows a bid that is not there, so that every price looks as good as the one that rests."""
    market = desk.house.exchange.market(desk.symbol)
    await desk.change(exit_seconds=1, exit_tries=1)
    await enter(desk)
    desk.quote("37000", "37020")
    market.display.change(Look.FROZEN, market.update_id)
    desk.quote("36900", "37020")
    await desk.rounds(2)
    assert [order.price for order in desk.resting()] == [D(37000)]
    await asyncio.sleep(A_SECOND)
    await desk.rounds(3)
    closes = await desk.orders(level="close")
    assert [(order.type, order.state) for order in closes] == [("limit", "canceled"), ("market", "filled")]
    assert (await desk.trip()).exit_average == D(36900)
    await desk.is_exact()


async def test_a_remainder_that_the_venue_does_not_take_is_dust(desk: ScalperHouse) -> None:
    await desk.change(exit_seconds=1)
    await enter(desk)
    held = desk.account.markets[desk.symbol].floor_amount((await desk.trip()).left)
    await desk.look("37000", "37020", bids=str(held - D("0.00001")))
    assert [order.remaining for order in desk.resting()] == [D("0.00001")]  # it may fill yet
    await asyncio.sleep(A_SECOND)
    await desk.look("36900", "37020", rounds=2)
    trip = await desk.trip()
    assert (trip.state, trip.closing) == ("closed", Exit.STOP_LOSS)
    assert trip.left >= D("0.00001")
    assert trip.remark.endswith("BTC are left, less than the venue takes: dust.")
    await desk.is_exact()


@pytest.mark.parametrize("bids", [MANY, "0.001"], ids=["whole", "in part"])
async def test_a_short_trip_sells_what_is_held_and_buys_it_back(desk: ScalperHouse, bids: str) -> None:
    await desk.change(direction="short", take_profit_pct=D("0.05"))
    await desk.fall(bids=bids)
    if bids != MANY:
        await desk.change(entry_seconds=0)
        await desk.rounds(2)
        assert desk.resting() == []
    trip = await desk.trip()
    assert (trip.state, trip.side, trip.entry_average) == ("open", "sell", D(39990))
    await desk.look("37000", "37020")
    assert (await desk.trip()).realised_profit > 0
    await left_by(desk, Exit.TAKE_PROFIT, "37020")
