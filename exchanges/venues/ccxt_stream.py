"""The books that a venue tells by itself, by ccxt.pro: one connection for all symbols of one way out."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import ccxt.async_support as ccxt

from exchanges.errors import BookStreamError, CredentialsError, Trouble, UnknownSymbolError, VenueError
from exchanges.gateway import Proxy
from exchanges.types import Book, Level, Touch
from exchanges.venues.book_socket import BookSocket
from exchanges.venues.ccxt_errors import ANY_FAILURE, BANNED, TOO_MANY, Call, translate
from exchanges.venues.dialect import BookStreaming
from exchanges.venues.dialects import dialect_of
from exchanges.venues.door import Passage, open_client
from exchanges.venues.exact_book import ExactBook
from exchanges.venues.facts import Venue
from exchanges.venues.stream_door import behind_stream_door
from vault.keyring import VaultError

if TYPE_CHECKING:
    from exchanges.venues.wire import Wire

NEVER = float("inf")
FIRST_BOOK_SECONDS = 15.0
Served = tuple[tuple[Level, ...], tuple[Level, ...]]


@dataclass
class _Told:
    """book: as ccxt keeps it; socket: on which it was told; served: what was made of it, at which change."""

    book: ExactBook
    socket: BookSocket
    topic: str
    served: Served = field(default=((), ()))
    served_at: int = -1

    @property
    def can_be_trusted(self) -> bool:
        sound = self.socket.failure(self.topic) is None and not self.socket.closed()
        return sound and not self.book.is_crossed and not self.book.is_worn

    def sides(self) -> Served:
        if self.served_at != self.book.changes:
            self.served = (self.book.bids.served(), self.book.asks.served())
            self.served_at = self.book.changes
        return self.served


class CcxtBookStream:
    """`exchanges.gateway.BookStream`. Opens nothing before a book is followed, and ends its connection with
    the last one."""

    def __init__(self, venue: Venue, terms: BookStreaming, *, proxy: Proxy | None, wire: Wire) -> None:
        self._venue = venue
        self._terms = terms
        self._proxy = proxy
        self._wire = wire
        self._client: Any = None
        self._opening = asyncio.Lock()
        self._turn = asyncio.Lock()
        self._spoke_at = -NEVER
        self._followed: set[str] = set()
        self._told: dict[str, _Told] = {}
        self._is_closed = False

    async def next_touch(self, symbol: str) -> Touch:
        try:
            told = await self._next(symbol)
            failure = told.socket.failure(told.topic)
            if failure is not None:
                raise failure
        except (*ANY_FAILURE, VaultError) as error:
            raise self._translated(error) from None
        if told.book.is_worn:
            raise BookStreamError("Too little is left of what is known of it.", trouble=Trouble.WORN)
        return told.book.touch()

    async def _next(self, symbol: str) -> _Told:
        client = await self._opened(symbol)
        if symbol not in self._followed:
            book = await self._first(client, symbol)
        elif symbol in self._told and self._told[symbol].socket is client.socket:
            book = await client.watch_order_book(symbol, self._terms.asked_depth)
        else:
            raise _cut()  # ccxt would connect anew, and nobody would know that something was missed
        told = self._told.get(symbol)
        if told is None or told.book is not book:
            if client.socket is None:
                raise _cut()
            told = self._told[symbol] = _Told(book, client.socket, client.book_topic(symbol))
        return told

    async def _first(self, client: Any, symbol: str) -> Any:
        if len(self._followed) >= self._terms.most_symbols:
            raise BookStreamError(
                f"{self._venue.title} tells at most {self._terms.most_symbols} books here.",
                trouble=Trouble.REFUSED,
            )
        self._followed.add(symbol)
        await self._take_turn()
        try:
            async with asyncio.timeout(FIRST_BOOK_SECONDS):
                return await client.watch_order_book(symbol, self._terms.asked_depth)
        except TimeoutError:
            sentence = "The book was subscribed and did not come."
            raise BookStreamError(sentence, trouble=Trouble.SILENCE) from None

    async def _opened(self, symbol: str) -> Any:
        async with self._opening:
            if self._client is None:
                await self._wire.load_markets(self._venue.id, self._proxy)
                if self._is_closed:
                    raise BookStreamError("The stream was closed.", trouble=Trouble.REFUSED)
                client = open_client(
                    self._venue.id, wire=self._wire, proxy=self._proxy, kind=behind_stream_door
                )
                self._wire.market_lists.give(self._venue.id, client)
                self._client = client
        if symbol not in self._client.markets:
            raise UnknownSymbolError(f"{self._venue.title} has no market {symbol}.")
        return self._client

    async def _take_turn(self) -> None:
        """A venue hears only so many messages of ours in a second."""
        async with self._turn:
            wait = self._spoke_at + self._terms.pause_seconds - time.monotonic()
            if wait > 0 and not self._is_closed:
                await asyncio.sleep(wait)
            self._spoke_at = time.monotonic()

    def book(self, symbol: str) -> Book | None:
        told = self._told.get(symbol)
        if told is None or not told.can_be_trusted:
            return None
        bids, asks = told.sides()
        silent = timedelta(seconds=time.monotonic() - told.socket.heard_at)
        return Book(symbol=symbol, bids=bids, asks=asks, time=datetime.now(UTC) - silent)

    def silent_seconds(self) -> float:
        socket = self._client.socket if self._client is not None else None
        return NEVER if socket is None else time.monotonic() - socket.heard_at

    async def drop(self, symbol: str) -> None:
        self._told.pop(symbol, None)
        was_followed = symbol in self._followed
        self._followed.discard(symbol)
        if self._client is None:
            return
        self._client.forget_book(symbol)
        if not self._followed:
            await self._end()
        elif was_followed:
            await self._unsubscribe(symbol)

    async def _end(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _unsubscribe(self, symbol: str) -> None:
        """Not where the connection has ended; a wait for it is over then, too."""
        await self._take_turn()
        client = self._client
        if client is None or client.socket is None or client.socket.closed():
            return
        socket: BookSocket = client.socket
        try:
            await socket.send(client.unsubscription(symbol))
        except ANY_FAILURE as error:
            socket.on_error(ccxt.NetworkError(error))

    async def close(self) -> None:
        self._is_closed = True
        self._told.clear()
        self._followed.clear()
        await self._end()

    def _translated(self, error: Exception) -> VenueError:
        if isinstance(error, VaultError):
            return CredentialsError(str(error))
        if isinstance(error, ccxt.ChecksumError | ccxt.InvalidNonce):  # ccxt's words for a number left out
            return BookStreamError("A message of the book is missing.", trouble=Trouble.GAP)
        if _is_refused(error):
            sentence = f"{self._venue.title} lets nobody listen to its books from here."
            return BookStreamError(sentence, trouble=Trouble.REFUSED)
        call = Call(
            name="watch_order_book",
            title=self._venue.title,
            connection="",
            dialect=dialect_of(self._venue.id),
        )
        return translate(error, call, Passage())


def _cut() -> BookStreamError:
    return BookStreamError("The connection is gone.", trouble=Trouble.CUT)


def _is_refused(error: Exception) -> bool:
    """The request to speak by WebSocket was answered, with a no; not with "later"."""
    cause = error.args[0] if error.args else None
    if not isinstance(cause, aiohttp.WSServerHandshakeError):
        return False
    return 400 <= cause.status < 500 and cause.status not in (BANNED, TOO_MANY)
