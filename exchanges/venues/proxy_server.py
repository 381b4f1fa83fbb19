"""A proxy as a server that we dial: where it is, its login in clear text, and the time that all may take."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohappyeyeballs

from exchanges.errors import ProxyDownError
from exchanges.gateway import Proxy
from exchanges.proxy_address import ProxyAddressError, proxy_url

# From the first packet to the proxy until the tunnel stands. A request has a second more, so that a silent
# proxy is named, and not the venue behind it.
TUNNEL_SECONDS = 7.0
HAPPY_EYEBALLS_SECONDS = 0.25  # RFC 8305: how long the first address has before the next is tried as well

UNREACHABLE = "The proxy cannot be reached: check its address and port, and that it runs."
UNRESOLVED = "The proxy's name cannot be resolved: check its address, the network and DNS."
NO_IPV4 = "The proxy's name has no IPv4 address: check its address, or allow IPv6 at the connection."

SocketFactory = Callable[[Any], socket.socket]


class ProxyServer:
    """Raises ProxyDownError where the address cannot be read, and VaultError where the password cannot."""

    def __init__(self, proxy: Proxy, *, socket_factory: SocketFactory | None = None) -> None:
        try:
            parts = urlsplit(proxy_url(proxy.url))
        except ProxyAddressError as error:
            raise ProxyDownError(str(error)) from None
        self.scheme, self.host, self.port = parts.scheme, parts.hostname or "", parts.port or 0
        self.username, self.password = proxy.username, proxy.password.reveal()
        self.ca = proxy.ca
        self.set_where = proxy.set_where
        self._ipv4_only = proxy.ipv4_only
        self._socket_factory = socket_factory

    async def dial(self) -> socket.socket:
        """A connected socket. Raises ProxyDownError."""
        places = await self._resolve()
        try:
            return await aiohappyeyeballs.start_connection(
                places,
                happy_eyeballs_delay=HAPPY_EYEBALLS_SECONDS,
                interleave=1,
                socket_factory=self._socket_factory,
            )
        except OSError:
            raise ProxyDownError(UNREACHABLE) from None

    async def _resolve(self) -> list[Any]:
        loop = asyncio.get_running_loop()
        family = socket.AF_INET if self._ipv4_only else socket.AF_UNSPEC
        try:
            return await loop.getaddrinfo(self.host, self.port, family=family, type=socket.SOCK_STREAM)
        except OSError:
            raise ProxyDownError(NO_IPV4 if self._ipv4_only else UNRESOLVED) from None


@asynccontextmanager
async def by(deadline: float, otherwise: str) -> AsyncIterator[None]:
    """deadline: on the loop's clock; otherwise: what is said of the proxy when it passes."""
    try:
        async with asyncio.timeout_at(deadline):
            yield
    except TimeoutError:
        raise ProxyDownError(otherwise) from None


@contextmanager
def kept_if_it_works(transport: asyncio.Transport) -> Iterator[None]:
    """Aborts the transport where the block fails: a goodbye would wait for the other side."""
    works = False
    try:
        yield
        works = True
    finally:
        if not works:
            transport.abort()
