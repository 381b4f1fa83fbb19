"""Time that is skipped where nothing happens: an asyncio loop and the engine's clocks on one virtual clock.

While the loop has nothing to do but wait, the clock jumps to the next timer. While a database thread is at
work it stands still, so work takes no virtual time and nothing runs into a timeout because of it.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, ParamSpec, TypeVar

from bots.engine import clock as engine_clock
from database.thread import DatabaseThread

P = ParamSpec("P")
T = TypeVar("T")


@dataclass
class VirtualClock:
    """seconds: since the run began. at_work: calls of database threads under way."""

    began: datetime
    seconds: float = 0.0
    at_work: int = 0

    def now(self, _zone: object = UTC) -> datetime:
        return self.began + timedelta(seconds=self.seconds)


class _SkippingSelector(selectors.DefaultSelector):
    """Waits for nothing but database threads."""

    clock: VirtualClock

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        if self.clock.at_work:
            return super().select(None)  # the thread's answer wakes the loop
        self.clock.seconds += timeout
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, clock: VirtualClock) -> None:
        selector = _SkippingSelector()
        selector.clock = clock
        self._virtual = clock
        super().__init__(selector)

    def time(self) -> float:
        return self._virtual.seconds


class CountedThread(DatabaseThread):
    """A real database thread; the clock stands still while it is at work."""

    def __init__(self, name: str, clock: VirtualClock) -> None:
        super().__init__(name)
        self._clock = clock

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        self._clock.at_work += 1
        try:
            return await super().run(function, *args, **kwargs)
        finally:
            self._clock.at_work -= 1


@contextmanager
def virtual_time(clock: VirtualClock) -> Iterator[None]:
    """`uptime()` and `utc_now()` tell the virtual time, whoever imported them."""
    names = vars(engine_clock)
    real = {name: names[name] for name in ("time", "datetime")}
    names["time"] = SimpleNamespace(clock_gettime=lambda _clock: clock.seconds)
    names["datetime"] = SimpleNamespace(now=clock.now)
    try:
        yield
    finally:
        names |= real
