"""ccxt.pro's Coinbase, with the number that each message of a connection has, and a heartbeat.

Source: "Advanced Trade WebSocket overview" (sequence numbers) and "Heartbeats channel" of its documentation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from heapq import nlargest, nsmallest
from typing import Any

import ccxt.pro as ccxtpro

from exchanges.errors import BookStreamError, Trouble
from exchanges.venues.ccxt_errors import ANY_FAILURE

CHANNEL = "level2"
SIDES = {"bids": "bid", "asks": "offer"}
Row = tuple[str, str]


class CoinbaseStreams(ccxtpro.coinbase):  # type: ignore[misc]
    """Mixed in behind a `StreamDoor`."""

    def book_topic(self, symbol: str) -> str:
        return f"{CHANNEL}::{symbol}"

    def unsubscription(self, symbol: str) -> dict[str, Any]:
        return {"type": "unsubscribe", "product_ids": [self.market_id(symbol)], "channel": CHANNEL}

    def handle_order_book_helper(self, orderbook: Any, updates: Any) -> None:
        """At first Coinbase tells all levels there are, tens of thousands; those that are kept are found
        before they are sorted in."""
        for side, name in SIDES.items():
            rows = [(row["price_level"], row["new_quantity"]) for row in updates if row["side"] == name]
            is_first = not orderbook[side]
            for row in _nearest(rows, side, self.streaming_terms.depth) if is_first else rows:
                orderbook[side].storeArray(row)
        orderbook.limit()

    def on_connected(self, client: Any, message: Any = None) -> None:
        """Without it, Coinbase ends a connection on which nothing happens for a minute."""
        super().on_connected(client, message)
        self._beating = asyncio.ensure_future(_ask_for_heartbeats(client))

    def handle_message(self, client: Any, message: Any) -> None:
        number = message.get("sequence_num")
        if number is not None:
            expected = 0 if client.sequence is None else client.sequence + 1
            if number != expected:
                client.on_error(BookStreamError("A message is missing.", trouble=Trouble.GAP))
                return
            client.sequence = number
        super().handle_message(client, message)


def _nearest(rows: Sequence[Row], side: str, count: int) -> Sequence[Row]:
    pick = nlargest if side == "bids" else nsmallest
    return pick(count, rows, key=lambda row: Decimal(row[0]))


async def _ask_for_heartbeats(client: Any) -> None:
    try:
        await client.send({"type": "subscribe", "channel": "heartbeats", "product_ids": []})
    except ANY_FAILURE as error:
        client.on_error(error)
