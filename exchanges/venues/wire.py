"""What all clients of one process share: sockets, market lists, public clients, and each address's pace."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partialmethod
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import aiohttp
import certifi

from exchanges.errors import ProxyAuthError
from exchanges.gateway import Proxy
from exchanges.pacing import Budget
from exchanges.types import Market
from exchanges.venues.pace import Pace
from vault.redaction import remember

if TYPE_CHECKING:
    from exchanges.venues.door import Client

CONNECTIONS = 1000
CONNECTIONS_PER_HOST = 300  # a venue that hangs must not use up the others' sockets
DNS_SECONDS = 300


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """Trusts the system's authorities and certifi's."""
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=certifi.where())
    return context


def build_connector(**options: Any) -> aiohttp.TCPConnector:
    """The sockets of one session. IPv4 only: venues' allow-lists mostly are, and IPv6 would bypass them."""
    settings: dict[str, Any] = {
        "ssl": tls_context(),
        "family": socket.AF_INET,
        "limit": CONNECTIONS,
        "limit_per_host": CONNECTIONS_PER_HOST,
        "ttl_dns_cache": DNS_SECONDS,
    }
    return aiohttp.TCPConnector(**(settings | options))


@dataclass(frozen=True)
class Route:
    """A way out, as a key: two proxies that differ in their password only are two routes."""

    url: str = ""
    login: str = ""

    @classmethod
    def of(cls, proxy: Proxy | None) -> Route:
        if proxy is None:
            return cls()
        login = f"{proxy.username}\0{proxy.password.reveal()}"
        return cls(proxy.url, hashlib.sha256(login.encode()).hexdigest())


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
    """What ccxt uses of an aiohttp session, through the proxy if there is one.

    The proxy's login goes into a header of the CONNECT and into no URL, so no exception's text shows it.
    """

    def __init__(self, proxy: Proxy | None) -> None:
        # A redirect would carry the key to another host.
        self._options: dict[str, Any] = {"allow_redirects": False}
        if proxy is not None:
            self._options |= {"proxy": proxy.url, "proxy_headers": _login(proxy)}
        self._session = aiohttp.ClientSession(
            connector=build_connector(), trust_env=False, cookie_jar=aiohttp.DummyCookieJar()
        )

    @property
    def headers(self) -> Mapping[str, str]:
        return self._session.headers

    def _ask(self, method: str, url: Any, **options: Any) -> Any:
        return self._session.request(method, url, **(options | self._options))

    get = partialmethod(_ask, "GET")
    post = partialmethod(_ask, "POST")
    put = partialmethod(_ask, "PUT")
    patch = partialmethod(_ask, "PATCH")
    delete = partialmethod(_ask, "DELETE")

    async def close(self) -> None:
        await self._session.close()


def _login(proxy: Proxy) -> dict[str, str]:
    if not (proxy.username or proxy.password):
        return {}
    if ":" in proxy.username:
        raise ProxyAuthError("The proxy's user name holds a colon, which no proxy can take: enter it again.")
    value = aiohttp.encode_basic_auth(proxy.username, proxy.password.reveal())
    remember(value.removeprefix("Basic "))
    return {"Proxy-Authorization": value}
