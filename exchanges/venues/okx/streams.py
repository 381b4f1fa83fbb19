"""ccxt.pro's OKX, with the checksum that comes with each change of a book.

Source: "Order book channel" and "Checksum mechanism" of OKX's API guide.
"""

from __future__ import annotations

import zlib
from itertools import chain, zip_longest
from typing import Any

import ccxt.pro as ccxtpro

from exchanges.errors import BookStreamError, Trouble
from exchanges.venues.exact_book import ExactBook

CHECKED_LEVELS = 25
CHANNEL = "books"


class OkxStreams(ccxtpro.okx):  # type: ignore[misc]
    """Mixed in behind a `StreamDoor`."""

    def book_topic(self, symbol: str) -> str:
        return f"{CHANNEL}:{symbol}"

    def unsubscription(self, symbol: str) -> dict[str, Any]:
        return {"op": "unsubscribe", "args": [{"channel": CHANNEL, "instId": self.market_id(symbol)}]}

    def handle_delta(self, bookside: Any, delta: Any) -> None:
        """ccxt makes floats of them."""
        bookside.storeArray(delta)

    def handle_order_book_message(
        self, client: Any, message: Any, orderbook: Any, topic: Any, market: Any = None
    ) -> Any:
        """ccxt has looked at the sequence, and forgets the book where it is broken."""
        found = super().handle_order_book_message(client, message, orderbook, topic, market)
        told = message.get("checksum")
        # Zero where OKX states none.
        if topic in client.subscriptions and told and int(told) != checksum(orderbook):
            client.reject(BookStreamError("OKX's checksum is another.", trouble=Trouble.CHECKSUM), topic)
        return found


def checksum(book: ExactBook) -> int:
    """CRC32, signed, over price:amount of the best levels, bid and ask in turn, as they were written."""
    sides = [[f"{row[0]:f}:{row[1]:f}" for row in side[:CHECKED_LEVELS]] for side in (book.bids, book.asks)]
    turns = [written for written in chain.from_iterable(zip_longest(*sides)) if written is not None]
    value = zlib.crc32(":".join(turns).encode())
    return value - 2**32 if value >= 2**31 else value
