"""What all clients of one process share: sockets, market lists, public clients, and each address's pace."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial, partialmethod
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakSet

import aiohttp

from exchanges.gateway import Credentials, Proxy
from exchanges.pacing import Budget
from exchanges.sharing import Place
from exchanges.venues.addresses import Addresses
from exchanges.venues.market_lists import MarketLists
from exchanges.venues.pace import Pace
from exchanges.venues.trust import tls_context
from exchanges.venues.tunnel import Tunnel

if TYPE_CHECKING:
    from exchanges.venues.door import Client

CONNECTIONS = 1000
CONNECTIONS_PER_HOST = 300  # a venue that hangs must not use up the others' sockets
DNS_SECONDS = 300
IDLE_SECONDS = 3600.0  # a way out that nobody took for so long is closed when another one is opened


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


def _exit_of(proxy: Proxy | None) -> str:
    """A digest of where requests come out, which a new password does not change. It is stored, so the
    password is not in it."""
    if proxy is None:
        return ""
    return hashlib.sha256("\0".join((proxy.url, proxy.username)).encode()).hexdigest()


class Wire:
    """Opened and closed in the loop that uses it:

    async with Wire() as wire:
        gateway = open_gateway(spec, wire=wire)
    """

    def __init__(self, addresses: Addresses | None = None) -> None:
        """addresses: the budgets, where they are shared with other processes."""
        self.addresses = addresses or Addresses()
        self._sessions: dict[Route, Session] = {}
        self._clients: dict[tuple[str, Route], Client] = {}
        self._lent_keys: defaultdict[tuple[str, Route], dict[str, Credentials]] = defaultdict(dict)
        self.market_lists = MarketLists()
        self._retired: WeakSet[Session] = WeakSet()
        self._closing: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        clients, self._clients = list(self._clients.values()), {}
        sessions, self._sessions = [*self._sessions.values(), *self._retired], {}
        await self.market_lists.close()
        self._lent_keys.clear()
        for client in clients:
            await client.close()
        for session in sessions:
            await session.close()
        await asyncio.gather(*self._closing)

    def session(self, proxy: Proxy | None) -> Session:
        """One for each way out; never a direct one where a proxy is set."""
        route = Route.of(proxy)
        if route not in self._sessions:
            self._retire_the_idle()
            self._sessions[route] = Session(proxy)
        return self._sessions[route]

    def _retire_the_idle(self) -> None:
        """Or each password that a proxy ever had would keep its sockets and clients. Who still holds a
        retired session may use it: it opens again."""
        idle = {route: session for route, session in self._sessions.items() if session.is_idle}
        for place in [place for place in self._clients if place[1] in idle]:
            del self._clients[place]
            self._lent_keys.pop(place, None)
        for route, session in idle.items():
            self._retired.add(self._sessions.pop(route))
            closing = asyncio.create_task(session.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    def pace(self, venue_id: str, proxy: Proxy | None, budget: Budget) -> Pace:
        """The pace at which the venue lets one address ask, whoever asks from there."""
        return self.addresses.pace(Place(venue_id, _exit_of(proxy)), budget)

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

    def take_key_back(
        self, venue_id: str, proxy: Proxy | None, connection_id: str, credentials: Credentials
    ) -> None:
        """Who lent it closes; not where a newer one was lent in its place."""
        keys = self._lent_keys[venue_id, Route.of(proxy)]
        if keys.get(connection_id) is credentials:
            del keys[connection_id]
            self._take_first_key((venue_id, Route.of(proxy)))

    def pass_key_over(self, venue_id: str, proxy: Proxy | None) -> None:
        """The venue refused the lent key: the next one takes its turn."""
        place = (venue_id, Route.of(proxy))
        keys = self._lent_keys[place]
        for first in list(keys)[:1]:
            keys[first] = keys.pop(first)
        self._take_first_key(place)

    def _take_first_key(self, place: tuple[str, Route]) -> None:
        """None at all where nobody lends one any more."""
        from exchanges.venues.door import take_key

        if place in self._clients:
            take_key(self._clients[place], next(iter(self._lent_keys[place].values()), Credentials()))

    async def load_markets(
        self, venue_id: str, proxy: Proxy | None, credentials: Credentials | None = None
    ) -> None:
        """The venue's list, asked for once; credentials: of who asks, where everybody may not. Raises as
        ccxt does, and VaultError."""
        open_lister = partial(self._lister, venue_id, proxy, credentials)
        await self.market_lists.load(venue_id, Route.of(proxy), open_lister)

    async def renew_markets(
        self, venue_id: str, proxy: Proxy | None, credentials: Credentials | None = None
    ) -> None:
        await self.market_lists.renew(venue_id, partial(self._lister, venue_id, proxy, credentials))

    def _lister(self, venue_id: str, proxy: Proxy | None, credentials: Credentials | None) -> Client:
        """A market list is no account's, so nobody's lease is needed to ask for it."""
        from exchanges.venues.door import open_client

        if credentials is None:
            credentials = next(iter(self._lent_keys[venue_id, Route.of(proxy)].values()), None)
        return open_client(venue_id, wire=self, proxy=proxy, credentials=credentials)


class Session:
    """What ccxt uses of an aiohttp session, through the proxy if there is one: requests and WebSockets.

    It opens at its first use, and again when it is used after it was closed. Whatever its callers or the
    environment say of proxies is overruled.
    """

    def __init__(self, proxy: Proxy | None) -> None:
        self._proxy = proxy
        self._opened: aiohttp.ClientSession | None = None
        self._used_at = time.monotonic()

    def _open(self) -> aiohttp.ClientSession:
        """Raises ProxyError where the proxy cannot be used as it is set."""
        self._used_at = time.monotonic()
        if self._opened is None:
            kind = {} if self._proxy is None else {"kind": partial(Tunnel, self._proxy)}
            self._opened = aiohttp.ClientSession(
                connector=build_connector(**kind),
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                middlewares=(_refuse_redirected_websocket,),
            )
        return self._opened

    @property
    def is_idle(self) -> bool:
        """Nobody has used it for long, and none of its sockets is in use, as a WebSocket's would be."""
        connector = self._opened.connector if self._opened else None
        in_use = connector is not None and bool(connector._acquired)  # noqa: SLF001 - there is no other way
        return not in_use and time.monotonic() - self._used_at > IDLE_SECONDS

    @property
    def headers(self) -> Mapping[str, str]:
        return self._open().headers

    def _ask(self, method: str, url: Any, **options: Any) -> Any:
        # A redirect would carry the key to another host.
        own: dict[str, Any] = {"allow_redirects": False, "proxy": None}
        return self._open().request(method, url, **(options | own))

    get = partialmethod(_ask, "GET")
    post = partialmethod(_ask, "POST")
    put = partialmethod(_ask, "PUT")
    patch = partialmethod(_ask, "PATCH")
    delete = partialmethod(_ask, "DELETE")

    def ws_connect(self, url: Any, **options: Any) -> Any:
        """As aiohttp's; a redirect is refused, as elsewhere."""
        return self._open().ws_connect(url, **(options | {"proxy": None}))

    async def close(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.close()


async def _refuse_redirected_websocket(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """aiohttp's ws_connect would follow it and has no option not to."""
    response = await handler(request)
    if 300 <= response.status < 400 and request.headers.get("Upgrade") == "websocket":
        response.close()
        raise aiohttp.ClientConnectionError("a WebSocket was answered with a redirect")
    return response
