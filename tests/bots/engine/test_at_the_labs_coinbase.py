"""The duty at the lab's Coinbase: orders on their way, lost answers, a search by client id, a storm."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import pytest_asyncio

from bots.models import Order
from database.thread import DatabaseThread
from tests.bots.engine.house_desk import HouseDesk, house_desk, open_connection
from tests.lab.faults import Stage, drop_after_accept, server_error
from tests.lab.house import House
from tests.lab.lab import Lab
from tests.lab.orders import Side

D = Decimal
ROOT = "/api/v3/brokerage"
ORDERS, BATCH, CANCEL = f"{ROOT}/orders", f"{ROOT}/orders/historical/batch", f"{ROOT}/orders/batch_cancel"


@pytest.fixture
def house(lab: Lab) -> House:
    return lab.house("coinbase")


@pytest_asyncio.fixture
async def desk(
    transactional_db: None, lab: Lab, house: House, database: DatabaseThread, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[HouseDesk]:
    connection = await database.run(open_connection, house, "BTC/USD")
    async with house_desk(lab, house, connection, database, monkeypatch, "BTC/USD") as desk:
        yield desk


def creates(lab: Lab) -> int:
    return len(lab.requests.select(method="POST", path=ORDERS))


async def test_orders_that_are_on_their_way_are_not_sent_again(
    lab: Lab, house: House, desk: HouseDesk
) -> None:
    house.dialect.limits.pending_ms = 600_000
    await desk.rounds(3)
    assert (creates(lab), await desk.states()) == (2, ["submitted", "submitted"])

    house.dialect.limits.pending_ms = 0
    await desk.rounds()
    assert (creates(lab), await desk.states()) == (2, ["open", "open"])
    await desk.books_agree()


async def test_an_order_that_was_lost_and_filled_is_found_by_its_client_id(
    lab: Lab, house: House, desk: HouseDesk
) -> None:
    lab.faults.add(drop_after_accept(method="POST", path=ORDERS))
    await desk.rounds()
    desk.trade(Side.SELL, "5.01", "39600", "passer-by")
    desk.trade(Side.BUY, "5.01", "40400", "passer-by")
    await desk.rounds(3)

    first = house.exchange.orders("trader")[0]
    lost = await desk.database.run(Order.objects.get, client_id=first.client_id)
    assert (lost.state, lost.filled) == ("filled", first.filled)
    assert any("start_date" in seen.query for seen in lab.requests.select(path=BATCH))
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


@pytest.mark.parametrize("seed", [10, 22])
async def test_after_a_storm_the_books_are_the_labs(
    lab: Lab, house: House, desk: HouseDesk, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    await desk.rounds()
    await desk.weather_a_storm(seed, monkeypatch)
    await desk.stop(rounds=12)

    assert len(house.exchange.fills("trader")) > 0
    await desk.books_agree()
