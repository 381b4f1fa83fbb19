"""A desk for the engine's tests: a bot on a connection at a fake venue, and rounds run by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ParamSpec, TypeVar
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from django.contrib.auth.models import User
from django.db import connections
from django.test.utils import CaptureQueriesContext

from bots.engine import lease as leases
from bots.engine import takeover
from bots.engine.account import Account
from bots.engine.board import Board, read_notice
from bots.engine.duty import Duty
from bots.engine.feed import Feeds
from bots.engine.lease import Lease
from bots.engine.measured import MeasuredGateway
from bots.engine.pulse import Pulse
from bots.engine.takeover import Office
from bots.models import Bot, BotEvent, BotState, Order, ScalperBot, SpreadBot
from database.thread import DatabaseThread
from exchanges.gateway import ConnectionSpec, Gateway
from exchanges.models import ExchangeConnection
from exchanges.venues.wire import Wire
from tests.bots.engine.fake_venue import FakeGateway, FakeVenue
from vault.secret import Secret

P = ParamSpec("P")
T = TypeVar("T")
KEYS = {"api_key": Secret("key"), "api_secret": Secret("secret")}
SETTINGS = {
    "bid_spread_pct": Decimal("0.01"),
    "ask_spread_pct": Decimal("0.01"),
    "order_amount": Decimal(1),
    "state": BotState.RUNNING,
}


SCALPER = {
    "symbols": "BTC/USDT",
    "order_cost": Decimal(100),
    "entry_move_pct": Decimal("0.01"),
    "stop_loss_pct": Decimal("0.05"),
    "take_profit_pct": Decimal("0.1"),
    "cooldown_seconds": 0,
    "state": BotState.RUNNING,
}


def make_connection(name: str = "Main", **fields: Any) -> ExchangeConnection:
    owner, _ = User.objects.get_or_create(username="olga")
    given = {"name": name, "venue": "binance", "mode": "live", "owner": owner} | KEYS | fields
    return ExchangeConnection.objects.create(**given)


def make_bot(connection: ExchangeConnection, name: str = "Maker", **settings: Any) -> SpreadBot:
    """Around a middle of 100 it quotes 1 at 99 and 1 at 101."""
    fields = {"name": name, "connection": connection, "symbol": "BTC/USDT"} | SETTINGS | settings
    return SpreadBot.objects.create(**fields)


def make_scalper(connection: ExchangeConnection, name: str = "Scalper", **settings: Any) -> ScalperBot:
    """Buys for 100 in quote what rose by one per cent in a minute; stops at a loss of 5 %, takes 10 %."""
    return ScalperBot.objects.create(connection=connection, name=name, **(SCALPER | settings))


def unwrapped(account: Account) -> Gateway:
    """The account's own gateway, behind the one that measures it."""
    assert isinstance(account.gateway, MeasuredGateway)
    return account.gateway.gateway


def take_lease(connection: ExchangeConnection) -> Lease:
    """For tests that need not ask for it: this connection's, whoever has it now."""
    ExchangeConnection.objects.filter(pk=connection.pk).update(lease_owner=None)
    (lease,) = [one for one in leases.acquire(uuid4(), most=100) if one.connection_id == connection.pk]
    return lease


def skip_cooldown(duty: Duty) -> None:
    """A test that runs rounds by hand has no time to wait for a breaker."""
    if duty.health is not None:
        duty.health.let_try()


@dataclass
class Desk:
    """round(): the board is read and every bot is due; then one round of the connection's duty."""

    connection: ExchangeConnection
    bot: SpreadBot
    venue: FakeVenue
    database: DatabaseThread
    board: Board = field(default_factory=Board)
    pulse: Pulse = field(default_factory=Pulse)
    duty: Duty = field(init=False)

    def __post_init__(self) -> None:
        feeds = Feeds(lambda _venue, _proxy: FakeGateway(self.venue))
        self.office = Office(wire=Wire(), feeds=feeds, database=self.database)

    @property
    def account(self) -> Account:
        assert self.duty._account is not None
        return self.duty._account

    async def do(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """In the database's thread."""
        return await self.database.run(function, *args, **kwargs)

    async def open(self) -> None:
        """A new lease and a new duty: a worker starts, or starts again."""
        lease = await self.do(take_lease, self.connection)
        self.duty = Duty(lease=lease, office=self.office, board=self.board, pulse=self.pulse)

    async def look_at_board(self) -> None:
        self.board.post(await self.do(read_notice, [self.connection.pk]))

    async def round(self) -> float:
        await self.look_at_board()
        self.duty.wake()
        return await self.duty._guarded_round()

    async def round_until_placing_then(self, happens: Callable[[], None]) -> None:
        """A round in which something happens after the intents are saved and before a request leaves."""
        self.venue.before_place = lambda _request: happens()
        await self.round()

    async def rounds(self, number: int) -> None:
        for _ in range(number):
            await self.round()

    async def orders(self, **where: Any) -> list[Order]:
        return await self.do(lambda: list(Order.objects.filter(**where).order_by("pk")))

    async def states(self) -> list[str]:
        return [order.state for order in await self.orders()]

    async def events(self, kind: str) -> list[BotEvent]:
        return await self.do(lambda: list(BotEvent.objects.filter(kind=kind)))

    async def set_state(self, state: BotState, bot_id: UUID | None = None) -> None:
        await self.do(Bot.objects.filter(pk=bot_id or self.bot.pk).update, state=state)

    async def state(self) -> str:
        return (await self.do(Bot.objects.get, pk=self.bot.pk)).state

    async def queries_of_a_round(self) -> list[str]:
        """The statements that one round sends."""
        await self.look_at_board()
        self.duty.wake()
        capture = await self.do(_begin_capture)
        await self.duty._guarded_round()
        await self.do(capture.__exit__, None, None, None)
        return [query["sql"] for query in capture.captured_queries]


def _begin_capture() -> CaptureQueriesContext:
    connection = connections["default"]  # this thread's own, whoever reads the capture
    connection.ensure_connection()
    capture = CaptureQueriesContext(connection)
    capture.__enter__()
    return capture


@pytest.fixture
def connection(transactional_db: None) -> ExchangeConnection:
    return make_connection()


@pytest.fixture
def bot(connection: ExchangeConnection) -> SpreadBot:
    return make_bot(connection)


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> FakeVenue:
    """The one at which every gateway of this test is opened."""
    fake = FakeVenue()

    def open_gateway(_spec: ConnectionSpec, *, licence: Lease, **_rest: object) -> Gateway:
        fake.gateways_opened += 1
        return FakeGateway(fake, licence)

    monkeypatch.setattr(takeover, "open_gateway", open_gateway)
    return fake


@pytest_asyncio.fixture
async def database() -> AsyncIterator[DatabaseThread]:
    thread = DatabaseThread("test-database")
    yield thread
    await asyncio.to_thread(thread.close)


@pytest_asyncio.fixture
async def desk(
    connection: ExchangeConnection, bot: SpreadBot, venue: FakeVenue, database: DatabaseThread
) -> AsyncIterator[Desk]:
    desk = Desk(connection=connection, bot=bot, venue=venue, database=database)
    await desk.open()
    yield desk
    await desk.office.feeds.close()
