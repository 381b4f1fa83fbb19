"""The markets of each venue: asked for once a process, shared by all clients, and asked for anew with age.

A list is good for about an hour, or for five minutes where something has cast doubt on it. Then whoever needs
it next has it asked for beside its own work, and goes on with the old one, which stays while the venue does
not answer. A market that is listed no more stays, inactive, so that what is left there keeps its name.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

from exchanges.errors import InvalidOrderError, Rule, UnknownSymbolError, VenueError
from exchanges.types import Market

if TYPE_CHECKING:
    from exchanges.venues.door import Client

T = TypeVar("T")
LIFETIME_SECONDS = 3600.0
JITTER = 0.1  # so that the lists of a desk's venues and processes do not all age at once
DOUBTED_LIFETIME_SECONDS = 300.0
# An order that was made by the list's rules breaks none of these; a market that is closed breaks another.
RULES_OF_THE_LIST = frozenset((Rule.PRICE_STEP, Rule.AMOUNT_STEP, Rule.MIN_AMOUNT, Rule.MIN_COST, Rule.OTHER))


@dataclass(kw_only=True)
class MarketList:
    """source: a client that holds the list in ccxt's form, for others to share; sharers: those who do.
    asked_at: seconds, of the monotonic clock."""

    source: Client
    markets: Mapping[str, Market]
    asked_at: float
    lifetime_seconds: float
    is_doubted: bool = False
    sharers: WeakSet[Client] = field(default_factory=WeakSet)
    renewal: asyncio.Task[None] | None = None

    @property
    def is_due(self) -> bool:
        lifetime = DOUBTED_LIFETIME_SECONDS if self.is_doubted else self.lifetime_seconds
        return self.renewal is None and time.monotonic() - self.asked_at >= lifetime


async def unless_gone(answer: Awaitable[T], market: Market, otherwise: T) -> T:
    """A venue may not know a market any more that it has ceased to list: then nothing is left in it."""
    try:
        return await answer
    except UnknownSymbolError:
        if market.active:
            raise
        return otherwise


def casts_doubt(problem: VenueError) -> bool:
    """Whether the venue's refusal says that its markets are not as they were listed."""
    if isinstance(problem, InvalidOrderError):
        return problem.rule in RULES_OF_THE_LIST
    return isinstance(problem, UnknownSymbolError)


class MarketLists:
    """Those of one process, by the venue's id. What asks a venue raises as ccxt does."""

    def __init__(self) -> None:
        self._lists: dict[str, MarketList] = {}
        self._loading: defaultdict[Hashable, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def load(self, venue_id: str, route: Hashable, open_lister: Callable[[], Client]) -> None:
        """Asks for it where there is none yet. A lock for each route: a proxy that hangs holds up nobody
        else."""
        async with self._loading[venue_id, route]:
            if venue_id not in self._lists:
                loaded = await _load(open_lister())
                self._lists.setdefault(venue_id, loaded)

    def give(self, venue_id: str, client: Client) -> None:
        """To this client, of a list that was loaded: now, and whenever there is a new one."""
        shared = self._lists[venue_id]
        client.set_markets_from_exchange(shared.source)
        shared.sharers.add(client)

    def markets(self, venue_id: str) -> Mapping[str, Market]:
        """Of a list that was loaded: the same object until something in it changes."""
        return self._lists[venue_id].markets

    def is_due(self, venue_id: str) -> bool:
        """Whether it is old, and nobody asks for it yet."""
        return self._lists[venue_id].is_due

    def doubt(self, venue_id: str) -> None:
        if venue_id in self._lists:
            self._lists[venue_id].is_doubted = True

    def renew_beside(self, venue_id: str, renewal: Coroutine[None, None, None]) -> None:
        """renewal: calls `renew`, and raises nothing."""
        self._lists[venue_id].renewal = asyncio.create_task(renewal)

    async def renew(self, venue_id: str, open_lister: Callable[[], Client]) -> None:
        """Asks for it anew. Where nothing has changed, everybody goes on with the old one."""
        old = self._lists[venue_id]
        old.asked_at, old.is_doubted = time.monotonic(), True  # until it is known better
        try:
            new = await _load(open_lister(), old)
        finally:
            old.renewal = None
        if new.markets == old.markets:
            old.is_doubted = False
            new.source.clean_rest_data()  # a client goes late, and its list is large
            return
        self._lists[venue_id] = new
        for client in old.sharers:
            client.set_markets_from_exchange(new.source)
        new.sharers = old.sharers
        old.source.clean_rest_data()

    async def close(self) -> None:
        renewals = [shared.renewal for shared in self._lists.values() if shared.renewal]
        for renewal in renewals:
            renewal.cancel()
        await asyncio.gather(*renewals, return_exceptions=True)


async def _load(lister: Client, old: MarketList | None = None) -> MarketList:
    """lister: a client for this alone, so that nobody else's request waits for it; closed, it keeps the
    list. old: whose markets it remembers where they are listed no more."""
    from exchanges.venues.ccxt_answers import markets_of

    asked_at = time.monotonic()
    try:
        await lister.load_markets()
    finally:
        await lister.close()
    gone = [] if old is None else _gone(old.source, lister)
    if gone:
        lister.set_markets([*lister.markets.values(), *gone])
    return MarketList(
        source=lister,
        markets=MappingProxyType(markets_of(lister)),
        asked_at=asked_at,
        lifetime_seconds=LIFETIME_SECONDS * random.uniform(1 - JITTER, 1 + JITTER),
    )


def _gone(old: Client, new: Client) -> list[dict[str, Any]]:
    """In ccxt's form. A market that goes on under another symbol is not gone."""
    return [
        {**market, "active": False}
        for symbol, market in old.markets.items()
        if market.get("spot") and symbol not in new.markets and market["id"] not in new.markets_by_id
    ]
