"""One TLS server for all venues, told apart by the Host header. Every request is written down."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from types import TracebackType

from aiohttp import web

from tests.lab.authority import Authority
from tests.lab.faults import FaultPlan, Target
from tests.lab.record import Requests
from tests.lab.resolver import LOOPBACK
from tests.lab.strikes import Visit, plain_response
from tests.lab.wire import Dialect, WireRequest


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
        strike = self.faults.claim(Target(dialect.venue, key, wire.method, wire.path))
        visit = Visit(request, dialect, wire, seen, self._stopping)
        if strike is not None:
            return await visit.struck_by(strike)
        answer = visit.execute()
        seen.answered = answer.status
        return plain_response(answer)


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
