"""Scans of markets: batches, shared rotations, and what is remembered of each market."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from bots.engine.account import Account
from bots.engine.condition import Condition
from bots.engine.feed import Feed
from bots.engine.lease import Lease
from bots.engine.scalping_sheet import ScalpingSheet
from bots.engine.scan import Scanner
from bots.engine.tape import KEPT_MIDS, Scans, Tape
from bots.models import ScalperBot
from bots.models.scalper_bot import Markets
from bots.strategies.momentum import move_pct
from database.thread import DatabaseThread
from exchanges.errors import RateLimitError, VenueDownError
from exchanges.health import COOLDOWN_SECONDS, ERRORS_TO_OPEN, State
from exchanges.models import ExchangeConnection
from exchanges.types import Book, Level
from tests.bots.engine.fake_venue import FakeGateway, FakeVenue, market

D = Decimal
NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = [f"C{number:02}/USDT" for number in range(20)]


def book(mid: str, at: float = 0.0, symbol: str = "BTC/USDT") -> Book:
    """at: seconds from NOW."""
    bids, asks = (Level(D(mid) - 1, D(1)),), (Level(D(mid) + 1, D(1)),)
    return Book(symbol=symbol, bids=bids, asks=asks, time=NOW + timedelta(seconds=at))


# --- The tape


def test_a_tape_knows_how_far_a_market_moved() -> None:
    tape = Tape(window_seconds=60)
    for second in range(0, 180, 5):
        tape.note(book(str(100 + second), second))
    assert move_pct(tape.mids("BTC/USDT"), NOW + timedelta(seconds=175), 60) == D(60) / D(215)


def test_a_tape_keeps_a_bounded_number_of_middles_whatever_a_market_does() -> None:
    tape = Tape(window_seconds=60)
    for step in range(20_000):
        tape.note(book(str(100 + step % 7), step / 100))
    assert len(tape.mids("BTC/USDT")) <= 2 * KEPT_MIDS
    assert tape.mids("BTC/USDT")[-1].price == 100 + 19_999 % 7
    assert tape.mids("BTC/USDT")[0].at <= NOW + timedelta(seconds=199.99 - 60)


def test_after_a_step_back_of_the_clock_what_is_yet_to_come_is_forgotten() -> None:
    tape = Tape(window_seconds=60)
    tape.note(book("100", 0))
    tape.note(book("200", 3600))
    tape.note(book("101", 61))
    assert [mid.price for mid in tape.mids("BTC/USDT")] == [100, 101]


def test_a_book_that_comes_late_is_passed_over() -> None:
    tape = Tape(window_seconds=60)
    tape.note(book("100", 0))
    tape.note(book("102", 20))
    tape.note(book("101", 10), NOW + timedelta(seconds=21))
    assert [mid.price for mid in tape.mids("BTC/USDT")] == [100, 102]


def test_a_crossed_book_is_no_middle() -> None:
    tape = Tape(window_seconds=60)
    crossed = Book(symbol="BTC/USDT", bids=(Level(D(101), D(1)),), asks=(Level(D(100), D(1)),), time=NOW)
    tape.note(crossed)
    assert (tape.book("BTC/USDT"), tape.mids("BTC/USDT")) == (crossed, ())


# --- Scanners


@dataclass
class Hall:
    """Connections of one owner at one venue, each with a scanner of the same markets."""

    database: DatabaseThread
    venue: FakeVenue = field(
        default_factory=lambda: FakeVenue(markets={name: market(name) for name in NAMES})
    )
    scans: Scans = field(default_factory=Scans)
    woken: int = 0
    owner: int = 1

    def scanner(self, **settings: Any) -> Scanner:
        fields = {"markets": Markets.ALL, "quote_currency": "USDT", "cycle_seconds": 5, "window_seconds": 60}
        bot = ScalperBot(**({"min_day_volume": D(0)} | fields | settings))
        lease = Lease(connection_id=uuid4(), owner=uuid4(), fence=1, deadline=float("inf"))
        gateway = FakeGateway(self.venue)
        account = Account(
            lease=lease, name="Main", gateway=gateway, feed=Feed(gateway), database=self.database,
            markets=self.venue.markets, health=Condition(),
        )  # fmt: skip
        connection = ExchangeConnection(venue="binance", owner_id=self.owner)
        return Scanner(account, ScalpingSheet(bot=bot), connection, self.scans, self._wake)

    def _wake(self) -> None:
        self.woken += 1

    @property
    def seen(self) -> list[object]:
        return self.venue.asked("fetch_book")


@pytest_asyncio.fixture
async def hall(database: DatabaseThread) -> AsyncIterator[Hall]:
    hall = Hall(database)
    hall.venue.day_volumes = dict.fromkeys(NAMES, D(1000))
    yield hall


async def test_many_markets_are_looked_at_a_batch_at_a_time_and_the_event_says_which(hall: Hall) -> None:
    scanner = hall.scanner()
    await scanner._guarded_look()
    assert hall.seen == NAMES[:15]
    assert scanner.sheet.scan_sentence == "scanning 1–15 of 20"  # noqa: RUF001 - a range
    await scanner._guarded_look()
    assert hall.seen == NAMES  # the first ten had just been looked at
    assert scanner.sheet.scan_place == NAMES[10]
    assert hall.woken == 2


async def test_two_connections_of_one_owner_share_the_scan(hall: Hall) -> None:
    first, second = hall.scanner(), hall.scanner()
    await first._guarded_look()
    await second._guarded_look()
    assert sorted(set(map(str, hall.seen))) == NAMES
    assert second.sheet.tape is first.sheet.tape
    assert second.sheet.tape is not None
    assert all(second.sheet.tape.book(name) for name in NAMES)


async def test_another_owners_scan_has_its_own_place(hall: Hall) -> None:
    await hall.scanner()._guarded_look()
    hall.owner = 2
    other = hall.scanner()
    await other._guarded_look()
    assert other.sheet.scan_sentence == "scanning 1–15 of 20"  # noqa: RUF001 - a range
    assert hall.seen == NAMES[:15]  # the others had just been looked at


async def test_a_new_worker_goes_on_where_the_last_one_was(hall: Hall) -> None:
    scanner = hall.scanner(scan_place=NAMES[7])
    await scanner._guarded_look()
    assert hall.seen[0] == NAMES[7]


async def test_what_is_hardly_traded_is_not_looked_at(hall: Hall) -> None:
    hall.venue.day_volumes = {NAMES[0]: D(99), NAMES[1]: D(100), NAMES[2]: D(0)}
    await hall.scanner(min_day_volume=D(100))._guarded_look()
    assert hall.seen == [NAMES[1]]


async def test_a_market_without_volume_is_never_chosen(hall: Hall) -> None:
    hall.venue.day_volumes = dict.fromkeys(NAMES, D(0))
    scanner = hall.scanner()
    await scanner._guarded_look()
    assert (hall.seen, scanner.sheet.scan_sentence) == ([], "no market to scan")


async def test_a_batch_that_was_refused_is_looked_at_again_in_smaller_steps(hall: Hall) -> None:
    scanner = hall.scanner()
    hall.venue.fail("fetch_book", RateLimitError("wait", retry_after=7.0), times=3)
    assert await scanner._guarded_look() == 7.0
    assert scanner.sheet.scan_sentence == "the scan waits: wait"
    await scanner._guarded_look()
    assert hall.seen[3:] == NAMES[:5]


async def test_a_venue_that_does_not_answer_is_asked_more_and_more_rarely(hall: Hall) -> None:
    scanner = hall.scanner()
    hall.venue.fail("fetch_day_volumes", VenueDownError("down"), times=3)
    waits = [await scanner._guarded_look() for _ in range(3)]
    assert waits == [2.0, 4.0, 8.0]


async def test_a_listed_market_that_is_not_there_is_named_and_the_others_are_looked_at(hall: Hall) -> None:
    scanner = hall.scanner(markets=Markets.LISTED, symbols=f"{NAMES[0]}, NOPE/USDT, {NAMES[0]}")
    await scanner._guarded_look()
    assert (hall.seen, list(scanner.sheet.unknown)) == ([NAMES[0]], ["NOPE/USDT"])


async def test_a_scanner_ends_with_its_task_and_listens_no_longer(hall: Hall) -> None:
    scanner = hall.scanner()
    task = asyncio.create_task(scanner.run())
    while not hall.woken:  # noqa: ASYNC110 - a count has no event
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert scanner._listening == {}


async def test_what_a_scan_waits_for_counts_for_the_connections_health_and_an_open_breaker_ends_it(
    hall: Hall,
) -> None:
    scanner = hall.scanner()
    down = VenueDownError("The venue is down: wait.")
    hall.venue.fail("fetch_book", down, times=100)
    for _ in range(ERRORS_TO_OPEN):
        await scanner._guarded_look()
    assert scanner.account.health.state is State.OPEN
    asked = len(hall.seen)
    assert 0 < await scanner._guarded_look() <= COOLDOWN_SECONDS
    assert len(hall.seen) == asked
