"""A scalper at a house of the lab: the market around it is moved by others' orders, rounds run by hand."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bots.engine.account import Account
from bots.engine.board import Board
from bots.engine.duty import Duty
from bots.engine.pulse import Pulse
from bots.engine.scalping_sheet import ScalpingSheet
from bots.models import Bot, BotState, Decision, Order, RoundTrip, ScalperBot
from database.thread import DatabaseThread
from exchanges.models import ExchangeConnection
from exchanges.pacing import Budget
from exchanges.types import Book, Level
from exchanges.venues import dialects
from exchanges.venues import wire as wire_module
from exchanges.venues.kraken.dialect import DIALECT
from tests.bots.engine.conftest import make_connection, make_scalper
from tests.bots.engine.house_desk import TRADER, HouseDesk
from tests.bots.engine.lab_books import long_lease
from tests.e2e.books import books_agree
from tests.e2e.report import books
from tests.lab.commands import Commands
from tests.lab.house import House
from tests.lab.journal import Event
from tests.lab.lab import Lab
from tests.lab.orders import Side
from vault.secret import Secret

D = Decimal
SYMBOLS = {"binance": "BTC/USDT", "kraken": "BTC/USD", "coinstore": "BTC/USDT"}
BRISK = Budget(rate=10_000, burst=10_000)
MANY = "5"
MINUTE = timedelta(seconds=60)


def brisk_house(lab: Lab, venue: str, monkeypatch: pytest.MonkeyPatch) -> House:
    """Rounds of a test follow each other at once: no venue's budget or gate holds them up."""
    house = lab.house(venue)
    if venue == "kraken":
        monkeypatch.setitem(dialects._DIALECTS, "kraken", replace(DIALECT, key_budget=BRISK))
        for name in ("calls", "public", "orders"):
            setattr(house.dialect.limits, name, 10**6)
    if venue == "coinstore":
        house.dialect.limits.accept_ms = 0
    return house


def open_scalper(house: House, **settings: Any) -> ExchangeConnection:
    """A trader with 10,000 in quote and 1 in base, and a scalper that enters for 100."""
    symbol = SYMBOLS[house.venue]
    base, _, quote = symbol.partition("/")
    login = house.dialect.new_login(1)
    house.open_account(TRADER, **login._asdict(), balances={quote: D(10_000), base: D(1)})
    key, secret, passphrase = (Secret(part) for part in login)
    connection = make_connection(venue=house.venue, api_key=key, api_secret=secret, passphrase=passphrase)
    usual: dict[str, Any] = {"symbols": symbol, "cycle_seconds": 1, "cooldown_seconds": 60}
    make_scalper(connection, **(usual | settings))
    return connection


@dataclass
class ScalperHouse(HouseDesk):
    @property
    def sheet(self) -> ScalpingSheet:
        (sheet,) = [sheet for sheet in self.duty.sheets.values() if isinstance(sheet, ScalpingSheet)]
        return sheet

    @property
    def account(self) -> Account:
        assert self.duty._account is not None
        return self.duty._account

    async def open(self) -> None:
        """With a lease that nobody has to renew, however long a storm takes."""
        lease = await self.database.run(long_lease, self.connection)
        self.duty = Duty(lease=lease, office=self.office, board=Board(), pulse=Pulse())

    # --- The market

    def quote(self, bid: str, ask: str, *, bids: str = MANY, asks: str = MANY) -> None:
        """The book is these two levels of others now, and what is ours; what it meets on its way trades."""
        for order in self.house.exchange.open_orders("crowd"):
            self.house.exchange.cancel(order)
        for side, amount, price in ((Side.BUY, bids, bid), (Side.SELL, asks, ask)):
            if D(amount):
                self.trade(side, amount, price)

    async def look(self, bid: str, ask: str, *, rounds: int = 2, bids: str = MANY, asks: str = MANY) -> None:
        self.quote(bid, ask, bids=bids, asks=asks)
        await self.rounds(rounds)

    async def rounds(self, number: int = 1) -> None:
        """Each looks at the book as it is now."""
        for _ in range(number):
            for feed in self.office.feeds._feeds.values():
                feed._cells.clear()
            await super().rounds()

    async def rise(self, *, asks: str = MANY) -> None:
        """By two per cent within the minute, to 39,990 and 40,010: the scalper buys what is asked there."""
        self.quote("39990", "40010", asks=asks)
        await self._moved("39200")

    async def fall(self, *, bids: str = MANY) -> None:
        """By two per cent, to the same prices."""
        self.quote("39990", "40010", bids=bids)
        await self._moved("40800")

    async def _moved(self, since: str) -> None:
        """It has seen the market at that price a minute ago, and sees it now as it is."""
        if not self.duty._agrees:
            await self.rounds()
        self.remembers(since)
        await self.scanned()
        await self.rounds(2)

    def remembers(self, mid: str, ago: timedelta = MINUTE) -> None:
        bids, asks = (Level(D(mid) - 1, D(1)),), (Level(D(mid) + 1, D(1)),)
        tape = self.office.scans.tape(self.house.venue)
        tape.window_seconds = 60
        tape._tracks.clear()
        tape.note(Book(symbol=self.symbol, bids=bids, asks=asks, time=datetime.now(UTC) - ago))

    async def scanned(self) -> None:
        tape, before = self.office.scans.tape(self.house.venue), datetime.now(UTC)
        await self.duty._scanners.stop()
        await self.rounds()
        for _ in range(400):
            book = tape.book(self.symbol)
            if book is not None and book.time >= before:
                return
            await asyncio.sleep(0.005)
        raise AssertionError(f"the scanner did not look at {self.symbol}")

    async def look_at_markets_anew(self) -> None:
        """Its list of them has aged."""
        for listed in self.wire.market_lists._lists.values():
            listed.asked_at = float("-inf")
        for _ in range(3):
            await self.rounds()
            await asyncio.sleep(0.05)

    # --- The books

    async def trips(self) -> list[RoundTrip]:
        return await self.database.run(lambda: list(RoundTrip.objects.order_by("pk")))

    async def trip(self) -> RoundTrip:
        trips = await self.trips()
        assert len(trips) == 1, await self.reason()
        return trips[0]

    async def orders(self, **where: Any) -> list[Order]:
        return await self.database.run(lambda: list(Order.objects.filter(**where).order_by("pk")))

    async def ends(self, **where: Any) -> list[tuple[str, str]]:
        """(what it was for, how it ended) of each order."""
        return [(order.level, order.state) for order in await self.orders(**where)]

    async def change(self, **settings: Any) -> None:
        await self.database.run(ScalperBot.objects.update, **settings)

    async def set_state(self, state: BotState) -> None:
        await self.database.run(Bot.objects.filter(scalperbot__isnull=False).update, state=state)

    async def state(self) -> str:
        return (await self.database.run(Bot.objects.get, scalperbot__isnull=False)).state

    async def reason(self) -> str:
        return (await self.database.run(Decision.objects.get, bot__scalperbot__isnull=False)).reason

    def resting(self) -> Sequence[Any]:
        """Ours at the venue, in the order of arrival."""
        return self.house.exchange.open_orders(TRADER)

    async def is_exact(self) -> None:
        """Nothing rests; orders, trades, fees, positions, round trips and balances are the lab's to the last
        digit; and no amount had two live exits at any moment."""
        await self.rounds()
        assert self.resting() == []
        books_agree(await self.database.run(books), Commands(self.lab, self.house.venue), TRADER)
        self.closed_nothing_twice(await self.trips())

    def closed_nothing_twice(self, trips: Sequence[RoundTrip]) -> None:
        """As the lab's journal has it: what could still leave was never more than what had come."""
        (side,) = {trip.side for trip in trips}
        fees = {
            (fill.trade_id, fill.order_id): fill.fee
            for fill in self.house.exchange.fills(TRADER)
            if self.symbol.startswith(f"{fill.fee_currency}/")
        }
        held, live = D(0), defaultdict[int, Decimal](Decimal)
        for entry in self.house.exchange.journal.entries(account=TRADER):
            amount = entry.amount or D(0)
            if entry.event is Event.FILLED:
                fee = fees.get((entry.trade_id, entry.order_id), D(0))
                held += amount - fee if entry.side == side else -(amount - fee)
            if entry.side != side:
                if entry.event is Event.ACCEPTED:
                    live[entry.order_id] = amount
                elif entry.event is Event.FILLED:
                    live[entry.order_id] -= amount
                elif entry.event is not Event.REFUSED:
                    live.pop(entry.order_id)
            fees_to_come = D("0.001") * sum(live.values()) if side == "sell" else D(0)
            assert sum(live.values()) - fees_to_come <= held, entry


@asynccontextmanager
async def scalper_house(
    lab: Lab,
    house: House,
    connection: ExchangeConnection,
    database: DatabaseThread,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[ScalperHouse]:
    monkeypatch.setattr(wire_module, "build_connector", lab.connector)
    symbol = SYMBOLS[house.venue]
    for name in ("crowd", "passer-by"):
        house.exchange.open_account(name)
        for currency in symbol.split("/"):
            house.exchange.ledger.deposit(name, currency, D(10_000_000))
    desk = ScalperHouse(lab, house, connection, database, symbol)
    desk.wire.pace(house.venue, None, BRISK)
    desk.quote("39990", "40010")
    await desk.open()
    yield desk
    await desk.close()
