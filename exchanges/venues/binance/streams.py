"""ccxt.pro's Binance: the changes of a book by the diff stream, begun with a book that was asked for.

Source: "How to manage a local order book correctly" of Binance's web-socket-streams.md.
"""

from __future__ import annotations

from typing import Any

import ccxt.pro as ccxtpro

from exchanges.venues.ccxt_errors import ANY_FAILURE


class BinanceStreams(ccxtpro.binance):  # type: ignore[misc]
    """Mixed in behind a `StreamDoor`."""

    def stream(self, type: Any, subscriptionHash: Any, numSubscriptions: int = 1) -> str:  # noqa: A002, N803 - ccxt's signature
        """ccxt opens a connection for each symbol; one holds 1,024."""
        return "books"

    def book_topic(self, symbol: str) -> str:
        return f"orderbook::{symbol}"

    def unsubscription(self, symbol: str) -> dict[str, Any]:
        stream = f"{self.market(symbol)['lowercaseId']}@depth@100ms"
        return {"method": "UNSUBSCRIBE", "params": [stream], "id": self.request_id("books")}

    def handle_delta(self, bookside: Any, delta: Any) -> None:
        """ccxt makes floats of them."""
        bookside.storeArray(delta)

    async def fetch_order_book_snapshot(self, client: Any, message: Any, subscription: Any) -> None:
        """ccxt leaves out, without a word, changes that do not follow one another while it waits for this."""
        symbol = subscription["symbol"]
        topic, book = self.book_topic(symbol), self.orderbooks[symbol]
        try:
            asked = await self.fetch_order_book(symbol, subscription["limit"])
        except ANY_FAILURE as error:
            client.reject(error, topic)
            return
        if self.orderbooks.get(symbol) is not book:
            return  # dropped meanwhile, and maybe begun anew
        waiting, book.cache = book.cache, []
        book.reset(asked)
        for change in waiting:
            self.handle_order_book(client, change)
        client.resolve(book, topic)
