"""What a ccxt.pro class needs to tell books here: the wire's sockets, exact numbers, one connection."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

from exchanges.venues.book_socket import BookSocket
from exchanges.venues.dialect import BookStreaming
from exchanges.venues.dialects import dialect_of
from exchanges.venues.door import Door
from exchanges.venues.exact_book import ExactBook

PING_SECONDS = 3.0
MISSED_PINGS = 3.0  # then nobody is there any more


class StreamDoor(Door):
    """Mixed into a venue's class for streams (`BookStreaming.client_class`), in front of it."""

    streaming_terms: BookStreaming
    clients: dict[str, BookSocket]

    @property
    def socket(self) -> BookSocket | None:
        """The one connection that there is, or is being made."""
        return next(iter((self.clients or {}).values()), None)

    def order_book(self, snapshot: Any = None, depth: Any = None) -> ExactBook:
        terms = self.streaming_terms
        return ExactBook(snapshot or {}, terms.depth, refills=terms.refills)

    def client(self, url: str) -> BookSocket:
        self.open()  # type: ignore[attr-defined]
        self.clients = self.clients or {}
        if url not in self.clients:
            self.clients[url] = self._new_socket(url)
        return self.clients[url]

    def _new_socket(self, url: str) -> BookSocket:
        ours: Any = self
        settings = {
            **ours.streaming,
            "keepAlive": PING_SECONDS * 1000,
            "maxPingPongMisses": MISSED_PINGS,
            "ping": getattr(ours, "ping", None),
            "pongs_count": not self.streaming_terms.speaks_when_quiet,
            "throttle": _at_once,
            "asyncio_loop": asyncio.get_running_loop(),
        }
        return BookSocket(url, ours.handle_message, ours.on_error, ours.on_close, ours.on_connected, settings)

    def ws_dial_delay(self, url: str) -> float:
        """Who follows a book waits between attempts himself."""
        return 0.0

    def forget_book(self, symbol: str) -> None:
        ours: Any = self
        ours.orderbooks.pop(symbol, None)
        if self.socket is not None:
            self.socket.forget(ours.book_topic(symbol))


async def _at_once(_cost: float | None = None) -> None:
    """Subscriptions are paced before they are made."""


@cache
def behind_stream_door(venue_id: str) -> type[Any]:
    terms = dialect_of(venue_id).book_streaming
    if terms is None:
        raise ValueError(f"{venue_id} tells no books here")
    return type(f"{venue_id}_streams", (StreamDoor, terms.client_class()), {"streaming_terms": terms})
