"""How long we hold a call back ourselves, for our own rate limit: a venue is not slow because of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Stopwatch:
    """Of one call, and of the tasks that it starts."""

    held_back_seconds: float = 0.0


_running: ContextVar[Stopwatch | None] = ContextVar("stopwatch", default=None)


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    watch = Stopwatch()
    token = _running.set(watch)
    try:
        yield watch
    finally:
        _running.reset(token)


@contextmanager
def held_back() -> Iterator[None]:
    """While it lasts, the call waits for us and not for the venue."""
    watch, began_at = _running.get(), time.monotonic()
    try:
        yield
    finally:
        if watch is not None:
            watch.held_back_seconds += time.monotonic() - began_at
