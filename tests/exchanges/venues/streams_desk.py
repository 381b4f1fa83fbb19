"""A market of the lab whose book a stream follows, by production URLs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal

from exchanges.errors import VenueError
from exchanges.gateway import BookStream, Proxy
from exchanges.types import Book, Touch
from exchanges.venues.exact_book import SERVED_LEVELS
from exchanges.venues.registry import open_book_stream
from exchanges.venues.wire import Wire
from tests.lab.crowd import Crowd
from tests.lab.house import House
from tests.lab.lab import Lab
from tests.lab.trouble import TroubleCommands

SYMBOLS = {"binance": "BTC/USDT", "okx": "BTC/USDT", "kraken": "BTC/USD", "coinbase": "BTC/USD"}
OTHER_SYMBOLS = {"binance": "ETH/USDT", "okx": "ETH/USDT", "kraken": "ETH/USD", "coinbase": "ETH/USD"}
GENEROUS = ("weight", "calls", "public", "public_per_second", "private_per_second")
PATIENCE_SECONDS = 10


async def until(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the lab has no event for it
            await asyncio.sleep(0.005)


@dataclass
class StreamsDesk:
    lab: Lab
    venue: str
    wire: Wire
    stream: BookStream
    crowd: Crowd
    touches: list[Touch] = field(default_factory=list)
    errors: list[VenueError] = field(default_factory=list)
    watching: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def house(self) -> House:
        return self.lab.house(self.venue)

    @property
    def symbol(self) -> str:
        return SYMBOLS[self.venue]

    @property
    def trouble(self) -> TroubleCommands:
        return TroubleCommands(self.lab, self.venue)

    def told(self, symbol: str = "") -> Book | None:
        return self.stream.book(symbol or self.symbol)

    def is_true(self, symbol: str = "") -> bool:
        """What was told is the lab's book, to the last digit."""
        return self.shows(self.told(symbol), symbol)

    def shows(self, told: Book | None, symbol: str = "") -> bool:
        book = self.house.exchange.market(symbol or self.symbol).book
        true = (book.bids.levels()[:SERVED_LEVELS], book.asks.levels()[:SERVED_LEVELS])
        return told is not None and (list(map(tuple, told.bids)), list(map(tuple, told.asks))) == true

    def watch(self, symbol: str = "") -> None:
        """Until the first trouble."""
        self.watching.append(asyncio.create_task(self._watch(symbol or self.symbol)))

    async def _watch(self, symbol: str) -> None:
        try:
            while True:
                self.touches.append(await self.stream.next_touch(symbol))
        except VenueError as error:
            self.errors.append(error)

    async def leave(self) -> None:
        for task in self.watching:
            task.cancel()
        await asyncio.gather(*self.watching, return_exceptions=True)
        self.watching.clear()


@asynccontextmanager
async def streams_desk(lab: Lab, venue: str, proxy: Proxy | None = None) -> AsyncIterator[StreamsDesk]:
    """Prices at 50,000, and 2,500 in the other market."""
    house = lab.house(venue)
    for name in GENEROUS:
        if hasattr(house.dialect.limits, name):
            setattr(house.dialect.limits, name, 100_000)
    crowd = house.gather_crowd(SYMBOLS[venue], Decimal(50_000))
    house.gather_crowd(OTHER_SYMBOLS[venue], Decimal(2_500))
    async with Wire() as wire:
        stream = open_book_stream(venue, proxy=proxy, wire=wire)
        assert stream is not None
        desk = StreamsDesk(lab, venue, wire, stream, crowd)
        try:
            yield desk
        finally:
            await desk.leave()
            with suppress(VenueError):
                await stream.close()
