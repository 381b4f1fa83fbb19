"""A lab in a thread of its own, with a proxy before it: for code that runs a loop itself, or several."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from tests.lab.authority import Authority
from tests.lab.connect_proxy import LabProxy, proxy_of
from tests.lab.lab import Lab

T = TypeVar("T")


class BackgroundLab:
    """proxy: leads to the lab. What changes the lab is run in its thread, by `call`."""

    def __init__(self, lab: Lab, proxy: LabProxy, loop: asyncio.AbstractEventLoop) -> None:
        self.lab = lab
        self.proxy = proxy
        self._loop = loop

    def call(self, function: Callable[[], T]) -> T:
        async def run() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(timeout=10)


@contextmanager
def background_lab(*, username: str, password: str, kind: str = "http") -> Iterator[BackgroundLab]:
    """The login and the kind are the proxy's."""
    ready: list[BackgroundLab] = []
    started, ended = threading.Event(), asyncio.Event()

    async def serve() -> None:
        with TemporaryDirectory() as folder:
            authority = Authority(Path(folder), ["localhost"])
            async with Lab() as lab, proxy_of(kind, lab.port, username, password, authority) as proxy:
                ready.append(BackgroundLab(lab, proxy, asyncio.get_running_loop()))
                started.set()
                await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="lab", daemon=True)
    thread.start()
    assert started.wait(timeout=10)
    try:
        yield ready[0]
    finally:
        ready[0].call(ended.set)
        thread.join(timeout=10)
