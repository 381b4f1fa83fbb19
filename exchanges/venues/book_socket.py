"""ccxt's WebSocket: it ends when it should, is heard when it lives, and says what is not to be trusted."""

from __future__ import annotations

import asyncio
import json
import time
from decimal import Decimal
from typing import Any

import aiohttp
import ccxt.async_support as ccxt
from ccxt.async_support.base.ws.client import Client
from ccxt.async_support.base.ws.functions import is_json_encoded_object

from exchanges.errors import BookStreamError, Trouble
from exchanges.venues.ccxt_errors import ANY_FAILURE

CLOSE_SECONDS = 1.0
COMPRESSION = 15  # the window, as ccxt offers it
LARGEST_MESSAGE = 16 * 2**20  # whole books of venues that tell every level


class BookSocket(Client):  # type: ignore[misc]
    """pongs_count: the venue says nothing while nothing happens, so that a pong is a sign of life too."""

    pongs_count = True
    connecting: bool
    sequence: int | None = None  # of the last message, where a venue numbers all of a connection

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.heard_at = time.monotonic()
        self._failure: BaseException | None = None
        self._failures: dict[str, BaseException] = {}
        self._opening: asyncio.Task[None] | None = None

    def failure(self, topic: str) -> BaseException | None:
        """Why what was told of this topic is not to be trusted; None while it is."""
        return self._failure or self._failures.get(topic)

    def forget(self, topic: str) -> None:
        """As if it had never been subscribed."""
        for known in (self.subscriptions, self.rejections, self._failures):
            known.pop(topic, None)
        waiting = self.futures.pop(topic, None)
        if waiting is not None:
            waiting.cancel()

    def future(self, message_hash: str) -> Any:
        found = super().future(message_hash)
        found.add_done_callback(_seen)
        return found

    def reject(self, result: Any, message_hash: str | None = None) -> Any:
        if message_hash is None:
            self._failure = result
        else:
            self._failures[message_hash] = result
        return super().reject(result, message_hash)

    # --- What is heard

    def handle_message(self, message: Any) -> None:
        if self.pongs_count or message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            self.heard_at = time.monotonic()
        try:
            super().handle_message(message)
        except ANY_FAILURE:
            # Past this, ccxt would not read on, and tell nobody.
            self.on_error(BookStreamError("The venue told what cannot be read.", trouble=Trouble.UNREADABLE))

    def handle_text_or_binary_message(self, data: Any) -> None:
        """Numbers keep all their digits."""
        told = json.loads(data, parse_float=Decimal) if is_json_encoded_object(data) else data
        self.on_message_callback(self, told)

    def on_error(self, error: Any) -> None:
        if isinstance(error, ccxt.RequestTimeout) and self.isConnected:
            error = BookStreamError("The venue answers no ping any more.", trouble=Trouble.SILENCE)
        super().on_error(error)

    # --- Its beginning and end

    def connect(self, session: Any, backoff_delay: float = 0) -> Any:
        if not self.connection and not self.connecting:
            self.connecting = True
            self._opening = asyncio.ensure_future(self.open(session, backoff_delay))
        return self.connected

    def create_connection(self, session: Any) -> Any:
        """Through the wire's session, which knows one way out and lets nobody choose another."""
        return session.ws_connect(
            self.url,
            autoping=False,
            autoclose=False,
            compress=COMPRESSION,
            max_msg_size=LARGEST_MESSAGE,
            timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
        ).__aenter__()

    async def close(self, code: int = 1000) -> None:
        """Who waits is told, not cancelled: the tasks are not ours."""
        self.reject(ccxt.NetworkError("the connection was closed"))
        await self.aiohttp_close()

    async def aiohttp_close(self) -> None:
        opening = self._opening
        if opening is not None and not opening.done() and opening is not asyncio.current_task():
            opening.cancel()
            await asyncio.wait([opening])
        await super().aiohttp_close()


def _seen(future: asyncio.Future[Any]) -> None:
    """A failure that nobody waits for is no warning."""
    if not future.cancelled():
        future.exception()
