"""The duty at the lab's OKX: orders that are only acknowledged, quotes that cross on their way, a storm."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import pytest_asyncio

from bots.models import Order
from database.thread import DatabaseThread
from tests.bots.engine.house_desk import HouseDesk, house_desk, open_connection
from tests.lab.display import Look
from tests.lab.faults import Stage, drop_after_accept, server_error
from tests.lab.house import House
from tests.lab.lab import Lab
from tests.lab.orders import Side
from tests.lab.views import Lag

D = Decimal
BOOK_SECONDS = 1.1  # a book is asked for again once it is older than a cycle
PLACE, CANCEL = "/api/v5/trade/batch-orders", "/api/v5/trade/cancel-order"


@pytest.fixture
def house(lab: Lab) -> House:
    return lab.house("okx")


@pytest_asyncio.fixture
async def desk(
    transactional_db: None, lab: Lab, house: House, database: DatabaseThread, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[HouseDesk]:
    connection = await database.run(open_connection, house, "BTC/USDT", cycle_seconds=1)
    async with house_desk(lab, house, connection, database, monkeypatch) as desk:
        yield desk


def creates(lab: Lab) -> int:
    return len(lab.requests.select(method="POST", path=PLACE))


async def test_an_order_is_submitted_until_a_list_shows_it(lab: Lab, house: House, desk: HouseDesk) -> None:
    house.dialect.views.set_lag(Lag(orders_ms=600_000))
    await desk.rounds()
    assert (creates(lab), await desk.states()) == (2, ["submitted", "submitted"])
    await desk.rounds(2)
    assert creates(lab) == 2

    house.dialect.views.clear()
    await desk.rounds()
    assert (creates(lab), await desk.states()) == (2, ["open", "open"])
    await desk.books_agree()


async def test_a_quote_that_crosses_on_its_way_ends_unfilled_and_is_replaced(
    lab: Lab, house: House, desk: HouseDesk
) -> None:
    """The desk sees an old book; at the venue the market has fallen through our bid."""
    market = house.exchange.market("BTC/USDT")
    market.display.change(Look.FROZEN, market.update_id)
    for order in market.open_orders("crowd"):
        house.exchange.cancel(order)
    desk.trade(Side.BUY, "5", "38990")
    desk.trade(Side.SELL, "5", "39010")
    await desk.rounds()
    market.display.change(Look.TRUE, market.update_id)
    await asyncio.sleep(BOOK_SECONDS)
    await desk.rounds(3)

    assert "canceled" in await desk.states()
    assert house.exchange.fills("trader") == []
    quotes = {order.limit_price for order in house.exchange.open_orders("trader")}
    assert quotes == {D("38610"), D("39390")}
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
    await desk.books_agree()


async def test_an_order_that_comes_after_its_deadline_is_no_order(
    lab: Lab, house: House, desk: HouseDesk
) -> None:
    house.clock.offset_ms = 9000  # as if it had taken so long to get there
    await desk.rounds(2)

    assert creates(lab) > 0
    assert house.exchange.orders("trader") == []
    assert set(await desk.states()) == {"rejected"}


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


@pytest.mark.parametrize("seed", [3, 14])
async def test_after_a_storm_the_books_are_the_labs(
    lab: Lab, house: House, desk: HouseDesk, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    for name in vars(house.dialect.limits):
        setattr(house.dialect.limits, name, 10**6)  # what is delivered twice counts twice
    await desk.rounds()
    await desk.weather_a_storm(seed, monkeypatch)
    await desk.stop(rounds=12)

    assert len(house.exchange.fills("trader")) > 0
    await desk.books_agree()
