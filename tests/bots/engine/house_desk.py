"""A desk at a house of the lab: a connection with one bot, the market around it, a storm, the end.

Rounds are run by hand, through an unmodified client and real sockets.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bots.engine import observe
from bots.engine.board import Board, read_notice
from bots.engine.duty import Duty
from bots.engine.feed import Feeds
from bots.engine.pulse import Pulse
from bots.engine.takeover import Office
from bots.models import Bot, BotState, Order, Position, Trade
from database.thread import DatabaseThread
from exchanges.models import ExchangeConnection
from exchanges.venues import wire as wire_module
from exchanges.venues.registry import open_market_data
from exchanges.venues.wire import Wire
from tests.bots.engine.conftest import make_bot, make_connection, skip_cooldown, take_lease
from tests.lab.house import House
from tests.lab.lab import Lab
from tests.lab.orders import Kind, Side, Ticket
from tests.lab.races import Odds
from tests.lab.weather import Region, Severity, Weather
from vault.secret import Secret

D = Decimal
TRADER = "trader"
BEFORE_OR_AFTER = ("drop_before", "drop_after", "error_before", "error_after", "page_after")
SPOILT = ("truncated", "broken_off", "duplicate", "nonsense", "firewall")


def open_connection(house: House, symbol: str, **bot: Any) -> ExchangeConnection:
    """A trader with 10,000 in quote and 1 in base, and a bot that quotes 0.01 at 1 % around 40,000."""
    base, _, quote = symbol.partition("/")
    login = house.dialect.new_login(1)
    house.open_account(TRADER, **login._asdict(), balances={quote: D(10_000), base: D(1)})
    key, secret, passphrase = (Secret(part) for part in login)
    connection = make_connection(venue=house.venue, api_key=key, api_secret=secret, passphrase=passphrase)
    make_bot(connection, symbol=symbol, order_amount=D("0.01"), requote_tolerance_pct=D("0.005"), **bot)
    return connection


@dataclass
class HouseDesk:
    lab: Lab
    house: House
    connection: ExchangeConnection
    database: DatabaseThread
    symbol: str = "BTC/USDT"
    wire: Wire = field(default_factory=Wire)

    def __post_init__(self) -> None:
        feeds = Feeds(lambda venue, proxy: open_market_data(venue, proxy=proxy, wire=self.wire))
        self.office = Office(wire=self.wire, feeds=feeds, database=self.database)

    async def open(self) -> None:
        lease = await self.database.run(take_lease, self.connection)
        self.duty = Duty(lease=lease, office=self.office, board=Board(), pulse=Pulse())

    async def close(self) -> None:
        await self.duty._close()
        await self.office.feeds.close()
        await self.wire.close()

    async def rounds(self, number: int = 1) -> None:
        for _ in range(number):
            self.duty.board.post(await self.database.run(read_notice, [self.connection.pk]))
            self.duty.wake()
            skip_cooldown(self.duty)
            await self.duty._guarded_round()

    def trade(self, side: Side, amount: str, price: str, account: str = "crowd") -> None:
        """Somebody else's limit order; nobody trades with an order of his own."""
        ticket = Ticket(
            account=account,
            symbol=self.symbol,
            side=side,
            kind=Kind.LIMIT,
            amount=D(amount),
            price=D(price),
        )
        self.house.exchange.place(ticket)

    async def states(self) -> list[str]:
        return await self.database.run(lambda: sorted(Order.objects.values_list("state", flat=True)))

    async def stop(self, rounds: int) -> None:
        """Nothing of it rests at the venue afterwards."""
        await self.database.run(Bot.objects.update, state=BotState.STOPPING)
        await self.rounds(rounds)
        assert (await self.database.run(Bot.objects.get)).state == BotState.STOPPED
        assert self.house.exchange.open_orders(TRADER) == []

    async def weather_a_storm(self, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """Twelve rounds in a market that moves and trades, with four in ten requests in trouble."""
        for name in ("GRACE", "LATE_TRADES", "CANCEL_PATIENCE"):
            monkeypatch.setattr(observe, name, timedelta(0))
        rates = dict.fromkeys((*BEFORE_OR_AFTER, *SPOILT), 0.04)
        storm = Weather(seed=seed, rates=rates, severity=Severity(mutations=1))
        self.lab.sky.set(storm, Region(venue=self.house.venue))
        self.house.dialect.races.set(Odds(probability=0.5), seed=seed)
        for number in range(12):
            self.trade(Side.SELL, "0.003", "39500", "passer-by")
            self.trade(Side.BUY, "6", str(40_000 + 400 * (number % 3) - 10), "passer-by")
            await self.rounds()
        self.lab.sky.clear()
        self.house.dialect.races.set(None)

    async def books_agree(self) -> None:
        """Every order, trade and balance of ours is the lab's."""
        orders = await self.database.run(lambda: list(Order.objects.all()))
        theirs = {order.client_id: order for order in self.house.exchange.orders(TRADER)}
        assert {order.client_id for order in orders if order.venue_id} == set(theirs)
        trades = await self.database.run(lambda: list(Trade.objects.all()))
        fills = self.house.exchange.fills(TRADER)
        assert sorted(trade.amount for trade in trades) == sorted(fill.amount for fill in fills)
        bought = sum((t.amount if t.side == "buy" else -t.amount for t in trades), D(0))
        positions = await self.database.run(lambda: list(Position.objects.all()))
        assert sum((p.amount + p.fees_base for p in positions), D(0)) == bought


@asynccontextmanager
async def house_desk(
    lab: Lab,
    house: House,
    connection: ExchangeConnection,
    database: DatabaseThread,
    monkeypatch: pytest.MonkeyPatch,
    symbol: str = "BTC/USDT",
) -> AsyncIterator[HouseDesk]:
    """Open, with others' orders at 39,990 and 40,010 in the book."""
    monkeypatch.setattr(wire_module, "build_connector", lab.connector)
    for name in ("crowd", "passer-by"):
        house.exchange.open_account(name)
        for currency in symbol.split("/"):
            house.exchange.ledger.deposit(name, currency, D(10_000_000))
    desk = HouseDesk(lab, house, connection, database, symbol)
    desk.trade(Side.BUY, "5", "39990")
    desk.trade(Side.SELL, "5", "40010")
    await desk.open()
    yield desk
    await desk.close()
