"""ccxt.pro's Coinbase, with the number that each message of a connection has, and a heartbeat.

Source: "Advanced Trade WebSocket overview" (sequence numbers) and "Heartbeats channel" of its documentation.
"""

from __future__ import annotations

import asyncio
from typing import Any

import ccxt.pro as ccxtpro

from exchanges.errors import BookStreamError, Trouble
from exchanges.venues.ccxt_errors import ANY_FAILURE

CHANNEL = "level2"


class CoinbaseStreams(ccxtpro.coinbase):  # type: ignore[misc]
    """Mixed in behind a `StreamDoor`."""

    def book_topic(self, symbol: str) -> str:
        return f"{CHANNEL}::{symbol}"

    def unsubscription(self, symbol: str) -> dict[str, Any]:
        return {"type": "unsubscribe", "product_ids": [self.market_id(symbol)], "channel": CHANNEL}

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


async def _ask_for_heartbeats(client: Any) -> None:
    try:
        await client.send({"type": "subscribe", "channel": "heartbeats", "product_ids": []})
    except ANY_FAILURE as error:
        client.on_error(error)
