"""Tunnels through SOCKS5 proxies, which resolve the venue's name themselves (RFC 1928, RFC 1929)."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import python_socks
from python_socks.async_.asyncio import Proxy as Handshake

from exchanges.errors import ProxyAuthError, ProxyDownError, ProxyError
from exchanges.proxy_address import LONGEST_LOGIN
from exchanges.venues.http_proxy import login_refused
from exchanges.venues.proxy_server import UNREACHABLE, ProxyServer, by

NOT_ALLOWED = 2  # RFC 1928, section 6: by the proxy's rules
# The library says in words only that a login was refused; tests hold it to them.
LOGIN_REFUSED = ("Username and password authentication failure", "No acceptable authentication methods",
                 "Unexpected SOCKS authentication method")  # fmt: skip

SILENT = "The proxy does not answer as SOCKS5 does: check its port, and that it is a SOCKS proxy."
NOT_SOCKS = "What answers at the proxy's port is no SOCKS5 proxy: check its port and scheme."
HUNG_UP = "The proxy hung up during the SOCKS5 greeting: check its port, user name and password."
BAD_LOGIN = (
    f"A SOCKS5 proxy's user name and password have at most {LONGEST_LOGIN} characters each, of ASCII only: "
    "enter both again."
)


class _Dialled(Handshake):
    """The link before the proxy: a socket that leads to it already."""

    def __init__(self, leading_there: socket.socket) -> None:
        self._leading_there = leading_there

    async def connect(self, *place: Any, **options: Any) -> socket.socket:
        return self._leading_there


class SocksProxy:
    """One proxy; each `open` is a new tunnel."""

    def __init__(self, server: ProxyServer) -> None:
        for word in (server.username, server.password):
            if not word.isascii() or len(word) > LONGEST_LOGIN:
                raise ProxyAuthError(BAD_LOGIN)
        self._server = server

    async def open(self, host: str, port: int, *, deadline: float) -> asyncio.Transport:
        """A transport whose other end is host:port. Raises ProxyError."""
        async with by(deadline, UNREACHABLE):
            sock = await self._server.dial()
        async with by(deadline, SILENT):
            await self._shake_hands(sock, host, port)
        transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=sock)
        return transport

    async def _shake_hands(self, sock: socket.socket, host: str, port: int) -> None:
        """The library closes the socket where it fails."""
        server = self._server
        handshake = Handshake(
            python_socks.ProxyType.SOCKS5,
            server.host,
            server.port,
            server.username or None,
            server.password or None,
            rdns=True,
            forward=_Dialled(sock),
        )
        try:
            await handshake.connect(host, port)
        except python_socks.ProxyError as error:
            raise self._problem(error, host) from None
        except OSError:
            raise ProxyDownError(HUNG_UP) from None

    def _problem(self, error: python_socks.ProxyError, host: str) -> ProxyError:
        text, reply = str(error), error.error_code
        if text.startswith(LOGIN_REFUSED):
            return login_refused(self._server.set_where)
        if reply == NOT_ALLOWED:
            return ProxyError(
                f"The proxy does not let us reach {host} (SOCKS reply 2): allow that host in its rules.",
                code="2",
            )
        if reply is not None:
            return ProxyDownError(
                f"The proxy did not reach {host} (SOCKS reply {int(reply)}): it is tried again; if it stays, "
                "ask its operator.",
                code=str(int(reply)),
            )
        return ProxyDownError(HUNG_UP if "closed" in text else NOT_SOCKS)
