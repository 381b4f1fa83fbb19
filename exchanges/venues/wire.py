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

from exchanges.gateway import Credentials, Proxy
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
        self._lent_keys: defaultdict[tuple[str, Route], dict[str, Credentials]] = defaultdict(dict)
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
        self._lent_keys.clear()
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
        """The client for everything that the venue shows to everybody: it has no key, or a lent one."""
        from exchanges.venues.door import open_client

        place = (venue_id, Route.of(proxy))
        if place not in self._clients:
            lent = next(iter(self._lent_keys[place].values()), None)
            self._clients[place] = open_client(venue_id, wire=self, proxy=proxy, credentials=lent)
        return self._clients[place]

    def lend_key(
        self, venue_id: str, proxy: Proxy | None, connection_id: str, credentials: Credentials
    ) -> None:
        """For a venue that shows nothing without a key: everybody's questions, by this way, are asked with
        the first one lent. Raises VaultError where it cannot be read."""
        place = (venue_id, Route.of(proxy))
        self._lent_keys[place][connection_id] = credentials
        self._take_first_key(place)

    def pass_key_over(self, venue_id: str, proxy: Proxy | None) -> None:
        """The venue refused the lent key: the next one takes its turn."""
        place = (venue_id, Route.of(proxy))
        keys = self._lent_keys[place]
        for first in list(keys)[:1]:
            keys[first] = keys.pop(first)
        self._take_first_key(place)

    def _take_first_key(self, place: tuple[str, Route]) -> None:
        from exchanges.venues.door import take_key

        for first in list(self._lent_keys[place].values())[:1]:
            if place in self._clients:
                take_key(self._clients[place], first)

    async def market_list(
        self, venue_id: str, proxy: Proxy | None, asker: Client | None = None
    ) -> MarketList:
        """The venue's markets, asked for once; by the public client where nobody else asks. Raises as ccxt
        does."""
        from exchanges.venues.ccxt_answers import markets_of

        # A lock for each route: a proxy that hangs holds up nobody else.
        async with self._loading[venue_id, Route.of(proxy)]:
            if venue_id not in self._market_lists:
                client = asker or self.public_client(venue_id, proxy)
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
