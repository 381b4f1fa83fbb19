"""One TLS server for all venues, told apart by the Host header. Every request is written down."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType

from aiohttp import web

from tests.lab.authority import Authority
from tests.lab.faults import Effect, Fault, FaultPlan, Stage
from tests.lab.resolver import LOOPBACK
from tests.lab.wire import Dialect, WireAnswer, WireRequest


@dataclass(frozen=True, kw_only=True)
class SeenRequest:
    """time: seconds since the epoch, when it came in."""

    time: float
    venue: str
    key: str | None
    method: str
    path: str
    query: str
    body: str
    headers: Mapping[str, str]


class Requests:
    """All requests so far, oldest first."""

    def __init__(self) -> None:
        self._seen: list[SeenRequest] = []

    def record(self, request: SeenRequest) -> None:
        self._seen.append(request)

    def clear(self) -> None:
        self._seen.clear()

    def select(self, **wanted: str | None) -> list[SeenRequest]:
        """Those whose fields have these values: `select(venue="binance", path="/api/v3/depth")`."""
        return [
            request
            for request in self._seen
            if all(getattr(request, name) == value for name, value in wanted.items())
        ]

    def counts(self) -> dict[tuple[str, str | None, str, str], int]:
        """By (venue, key, method, path)."""
        counts: dict[tuple[str, str | None, str, str], int] = {}
        for request in self._seen:
            group = (request.venue, request.key, request.method, request.path)
            counts[group] = counts.get(group, 0) + 1
        return counts


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
        self.requests.record(_seen(wire, dialect.venue, key))
        fault = self.faults.claim(dialect.venue, key, wire.method, wire.path)
        return await self._answer(request, dialect, wire, fault)

    async def _answer(
        self, request: web.Request, dialect: Dialect, wire: WireRequest, fault: Fault | None
    ) -> web.StreamResponse:
        """The one place where a request can go wrong."""
        if fault is not None and fault.stage is Stage.BEFORE:
            replacement = await self._strike(request, fault)
            if replacement is not None:
                return replacement
        answer = dialect.answer(wire)
        if fault is not None and fault.stage is Stage.AFTER:
            replacement = await self._strike(request, fault)
            if replacement is not None:
                return replacement
        return _response(answer)

    async def _strike(self, request: web.Request, fault: Fault) -> web.StreamResponse | None:
        """An answer in place of the venue's; None when the request goes on as usual."""
        if fault.effect is Effect.ANSWER:
            return _response(fault.answer or WireAnswer(status=500))
        if fault.effect is Effect.DELAY:
            await self._wait(fault.seconds)
            return None
        if fault.effect is Effect.HANG:
            await self._wait_for_the_client(request)
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    async def _wait_for_the_client(self, request: web.Request) -> None:
        """Until it gives up, or the lab closes."""
        while (
            not self._stopping.is_set()
            and request.transport is not None
            and not request.transport.is_closing()
        ):
            await self._wait(0.05)


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


def _seen(wire: WireRequest, venue: str, key: str | None) -> SeenRequest:
    return SeenRequest(
        time=time.time(),
        venue=venue,
        key=key,
        method=wire.method,
        path=wire.path,
        query=wire.query,
        body=wire.body.decode("utf-8", "replace"),
        headers=dict(wire.headers),
    )


def _response(answer: WireAnswer) -> web.Response:
    return web.Response(status=answer.status, headers=dict(answer.headers), body=answer.body)
