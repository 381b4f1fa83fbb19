"""A gateway whose calls are timed: what comes of each is noted in the connection's condition."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from bots.engine.clock import uptime
from bots.engine.condition import Condition
from exchanges.errors import VenueDownError, VenueError
from exchanges.gateway import AccountPermissions, Gateway
from exchanges.stopwatch import stopwatch
from exchanges.types import (
    Balance,
    Book,
    Market,
    OrderRef,
    OrderReport,
    OrderRequest,
    PublicTrade,
    Ticker,
    TradeReport,
)

AT_HAND_SECONDS = 0.001  # an answer that comes sooner was not waited for: the process had it


@contextmanager
def noted(health: Condition, *, from_seconds: float = 0.0) -> Iterator[None]:
    """One call, from when it was let out; an answer counts where it was waited for so long."""
    began_at = uptime()
    with stopwatch() as watch:
        try:
            yield
        except VenueError as error:
            health.failed(began_at + watch.held_back_seconds, error)
            raise
    if uptime() - began_at >= from_seconds:
        health.answered(began_at + watch.held_back_seconds)


@contextmanager
def waited_for(health: Condition) -> Iterator[None]:
    """Of what all connections of a process share: it counts as far as this one waited for it."""
    with noted(health, from_seconds=AT_HAND_SECONDS):
        yield


@dataclass(frozen=True)
class MeasuredGateway:
    """`exchanges.gateway.Gateway`, as `gateway` is. Nothing is sent while the breaker is open."""

    gateway: Gateway
    health: Condition

    @property
    def budget_used(self) -> float:
        return self.gateway.budget_used

    @contextmanager
    def _call(self, *, from_seconds: float = 0.0) -> Iterator[None]:
        if self.health.is_left_alone:
            raise VenueDownError(f"Nothing was sent: the exchange is left alone. {self.health.cause}")
        with noted(self.health, from_seconds=from_seconds):
            yield

    async def load_markets(self) -> Mapping[str, Market]:
        with self._call(from_seconds=float("inf")):  # the list is shared: only its lack tells anything
            return await self.gateway.load_markets()

    async def fetch_time(self) -> datetime:
        with self._call():
            return await self.gateway.fetch_time()

    async def fetch_ticker(self, symbol: str) -> Ticker:
        with self._call():
            return await self.gateway.fetch_ticker(symbol)

    async def fetch_book(self, symbol: str) -> Book:
        with self._call():
            return await self.gateway.fetch_book(symbol)

    async def fetch_public_trades(self, symbol: str, *, since: datetime) -> Sequence[PublicTrade]:
        with self._call():
            return await self.gateway.fetch_public_trades(symbol, since=since)

    async def fetch_day_volumes(self) -> Mapping[str, Decimal]:
        with self._call(from_seconds=float("inf")):  # a list of all markets takes its time
            return await self.gateway.fetch_day_volumes()

    async def fetch_permissions(self) -> AccountPermissions:
        with self._call():
            return await self.gateway.fetch_permissions()

    async def fetch_balances(self) -> Mapping[str, Balance]:
        with self._call():
            return await self.gateway.fetch_balances()

    async def fetch_open_orders(self, symbols: Collection[str]) -> Sequence[OrderReport]:
        with self._call():
            return await self.gateway.fetch_open_orders(symbols)

    async def fetch_order(self, ref: OrderRef) -> OrderReport:
        with self._call():
            return await self.gateway.fetch_order(ref)

    async def fetch_trades(self, symbol: str, *, since: datetime) -> Sequence[TradeReport]:
        with self._call():
            return await self.gateway.fetch_trades(symbol, since=since)

    async def fetch_order_trades(self, ref: OrderRef) -> Sequence[TradeReport]:
        with self._call():
            return await self.gateway.fetch_order_trades(ref)

    async def place(self, request: OrderRequest) -> OrderReport:
        with self._call():
            return await self.gateway.place(request)

    async def cancel(self, ref: OrderRef) -> OrderReport | None:
        with self._call():
            return await self.gateway.cancel(ref)

    async def close(self) -> None:
        await self.gateway.close()
