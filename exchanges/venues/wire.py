"""What all clients of one process share: sockets, market lists, public clients, and each address's pace."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial, partialmethod
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import aiohttp

from exchanges.gateway import Proxy
from exchanges.pacing import Budget
from exchanges.types import Market
from exchanges.venues.pace import Pace
from exchanges.venues.trust import tls_context
from exchanges.venues.tunnel import Tunnel

if TYPE_CHECKING:
    from exchanges.venues.door import Client

CONNECTIONS = 1000
CONNECTIONS_PER_HOST = 300  # a venue that hangs must not use up the others' sockets
DNS_SECONDS = 300


def build_connector(
    *, kind: Callable[..., aiohttp.TCPConnector] = aiohttp.TCPConnector, **options: Any
) -> aiohttp.TCPConnector:
    """The sockets of one session. Directly over IPv4 only: venues' allow-lists mostly are, and IPv6 would
    bypass them."""
    settings: dict[str, Any] = {
        "ssl": tls_context(),
        "family": socket.AF_INET,
        "limit": CONNECTIONS,
        "limit_per_host": CONNECTIONS_PER_HOST,
        "ttl_dns_cache": DNS_SECONDS,
    }
    return kind(**(settings | options))


@dataclass(frozen=True)
class Route:
    """A way out, as a key: two proxies that differ in their password only are two routes."""

    digest: str = ""

    @classmethod
    def of(cls, proxy: Proxy | None) -> Route:
        """Raises VaultError where the password cannot be read."""
        if proxy is None:
            return cls()
        parts = (proxy.url, proxy.username, proxy.password.reveal(), proxy.ca, str(proxy.ipv4_only))
        return cls(hashlib.sha256("\0".join(parts).encode()).hexdigest())


@dataclass(frozen=True)
class MarketList:
    """source: a client that has loaded ccxt's form of the list, for others to share."""

    source: Client
    markets: Mapping[str, Market]


class Wire:
    """Opened and closed in the loop that uses it:

    async with Wire() as wire:
        gateway = open_gateway(spec, wire=wire)
    """

    def __init__(self) -> None:
        self._sessions: dict[Route, Session] = {}
        self._clients: dict[tuple[str, Route], Client] = {}
        self._paces: dict[tuple[str, Route], Pace] = {}
        self._market_lists: dict[str, MarketList] = {}
        self._loading: defaultdict[tuple[str, Route], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        clients, self._clients = list(self._clients.values()), {}
        sessions, self._sessions = list(self._sessions.values()), {}
        self._market_lists.clear()
        for client in clients:
            await client.close()
        for session in sessions:
            await session.close()

    def session(self, proxy: Proxy | None) -> Session:
        """One for each way out; never a direct one where a proxy is set."""
        route = Route.of(proxy)
        if route not in self._sessions:
            self._sessions[route] = Session(proxy)
        return self._sessions[route]

    def pace(self, venue_id: str, proxy: Proxy | None, budget: Budget) -> Pace:
        """The pace at which the venue lets one address ask, whoever asks from there."""
        return self._paces.setdefault((venue_id, Route.of(proxy)), Pace(budget))

    def public_client(self, venue_id: str, proxy: Proxy | None) -> Client:
        """The client without a key, for everything that the venue shows to everybody."""
        from exchanges.venues.door import open_client

        place = (venue_id, Route.of(proxy))
        if place not in self._clients:
            self._clients[place] = open_client(venue_id, wire=self, proxy=proxy)
        return self._clients[place]

    async def market_list(self, venue_id: str, proxy: Proxy | None) -> MarketList:
        """The venue's markets, asked for once. Raises as ccxt does."""
        from exchanges.venues.ccxt_answers import markets_of

        # A lock for each route: a proxy that hangs holds up nobody else.
        async with self._loading[venue_id, Route.of(proxy)]:
            if venue_id not in self._market_lists:
                client = self.public_client(venue_id, proxy)
                await client.load_markets()
                self._market_lists[venue_id] = MarketList(client, MappingProxyType(markets_of(client)))
            return self._market_lists[venue_id]


class Session:
    """What ccxt uses of an aiohttp session, through the proxy if there is one: requests and WebSockets.

    Whatever its callers or the environment say of proxies is overruled.
    """

    def __init__(self, proxy: Proxy | None) -> None:
        """Raises ProxyError where the proxy cannot be used as it is set."""
        connector = build_connector(kind=partial(Tunnel, proxy)) if proxy else build_connector()
        self._session = aiohttp.ClientSession(
            connector=connector,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            middlewares=(_refuse_redirected_websocket,),
        )

    @property
    def headers(self) -> Mapping[str, str]:
        return self._session.headers

    def _ask(self, method: str, url: Any, **options: Any) -> Any:
        # A redirect would carry the key to another host.
        own: dict[str, Any] = {"allow_redirects": False, "proxy": None}
        return self._session.request(method, url, **(options | own))

    get = partialmethod(_ask, "GET")
    post = partialmethod(_ask, "POST")
    put = partialmethod(_ask, "PUT")
    patch = partialmethod(_ask, "PATCH")
    delete = partialmethod(_ask, "DELETE")

    def ws_connect(self, url: Any, **options: Any) -> Any:
        """As aiohttp's; a redirect is refused, as elsewhere."""
        return self._session.ws_connect(url, **(options | {"proxy": None}))

    async def close(self) -> None:
        await self._session.close()


async def _refuse_redirected_websocket(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """aiohttp's ws_connect would follow it and has no option not to."""
    response = await handler(request)
    if 300 <= response.status < 400 and request.headers.get("Upgrade") == "websocket":
        response.close()
        raise aiohttp.ClientConnectionError("a WebSocket was answered with a redirect")
    return response
