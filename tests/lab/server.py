"""One TLS server for all venues, told apart by the Host header. Every request is written down."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Iterable
from types import TracebackType
from typing import Any

from aiohttp import WSMsgType, web

from tests.lab.authority import Authority
from tests.lab.faults import FaultPlan, Target
from tests.lab.record import Requests
from tests.lab.resolver import LOOPBACK
from tests.lab.strikes import Visit, plain_response
from tests.lab.wire import Dialect, WireRequest

SWITCHING_PROTOCOLS = 101


class LabServer:
    """`async with LabServer(dialects, authority) as server:` serves on 127.0.0.1:server.port."""

    def __init__(self, dialects: Iterable[Dialect], authority: Authority) -> None:
        self.requests = Requests()
        self.faults = FaultPlan()
        self.port = 0
        self._authority = authority
        self._by_host = {host: dialect for dialect in dialects for host in dialect.hosts}
        self._stopping = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> LabServer:
        application = web.Application(client_max_size=2**22)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, LOOPBACK, 0, ssl_context=self._authority.server_context())
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        wire = await _read(request)
        dialect = self._by_host.get(wire.host)
        if dialect is None:
            return web.Response(status=421, text=f"no venue in this lab answers for {wire.host}")
        key = dialect.key_of(wire)
        seen = self.requests.record(wire, dialect.venue, key)
        if wire.headers.get("upgrade", "").lower() == "websocket":
            if dialect.streams is None:
                return web.Response(status=404, text=f"{dialect.venue} has no streams in this lab")
            seen.reached, seen.status = True, SWITCHING_PROTOCOLS
            return await self._stream(request, dialect.streams(wire, socket := OpenSocket()), socket)
        strike = self.faults.claim(Target(dialect.venue, key, wire.method, wire.path))
        visit = Visit(request, dialect, wire, seen, self._stopping)
        if strike is not None:
            return await visit.struck_by(strike)
        answer = visit.execute()
        seen.answered = answer.status
        return plain_response(answer)

    async def _stream(
        self, request: web.Request, speech: Coroutine[Any, Any, None], socket: OpenSocket
    ) -> web.StreamResponse:
        """Until one of the two leaves, or the lab closes."""
        response = socket.response
        await response.prepare(request)
        speaking = asyncio.create_task(speech)
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait((speaking, stopping), return_when=asyncio.FIRST_COMPLETED)
        for task in (speaking, stopping):
            task.cancel()
        await asyncio.gather(speaking, stopping, return_exceptions=True)
        await response.close()
        return response


class OpenSocket:
    """aiohttp's WebSocket as dialects see one."""

    def __init__(self) -> None:
        self.response = web.WebSocketResponse()

    async def send(self, text: str) -> None:
        with contextlib.suppress(ConnectionError):
            await self.response.send_str(text)

    async def __aiter__(self) -> AsyncIterator[str]:
        async for message in self.response:
            if message.type is WSMsgType.TEXT:
                yield message.data


async def _read(request: web.Request) -> WireRequest:
    path, _, query = request.raw_path.partition("?")
    return WireRequest(
        method=request.method,
        host=request.host.partition(":")[0],
        path=path,
        query=query,
        body=await request.read(),
        headers={name.lower(): value for name, value in request.headers.items()},
        address=request.remote or "",
    )
