"""The duty at the lab's Coinstore: orders at the gate, lost answers, trades by the second, a storm."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest
import pytest_asyncio

from bots.engine import observe
from bots.models import Bot, BotState, Order, Trade
from database.thread import DatabaseThread
from exchanges.models import ExchangeConnection
from exchanges.venues import wire as wire_module
from tests.bots.engine.conftest import make_bot, make_connection
from tests.bots.engine.test_at_the_lab import LabDesk
from tests.lab.faults import Stage, drop_after_accept, server_error
from tests.lab.house import House
from tests.lab.lab import Lab
from tests.lab.orders import Side
from tests.lab.races import Odds
from tests.lab.weather import Region, Severity, Weather
from vault.secret import Secret

D = Decimal
PLACE, CANCEL, INFO = "/api/trade/order/place", "/api/trade/order/cancel", "/api/v2/trade/order/orderInfo"


@pytest.fixture
def house(lab: Lab) -> House:
    return lab.house("coinstore")


@pytest.fixture
def connection(transactional_db: None, house: House) -> ExchangeConnection:
    login = house.dialect.new_login(1)
    house.open_account("trader", **login._asdict(), balances={"USDT": D(10_000), "BTC": D(1)})
    connection = make_connection(
        venue="coinstore", api_key=Secret(login.key), api_secret=Secret(login.secret)
    )
    make_bot(connection, order_amount=D("0.01"), requote_tolerance_pct=D("0.005"))
    return connection


@pytest_asyncio.fixture
async def desk(
    lab: Lab,
    house: House,
    connection: ExchangeConnection,
    database: DatabaseThread,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[LabDesk]:
    """A bot that quotes 0.01 BTC at 1 % around 40,000."""
    monkeypatch.setattr(wire_module, "build_connector", lab.connector)
    house.dialect.limits.accept_ms = 0  # rounds here are faster than any gate
    for name in ("crowd", "passer-by"):
        house.exchange.open_account(name)
        for currency in ("BTC", "USDT"):
            house.exchange.ledger.deposit(name, currency, D(10_000_000))
    desk = LabDesk(house, connection, database)  # type: ignore[arg-type]
    desk.trade(Side.BUY, "5", "39990")
    desk.trade(Side.SELL, "5", "40010")
    await desk.open()
    yield desk
    await desk.close()


def creates(lab: Lab) -> int:
    return len(lab.requests.select(method="POST", path=PLACE))


async def states(desk: LabDesk) -> list[str]:
    return await desk.database.run(lambda: list(Order.objects.values_list("state", flat=True)))


async def test_orders_at_the_gate_are_not_sent_again(lab: Lab, house: House, desk: LabDesk) -> None:
    house.dialect.limits.accept_ms = 600_000
    await desk.rounds(3)
    assert (creates(lab), await states(desk)) == (2, ["submitted", "submitted"])

    house.dialect.limits.accept_ms = 0
    await desk.rounds()
    assert (creates(lab), await states(desk)) == (2, ["open", "open"])
    await desk.books_agree()


async def test_an_order_that_was_lost_and_filled_is_found_by_its_client_id(
    lab: Lab, house: House, desk: LabDesk
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
    lab: Lab, house: House, desk: LabDesk
) -> None:
    await desk.rounds()
    desk.trade(Side.SELL, "5.006", "39600", "passer-by")  # all bids above, and six tenths of ours
    await desk.rounds(2)
    lab.faults.add(drop_after_accept(method="POST", path=CANCEL))
    lab.faults.add(server_error(500, stage=Stage.AFTER, method="POST", path=CANCEL))
    await desk.database.run(Bot.objects.update, state=BotState.STOPPING)
    await desk.rounds(5)

    assert (await desk.database.run(Bot.objects.get)).state == BotState.STOPPED
    assert house.exchange.open_orders("trader") == []
    assert [fill.amount for fill in house.exchange.fills("trader")] == [D("0.006")]
    await desk.books_agree()


async def test_a_trade_that_is_dated_before_its_order_is_counted(house: House, desk: LabDesk) -> None:
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
    lab: Lab, house: House, desk: LabDesk, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    for name in ("GRACE", "LATE_TRADES", "CANCEL_PATIENCE"):
        monkeypatch.setattr(observe, name, timedelta(0))
    await desk.rounds()
    rates = dict.fromkeys(("drop_before", "drop_after", "error_before", "error_after", "page_after"), 0.04)
    rates |= dict.fromkeys(("truncated", "broken_off", "duplicate", "nonsense", "firewall"), 0.04)
    storm = Weather(seed=seed, rates=rates, severity=Severity(mutations=1))
    lab.sky.set(storm, Region(venue="coinstore"))
    house.dialect.races.set(Odds(probability=0.5), seed=seed)
    house.dialect.limits.accept_ms = 20
    for number in range(12):
        desk.trade(Side.SELL, "0.003", "39500", "passer-by")
        mid = 40_000 + 400 * (number % 3)
        desk.trade(Side.BUY, "6", str(mid - 10), "passer-by")
        await desk.rounds()
    lab.sky.clear()
    house.dialect.races.set(None)
    house.dialect.limits.accept_ms = 0

    await desk.database.run(Bot.objects.update, state=BotState.STOPPING)
    await desk.rounds(12)

    assert (await desk.database.run(Bot.objects.get)).state == BotState.STOPPED
    assert house.exchange.open_orders("trader") == []
    assert len(house.exchange.fills("trader")) > 0
    await desk.books_agree()
