"""A request and its answer as the dialects see them: bytes and headers, no web framework."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.lab.accounts import KeyRing, Login
from tests.lab.exchange import Exchange
from tests.lab.orders import Fill, Order
from tests.lab.races import Races
from tests.lab.views import Views


@dataclass(frozen=True, kw_only=True)
class WireRequest:
    """query: as sent, without the question mark; headers: names in lower case; address: the sender's."""

    method: str
    host: str
    path: str
    query: str
    body: bytes
    headers: Mapping[str, str]
    address: str


@dataclass(frozen=True, kw_only=True)
class WireAnswer:
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Outages(Protocol):
    """What a venue says when something is wrong with itself; seconds are Retry-After's."""

    def unknown_outcome(self, chance: random.Random) -> WireAnswer:
        """True before a request took effect, and after."""

    def not_done(self, chance: random.Random) -> WireAnswer:
        """Only true of a request that did not take effect; the words may be those of an unknown one."""

    def maintenance(self) -> WireAnswer: ...

    def rate_limited(self, retry_after: int) -> WireAnswer: ...

    def banned(self, retry_after: int, now_ms: int) -> WireAnswer: ...


class Socket(Protocol):
    """A WebSocket as a dialect sees it."""

    async def send(self, text: str) -> None:
        """Nothing, once the client is gone."""

    def __aiter__(self) -> AsyncIterator[str]:
        """The client's text frames, until it leaves."""


# Speaks on a WebSocket until the client leaves.
Streams = Callable[[WireRequest, Socket], Coroutine[Any, Any, None]]


class Dialect(Protocol):
    """One venue's way to speak for its exchange."""

    @property
    def venue(self) -> str: ...

    @property
    def hosts(self) -> tuple[str, ...]: ...

    @property
    def exchange(self) -> Exchange: ...

    @property
    def keys(self) -> KeyRing: ...

    @property
    def views(self) -> Views: ...

    @property
    def races(self) -> Races: ...

    @property
    def outages(self) -> Outages: ...

    @property
    def streams(self) -> Streams | None:
        """None where the venue has no WebSockets here."""

    @property
    def limits(self) -> Any:
        """A dataclass of the venue's budgets; changed while the lab runs."""

    def new_login(self, number: int) -> Login:
        """In the venue's own form; the same for the same number."""

    def order_name(self, order: Order) -> str:
        """The id that the venue gave it, as its answers print it."""

    def trade_name(self, fill: Fill) -> str:
        """The same for one side of a trade; the other side may have another."""

    def key_of(self, request: WireRequest) -> str | None:
        """The API key that it names, whether or not there is such a key."""

    def answer(self, request: WireRequest) -> WireAnswer: ...

    def answer_again(self, request: WireRequest) -> WireAnswer:
        """To a second delivery of a request that was answered already."""
