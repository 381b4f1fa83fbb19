"""The duty at the lab's Coinstore: orders at the gate, lost answers, trades by the second, a storm."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import pytest_asyncio

from bots.models import Order, Trade
from database.thread import DatabaseThread
from tests.bots.engine.house_desk import HouseDesk, house_desk, open_connection
from tests.lab.faults import Stage, drop_after_accept, server_error
from tests.lab.house import House
from tests.lab.lab import Lab
from tests.lab.orders import Side

D = Decimal
PLACE, CANCEL, INFO = "/api/trade/order/place", "/api/trade/order/cancel", "/api/v2/trade/order/orderInfo"


@pytest.fixture
def house(lab: Lab) -> House:
    return lab.house("coinstore")


@pytest_asyncio.fixture
async def desk(
    transactional_db: None, lab: Lab, house: House, database: DatabaseThread, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[HouseDesk]:
    connection = await database.run(open_connection, house, "BTC/USDT")
    house.dialect.limits.accept_ms = 0  # rounds here are faster than any gate
    async with house_desk(lab, house, connection, database, monkeypatch) as desk:
        yield desk


def creates(lab: Lab) -> int:
    return len(lab.requests.select(method="POST", path=PLACE))


async def test_orders_at_the_gate_are_not_sent_again(lab: Lab, house: House, desk: HouseDesk) -> None:
    house.dialect.limits.accept_ms = 600_000
    await desk.rounds(3)
    assert (creates(lab), await desk.states()) == (2, ["submitted", "submitted"])

    house.dialect.limits.accept_ms = 0
    await desk.rounds()
    assert (creates(lab), await desk.states()) == (2, ["open", "open"])
    await desk.books_agree()


async def test_an_order_that_was_lost_and_filled_is_found_by_its_client_id(
    lab: Lab, house: House, desk: HouseDesk
) -> None:
    lab.faults.add(drop_after_accept(method="POST", path=PLACE))
    await desk.rounds()
    desk.trade(Side.SELL, "5.01", "39600", "passer-by")
    desk.trade(Side.BUY, "5.01", "40400", "passer-by")
    await desk.rounds(3)

    first = house.exchange.orders("trader")[0]
    lost = await desk.database.run(Order.objects.get, client_id=first.client_id)
    assert (lost.state, lost.filled) == ("filled", first.filled)
    assert any(first.client_id in seen.query for seen in lab.requests.select(path=INFO))
    await desk.books_agree()


async def test_a_bot_that_is_filled_and_stopped_has_the_labs_books(
    lab: Lab, house: House, desk: HouseDesk
) -> None:
    await desk.rounds()
    desk.trade(Side.SELL, "5.006", "39600", "passer-by")  # all bids above, and six tenths of ours
    await desk.rounds(2)
    lab.faults.add(drop_after_accept(method="POST", path=CANCEL))
    lab.faults.add(server_error(500, stage=Stage.AFTER, method="POST", path=CANCEL))
    await desk.stop(rounds=5)

    assert [fill.amount for fill in house.exchange.fills("trader")] == [D("0.006")]
    await desk.books_agree()


async def test_a_trade_that_is_dated_before_its_order_is_counted(house: House, desk: HouseDesk) -> None:
    """Trades are dated by the second, orders by the millisecond."""
    house.clock.offset_ms = 900 - house.clock.now_ms() % 1000
    await desk.rounds()
    desk.trade(Side.SELL, "5.01", "39600", "passer-by")
    await desk.rounds(2)

    trade = await desk.database.run(Trade.objects.get)
    (fill,) = house.exchange.fills("trader")
    assert trade.time.timestamp() * 1000 == fill.time_ms - fill.time_ms % 1000 < fill.time_ms
    await desk.books_agree()


@pytest.mark.parametrize("seed", [1, 2])
async def test_after_a_storm_the_books_are_the_labs(
    lab: Lab, house: House, desk: HouseDesk, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    await desk.rounds()
    house.dialect.limits.accept_ms = 20
    await desk.weather_a_storm(seed, monkeypatch)
    house.dialect.limits.accept_ms = 0
    await desk.stop(rounds=12)

    assert len(house.exchange.fills("trader")) > 0
    await desk.books_agree()
