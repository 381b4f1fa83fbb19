"""The duty at the lab's Kraken: lost answers, orders that come too late, fees in quote, a storm."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
import pytest_asyncio

from bots.engine import observe
from bots.models import Bot, BotState, Order, Position
from database.thread import DatabaseThread
from exchanges.pacing import Budget
from exchanges.venues import dialects
from exchanges.venues.kraken.dialect import DIALECT
from tests.bots.engine.conftest import unwrapped
from tests.bots.engine.house_desk import HouseDesk, house_desk, open_connection
from tests.lab.faults import Effect, Fault, Stage, drop_after_accept, server_error
from tests.lab.house import House
from tests.lab.lab import Lab
from tests.lab.orders import Side

D = Decimal
SYMBOL = "BTC/USD"
ADD, CANCEL, CLOSED = "/0/private/AddOrder", "/0/private/CancelOrder", "/0/private/ClosedOrders"
BRISK = Budget(rate=10_000, burst=10_000)


@pytest.fixture
def house(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> House:
    """Kraken lets one key ask once in two seconds; rounds of a test follow each other at once."""
    monkeypatch.setitem(dialects._DIALECTS, "kraken", replace(DIALECT, key_budget=BRISK))
    house = lab.house("kraken")
    for name in ("calls", "public", "orders"):
        setattr(house.dialect.limits, name, 10**6)
    return house


@pytest_asyncio.fixture
async def desk(
    transactional_db: None, lab: Lab, house: House, database: DatabaseThread, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[HouseDesk]:
    connection = await database.run(open_connection, house, "BTC/USD")
    async with house_desk(lab, house, connection, database, monkeypatch, "BTC/USD") as desk:
        desk.wire.pace("kraken", None, BRISK)
        yield desk


def sent(lab: Lab, path: str) -> int:
    return len(lab.requests.select(path=path))


async def test_an_order_that_was_lost_and_filled_is_found_among_the_closed_ones(
    lab: Lab, house: House, desk: HouseDesk
) -> None:
    lab.faults.add(drop_after_accept(method="POST", path=ADD))
    await desk.rounds()
    desk.trade(Side.SELL, "5.01", "39600", "passer-by")
    desk.trade(Side.BUY, "5.01", "40400", "passer-by")
    await desk.rounds(3)

    first = house.exchange.orders("trader")[0]
    lost = await desk.database.run(Order.objects.get, client_id=first.client_id)
    assert (lost.state, lost.filled) == ("filled", first.filled)
    assert any(first.client_id in seen.body for seen in lab.requests.select(path=CLOSED))
    await desk.books_agree()


async def test_an_order_that_comes_after_its_lookup_is_refused_by_its_nonce_and_given_up(
    lab: Lab, house: House, desk: HouseDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observe, "GRACE", timedelta(0))
    await desk.database.run(Bot.objects.update, state=BotState.PAUSED)
    await desk.rounds()
    await desk.database.run(Bot.objects.update, state=BotState.RUNNING)
    lab.faults.add(Fault(effect=Effect.DELAY, stage=Stage.BEFORE, seconds=0.5, path=ADD))
    await _impatiently(desk)
    await desk.rounds(4)

    orders = await desk.database.run(lambda: list(Order.objects.all()))
    assert [order.state for order in orders if order.state != "open"] == ["never_placed"]
    theirs = {order.client_id for order in house.exchange.orders("trader")}
    assert theirs == {order.client_id for order in orders if order.state == "open"}


async def _impatiently(desk: HouseDesk) -> None:
    """One round whose requests are given up after 0.2 s."""
    account = desk.duty._account
    assert account is not None
    client = unwrapped(account)._client  # type: ignore[attr-defined] # of the one behind the protocol
    usual, client.timeout = client.timeout, 200
    await desk.rounds()
    client.timeout = usual


async def test_fees_are_counted_in_quote_on_both_sides(house: House, desk: HouseDesk) -> None:
    await desk.rounds()
    desk.trade(Side.SELL, "5.006", "39600", "passer-by")
    desk.trade(Side.BUY, "5.004", "40400", "passer-by")
    await desk.rounds(2)

    fills = house.exchange.fills("trader")
    position = await desk.database.run(Position.objects.get)
    assert len(fills) == 2
    assert (position.fees_base, position.fees_quote) == (0, sum(fill.fee for fill in fills))
    await desk.books_agree()


async def test_a_bot_that_is_stopped_leaves_nothing_behind(lab: Lab, house: House, desk: HouseDesk) -> None:
    await desk.rounds()
    lab.faults.add(drop_after_accept(method="POST", path=CANCEL))
    lab.faults.add(server_error(502, stage=Stage.AFTER, method="POST", path=CANCEL))
    await desk.stop(rounds=5)

    assert sent(lab, "/0/private/CancelAll") == 0
    await desk.books_agree()


@pytest.mark.parametrize("seed", [1, 2])
async def test_after_a_storm_the_books_are_the_labs(
    lab: Lab, house: House, desk: HouseDesk, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    await desk.rounds()
    await desk.weather_a_storm(seed, monkeypatch)
    await desk.stop(rounds=12)

    assert len(house.exchange.fills("trader")) > 0
    await desk.books_agree()
