"""A lock that goes to who is urgent first, and otherwise in the order of arrival."""

from __future__ import annotations

import asyncio
from collections import deque


class Turn:
    """take() it, and give it back()."""

    def __init__(self) -> None:
        self._is_held = False
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    async def take(self, *, urgent: bool) -> None:
        if not self._is_held:
            self._is_held = True
            return
        handed = asyncio.get_running_loop().create_future()
        (self._urgent if urgent else self._others).append(handed)
        try:
            await handed
        except asyncio.CancelledError:
            if not handed.cancelled():
                self.give_back()  # it was handed over as its taker left
            raise

    def give_back(self) -> None:
        for line in (self._urgent, self._others):
            while line:
                handed = line.popleft()
                if not handed.done():
                    handed.set_result(None)
                    return
        self._is_held = False
