"""A venue in memory for runs of hundreds of thousands of cycles: it forgets what ended long ago.

Its prices move by themselves; an order that they reach is filled, in part or whole. On each account
somebody else trades too, and now and then a call fails or its answer is lost.
"""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from itertools import count

from bots.engine.clock import uptime, utc_now
from exchanges.errors import ConnectivityError, OrderNotFoundError, OutcomeUnknownError
from exchanges.gateway import AccountPermissions, Licence
from exchanges.types import (
    ZERO,
    Balance,
    Book,
    Fee,
    Level,
    Liquidity,
    Market,
    OrderRef,
    OrderReport,
    OrderRequest,
    OrderType,
    PublicTrade,
    Side,
    Ticker,
    TradeReport,
    VenueOrderStatus,
)
from tests.bots.engine.fake_venue import market

D = Decimal
SYMBOLS = tuple(f"C{number:02}/USDT" for number in range(12))
MOVE_SECONDS = 90.0  # how long a price holds
MOVE_PCT = 0.0012
LATENCY_SECONDS = 0.02
FAILURES = 0.0005  # of all calls
REMEMBERED_ORDERS = 300  # ended ones, by account
REMEMBERED_TRADES = 300
PLENTY = D(10) ** 9


@dataclass
class Prices:
    """One price by symbol, which holds for a while and then jumps; still ones hold for ever."""

    chance: random.Random
    are_still: bool = False
    mids: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(SYMBOLS, D(100)))
    moved_at: dict[str, float] = field(default_factory=dict)

    def mid(self, symbol: str) -> Decimal:
        if self.are_still:
            return self.mids[symbol]
        first = self.chance.uniform(-MOVE_SECONDS, 0)
        if uptime() - self.moved_at.setdefault(symbol, first) >= MOVE_SECONDS:
            self.moved_at[symbol] = uptime()
            # It is drawn towards 100, so that a long day looks like a short one.
            drift = (100 - float(self.mids[symbol])) / 1000
            moved = float(self.mids[symbol]) * (1 + self.chance.gauss(drift, MOVE_PCT))
            self.mids[symbol] = D(f"{moved:.2f}")
        return self.mids[symbol]


@dataclass
class MemoryAccount:
    """trades_made: all fills of orders with a client id, those among them that are forgotten by now.

    is_quiet: nobody else trades on it, and no call fails.
    """

    prices: Prices
    chance: random.Random
    is_quiet: bool = False
    resting: dict[str, OrderReport] = field(default_factory=dict)
    ended: OrderedDict[str, OrderReport] = field(default_factory=OrderedDict)
    trades: deque[TradeReport] = field(default_factory=lambda: deque(maxlen=REMEMBERED_TRADES))
    funds: dict[str, Decimal] = field(default_factory=dict)
    trades_made: int = 0
    gateways_open: int = 0
    _ids: count[int] = field(default_factory=lambda: count(1))

    def place(self, request: OrderRequest) -> OrderReport:
        return self._rest(request.client_id, request.symbol, request.side, request.price, request.amount)

    def _rest(
        self, client_id: str | None, symbol: str, side: Side, price: Decimal | None, amount: Decimal
    ) -> OrderReport:
        report = OrderReport(
            venue_id=str(next(self._ids)), client_id=client_id, symbol=symbol, side=side,
            type=OrderType.LIMIT, status=VenueOrderStatus.OPEN, amount=amount, filled=ZERO, price=price,
            average=None, time=utc_now(),
        )  # fmt: skip
        self.resting[report.venue_id] = report
        return report

    def end(self, report: OrderReport, status: VenueOrderStatus) -> None:
        self.resting.pop(report.venue_id, None)
        self.ended[report.venue_id] = replace(report, status=status)
        if len(self.ended) > REMEMBERED_ORDERS:
            self.ended.popitem(last=False)

    def find(self, ref: OrderRef) -> OrderReport:
        for orders in (self.resting, self.ended):
            if ref.venue_id in orders:
                return orders[ref.venue_id or ""]
            for order in orders.values():
                if ref.client_id and order.client_id == ref.client_id:
                    return order
        raise OrderNotFoundError("There is no such order.")

    def happen(self, symbols: Collection[str]) -> None:
        """What others do between two looks: they take what is in their way, and place orders of their own."""
        self.take_what_is_reached()
        for _ in range(0 if self.is_quiet else 3):
            self._meddle(self.chance.choice(sorted(symbols)))

    def take_what_is_reached(self) -> None:
        for order in list(self.resting.values()):
            if order.client_id and self._is_reached(order):
                self._fill(order)

    def _is_reached(self, order: OrderReport) -> bool:
        mid = self.prices.mid(order.symbol)
        price = order.price or ZERO
        return price >= mid if order.side is Side.BUY else price <= mid

    def _meddle(self, symbol: str) -> None:
        """The account's owner places an order by hand; his last but ten goes."""
        stranger = self._rest(None, symbol, Side.BUY, D(50), D(1))
        if self.chance.random() < 0.2:
            self._trade(stranger, D("0.5"))
        foreign = [order for order in self.resting.values() if order.client_id is None]
        if len(foreign) > 10:
            self.end(foreign[0], VenueOrderStatus.CANCELED)

    def _fill(self, order: OrderReport) -> None:
        left = order.amount - order.filled
        size = left if self.chance.random() < 0.7 else (left / 2).quantize(D("0.001")) or left
        self._trade(order, size)
        filled = replace(order, filled=order.filled + size, average=order.price)
        if filled.filled == filled.amount:
            self.end(filled, VenueOrderStatus.FILLED)
        else:
            self.resting[order.venue_id] = filled

    def _trade(self, order: OrderReport, size: Decimal) -> None:
        price = order.price or ZERO
        fee = Fee(currency="USDT", amount=price * size * D("0.001"))
        self.trades.append(
            TradeReport(
                id=str(next(self._ids)), order_venue_id=order.venue_id, client_id=None, symbol=order.symbol,
                side=order.side, price=price, amount=size, cost=price * size, fees=(fee,),
                liquidity=Liquidity.MAKER, time=utc_now(),
            )
        )  # fmt: skip
        if order.client_id:
            self.trades_made += 1
            base, sign = order.symbol.split("/")[0], 1 if order.side is Side.BUY else -1
            self.funds[base] = self.funds.get(base, PLENTY) + sign * size
            self.funds["USDT"] = self.funds.get("USDT", PLENTY) - sign * price * size


@lru_cache(maxsize=64)  # a book that stands still should not be the dearest part of a cycle
def levels_around(mid: Decimal) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
    """(bids, asks)"""
    steps = [D(step) / 100 for step in range(1, 21)]
    return tuple(Level(mid - step, D(10)) for step in steps), tuple(
        Level(mid + step, D(10)) for step in steps
    )


@dataclass
class MemoryGateway:
    account: MemoryAccount
    licence: Licence | None = None
    has_markets: bool = False

    def __post_init__(self) -> None:
        self.account.gateways_open += 1

    @property
    def budget_used(self) -> float:
        return 0.0

    @asynccontextmanager
    async def _call(self) -> AsyncIterator[None]:
        await asyncio.sleep(LATENCY_SECONDS)
        if self.licence is not None:
            self.licence.check()
        fate = 1.0 if self.account.is_quiet else self.account.chance.random()
        if fate < FAILURES / 2:
            raise ConnectivityError("The venue cannot be reached.")
        yield
        if fate < FAILURES:
            raise OutcomeUnknownError("The venue's answer was lost.")

    async def load_markets(self) -> Mapping[str, Market]:
        if not self.has_markets:
            async with self._call():
                self.has_markets = True
        return MARKETS

    async def fetch_time(self) -> datetime:
        return utc_now()

    async def fetch_ticker(self, symbol: str) -> Ticker:
        async with self._call():
            mid = self.account.prices.mid(symbol)
            return Ticker(symbol=symbol, bid=None, ask=None, last=mid, time=utc_now())

    async def fetch_book(self, symbol: str) -> Book:
        async with self._call():
            bids, asks = levels_around(self.account.prices.mid(symbol))
            return Book(symbol=symbol, bids=bids, asks=asks, time=utc_now())

    async def fetch_public_trades(self, symbol: str, *, since: datetime) -> Sequence[PublicTrade]:
        return []

    async def fetch_day_volumes(self) -> Mapping[str, Decimal]:
        async with self._call():
            return dict.fromkeys(MARKETS, PLENTY)

    async def fetch_permissions(self) -> AccountPermissions:
        return AccountPermissions(can_trade=True, can_withdraw=False)

    async def fetch_balances(self) -> Mapping[str, Balance]:
        async with self._call():
            funds = dict.fromkeys(CURRENCIES, PLENTY) | self.account.funds
            return {name: Balance(currency=name, free=free, used=ZERO) for name, free in funds.items()}

    async def fetch_open_orders(self, symbols: Collection[str]) -> Sequence[OrderReport]:
        async with self._call():
            self.account.happen(symbols)
            return [order for order in self.account.resting.values() if order.symbol in symbols]

    async def fetch_order(self, ref: OrderRef) -> OrderReport:
        async with self._call():
            return self.account.find(ref)

    async def fetch_trades(self, symbol: str, *, since: datetime) -> Sequence[TradeReport]:
        async with self._call():
            return [t for t in self.account.trades if t.symbol == symbol and t.time >= since]

    async def fetch_order_trades(self, ref: OrderRef) -> Sequence[TradeReport]:
        async with self._call():
            return [t for t in self.account.trades if t.order_venue_id == ref.venue_id]

    async def place(self, request: OrderRequest) -> OrderReport:
        async with self._call():
            return self.account.place(request)

    async def cancel(self, ref: OrderRef) -> OrderReport | None:
        async with self._call():
            self.account.take_what_is_reached()  # the market may be faster than the cancel
            order = self.account.find(ref)
            if order.status is not VenueOrderStatus.OPEN:
                raise OrderNotFoundError("It is not open any more.")
            self.account.end(order, VenueOrderStatus.CANCELED)
            return None

    async def close(self) -> None:
        self.account.gateways_open -= 1


MARKETS: Mapping[str, Market] = {symbol: market(symbol) for symbol in SYMBOLS}
CURRENCIES = ("USDT", *(symbol.split("/")[0] for symbol in SYMBOLS))
