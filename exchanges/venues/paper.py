"""A venue with play money around a real market's data.

Nothing runs in the background: every call about the account first gives its open orders what the market
has done since the last one. The books are in the database, so that any process can go on, and several can
use one account. How fills are made, and what they cannot show: docs/paper.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import ParamSpec, TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError

from database.thread import DatabaseThread
from exchanges.errors import ConnectivityError, OutcomeUnknownError, UnknownSymbolError, VenueDownError
from exchanges.gateway import AccountPermissions, ConnectionSpec, Licence, MarketData
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
from exchanges.venues import paper_ledger as ledger
from exchanges.venues.paper_matching import MarketView
from exchanges.venues.paper_rules import check_order

LATENCY_SECONDS = 0.05
P = ParamSpec("P")
T = TypeVar("T")


class PaperGateway:
    """`exchanges.gateway.Gateway` for the paper account of one connection.

    licence: asked as at a real venue's door, right before an order or a cancel leaves.
    clock: our own time, against which the market's trades are compared; latency_seconds: how long an order
    or a cancel travels before it is matched.
    """

    def __init__(
        self,
        spec: ConnectionSpec,
        *,
        market_data: MarketData,
        database: DatabaseThread,
        licence: Licence | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        latency_seconds: float = LATENCY_SECONDS,
    ) -> None:
        self._spec = spec
        self._account_id = UUID(spec.id)
        self._market_data = market_data
        self._database = database
        self._licence = licence
        self._clock = clock
        self._sleep = sleep
        self._latency_seconds = latency_seconds
        self._seen_until: dict[str, datetime] = {}
        self._is_open = False

    @property
    def budget_used(self) -> float:
        """The account is ours; it is the market data that a venue is asked for."""
        return self._market_data.budget_used

    async def load_markets(self) -> Mapping[str, Market]:
        return await self._market_data.load_markets()

    async def fetch_time(self) -> datetime:
        return await self._market_data.fetch_time()

    async def fetch_ticker(self, symbol: str) -> Ticker:
        return await self._market_data.fetch_ticker(symbol)

    async def fetch_book(self, symbol: str) -> Book:
        return await self._market_data.fetch_book(symbol)

    async def fetch_public_trades(self, symbol: str, *, since: datetime) -> Sequence[PublicTrade]:
        return await self._market_data.fetch_public_trades(symbol, since=since)

    async def fetch_day_volumes(self) -> Mapping[str, Decimal]:
        return await self._market_data.fetch_day_volumes()

    async def close(self) -> None:
        """Nothing is held: the market data is shared, and the database thread is the caller's."""

    async def fetch_permissions(self) -> AccountPermissions:
        await self._open_account()
        return AccountPermissions(can_trade=True, can_withdraw=False)

    async def fetch_balances(self) -> Mapping[str, Balance]:
        await self._settle(None)
        return await self._read(ledger.balances, self._account_id)

    async def fetch_open_orders(self, symbols: Collection[str]) -> Sequence[OrderReport]:
        await self._settle(symbols)
        return await self._read(ledger.open_orders, self._account_id, symbols)

    async def fetch_order(self, ref: OrderRef) -> OrderReport:
        await self._settle([ref.symbol])
        return await self._read(ledger.order, self._account_id, ref)

    async def fetch_trades(self, symbol: str, *, since: datetime) -> Sequence[TradeReport]:
        await self._settle([symbol])
        return await self._read(ledger.trades, self._account_id, symbol, since)

    async def fetch_order_trades(self, ref: OrderRef) -> Sequence[TradeReport]:
        await self._settle([ref.symbol])
        return await self._read(ledger.order_trades, self._account_id, ref)

    async def place(self, request: OrderRequest) -> OrderReport:
        market = await self._market(request.symbol)
        await self._send()
        views = await self._settle([request.symbol])
        view = views.get(request.symbol)
        book = await self.fetch_book(request.symbol) if view is None else view.book
        check_order(request, market, book)
        return await self._change(ledger.accept, self._account_id, request, market, book, self._clock())

    async def cancel(self, ref: OrderRef) -> None:
        await self._send()
        await self._settle([ref.symbol])
        await self._change(ledger.cancel, self._account_id, ref)

    async def _send(self) -> None:
        """An order or a cancel leaves, and arrives. Raises NotLicensedError."""
        if self._licence is not None:
            self._licence.check()
        await self._sleep(self._latency_seconds)

    async def _market(self, symbol: str) -> Market:
        markets = await self.load_markets()
        if symbol not in markets:
            raise UnknownSymbolError(f"{self._spec.venue} has no market {symbol}; choose one of its markets.")
        return markets[symbol]

    async def _open_account(self) -> None:
        if not self._is_open:
            await self._change(ledger.open_account, self._account_id)
            self._is_open = True

    async def _settle(self, symbols: Collection[str] | None) -> dict[str, MarketView]:
        """Gives the open orders what their markets have done; the markets as they were seen for it."""
        await self._open_account()
        watched = await self._read(ledger.watch, self._account_id, symbols)
        looks = await asyncio.gather(*map(self._look, watched))
        views = {one.symbol: view for one, view in zip(watched, looks, strict=True) if view is not None}
        for one in watched:
            view = views.get(one.symbol)
            if view and one.may_change(view):
                await self._change(ledger.settle, self._account_id, one.symbol, view)
            if view and view.trades:
                self._seen_until[one.symbol] = view.trades[-1].time
        return views

    async def _look(self, watched: ledger.Watched) -> MarketView | None:
        """None where the venue has the market no more: nothing happens there, and the others go on."""
        # Trades that moved nothing once never will; the database need not remember that they did not.
        since = max(watched.since, self._seen_until.get(watched.symbol, watched.since))
        try:
            trades = await self.fetch_public_trades(watched.symbol, since=since)
            return MarketView(book=await self.fetch_book(watched.symbol), trades=trades)
        except UnknownSymbolError:
            return None

    async def _read(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._call(VenueDownError, function, *args, **kwargs)

    async def _change(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As on a wire: when the answer to a change is lost, it may have been made."""
        return await self._call(OutcomeUnknownError, function, *args, **kwargs)

    async def _call(
        self, loss: type[ConnectivityError], function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        try:
            return await self._database.run(function, *args, **kwargs)
        except (OperationalError, InterfaceError) as error:
            raise loss(
                "The database that keeps the paper account did not answer; look whether it is running.",
                connection=self._spec.name,
                call=getattr(function, "__name__", ""),
            ) from error
