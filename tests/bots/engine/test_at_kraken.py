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
from exchanges.models import ExchangeConnection
from exchanges.pacing import Budget
from exchanges.venues import dialects
from exchanges.venues import wire as wire_module
from exchanges.venues.kraken.dialect import DIALECT
from tests.bots.engine.conftest import make_bot, make_connection
from tests.bots.engine.test_at_the_lab import LabDesk
from tests.lab.faults import Effect, Fault, Stage, drop_after_accept, server_error
from tests.lab.house import House
from tests.lab.lab import Lab
from tests.lab.orders import Kind, Side, Ticket
from tests.lab.races import Odds
from tests.lab.weather import Region, Severity, Weather
from vault.secret import Secret

D = Decimal
SYMBOL = "BTC/USD"
ADD, CANCEL, CLOSED = "/0/private/AddOrder", "/0/private/CancelOrder", "/0/private/ClosedOrders"
BRISK = Budget(rate=10_000, burst=10_000)


class KrakenDesk(LabDesk):
    def trade(self, side: Side, amount: str, price: str, account: str = "crowd") -> None:
        ticket = Ticket(
            account=account, symbol=SYMBOL, side=side, kind=Kind.LIMIT, amount=D(amount), price=D(price)
        )
        self.lab.exchange.place(ticket)


@pytest.fixture
def house(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> House:
    """Kraken lets one key ask once in two seconds; rounds of a test follow each other at once."""
    monkeypatch.setitem(dialects._DIALECTS, "kraken", replace(DIALECT, key_budget=BRISK))
    house = lab.house("kraken")
    for name in ("calls", "public", "orders"):
        setattr(house.dialect.limits, name, 10**6)
    return house


@pytest.fixture
def connection(transactional_db: None, house: House) -> ExchangeConnection:
    login = house.dialect.new_login(1)
    house.open_account("trader", **login._asdict(), balances={"USD": D(10_000), "BTC": D(1)})
    connection = make_connection(venue="kraken", api_key=Secret(login.key), api_secret=Secret(login.secret))
    make_bot(connection, symbol=SYMBOL, order_amount=D("0.01"), requote_tolerance_pct=D("0.005"))
    return connection


@pytest_asyncio.fixture
async def desk(
    lab: Lab,
    house: House,
    connection: ExchangeConnection,
    database: DatabaseThread,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[KrakenDesk]:
    """A bot that quotes 0.01 BTC at 1 % around 40,000."""
    monkeypatch.setattr(wire_module, "build_connector", lab.connector)
    for name in ("crowd", "passer-by"):
        house.exchange.open_account(name)
        for currency in ("BTC", "USD"):
            house.exchange.ledger.deposit(name, currency, D(10_000_000))
    desk = KrakenDesk(house, connection, database)  # type: ignore[arg-type] # it wants the exchange only
    desk.wire.pace("kraken", None, BRISK)
    desk.trade(Side.BUY, "5", "39990")
    desk.trade(Side.SELL, "5", "40010")
    await desk.open()
    yield desk
    await desk.close()


def sent(lab: Lab, path: str) -> int:
    return len(lab.requests.select(path=path))


async def test_an_order_that_was_lost_and_filled_is_found_among_the_closed_ones(
    lab: Lab, house: House, desk: KrakenDesk
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
    lab: Lab, house: House, desk: KrakenDesk, monkeypatch: pytest.MonkeyPatch
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


async def _impatiently(desk: KrakenDesk) -> None:
    """One round whose requests are given up after 0.2 s."""
    account = desk.duty._account
    assert account is not None
    client = account.gateway._client  # type: ignore[attr-defined] # of the one behind the protocol
    usual, client.timeout = client.timeout, 200
    await desk.rounds()
    client.timeout = usual


async def test_fees_are_counted_in_quote_on_both_sides(house: House, desk: KrakenDesk) -> None:
    await desk.rounds()
    desk.trade(Side.SELL, "5.006", "39600", "passer-by")
    desk.trade(Side.BUY, "5.004", "40400", "passer-by")
    await desk.rounds(2)

    fills = house.exchange.fills("trader")
    position = await desk.database.run(Position.objects.get)
    assert len(fills) == 2
    assert (position.fees_base, position.fees_quote) == (0, sum(fill.fee for fill in fills))
    await desk.books_agree()


async def test_a_bot_that_is_stopped_leaves_nothing_behind(lab: Lab, house: House, desk: KrakenDesk) -> None:
    await desk.rounds()
    lab.faults.add(drop_after_accept(method="POST", path=CANCEL))
    lab.faults.add(server_error(502, stage=Stage.AFTER, method="POST", path=CANCEL))
    await desk.database.run(Bot.objects.update, state=BotState.STOPPING)
    await desk.rounds(5)

    assert (await desk.database.run(Bot.objects.get)).state == BotState.STOPPED
    assert house.exchange.open_orders("trader") == []
    assert sent(lab, "/0/private/CancelAll") == 0
    await desk.books_agree()


@pytest.mark.parametrize("seed", [1, 2])
async def test_after_a_storm_the_books_are_the_labs(
    lab: Lab, house: House, desk: KrakenDesk, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    for name in ("GRACE", "LATE_TRADES", "CANCEL_PATIENCE"):
        monkeypatch.setattr(observe, name, timedelta(0))
    await desk.rounds()
    rates = dict.fromkeys(("drop_before", "drop_after", "error_before", "error_after", "page_after"), 0.04)
    rates |= dict.fromkeys(("truncated", "broken_off", "duplicate", "nonsense", "firewall"), 0.04)
    storm = Weather(seed=seed, rates=rates, severity=Severity(mutations=1))
    lab.sky.set(storm, Region(venue="kraken"))
    house.dialect.races.set(Odds(probability=0.5), seed=seed)
    for number in range(12):
        desk.trade(Side.SELL, "0.003", "39500", "passer-by")
        desk.trade(Side.BUY, "6", str(40_000 + 400 * (number % 3) - 10), "passer-by")
        await desk.rounds()
    lab.sky.clear()
    house.dialect.races.set(None)

    await desk.database.run(Bot.objects.update, state=BotState.STOPPING)
    await desk.rounds(12)

    assert (await desk.database.run(Bot.objects.get)).state == BotState.STOPPED
    assert house.exchange.open_orders("trader") == []
    assert len(house.exchange.fills("trader")) > 0
    await desk.books_agree()
