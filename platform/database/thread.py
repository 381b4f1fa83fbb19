"""The one thread in which an asyncio loop's database work is done."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections, connections

log = logging.getLogger(__name__)
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
        return await asyncio.wrap_future(self._executor.submit(_call, partial(function, *args, **kwargs)))

    def close(self) -> None:
        self._executor.submit(connections.close_all)
        self._executor.shutdown(wait=True)


def _call(function: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return function()
    except (OperationalError, InterfaceError):
        log.warning("a database call failed; its connection is opened anew", exc_info=True)
        connections.close_all()
        raise
