"""What a stream has yet to send: news come in the midst of what happens, and leave one after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Iterable

Render = Callable[[], Iterable[str]]


class Outbox:
    """Texts leave in the order in which they were put."""

    def __init__(self) -> None:
        self._waiting: deque[Render] = deque()
        self._marked: set[Hashable] = set()
        self._awake = asyncio.Event()

    def put(self, text: str) -> None:
        self._append(lambda: (text,))

    def mark(self, name: Hashable, render: Render) -> None:
        """Something changed. It is told as it is when its turn comes, however often it changed by then."""
        if name not in self._marked:
            self._marked.add(name)
            self._append(lambda: self._unmarked(name, render))

    async def deliver(self, send: Callable[[str], Awaitable[None]]) -> None:
        """Until it is cancelled."""
        while True:
            await self._awake.wait()
            self._awake.clear()
            while self._waiting:
                for text in self._waiting.popleft()():
                    await send(text)

    def _append(self, render: Render) -> None:
        self._waiting.append(render)
        self._awake.set()

    def _unmarked(self, name: Hashable, render: Render) -> Iterable[str]:
        self._marked.discard(name)
        return render()
