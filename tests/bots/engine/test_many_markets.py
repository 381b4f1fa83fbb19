"""732 markets on one connection whose venue allows ten requests a second, and refuses now and then.

The paces are the product's own; time is virtual, so that every wait is counted and none is real.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from bots.engine import clock as engine_clock
from bots.engine import takeover
from bots.engine.board import Board, read_notice
from bots.engine.duty import Duty
from bots.engine.feed import Feeds
from bots.engine.pulse import Pulse
from bots.engine.takeover import Office
from bots.models.scalper_bot import Markets
from exchanges.errors import RateLimitError
from exchanges.gateway import Licence
from exchanges.models import ExchangeConnection
from exchanges.pacing import Budget
from exchanges.venues import pace as pace_module
from exchanges.venues.pace import Pace, pay
from exchanges.venues.wire import Wire
from tests.bots.engine.conftest import make_bot, make_connection, make_scalper
from tests.bots.engine.fake_venue import FakeGateway, FakeVenue, market
from tests.bots.engine.lab_books import long_lease
from tests.chaos.memory_desk import replaced
from tests.chaos.virtual_time import CountedThread, VirtualClock, VirtualLoop, virtual_time

D = Decimal
NAMES = [f"C{number:03}/USDT" for number in range(731)]
PER_MINUTE = 600  # what the venue allows, ten requests a second
MINUTE = 60.0
WAY_SECONDS = 0.05
RETRY_AFTER_SECONDS = 2.0
RUN_SECONDS = 240.0
MOVES_SECONDS = 5.0
IMPATIENCE = (200, 201, 450, 900)  # the n-th requests that it refuses


@dataclass
class StrictVenue(FakeVenue):
    """sent: when each request left, and what it was. waits: of orders, from the decision to the wire."""

    pace: Pace = field(default_factory=lambda: Pace(Budget.from_interval(100)))
    sent: list[tuple[float, str, object]] = field(default_factory=list)
    refused_at: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    is_patient: bool = False

    @asynccontextmanager
    async def serving(self, method: str, argument: object, licence: Licence | None) -> AsyncIterator[None]:
        decided_at, reads = engine_clock.uptime(), method not in {"place", "cancel"}
        await pay([(self.pace, 1.0)], reads=reads)
        self.sent.append((engine_clock.uptime(), method, argument))
        await asyncio.sleep(WAY_SECONDS)
        if method == "place":
            self.waits.append(engine_clock.uptime() - decided_at)
        if reads and not self.is_patient and len(self.sent) in IMPATIENCE:
            self._refuse()
        self.budget_used = self.pace.used
        async with super().serving(method, argument, licence):
            yield

    def _refuse(self) -> None:
        """As a gateway obeys it."""
        self.refused_at.append(engine_clock.uptime())
        self.pace.pause(RETRY_AFTER_SECONDS)
        self.pace.slow_down()
        raise RateLimitError("Too many requests.", retry_after=RETRY_AFTER_SECONDS, code="429")

    @property
    def most_in_a_minute(self) -> int:
        times = [at for at, _, _ in self.sent]
        return max(sum(1 for at in times if start <= at < start + MINUTE) for start in times)


@contextmanager
def in_virtual_time() -> Iterator[asyncio.Runner]:
    clock = VirtualClock(began=datetime.now(UTC))
    stands_in = SimpleNamespace(monotonic=lambda: clock.seconds)
    with (
        virtual_time(clock),
        replaced(pace_module, "time", stands_in),
        asyncio.Runner(loop_factory=lambda: VirtualLoop(clock)) as runner,
    ):
        runner.get_loop().clock = clock  # type: ignore[attr-defined]
        yield runner


async def trade(venue: StrictVenue, connection: ExchangeConnection) -> None:
    """A spread bot follows a market that moves every five seconds; whoever else is there does his work."""
    clock: VirtualClock = asyncio.get_running_loop().clock  # type: ignore[attr-defined]
    database = CountedThread("test-database", clock)
    feeds = Feeds(lambda _venue, _proxy: FakeGateway(venue))
    office = Office(wire=Wire(), feeds=feeds, database=database)
    duty = Duty(lease=await database.run(long_lease, connection), office=office, board=Board(), pulse=Pulse())
    duty.board.post(await database.run(read_notice, [connection.pk]))
    work = asyncio.create_task(duty.run())
    for number in range(int(RUN_SECONDS / MOVES_SECONDS)):
        await asyncio.sleep(MOVES_SECONDS)
        bid = D(100) + D(number % 5)
        venue.quoted["BTC/USDT"] = (str(bid), str(bid + D("0.2")))
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    await duty._close()
    await feeds.close()
    database.close()


def day_of(monkeypatch: pytest.MonkeyPatch, *, scans: bool, is_patient: bool = False) -> StrictVenue:
    connection = make_connection("Scanned" if scans else "Idle")
    make_bot(connection, cycle_seconds=5)
    if scans:
        make_scalper(
            connection, symbols="", markets=Markets.ALL, quote_currency="USDT", cycle_seconds=1,
            entry_move_pct=D("0.5"),
        )  # fmt: skip
    venue = StrictVenue(
        markets={name: market(name) for name in ["BTC/USDT", *NAMES]}, is_patient=is_patient or not scans
    )
    venue.day_volumes = dict.fromkeys(venue.markets, D(1000))
    monkeypatch.setattr(
        takeover, "open_gateway", lambda _spec, *, licence, **_rest: FakeGateway(venue, licence)
    )
    with in_virtual_time() as runner:
        runner.run(trade(venue, connection))
    return venue


def p95(values: list[float]) -> float:
    return sorted(values)[int(0.95 * len(values))]


@pytest.fixture
def scanned(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> StrictVenue:
    return day_of(monkeypatch, scans=True)


def test_every_market_is_visited_within_the_budget_and_refusals_are_obeyed(scanned: StrictVenue) -> None:
    visited = {argument for _, method, argument in scanned.sent if method == "fetch_book"}
    assert visited == {"BTC/USDT", *NAMES}
    assert scanned.most_in_a_minute <= PER_MINUTE
    assert len(scanned.refused_at) >= 2
    for refused_at in scanned.refused_at:
        in_peace = [at for at, _, _ in scanned.sent if refused_at < at < refused_at + RETRY_AFTER_SECONDS]
        assert in_peace == []


def test_orders_are_as_quick_as_on_an_idle_desk(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = day_of(monkeypatch, scans=False)
    busy = day_of(monkeypatch, scans=True, is_patient=True)
    assert len(busy.sent) > 3 * len(idle.sent)
    assert len(busy.waits) >= 0.9 * len(idle.waits) >= 40
    assert p95(busy.waits) <= 1.2 * p95(idle.waits)
