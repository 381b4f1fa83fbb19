"""Connections through a proxy: each is a tunnel that the proxy leads on to the venue.

The proxy resolves the venue's name. TLS to the venue runs inside the tunnel and is verified as on a direct
way; TLS to an https proxy is its own, with a trust of its own. What fails before the tunnel stands is a
ProxyError, and by then nothing of the request has left. There is no other way round.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

from exchanges.gateway import Proxy
from exchanges.venues import proxy_server
from exchanges.venues.http_proxy import HttpProxy
from exchanges.venues.proxy_server import ProxyServer, kept_if_it_works
from exchanges.venues.socks_proxy import SocksProxy

if TYPE_CHECKING:
    from aiohttp import ClientRequest, ClientTimeout
    from aiohttp.tracing import Trace


class Tunnel(aiohttp.TCPConnector):
    """options: those of aiohttp's connector. Raises ProxyError where the proxy cannot be used as it is
    set."""

    def __init__(self, proxy: Proxy, **options: Any) -> None:
        server = ProxyServer(proxy, socket_factory=options.get("socket_factory"))
        self._proxy = SocksProxy(server) if server.scheme == "socks5" else HttpProxy(server)
        super().__init__(**options)

    async def _create_connection(
        self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> ResponseHandler:
        """aiohttp's hook for a new connection; it waits no longer than the request's own timeout."""
        loop = asyncio.get_running_loop()
        host, port = req.url.raw_host or "", req.port or 443
        deadline = loop.time() + proxy_server.TUNNEL_SECONDS
        transport = await self._proxy.open(host, port, deadline=deadline)
        with kept_if_it_works(transport):
            return await self._hand_over(transport, req)

    async def _hand_over(self, transport: asyncio.Transport, req: ClientRequest) -> ResponseHandler:
        loop = asyncio.get_running_loop()
        handler = ResponseHandler(loop)
        context = self._get_ssl_context(req)
        if context is None:
            transport.set_protocol(handler)
            handler.connection_made(transport)
            return handler
        try:
            inner = await loop.start_tls(
                transport, handler, context, server_hostname=req.server_hostname or req.url.raw_host
            )
        except (OSError, TypeError) as error:
            raise _not_secured(req, error) from error
        if inner is None:
            raise aiohttp.ClientConnectorError(req.connection_key, OSError("the tunnel closed"))
        handler.connection_made(inner)
        return handler


def _not_secured(req: ClientRequest, error: OSError | TypeError) -> aiohttp.ClientConnectorError:
    """What aiohttp says of a failed TLS. Until Python 3.11.8, what fails inside another TLS is a TypeError
    whose context is the failure (CPython's issue 113214)."""
    failure = error.__context__ if isinstance(error, TypeError) else error
    if isinstance(failure, ssl.SSLCertVerificationError):
        return aiohttp.ClientConnectorCertificateError(req.connection_key, failure)
    if isinstance(failure, ssl.SSLError):
        return aiohttp.ClientConnectorSSLError(req.connection_key, failure)
    lost = failure if isinstance(failure, OSError) else OSError("the tunnel closed")
    return aiohttp.ClientConnectorError(req.connection_key, lost)
