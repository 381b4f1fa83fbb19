"""The books of one feed that somebody follows, each told by its venue as long as there is interest."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

from bots.engine.live_book import LiveBook
from exchanges.errors import Trouble
from exchanges.gateway import BookStream
from exchanges.types import Book
from logs.about import about


class LiveBooks:
    """ask: requests one symbol's book.

    repairs: how often a book was told anew, by what was wrong with it.
    """

    def __init__(self, stream: BookStream, ask: Callable[[str], Awaitable[Book]]) -> None:
        self.repairs: Counter[Trouble] = Counter()
        self._stream = stream
        self._ask = ask
        self._books: dict[str, LiveBook] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def symbols(self) -> tuple[str, ...]:
        """Those that somebody follows."""
        return tuple(self._books)

    def book(self, symbol: str) -> Book | None:
        live = self._books.get(symbol)
        return live.book() if live else None

    def follow(self, symbol: str) -> None:
        self._followed(symbol).followers += 1

    def unfollow(self, symbol: str) -> None:
        live = self._books.get(symbol)
        if live is None:
            return
        live.followers -= 1
        if live.followers <= 0:
            del self._books[symbol]
            self._tasks[symbol].cancel()

    def listen(self, symbol: str, wake: Callable[[], None]) -> Callable[[], None]:
        self.follow(symbol)
        live, ticket = self._books[symbol], object()
        live.listeners[ticket] = wake

        def end() -> None:
            if live.listeners.pop(ticket, None) is not None and self._books.get(symbol) is live:
                self.unfollow(symbol)

        return end

    def _followed(self, symbol: str) -> LiveBook:
        if symbol not in self._books:
            live = LiveBook(symbol, self._stream, ask=lambda: self._ask(symbol), repairs=self.repairs)
            leaving = self._tasks.get(symbol)
            self._books[symbol] = live
            with about(connection_id="", bot_id=""):
                self._tasks[symbol] = task = asyncio.create_task(live.run(leaving), name=f"book of {symbol}")
            task.add_done_callback(lambda task: self._forget(symbol, task))
        return self._books[symbol]

    def _forget(self, symbol: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(symbol) is task:
            del self._tasks[symbol]

    async def close(self) -> None:
        """The stream ends before each of its books says good-bye to the venue."""
        tasks = list(self._tasks.values())
        self._books.clear()
        for task in tasks:
            task.cancel()
        await self._stream.close()
        await asyncio.gather(*tasks, return_exceptions=True)
