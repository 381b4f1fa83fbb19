"""Tunnels through HTTP proxies by CONNECT (RFC 9110, 9.3.6), over TLS where their address says https."""

from __future__ import annotations

import asyncio
import re
import ssl

import aiohttp

from exchanges.errors import ProxyAuthError, ProxyDownError, ProxyError
from exchanges.venues.proxy_server import UNREACHABLE, ProxyServer, by, kept_if_it_works
from exchanges.venues.trust import proxy_tls_context
from vault.redaction import remember

LONGEST_ANSWER = 2**16
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})\b")
_END = b"\r\n\r\n"

SILENT = "The proxy does not answer: check its address and port, and whether it is http:// or https://."
HUNG_UP = (
    "The proxy hung up without an answer: check its port; if it speaks TLS there, write https:// instead of "
    "http://."
)
NOT_HTTP = (
    "What answers at the proxy's port is no HTTP proxy: if it speaks TLS, write https:// instead of http://; "
    "if it is a SOCKS proxy, socks5://."
)
NO_TLS = (
    "The proxy does not answer with TLS: write http:// instead of https://, or name the port at which it "
    "speaks TLS."
)
COLON = "The proxy's user name holds a colon, which no HTTP proxy can take: enter it again."


class _Answer(asyncio.Protocol):
    """head: what the proxy answered, up to the empty line; less where it hung up or speaks no HTTP."""

    def __init__(self) -> None:
        self.head: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._data = b""

    def data_received(self, data: bytes) -> None:
        self._data += data
        starts_right = b"HTTP/".startswith(self._data[:5])
        if _END in self._data or not starts_right or len(self._data) > LONGEST_ANSWER:
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()

    def _end(self) -> None:
        if not self.head.done():
            self.head.set_result(self._data)


class HttpProxy:
    """One proxy; each `open` is a new tunnel."""

    def __init__(self, server: ProxyServer) -> None:
        self._server = server
        self._login = _login(server)
        self._tls = proxy_tls_context(server.ca) if server.scheme == "https" else None

    async def open(self, host: str, port: int, *, deadline: float) -> asyncio.Transport:
        """A transport whose other end is host:port. Raises ProxyError."""
        transport, answer = await self._greet(deadline)
        with kept_if_it_works(transport):
            transport.write(self._request(host, port))
            async with by(deadline, SILENT):
                head = await answer.head
            self._check(head, host)
        return transport

    async def _greet(self, deadline: float) -> tuple[asyncio.Transport, _Answer]:
        async with by(deadline, UNREACHABLE):
            sock = await self._server.dial()
        loop = asyncio.get_running_loop()
        name = self._server.host if self._tls else None
        try:
            async with by(deadline, NO_TLS):
                return await loop.create_connection(_Answer, sock=sock, ssl=self._tls, server_hostname=name)
        except ssl.SSLCertVerificationError as error:
            raise ProxyDownError(
                f"The proxy's certificate is not trusted ({error.verify_message}): if an authority of its "
                "own has signed it, set that one's CA bundle at the connection."
            ) from None
        except OSError:
            raise ProxyDownError(NO_TLS if self._tls else UNREACHABLE) from None

    def _request(self, host: str, port: int) -> bytes:
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}", *self._login]
        return "\r\n".join([*lines, "", ""]).encode("ascii")

    def _check(self, head: bytes, host: str) -> None:
        found = _STATUS.match(head)
        if found is None:
            raise ProxyDownError(NOT_HTTP if head else HUNG_UP)
        status = int(found[1])
        if not 200 <= status < 300:
            raise refusal(status, host, self._server.set_where)


def refusal(status: int, host: str, set_where: str) -> ProxyError:
    """What a proxy's HTTP status means."""
    if status == 407:
        return login_refused(set_where)
    if status == 403:
        return ProxyError(
            f"The proxy does not let us reach {host} (403): allow that host in the proxy's plan.", code="403"
        )
    return ProxyDownError(
        f"The proxy did not reach {host} ({status}): it is tried again; if it stays, ask its operator.",
        code=str(status),
    )


def login_refused(set_where: str) -> ProxyAuthError:
    return ProxyAuthError(
        f"The proxy refused the user name or password (407): enter both again {set_where}.", code="407"
    )


def _login(server: ProxyServer) -> tuple[str, ...]:
    """The header, which goes to the proxy alone."""
    if not (server.username or server.password):
        return ()
    if ":" in server.username:
        raise ProxyAuthError(COLON)
    value = aiohttp.encode_basic_auth(server.username, server.password)
    remember(value.removeprefix("Basic "))
    return (f"Proxy-Authorization: {value}",)
