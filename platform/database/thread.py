"""The one thread in which an asyncio loop's database work is done."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections, connections

log = logging.getLogger(__name__)
OUTAGE = (OperationalError, InterfaceError)
OUTAGE_TOLD_EVERY_SECONDS = 60.0
_FULL = ("disk is full", "No space left on device")  # SQLite's words, and PostgreSQL's
_outage_told_at = float("-inf")
P = ParamSpec("P")
T = TypeVar("T")


class DatabaseThread:
    """Runs functions one after another in a thread of its own, with a database connection of its own.

    One thread, because SQLite has one writer and because what is written in order is read in order.
    """

    def __init__(self, name: str = "database") -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's result; its exceptions as they are. A broken connection is closed, so that the
        next call opens a new one."""
        context = copy_context()  # what is logged there is about the same
        work = self._executor.submit(context.run, _call, partial(function, *args, **kwargs))
        return await asyncio.wrap_future(work)

    def close(self) -> None:
        self._executor.submit(connections.close_all)
        self._executor.shutdown(wait=True)


def _call(function: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return function()
    except OUTAGE as error:
        tell_outage(error)
        connections.close_all()
        raise


def tell_outage(error: Exception) -> None:
    """Once a minute, one sentence: while a database is away, thousands of calls fail alike.

    Any other error of a database is a mistake of ours, and is told whole.
    """
    if not isinstance(error, OUTAGE):
        log.error("A database call failed", exc_info=error)
        return
    global _outage_told_at  # noqa: PLW0603 - one log a process
    if time.monotonic() - _outage_told_at >= OUTAGE_TOLD_EVERY_SECONDS:
        _outage_told_at = time.monotonic()
        what = outage_sentence(error).removesuffix(".")
        log.warning("%s; it is asked again: %s", what, str(error).strip())


def is_full(error: BaseException | None) -> bool:
    """Whether it could not write because there is no space left."""
    return any(words in str(error) for words in _FULL)


def outage_sentence(error: Exception) -> str:
    return "The disk of the database is full." if is_full(error) else "The database does not answer."
