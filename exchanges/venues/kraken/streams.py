"""ccxt.pro's Kraken, with the checksum that comes with each change of a book; ccxt's own reads floats.

Source: "Book" and "Spot WebSocket v2: book checksum" of Kraken's documentation.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

import ccxt.pro as ccxtpro

from exchanges.errors import BookStreamError, Trouble
from exchanges.venues.exact_book import ExactBook

CHECKED_LEVELS = 10


class KrakenStreams(ccxtpro.kraken):  # type: ignore[misc]
    """Mixed in behind a `StreamDoor`."""

    def book_topic(self, symbol: str) -> str:
        return str(self.get_message_hash("orderbook", None, symbol))

    def unsubscription(self, symbol: str) -> dict[str, Any]:
        depth = self.streaming_terms.asked_depth
        return {"method": "unsubscribe", "params": {"channel": "book", "symbol": [symbol], "depth": depth}}

    def custom_handle_deltas(self, bookside: Any, deltas: Any) -> None:
        """ccxt reads floats and strings only."""
        for row in deltas:
            bookside.storeArray((row["price"], row["qty"]))

    def handle_order_book(self, client: Any, message: Any) -> None:
        (told,) = message["data"]
        symbol = told["symbol"]
        if message["type"] == "update" and symbol not in self.orderbooks:
            return  # dropped, and still told
        super().handle_order_book(client, message)
        info = self.market(symbol)["info"]
        places = int(info["pair_decimals"]), int(info["lot_decimals"])
        if told["checksum"] != checksum(self.orderbooks[symbol], *places):
            error = BookStreamError("Kraken's checksum is another.", trouble=Trouble.CHECKSUM)
            client.reject(error, self.book_topic(symbol))


def checksum(book: ExactBook, price_places: int, amount_places: int) -> int:
    """CRC32 over the best asks, then the best bids: all digits of price and amount, without leading zeros."""
    levels = [*book.asks[:CHECKED_LEVELS], *book.bids[:CHECKED_LEVELS]]
    written = (f"{price:.{price_places}f} {amount:.{amount_places}f}" for price, amount in levels)
    return zlib.crc32("".join(_digits(written)).encode())


def _digits(written: Iterable[str]) -> Iterable[str]:
    return (number.replace(".", "").lstrip("0") for level in written for number in level.split())
