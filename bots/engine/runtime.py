"""One runtime per worker process: an asyncio loop with its clients, feeds and leases, that outlives shifts.

A shift gives it licence for some seconds at a time. Without licence (no shift, or the worker stops) it hands
its connections over and parks; the loop, the sessions and the market lists stay for the next shift.

Threads: the loop; one for the loop's database work; one, the keeper, that renews leases on a connection of
its own, so that neither a slow venue nor a slow query can delay a renewal.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import uuid
from collections.abc import Awaitable, Callable, Collection, Hashable
from dataclasses import dataclass
from decimal import Decimal

from django.db import Error as AnyDatabaseError
from django.db import connections

from bots.engine import addresses, market_views, processes
from bots.engine import lease as leases
from bots.engine.board import Board, read_notice
from bots.engine.clock import uptime, utc_now
from bots.engine.duty import Duty, Ending
from bots.engine.feed import Feeds
from bots.engine.lease import Lease
from bots.engine.pulse import Pulse
from bots.engine.retention import forget_what_is_old
from bots.engine.starts import start_delays
from bots.engine.takeover import Office
from database.thread import DatabaseThread, tell_outage
from exchanges.gateway import BookStream, MarketData, Proxy
from exchanges.selectors import connection_spec
from exchanges.venues.addresses import Addresses
from exchanges.venues.registry import open_book_stream, open_market_data
from exchanges.venues.wire import Wire
from logs.about import about

log = logging.getLogger(__name__)

TEND_SECONDS = 0.1
BOARD_SECONDS = 1.0
SHARE_SECONDS = 1.0
PULSE_SECONDS = 3.0
RETENTION_SECONDS = 3600.0
ADDRESS_SECONDS = 1.0
ADDRESS_PAUSE_SECONDS = 0.1  # however much is new
RETRY_SECONDS = 0.5
ENDING_SECONDS = 15.0


@dataclass
class Held:
    """A lease, and the task that does its duty."""

    lease: Lease
    duty: Duty
    task: asyncio.Task[None]


class Runtime:
    """start() → extend() from shifts … → close(). All of it may be called from any thread but the loop's."""

    def __init__(self) -> None:
        self.id = uuid.uuid4()
        self._licensed_until = 0.0
        self._ending: Ending | None = None
        self._held: dict[uuid.UUID, Held] = {}
        self._closed = threading.Event()
        self._board, self._pulse = Board(), Pulse()
        self._loop = asyncio.new_event_loop()
        self._threads = [
            threading.Thread(target=self._run_loop, name="runtime", daemon=True),
            threading.Thread(target=self._keep, name="lease-keeper", daemon=True),
        ]

    def start(self) -> None:
        processes.register(self.id)
        for thread in self._threads:
            thread.start()

    def extend(self, seconds: float) -> None:
        """Licence to act for so long from now."""
        self._licensed_until = uptime() + seconds

    def close(self, timeout: float, *, ending: Ending = Ending.STOP) -> bool:
        """Places nothing new and returns the leases; when it stops, it cancels where bots say so and settles.

        True when all of it was done in time (seconds). A second call only waits.
        """
        self._ending = self._ending or ending
        finished = self._closed.wait(timeout)
        for thread in self._threads:
            thread.join(timeout=1)
        return finished

    @property
    def is_alive(self) -> bool:
        return all(thread.is_alive() for thread in self._threads)

    @property
    def held(self) -> int:
        return len(self._held)

    # --- The loop's thread

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._main())
        finally:
            self._loop.close()
            self._closed.set()

    async def _main(self) -> None:
        self._database = DatabaseThread("runtime-database")
        self._wire = Wire(Addresses(is_shared=True))
        self._feeds = Feeds(self._open_market_data, self._open_book_stream)
        clocks = [
            asyncio.create_task(_every(BOARD_SECONDS, self._look_at_board)),
            asyncio.create_task(_every(PULSE_SECONDS, self._write_pulse)),
            asyncio.create_task(_every(SHARE_SECONDS, self._take_share)),
            asyncio.create_task(_every(RETENTION_SECONDS, self._forget)),
            asyncio.create_task(_every(ADDRESS_PAUSE_SECONDS, self._agree_on_addresses)),
            asyncio.create_task(_every(market_views.SHOW_SECONDS, self._show_books)),
            asyncio.create_task(_every(market_views.PRICE_SECONDS, self._keep_prices)),
        ]
        try:
            while self._ending is None:
                await self._tend()
                await asyncio.sleep(TEND_SECONDS)
            for clock in clocks:
                clock.cancel()
            await asyncio.gather(*clocks, return_exceptions=True)
            await self._end_all(self._ending)
            await self._write_pulse()
            await self._database.run(addresses.leave, str(self.id))
        finally:
            await self._feeds.close()
            await self._wire.close()
            self._database.close()

    @property
    def _has_licence(self) -> bool:
        return uptime() < self._licensed_until and self._ending is None

    async def _tend(self) -> None:
        """Releases what is over; without licence, everything is handed over."""
        if not self._has_licence and self._held:
            await self._end_all(Ending.HAND_OVER)
        for held in [held for held in self._held.values() if held.task.done()]:
            await self._release(held)

    async def _take_share(self) -> None:
        """Takes up free connections up to a fair share of those with work; hands over what is above it."""
        if not self._has_licence:
            return
        share = await self._database.run(_fair_share)
        if len(self._held) < share:
            leases_taken = await self._database.run(leases.acquire, self.id, most=share - len(self._held))
            if leases_taken:
                await self._take_up(leases_taken)
        for held in [held for held in self._held.values() if not held.duty.is_idle][share:]:
            held.duty.end(Ending.HAND_OVER)

    async def _take_up(self, taken: Collection[Lease]) -> None:
        """The board is read first: a duty begins with what is wanted of it."""
        notice = await self._database.run(
            read_notice, [*self._held, *(lease.connection_id for lease in taken)]
        )
        self._board.post(notice)
        office = Office(wire=self._wire, feeds=self._feeds, database=self._database)
        delays = start_delays(self._place(lease) for lease in taken)
        for lease, delay in zip(taken, delays, strict=True):
            duty = Duty(
                lease=lease, office=office, board=self._board, pulse=self._pulse, start_delay_seconds=delay
            )
            with about(connection_id=lease.connection_id):
                task = self._loop.create_task(duty.run(), name=f"duty {lease.connection_id}")
            self._held[lease.connection_id] = Held(lease=lease, duty=duty, task=task)

    def _place(self, lease: Lease) -> Hashable:
        """Whom a connection's requests reach, and by which way."""
        connection = self._board.connection(lease.connection_id)
        if connection is None:
            return None
        spec = connection_spec(connection)
        return spec.venue, spec.proxy.key if spec.proxy else None

    async def _release(self, held: Held) -> None:
        try:
            await held.task
        except asyncio.CancelledError:
            log.info("the duty for connection %s was cut short", held.lease.connection_id)
        except Exception:
            log.exception("the duty for connection %s ended in an error", held.lease.connection_id)
        # Before the database is asked, so that the keeper renews no lease that is being returned.
        self._held.pop(held.lease.connection_id, None)
        try:
            await self._database.run(leases.give_back, held.lease)
        except AnyDatabaseError as error:
            tell_outage(error)  # the lease will expire

    async def _end_all(self, ending: Ending) -> None:
        held = list(self._held.values())
        for each in held:
            each.duty.end(ending)
        if held:
            await asyncio.wait([each.task for each in held], timeout=ENDING_SECONDS)
        for each in held:
            each.task.cancel()
            await self._release(each)

    async def _look_at_board(self) -> None:
        asked_for = list(self._held)
        notice = await self._database.run(read_notice, asked_for, self._board.known_bots(uptime()))
        if asked_for != list(self._held):
            return  # leases came or went meanwhile: this notice would take their connections off the board
        for connection_id in self._board.post(notice):
            if connection_id in self._held:
                self._held[connection_id].duty.wake()

    async def _forget(self) -> None:
        await self._database.run(forget_what_is_old, utc_now())

    async def _write_pulse(self) -> None:
        await self._database.run(self._pulse.take().write)

    async def _show_books(self) -> None:
        """Of the markets that somebody looks at."""
        if not self._held:
            return
        views = await self._database.run(market_views.looked_at, list(self._held))
        feeds = {key: held.duty.feed for key, held in self._held.items()}
        books = [
            (view, feed.last_book(view.symbol)) for view in views if (feed := feeds.get(view.connection_id))
        ]
        news = [(view, book) for view, book in books if book and book.time != view.seen_at]
        if news:
            await self._database.run(market_views.show, news)

    async def _keep_prices(self) -> None:
        prices: dict[tuple[str, str], Decimal] = {}
        for key, held in self._held.items():
            feed, connection = held.duty.feed, self._board.connection(key)
            if feed and connection:
                seen = market_views.prices_seen(feed, held.duty.sheets.values(), utc_now())
                prices |= {(connection.venue, symbol): price for symbol, price in seen.items()}
        if prices:
            await self._database.run(market_views.keep_prices, prices, utc_now())

    async def _agree_on_addresses(self) -> None:
        """Once a second, and sooner where a venue has refused or more is wanted. Parked, it holds nothing."""
        await self._wire.addresses.news(ADDRESS_SECONDS)
        if self._held or self._has_licence:
            await addresses.agree(self._wire.addresses, self._database, str(self.id))

    def _open_market_data(self, venue: str, proxy: Proxy | None) -> MarketData:
        return open_market_data(venue, proxy=proxy, wire=self._wire)

    def _open_book_stream(self, venue: str, proxy: Proxy | None) -> BookStream | None:
        return open_book_stream(venue, proxy=proxy, wire=self._wire)

    # --- The keeper's thread

    def _keep(self) -> None:
        """Renews the leases until the loop is closed, then signs off: who may register again does it last."""
        wait = 0.0
        while not self._closed.wait(wait):
            try:
                self._renew()
                wait = leases.RENEW_SECONDS
            except AnyDatabaseError as error:
                tell_outage(error)
                connections.close_all()
                wait = RETRY_SECONDS
        try:
            processes.leave(self.id)
        except AnyDatabaseError as error:
            tell_outage(error)  # the row is buried with the process
        connections.close_all()

    def _renew(self) -> None:
        held = list(self._held.values())
        # A parked runtime is silent, or the others would leave it a share of the connections.
        if (held or self._has_licence) and not processes.beat(self.id):
            processes.register(self.id)  # somebody took us for dead: a frozen process, woken again
        kept = leases.renew(self.id, [each.lease for each in held])
        for each in held:
            if each.lease.connection_id not in kept and not each.lease.returned:
                log.warning("the lease of connection %s was lost", each.lease.connection_id)
                self._loop.call_soon_threadsafe(each.task.cancel)


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    """Again and again; a database that does not answer is asked again."""
    while True:
        try:
            await work()
        except AnyDatabaseError as error:
            tell_outage(error)
        await asyncio.sleep(seconds)


def _fair_share() -> int:
    """How many connections this process should look after."""
    processes.bury_dead_neighbours()
    return math.ceil(leases.connections_with_work() / max(processes.count_alive(), 1))


# --- The process's own

_lock = threading.Lock()
_current: Runtime | None = None


def runtime_of_this_process() -> Runtime:
    """The one runtime, started when first asked for; a new one where the last has ended."""
    global _current  # noqa: PLW0603 - one a process is the point
    with _lock:
        if _current is None or not _current.is_alive:
            _current = Runtime()
            _current.start()
        return _current


def close_runtime_of_this_process(timeout: float, *, ending: Ending) -> bool:
    """True where there was none, or where it ended in time (seconds)."""
    with _lock:
        return _current is None or _current.close(timeout, ending=ending)
