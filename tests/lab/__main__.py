"""`python -m tests.lab`: a lab as a process of its own.

Prints one line of JSON when it is ready: {"port": TLS, "control": HTTP, "ca": path}. A POST to
/<command> or /<venue>/<command> on the control port, with a JSON object as arguments, runs that command
(commands.py; Binance is meant where no venue is named); /shut_down ends the lab, and so does a signal.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import signal
import sys
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from aiohttp import web

from tests.lab import commands
from tests.lab.commands import Commands
from tests.lab.lab import USUAL, Lab
from tests.lab.orders import RefusedError
from tests.lab.resolver import LOOPBACK


async def serve() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Lab() as lab:
        available = {venue: Commands(lab, venue) for venue in lab.houses}
        runner = web.AppRunner(_control(available, stop), access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, LOOPBACK, 0).start()
            ready = {"port": lab.port, "control": runner.addresses[0][1], "ca": str(lab.ca_file)}
            sys.stdout.write(json.dumps(ready) + "\n")
            sys.stdout.flush()
            await stop.wait()
        finally:
            await runner.cleanup()


def _control(available: Mapping[str, Commands], stop: asyncio.Event) -> web.Application:
    async def run(request: web.Request) -> web.Response:
        name, venue = request.match_info["name"], request.match_info.get("venue", USUAL)
        if name == "shut_down":
            stop.set()
            return _answer(None)
        if name not in commands.names():
            return _failure(404, f"the lab has no command {name}")
        arguments = await request.json() if request.can_read_body else {}
        try:
            result = getattr(available[venue], name)(**arguments)
            return _answer(await result if inspect.isawaitable(result) else result)
        except (RefusedError, ValueError, KeyError, TypeError) as error:
            return _failure(400, f"{name}: {type(error).__name__}: {error}")

    application = web.Application(client_max_size=2**26)
    application.router.add_post("/{name}", run)
    application.router.add_post("/{venue}/{name}", run)
    return application


def _answer(result: Any) -> web.Response:
    return web.Response(text=json.dumps(result, default=_exact), content_type="application/json")


def _failure(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=json.dumps({"error": text}), content_type="application/json")


def _exact(value: object) -> str:
    """Decimals as plain strings, never in scientific notation."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError(f"cannot send {value!r}")


if __name__ == "__main__":
    asyncio.run(serve())
