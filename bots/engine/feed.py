"""Market data for a whole process: one request serves everybody who asks at about the same time.

A book that somebody follows is told by the venue itself, where the venue does that, and read by everybody
without a request; while it cannot be trusted, requests answer as ever.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from bots.engine.clock import uptime
from bots.engine.live_books import LiveBooks
from exchanges.errors import Trouble
from exchanges.gateway import BookStream, MarketData, Proxy
from exchanges.types import Book, Market, PublicTrade, Ticker
from logs.about import about

T = TypeVar("T")
DEFAULT_MAX_AGE_SECONDS = 1.0
VOLUMES_MAX_AGE_SECONDS = 600.0
FORGOTTEN_AFTER_SECONDS = 3600.0  # older than any book that a bot would still quote on


@dataclass
class _Cell:
    """The last answer to one question, and the request that is under way for a newer one."""

    value: Any = None
    asked_at: float = float("-inf")
    request: asyncio.Task[Any] | None = None


@dataclass
class Feed:
    """One venue's market data behind one way out. It is a `MarketData` that remembers and joins requests.

    stream: where the venue tells books by itself.
    """

    source: MarketData
    saved_markets: Mapping[str, Market] | None = None  # the list that is in the database, by this process
    stream: BookStream | None = None
    _cells: dict[Hashable, _Cell] = field(default_factory=dict)
    _asked_at: float = field(default_factory=uptime)
    _live: LiveBooks | None = None

    def __post_init__(self) -> None:
        if self.stream is not None:
            self._live = LiveBooks(self.stream, self.source.fetch_book)

    @property
    def is_forgotten(self) -> bool:
        """Nobody has asked anything for long, nor follows a book."""
        return not self.followed and uptime() - self._asked_at > FORGOTTEN_AFTER_SECONDS

    @property
    def followed(self) -> tuple[str, ...]:
        """The symbols whose books the venue tells."""
        return self._live.symbols if self._live else ()

    @property
    def repairs(self) -> Counter[Trouble]:
        """How often a followed book was told anew, by what was wrong with it."""
        return self._live.repairs if self._live else Counter()

    def follow(self, symbol: str) -> None:
        """From now on the venue is to tell this book, until each who followed it has ended that. Nothing
        where it does not do so."""
        if self._live is not None:
            self._live.follow(symbol)

    def unfollow(self, symbol: str) -> None:
        if self._live is not None:
            self._live.unfollow(symbol)

    def listen(self, symbol: str, wake: Callable[[], None]) -> Callable[[], None]:
        """Follows the book, and calls `wake` after each change of its touch, at most once a turn of the
        loop. It must not block. What is returned ends it; calling that again does nothing."""
        return self._live.listen(symbol, wake) if self._live else _nothing

    @property
    def budget_used(self) -> float:
        return self.source.budget_used

    async def load_markets(self) -> Mapping[str, Market]:
        return await self.source.load_markets()

    async def fetch_time(self) -> datetime:
        return await self.source.fetch_time()

    async def fetch_ticker(self, symbol: str, *, max_age: float = DEFAULT_MAX_AGE_SECONDS) -> Ticker:
        return await self._ask(("ticker", symbol), max_age, lambda: self.source.fetch_ticker(symbol))

    async def fetch_book(self, symbol: str, *, max_age: float = DEFAULT_MAX_AGE_SECONDS) -> Book:
        """The book, no older than `max_age` seconds when it was asked for; or as the venue tells it."""
        told = self._live.book(symbol) if self._live else None
        if told is not None:
            self._asked_at = uptime()
            return told
        return await self._ask(("book", symbol), max_age, lambda: self.source.fetch_book(symbol))

    async def fetch_public_trades(self, symbol: str, *, since: datetime) -> Sequence[PublicTrade]:
        return await self.source.fetch_public_trades(symbol, since=since)

    async def fetch_day_volumes(self, *, max_age: float = VOLUMES_MAX_AGE_SECONDS) -> Mapping[str, Decimal]:
        return await self._ask("day volumes", max_age, self.source.fetch_day_volumes)

    def last_book(self, symbol: str) -> Book | None:
        """The last one received, however old: it says its time itself."""
        told = self._live.book(symbol) if self._live else None
        if told is not None:
            return told
        cell = self._cells.get(("book", symbol))
        return cell.value if cell else None

    async def close(self) -> None:
        if self._live is not None:
            await self._live.close()
        for cell in self._cells.values():
            if cell.request:
                cell.request.cancel()
        self._cells.clear()

    async def _ask(self, question: Hashable, max_age: float, ask: Callable[[], Awaitable[T]]) -> T:
        self._asked_at = uptime()
        cell = self._cells.get(question) or self._new_cell(question)
        if uptime() - cell.asked_at <= max_age:
            return cell.value  # type: ignore[no-any-return]
        if cell.request is None:
            with about(connection_id="", bot_id=""):  # it is everybody's, whoever asked first
                cell.request = asyncio.create_task(_answer(cell, ask))
            cell.request.add_done_callback(_outcome_seen)
        # A caller that is cancelled leaves the request to the others.
        return await asyncio.shield(cell.request)

    def _new_cell(self, question: Hashable) -> _Cell:
        """With the first question of a kind, the answers go that nobody has asked for in a long time."""
        long_ago = uptime() - FORGOTTEN_AFTER_SECONDS
        old = [key for key, cell in self._cells.items() if cell.asked_at < long_ago and not cell.request]
        for key in old:
            del self._cells[key]
        self._cells[question] = cell = _Cell()
        return cell


async def _answer(cell: _Cell, ask: Callable[[], Awaitable[T]]) -> T:
    asked_at = uptime()
    try:
        value = await ask()
        cell.value, cell.asked_at = value, asked_at
        return value
    finally:
        cell.request = None


def _outcome_seen(request: asyncio.Task[Any]) -> None:
    """All who asked may be gone by now; an error that nobody awaits is not worth a warning."""
    if not request.cancelled():
        request.exception()


def _nothing() -> None:
    """What ends a subscription that there never was."""


def _no_stream(_venue: str, _proxy: Proxy | None) -> BookStream | None:
    return None


class Feeds:
    """The feeds of a process, opened when first asked for.

    open_book_stream: costs nothing until a book is followed; None where the venue tells none by itself.
    """

    def __init__(
        self,
        open_market_data: Callable[[str, Proxy | None], MarketData],
        open_book_stream: Callable[[str, Proxy | None], BookStream | None] = _no_stream,
    ) -> None:
        self._open = open_market_data
        self._open_stream = open_book_stream
        self._feeds: dict[Hashable, Feed] = {}

    def feed(self, venue: str, proxy: Proxy | None) -> Feed:
        key = (venue, *proxy.key) if proxy else (venue,)
        if key not in self._feeds:
            # Those of a way out that is no longer taken, as after a proxy's password was changed. Who still
            # holds one may use it.
            self._feeds = {known: feed for known, feed in self._feeds.items() if not feed.is_forgotten}
            self._feeds[key] = Feed(self._open(venue, proxy), stream=self._open_stream(venue, proxy))
        return self._feeds[key]

    async def close(self) -> None:
        """All at once: a venue that does not answer a good-bye holds up no other."""
        await asyncio.gather(*(feed.close() for feed in self._feeds.values()))
        self._feeds.clear()
