"""One WebSocket connection: what its client says, what happens at the exchange, and what it is told of it."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod

from tests.lab.exchange import Exchange
from tests.lab.news import Item
from tests.lab.outbox import Outbox
from tests.lab.wire import Socket


class HangUp(Exception):  # noqa: N818 - no error, but the end of a conversation
    """The venue ends the connection."""


class Conversation(ABC):
    """silence_seconds: after so long without a word from either side the venue hangs up; None: it never does.

    What is put into the outbox leaves in that order.
    """

    def __init__(self, exchange: Exchange, socket: Socket, silence_seconds: float | None = None) -> None:
        self.outbox = Outbox()
        self._exchange = exchange
        self._socket = socket
        self._silence_seconds = silence_seconds
        self._patience = asyncio.timeout(silence_seconds)

    @abstractmethod
    def hear(self, text: str) -> None:
        """What the client says. Raises HangUp."""

    @abstractmethod
    def listen(self, item: Item) -> None:
        """What happens, in the midst of it."""

    async def run(self) -> None:
        """Until one of the two has had enough."""
        end_of_news = self._exchange.news.subscribe(self.listen)
        ways_to_end = (
            self.outbox.deliver(self._send),
            self._read(),
            self._exchange.news.interference.wait_for_a_cut(),
        )
        tasks = [asyncio.create_task(way) for way in ways_to_end]
        try:
            async with self._patience:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        except (TimeoutError, HangUp):
            return
        finally:
            end_of_news()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self) -> None:
        async for text in self._socket:
            self._note_a_word()
            self.hear(text)

    async def _send(self, text: str) -> None:
        if self._exchange.news.interference.swallows():
            return
        self._note_a_word()
        await self._socket.send(text)

    def _note_a_word(self) -> None:
        if self._silence_seconds is not None:
            self._patience.reschedule(asyncio.get_running_loop().time() + self._silence_seconds)
