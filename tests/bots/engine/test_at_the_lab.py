"""The same duty with an unmodified ccxt client at the lab's Binance: lost answers on a real wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from bots.models import Order
from database.thread import DatabaseThread
from exchanges.models import ExchangeConnection
from tests.bots.engine.house_desk import HouseDesk, house_desk, open_connection
from tests.lab.faults import Stage, drop_after_accept, server_error
from tests.lab.lab import Lab
from tests.lab.orders import Side

D = Decimal
ORDER = "/api/v3/order"


@pytest.fixture
def lab_connection(transactional_db: None, lab: Lab) -> ExchangeConnection:
    return open_connection(lab.house(), "BTC/USDT")


@pytest_asyncio.fixture
async def lab_desk(
    lab: Lab, lab_connection: ExchangeConnection, database: DatabaseThread, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[HouseDesk]:
    async with house_desk(lab, lab.house(), lab_connection, database, monkeypatch) as desk:
        yield desk


def creates(lab: Lab) -> int:
    return len(lab.requests.select(method="POST", path=ORDER))


async def test_an_order_whose_answer_is_dropped_is_adopted(lab: Lab, lab_desk: HouseDesk) -> None:
    lab.faults.add(drop_after_accept(method="POST", path=ORDER))
    await lab_desk.rounds(4)
    assert creates(lab) == 2
    assert len(lab.exchange.open_orders("trader")) == 2
    await lab_desk.books_agree()


async def test_lookups_that_fail_for_a_while_lose_nothing(lab: Lab, lab_desk: HouseDesk) -> None:
    lab.faults.add(server_error(502, stage=Stage.AFTER, method="POST", path=ORDER))
    await lab_desk.rounds()
    fault = server_error(502, method="GET", path="/api/v3/openOrders")
    fault.times = 4
    lab.faults.add(fault)
    await lab_desk.rounds(6)
    assert creates(lab) == 2
    assert len(lab.exchange.open_orders("trader")) == 2
    await lab_desk.books_agree()


async def test_a_worker_that_dies_before_an_answer_is_succeeded_by_one_that_adopts(
    lab: Lab, lab_desk: HouseDesk
) -> None:
    await lab_desk.rounds()
    await lab_desk.database.run(Order.objects.update, state="intended", venue_id="")
    lab_desk.trade(Side.SELL, "0.004", "39600")
    await lab_desk.duty._close()
    await lab_desk.open()
    await lab_desk.rounds(2)
    assert creates(lab) == 2
    await lab_desk.books_agree()


async def test_a_bot_that_is_filled_and_stopped_has_the_labs_books(lab: Lab, lab_desk: HouseDesk) -> None:
    await lab_desk.rounds()
    lab_desk.trade(Side.SELL, "5.006", "39600", "passer-by")  # all bids above, and six tenths of ours
    await lab_desk.rounds(2)
    lab.faults.add(drop_after_accept(method="DELETE", path=ORDER))
    await lab_desk.stop(rounds=4)
    assert [fill.amount for fill in lab.exchange.fills("trader")] == [D("0.006")]
    await lab_desk.books_agree()


def sockets() -> int:
    """Open ones of this process: ours, and the lab's ends of them."""
    ends = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the folder's own, which is closed by now
            ends += str(descriptor.readlink()).startswith("socket:")
    return ends


async def test_a_connection_that_fails_and_is_opened_anew_leaks_no_socket(
    lab: Lab, lab_desk: HouseDesk
) -> None:
    await lab_desk.rounds(2)
    before = sockets()
    for _ in range(8):
        lab.faults.add(drop_after_accept(method="GET", path="/api/v3/openOrders"))
        await lab_desk.rounds()
        await lab_desk.duty._close()
        await lab_desk.rounds()
    assert len(lab.exchange.open_orders("trader")) == 2
    assert sockets() <= before + 2
