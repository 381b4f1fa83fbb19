"""What goes wrong with a venue's streams while its exchange goes on."""

from __future__ import annotations

import asyncio


class Interference:
    """Of all connections to one exchange.

    lost: so many of the next texts never leave, so that a listener that counts finds a gap;
    is_silent: nothing leaves any more, and nobody hangs up.
    """

    def __init__(self) -> None:
        self.lost = 0
        self.is_silent = False
        self._end = asyncio.Event()

    def swallows(self) -> bool:
        """Whether the text whose turn it is never leaves."""
        if self.is_silent:
            return True
        if not self.lost:
            return False
        self.lost -= 1
        return True

    def cut(self) -> None:
        """End every connection that there is now."""
        self._end.set()
        self._end = asyncio.Event()

    async def wait_for_a_cut(self) -> None:
        await self._end.wait()

    def clear(self) -> None:
        self.lost, self.is_silent = 0, False
