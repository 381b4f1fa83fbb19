"""Proxies on loopback that ask for a login and lead every tunnel to one port: HTTP, HTTP over TLS, SOCKS5."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from abc import ABC, abstractmethod
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from types import TracebackType
from typing import Self

from tests.lab.authority import Authority

KINDS = ("http", "https", "socks5")


class LabProxy(ABC):
    """`async with …Proxy(target_port, "user", "password") as proxy:` serves at proxy.url.

    connections: how often somebody dialled; refused: how many logins were turned away; targets: what was
    asked for by those that were let in, as host:port; hangs_up: whether who is refused is also cut off;
    ca: PEM text of the authority that signed its certificate, where it has one.
    """

    scheme: str
    hangs_up = True
    host = address = "127.0.0.1"
    tls: ssl.SSLContext | None = None
    ca = ""

    def __init__(self, target_port: int, username: str, password: str) -> None:
        self.username, self.password = username, password
        self.connections = self.refused = 0
        self.targets: list[str] = []
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._tunnels: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    async def wait_until_left(self) -> None:
        """Until no client has a connection open."""
        await asyncio.gather(*self._tunnels)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self.address, 0, ssl=self.tls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for tunnel in self._tunnels:
            tunnel.cancel()
        await asyncio.gather(*self._tunnels, return_exceptions=True)
        await self._server.wait_closed()

    @abstractmethod
    async def admit(self, reader: Reader, writer: Writer) -> str:
        """What the client asks for; nothing where it was refused, and told so."""

    @abstractmethod
    def welcome(self) -> bytes:
        """What the client is told once the tunnel stands."""

    async def _serve(self, reader: Reader, writer: Writer) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tunnels.add(task)
        self.connections += 1
        # A client of another protocol, or none that stays, ends its own connection only.
        with contextlib.suppress(OSError, EOFError, ValueError, asyncio.CancelledError):
            await self._lead(reader, writer)
        writer.transport.abort() if writer.is_closing() else writer.close()
        self._tunnels.discard(task)

    async def _lead(self, reader: Reader, writer: Writer) -> None:
        target = await self.admit(reader, writer)
        await writer.drain()
        if not target:
            await (asyncio.sleep(0) if self.hangs_up else reader.read())
            return
        self.targets.append(target)
        there = await asyncio.open_connection("127.0.0.1", self._target_port)
        writer.write(self.welcome())
        try:
            await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))
        finally:
            there[1].close()


class ConnectProxy(LabProxy):
    """status: what is answered to a right login; all but 200 is no tunnel."""

    scheme = "http"
    status = 200

    async def admit(self, reader: Reader, writer: Writer) -> str:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
        request, *lines = head.split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines if line)
        login = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        if fields.get("proxy-authorization") != f"basic {login}".lower():
            self.refused += 1
            writer.write(_answer(407, "Proxy Authentication Required"))
            return ""
        if self.status != 200:
            writer.write(_answer(self.status, "As the lab was told"))
            return ""
        return request.split()[1]

    def welcome(self) -> bytes:
        return b"HTTP/1.1 200 Connection established\r\n\r\n"


class TlsConnectProxy(ConnectProxy):
    """Speaks TLS before anything else, under the name of localhost."""

    scheme = "https"
    host = "localhost"

    def __init__(self, target_port: int, username: str, password: str, *, authority: Authority) -> None:
        super().__init__(target_port, username, password)
        self.tls = authority.server_context()
        self.ca = authority.ca_file.read_text()


class SocksProxy(LabProxy):
    """SOCKS5 (RFC 1928) that wants a user name and a password (RFC 1929).

    reply: what is answered to a right login; all but 0 is no tunnel.
    """

    scheme = "socks5"
    reply = 0

    async def admit(self, reader: Reader, writer: Writer) -> str:
        version, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        if version != 5:
            return ""
        if 2 not in methods:
            self.refused += 1
            writer.write(b"\x05\xff")
            return ""
        writer.write(b"\x05\x02")
        if not await self._logs_in(reader, writer):
            return ""
        _, _, _, kind = await reader.readexactly(4)
        if kind != 3:  # an address: the name was resolved before it came here
            writer.write(b"\x05\x08\x00\x01" + bytes(6))
            return ""
        host = (await _counted(reader)).decode("ascii")
        port = int.from_bytes(await reader.readexactly(2), "big")
        if self.reply:
            writer.write(bytes([5, self.reply, 0, 1]) + bytes(6))
            return ""
        return f"{host}:{port}"

    async def _logs_in(self, reader: Reader, writer: Writer) -> bool:
        await reader.readexactly(1)
        login = ((await _counted(reader)).decode(), (await _counted(reader)).decode())
        is_right = login == (self.username, self.password)
        self.refused += not is_right
        writer.write(b"\x01\x00" if is_right else b"\x01\x01")
        return is_right

    def welcome(self) -> bytes:
        return b"\x05\x00\x00\x01" + bytes(6)


def proxy_of(kind: str, target_port: int, username: str, password: str, authority: Authority) -> LabProxy:
    """kind: one of KINDS; authority: signs for an https proxy."""
    if kind == "https":
        return TlsConnectProxy(target_port, username, password, authority=authority)
    return {"http": ConnectProxy, "socks5": SocksProxy}[kind](target_port, username, password)


def _answer(status: int, reason: str) -> bytes:
    return f"HTTP/1.1 {status} {reason}\r\nContent-Length: 0\r\n\r\n".encode("ascii")


async def _counted(reader: Reader) -> bytes:
    """Bytes behind their number."""
    return await reader.readexactly((await reader.readexactly(1))[0])


async def _pump(source: Reader, sink: Writer) -> None:
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()
    sink.close()
