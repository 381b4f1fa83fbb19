"""The duty at the lab's OKX: orders that are only acknowledged, quotes that cross on their way, a storm."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest
import pytest_asyncio

from bots.engine import observe
from bots.models import Bot, BotState, Order
from database.thread import DatabaseThread
from exchanges.models import ExchangeConnection
from exchanges.venues import wire as wire_module
from tests.bots.engine.conftest import make_bot, make_connection
from tests.bots.engine.test_at_the_lab import LabDesk
from tests.lab.display import Look
from tests.lab.faults import Stage, drop_after_accept, server_error
from tests.lab.house import House
from tests.lab.lab import Lab
from tests.lab.orders import Side
from tests.lab.races import Odds
from tests.lab.views import Lag
from tests.lab.weather import Region, Severity, Weather
from vault.secret import Secret

D = Decimal
BOOK_SECONDS = 1.1  # a book is asked for again once it is older than a cycle
PLACE, CANCEL = "/api/v5/trade/batch-orders", "/api/v5/trade/cancel-order"


class OkxDesk(LabDesk):
    """A bot that quotes 0.01 BTC at 1 % around 40,000."""

    async def states(self) -> list[str]:
        return await self.database.run(lambda: sorted(Order.objects.values_list("state", flat=True)))

    async def stop(self, rounds: int) -> None:
        await self.database.run(Bot.objects.update, state=BotState.STOPPING)
        await self.rounds(rounds)
        assert (await self.database.run(Bot.objects.get)).state == BotState.STOPPED
        assert self.lab.exchange.open_orders("trader") == []


@pytest.fixture
def house(lab: Lab) -> House:
    return lab.house("okx")


@pytest.fixture
def connection(transactional_db: None, house: House) -> ExchangeConnection:
    login = house.dialect.new_login(1)
    house.open_account("trader", **login._asdict(), balances={"USDT": D(10_000), "BTC": D(1)})
    key, secret, passphrase = (Secret(part) for part in login)
    connection = make_connection(venue="okx", api_key=key, api_secret=secret, passphrase=passphrase)
    make_bot(connection, order_amount=D("0.01"), requote_tolerance_pct=D("0.005"), cycle_seconds=1)
    return connection


@pytest_asyncio.fixture
async def desk(
    lab: Lab,
    house: House,
    connection: ExchangeConnection,
    database: DatabaseThread,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[OkxDesk]:
    monkeypatch.setattr(wire_module, "build_connector", lab.connector)
    for name in ("crowd", "passer-by"):
        house.exchange.open_account(name)
        for currency in ("BTC", "USDT"):
            house.exchange.ledger.deposit(name, currency, D(10_000_000))
    desk = OkxDesk(house, connection, database)  # type: ignore[arg-type]
    desk.trade(Side.BUY, "5", "39990")
    desk.trade(Side.SELL, "5", "40010")
    await desk.open()
    yield desk
    await desk.close()


def creates(lab: Lab) -> int:
    return len(lab.requests.select(method="POST", path=PLACE))


async def test_an_order_is_submitted_until_a_list_shows_it(lab: Lab, house: House, desk: OkxDesk) -> None:
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
    lab: Lab, house: House, desk: OkxDesk
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
    lab: Lab, house: House, desk: OkxDesk
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
    lab: Lab, house: House, desk: OkxDesk
) -> None:
    house.clock.offset_ms = 9000  # as if it had taken so long to get there
    await desk.rounds(2)

    assert creates(lab) > 0
    assert house.exchange.orders("trader") == []
    assert set(await desk.states()) == {"rejected"}


async def test_a_bot_that_is_filled_and_stopped_has_the_labs_books(
    lab: Lab, house: House, desk: OkxDesk
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
    lab: Lab, house: House, desk: OkxDesk, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    for name in ("GRACE", "LATE_TRADES", "CANCEL_PATIENCE"):
        monkeypatch.setattr(observe, name, timedelta(0))
    for name in vars(house.dialect.limits):
        setattr(house.dialect.limits, name, 10**6)  # what is delivered twice counts twice
    await desk.rounds()
    rates = dict.fromkeys(("drop_before", "drop_after", "error_before", "error_after", "page_after"), 0.04)
    rates |= dict.fromkeys(("truncated", "broken_off", "duplicate", "nonsense", "firewall"), 0.04)
    storm = Weather(seed=seed, rates=rates, severity=Severity(mutations=1))
    lab.sky.set(storm, Region(venue="okx"))
    house.dialect.races.set(Odds(probability=0.5), seed=seed)
    for number in range(12):
        desk.trade(Side.SELL, "0.003", "39500", "passer-by")
        mid = 40_000 + 400 * (number % 3)
        desk.trade(Side.BUY, "6", str(mid - 10), "passer-by")
        await desk.rounds()
    lab.sky.clear()
    house.dialect.races.set(None)

    await desk.stop(rounds=12)

    assert len(house.exchange.fills("trader")) > 0
    await desk.books_agree()
