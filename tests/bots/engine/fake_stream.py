"""A venue in memory that tells a book when a test says so, goes silent, and fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bots.engine.clock import uptime
from exchanges.errors import VenueError
from exchanges.types import Book, Level, Touch
from tests.bots.engine.fake_venue import FakeGateway, FakeVenue, book
from tests.chaos.virtual_time import VirtualClock, VirtualLoop, virtual_time

D = Decimal
SYMBOL = "BTC/USDT"


def other_amount(of: Book, amount: str) -> Book:
    """The same touch prices with another amount on the bid."""
    return Book(symbol=of.symbol, bids=(Level(of.bids[0].price, D(amount)),), asks=of.asks, time=of.time)


@dataclass
class FakeStream:
    """subscribed: when each subscription began, on the engine's clock; news: what next_touch meets next."""

    books: dict[str, Book] = field(default_factory=dict)
    subscribed: list[float] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    refusal: VenueError | None = None
    heard_at: float = 0.0
    lives: bool = True
    closed: bool = False
    _told: set[str] = field(default_factory=set)
    _news: asyncio.Queue[VenueError | None] = field(default_factory=asyncio.Queue)

    def tell(self, news: Book) -> None:
        self.books[news.symbol] = news
        self.heard_at = uptime()
        self._news.put_nowait(None)

    def break_off(self, error: VenueError) -> None:
        self._news.put_nowait(error)

    async def next_touch(self, symbol: str) -> Touch:
        if symbol not in self._told:
            self.subscribed.append(uptime())
            if self.refusal is not None:
                raise self.refusal
            self._told.add(symbol)
            return self.books[symbol].touch
        error = await self._news.get()
        if error is not None:
            raise error
        return self.books[symbol].touch

    def book(self, symbol: str) -> Book | None:
        return self.books.get(symbol)

    def silent_seconds(self) -> float:
        return 0.0 if self.lives else uptime() - self.heard_at

    async def drop(self, symbol: str) -> None:
        await asyncio.sleep(0)
        self._told.discard(symbol)
        self.dropped.append(symbol)

    async def close(self) -> None:
        self.closed = True


@dataclass
class CountingSource(FakeGateway):
    """What requests show; asked: when each was made."""

    venue: FakeVenue = field(default_factory=FakeVenue)
    shown: Book = field(default_factory=lambda: book(SYMBOL))
    asked: list[float] = field(default_factory=list)

    async def fetch_book(self, symbol: str) -> Book:
        self.asked.append(uptime())
        return self.shown


def in_virtual_time(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs it on a loop whose waits take no time."""
    clock = VirtualClock(began=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=1), seconds=1000.0)
    with virtual_time(clock), asyncio.Runner(loop_factory=lambda: VirtualLoop(clock)) as runner:
        runner.run(test())
