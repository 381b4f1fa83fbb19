"""Two desks at one lab, and the verdict of chaos on the books of each."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from bots.engine.board import Board, read_notice
from bots.engine.clock import uptime, utc_now
from bots.engine.duty import Duty
from bots.engine.feed import Feeds
from bots.engine.lease import Lease
from bots.engine.pulse import Pulse
from bots.engine.takeover import Office
from bots.models import BotEvent, Order, Position, Trade
from database.thread import DatabaseThread
from exchanges.models import Balance, ExchangeConnection
from exchanges.venues.registry import open_market_data
from exchanges.venues.wire import Wire
from tests.bots.engine.conftest import make_bot, make_connection, skip_cooldown, take_lease
from tests.chaos.verdict import Verdict, judge
from tests.lab.commands import Commands
from tests.lab.lab import Lab
from tests.lab.orders import Kind, RefusedError, Side, Ticket
from vault.secret import Secret

D = Decimal
SYMBOL = "BTC/USDT"
LIMITS = {"max_open_orders": 6, "max_position": D(1)}
AN_HOUR = timedelta(hours=1)
BALANCES = {"USDT": D(100_000), "BTC": D(3)}


def key_of(name: str) -> str:
    return f"Key{name}".ljust(64, "k")


def secret_of(name: str) -> str:
    return f"Secret{name}".ljust(64, "s")


def connect(name: str) -> ExchangeConnection:
    """A connection with a bot of the same name: 0.01 BTC on each side, at 1 % and a little further."""
    connection = make_connection(
        name,
        api_key=Secret(key_of(name)),
        api_secret=Secret(secret_of(name)),
        credentials_tested_at=timezone.now(),
    )
    make_bot(connection, name, order_amount=D("0.01"), levels=2, **LIMITS)
    return connection


@dataclass
class LabDesk:
    """One connection of a runtime whose wire, feeds and database it shares with others."""

    lab: Lab
    connection: ExchangeConnection
    office: Office

    async def open(self) -> None:
        lease = await self.office.database.run(long_lease, self.connection)
        self.duty = Duty(lease=lease, office=self.office, board=Board(), pulse=Pulse())

    async def round(self) -> None:
        self.duty.board.post(await self.office.database.run(read_notice, [self.connection.pk]))
        self.duty.wake()
        skip_cooldown(self.duty)
        await self.duty._guarded_round()

    async def events(self) -> list[BotEvent]:
        mine = BotEvent.objects.filter(connection=self.connection)
        return await self.office.database.run(lambda: list(mine.order_by("pk")))

    async def verdict(self) -> Verdict:
        name, commands = self.connection.name, Commands(self.lab)
        theirs = {
            "orders": commands.orders(account=name),
            "trades": commands.trades(account=name),
            "balances": commands.balances(account=name),
            "journal": commands.journal(account=name),
        }
        ours = await self.office.database.run(_books, self.connection)
        return judge(name, ours, theirs, {name: LIMITS})


def long_lease(connection: ExchangeConnection) -> Lease:
    """One that nobody has to renew."""
    lease = take_lease(connection)
    lease.deadline = uptime() + AN_HOUR.total_seconds()
    ExchangeConnection.objects.filter(pk=connection.pk).update(lease_expires_at=utc_now() + AN_HOUR)
    return lease


def _books(connection: ExchangeConnection) -> dict[str, Any]:
    mine = {"connection": connection}
    return {
        "orders": list(Order.objects.filter(**mine).values("bot__name", *_fields(Order))),
        "trades": list(Trade.objects.filter(**mine).values("order__client_id", *_fields(Trade))),
        "balances": list(Balance.objects.filter(**mine).values(*_fields(Balance))),
        "positions": list(
            Position.objects.filter(bot__connection=connection).values("bot__name", *_fields(Position))
        ),
    }


def _fields(model: type[Any]) -> list[str]:
    return [field.attname for field in model._meta.fields]


@dataclass
class Market:
    """A thin market that moves: what it moves over is filled, and now and then a part of what is nearest."""

    lab: Lab
    chance: random.Random

    def move(self) -> None:
        for order in self.lab.exchange.open_orders("crowd"):
            self.lab.exchange.cancel(order)
        self._nibble()
        mid = self.chance.randint(39_000, 41_000)
        for side, price in ((Side.BUY, mid - 10), (Side.SELL, mid + 10)):
            self._trade(side, D("0.2"), D(price))

    def _nibble(self) -> None:
        resting = [order for order in self.lab.exchange.open_orders() if order.limit_price is not None]
        bids = [order.limit_price for order in resting if order.side is Side.BUY]
        if bids:
            self._trade(Side.SELL, D("0.004"), max(bids))

    def _trade(self, side: Side, amount: Decimal, price: Decimal) -> None:
        ticket = Ticket(
            account="crowd", symbol=SYMBOL, side=side, kind=Kind.LIMIT, amount=amount, price=price
        )
        try:
            self.lab.exchange.place(ticket)
        except RefusedError:
            return


@asynccontextmanager
async def desks_at(lab: Lab, database: DatabaseThread, *names: str) -> AsyncIterator[list[LabDesk]]:
    """Desks of these names in one runtime; the lab has an account for each, and a crowd."""
    lab.exchange.open_account("crowd")
    for currency in BALANCES:
        lab.exchange.ledger.deposit("crowd", currency, D(10_000_000))
    for name in names:
        lab.open_account(name, key=key_of(name), secret=secret_of(name), balances=BALANCES)
    async with Wire() as wire:
        feeds = Feeds(lambda venue, proxy: open_market_data(venue, proxy=proxy, wire=wire))
        office = Office(wire=wire, feeds=feeds, database=database)
        desks = [LabDesk(lab, await database.run(connect, name), office) for name in names]
        for desk in desks:
            await desk.open()
        yield desks
        for desk in desks:
            await desk.duty._close()
        await feeds.close()


async def trade(desks: Sequence[LabDesk], market: Market, rounds: int) -> None:
    """Rounds of all desks at once, in a market that moves before each."""
    for _ in range(rounds):
        market.move()
        await quiet_rounds(desks, 1)


async def quiet_rounds(desks: Sequence[LabDesk], rounds: int) -> None:
    for _ in range(rounds):
        for feed in desks[0].office.feeds._feeds.values():
            feed._cells.clear()  # what it remembers is older than a cycle
        await asyncio.gather(*(desk.round() for desk in desks))
