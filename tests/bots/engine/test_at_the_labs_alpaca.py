"""A spread bot without post-only at the lab's Alpaca: coins around the clock, stocks in their hours."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from bots.engine import observe
from bots.engine.board import Board, read_notice
from bots.engine.duty import Duty
from bots.engine.feed import Feeds
from bots.engine.pulse import Pulse
from bots.engine.takeover import Office
from bots.models import Bot, BotState, Decision, Order, Position, Trade
from database.thread import DatabaseThread
from exchanges.models import ExchangeConnection
from exchanges.venues import wire as wire_module
from exchanges.venues.ccxt_venue import CcxtGateway
from exchanges.venues.pace import Pace
from exchanges.venues.registry import open_market_data
from exchanges.venues.wire import Wire
from tests.bots.engine.conftest import make_bot, make_connection, skip_cooldown, unwrapped
from tests.bots.engine.lab_books import long_lease
from tests.lab.alpaca import AlpacaDialect
from tests.lab.house import House
from tests.lab.lab import Lab
from tests.lab.races import Odds
from tests.lab.views import Lag
from tests.lab.weather import KINDS, Region, Severity, Weather
from tests.spec.bench import BRISK
from vault.secret import Secret

D = Decimal
COIN, STOCK = "BTC/USD", "AAPL/USD"
BALANCES = {"USD": D(100_000), "BTC": D(1), "AAPL": D(20)}


@dataclass
class Desk:
    house: House
    connection: ExchangeConnection
    database: DatabaseThread
    wire: Wire

    @property
    def dialect(self) -> AlpacaDialect:
        assert isinstance(self.house.dialect, AlpacaDialect)
        return self.house.dialect

    async def open(self) -> None:
        self.wire.pace("alpaca", None, BRISK)  # the pace of a venue is real time
        feeds = Feeds(lambda venue, proxy: open_market_data(venue, proxy=proxy, wire=self.wire))
        self.office = Office(wire=self.wire, feeds=feeds, database=self.database)
        lease = await self.database.run(long_lease, self.connection)
        self.duty = Duty(lease=lease, office=self.office, board=Board(), pulse=Pulse())

    async def rounds(self, number: int) -> None:
        for _ in range(number):
            self._forget()
            self.duty.board.post(await self.database.run(read_notice, [self.connection.pk]))
            self.duty.wake()
            skip_cooldown(self.duty)
            await self.duty._guarded_round()

    def _forget(self) -> None:
        """As if a minute had passed: prices and clock are older than a cycle, budgets are full."""
        for feed in self.office.feeds._feeds.values():
            feed._cells.clear()
        public: Any = self.wire.public_client("alpaca", None)
        public._session, public.own_pace = None, Pace(BRISK)
        if self.duty._account is not None:
            gateway = unwrapped(self.duty._account)
            assert isinstance(gateway, CcxtGateway)
            gateway._client.own_pace = Pace(BRISK)

    async def rounds_after_pauses(self, number: int) -> None:
        """Whatever the venue asked for: a test has no time to wait."""
        await self.database.run(lambda: ExchangeConnection.objects.update(paused_until=None))
        await self.rounds(number)

    async def stop_and_settle(self) -> None:
        await self.database.run(lambda: Bot.objects.update(state=BotState.STOPPING))
        async with asyncio.timeout(60):
            while await self.saved(Order, settled_at=None) or await self.saved(Bot, state=BotState.STOPPING):
                await self.rounds_after_pauses(1)
                await asyncio.sleep(0.3)

    async def close(self) -> None:
        await self.duty._close()
        await self.office.feeds.close()

    def resting(self, symbol: str) -> list[tuple[str, Decimal, Decimal]]:
        orders = self.house.exchange.open_orders("desk", symbol)
        return sorted((str(order.side), order.limit_price, order.amount) for order in orders)

    async def saved(self, model: Any, **where: Any) -> list[Any]:
        return await self.database.run(lambda: list(model.objects.filter(**where)))


@pytest_asyncio.fixture
async def desk(
    transactional_db: None, lab: Lab, database: DatabaseThread, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    monkeypatch.setattr(wire_module, "build_connector", lab.connector)
    house = lab.house("alpaca")
    login = house.dialect.new_login(1)
    house.open_account("desk", key=login.key, secret=login.secret, balances=BALANCES)
    house.gather_crowd(COIN, D(50_000))
    house.gather_crowd(STOCK, D(200))

    def create() -> ExchangeConnection:
        connection = make_connection(
            venue="alpaca", api_key=Secret(login.key), api_secret=Secret(login.secret)
        )
        make_bot(connection, "Coins", symbol=COIN, order_amount=D("0.01"), post_only=False)
        make_bot(connection, "Stocks", symbol=STOCK, order_amount=D("1.5"), post_only=False)
        return connection

    async with Wire() as wire:
        desk = Desk(house, await database.run(create), database, wire)
        await desk.open()
        yield desk
        await desk.close()


async def test_it_quotes_both_sides_of_a_coin_and_of_a_stock(desk: Desk) -> None:
    await desk.rounds(2)

    assert desk.resting(COIN) == [("buy", D(49_500), D("0.01")), ("sell", D(50_500), D("0.01"))]
    assert desk.resting(STOCK) == [("buy", D(198), D("1.5")), ("sell", D(202), D("1.5"))]


async def test_its_books_are_the_venues_to_the_last_digit(desk: Desk) -> None:
    await desk.rounds(2)
    for symbol, price in ((COIN, 49_300), (STOCK, 197), (COIN, 50_000), (STOCK, 200)):
        desk.house.crowds[symbol].move_price(D(price))  # over what rests there
        await desk.rounds(2)

    trades = await desk.saved(Trade)
    fills = desk.house.exchange.fills("desk")
    assert fills
    assert sorted((t.amount, t.price, t.fee_amount, t.fee_currency) for t in trades) == sorted(
        (fill.amount, fill.price, fill.fee, fill.fee_currency) for fill in fills
    )
    holding = desk.house.exchange.ledger.holding("desk", "BTC")
    (position,) = await desk.saved(Position, symbol=COIN)
    assert position.amount == holding.free + holding.used - BALANCES["BTC"]
    assert {order.state for order in await desk.saved(Order)} <= {"open", "filled", "canceled"}


async def test_when_the_stock_market_closes_it_stands_aside_with_the_reason_and_the_coin_goes_on(
    desk: Desk,
) -> None:
    await desk.rounds(2)
    desk.dialect.alpaca.close_stock_market()
    await desk.rounds(3)

    (closed,) = await desk.saved(Decision, bot__name="Stocks")
    assert closed.reason.startswith("Stands aside: the US stock market is closed and opens on ")
    assert (desk.resting(STOCK), len(desk.resting(COIN))) == ([], 2)
    ended = await desk.saved(Order, symbol=STOCK)
    assert {order.state for order in ended} == {"expired"}

    desk.dialect.alpaca.open_stock_market()
    await desk.rounds(2)

    assert len(desk.resting(STOCK)) == 2


@pytest.mark.parametrize("seed", [2, 7])
async def test_after_a_storm_its_books_are_the_venues(
    desk: Desk, lab: Lab, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(Pace, "seconds_to_wait", lambda *_pace, **_reads: 0.0)
    for name, seconds in (("GRACE", 1), ("LATE_TRADES", 0.3), ("CANCEL_PATIENCE", 0.3)):
        monkeypatch.setattr(observe, name, timedelta(seconds=seconds))
    desk.dialect.limits.trading = desk.dialect.limits.data = 10**6
    await desk.rounds(2)

    rates = {kind: 0.008 for kind in KINDS if not kind.startswith("hang")}
    severity = Severity(retry_after=1, late_seconds=0.1, drip_seconds=0.1)
    lab.sky.set(Weather(seed=seed, rates=rates, severity=severity), Region(venue="alpaca"))
    desk.dialect.views.set_lag(Lag(orders_ms=50, trades_ms=80, balances_ms=50, scatters_trades=True))
    desk.dialect.races.set(Odds(probability=0.2), seed=seed)
    chance = random.Random(seed)
    for hour in range(30):
        if hour == 12:
            desk.dialect.alpaca.close_stock_market()
        if hour == 18:
            desk.dialect.alpaca.open_stock_market()
        for symbol, price in ((COIN, 50_000), (STOCK, 200)):
            desk.house.crowds[symbol].move_price(D(price) * (1 + D(chance.randint(-15, 15)) / 1000))
        await desk.rounds_after_pauses(1)

    lab.sky.clear()
    desk.dialect.views.clear()
    desk.dialect.races.set(None)
    assert lab.requests.select(venue="alpaca", struck=True)
    await desk.stop_and_settle()
    trades, fills = await desk.saved(Trade), desk.house.exchange.fills("desk")
    assert sorted((t.amount, t.price, t.fee_amount, t.fee_currency) for t in trades) == sorted(
        (fill.amount, fill.price, fill.fee, fill.fee_currency) for fill in fills
    )
    mine = {order.client_id: order.filled for order in await desk.saved(Order) if order.venue_id}
    assert mine == {order.client_id: order.filled for order in desk.house.exchange.orders("desk")}
    assert desk.house.exchange.open_orders("desk") == []
