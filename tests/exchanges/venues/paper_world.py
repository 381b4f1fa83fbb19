"""A market that a test writes by hand, a clock that it sets, and a paper account on both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeVar
from uuid import uuid4

from django.contrib.auth import get_user_model

from database.thread import DatabaseThread
from exchanges.errors import UnknownSymbolError, VenueDownError
from exchanges.gateway import ConnectionSpec, Credentials, MarketData
from exchanges.models import ExchangeConnection
from exchanges.types import (
    Book,
    Level,
    Market,
    OrderRequest,
    OrderType,
    PublicTrade,
    Side,
    Ticker,
    TimeInForce,
)
from exchanges.venues.paper import PaperGateway

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
T = TypeVar("T")
SYMBOL = "ABC/USDT"
MARKET = Market(
    symbol=SYMBOL,
    base="ABC",
    quote="USDT",
    price_step=Decimal("0.01"),
    amount_step=Decimal("0.1"),
    min_amount=Decimal("0.1"),
    max_amount=Decimal(5000),
    min_cost=Decimal(5),
    maker_fee=Decimal("0.001"),
    taker_fee=Decimal("0.002"),
)


class SetClock:
    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class HandMarket:
    """MarketData as a test writes it: bids and asks as ("price", "amount"), and a tape."""

    clock: SetClock
    bids: Sequence[tuple[str, str]] = (("99.90", "10"), ("99.80", "20"))
    asks: Sequence[tuple[str, str]] = (("100.10", "10"), ("100.20", "20"))
    tape: list[PublicTrade] = field(default_factory=list)
    calls: int = 0
    fail_tape: bool = False
    is_delisted: bool = False

    def trade(self, side: Side, price: str, amount: str, *, seconds_ago: float = 0) -> None:
        self.tape.append(
            PublicTrade(
                id=str(len(self.tape) + 1),
                symbol=SYMBOL,
                side=side,
                price=Decimal(price),
                amount=Decimal(amount),
                time=self.clock.now - timedelta(seconds=seconds_ago),
            )
        )

    async def load_markets(self) -> Mapping[str, Market]:
        return {SYMBOL: MARKET}

    async def fetch_time(self) -> datetime:
        return self.clock.now

    async def fetch_ticker(self, symbol: str) -> Ticker:
        book = await self.fetch_book(symbol)
        return Ticker(symbol=symbol, bid=book.best_bid, ask=book.best_ask, last=None, time=book.time)

    async def fetch_book(self, symbol: str) -> Book:
        self.calls += 1
        return Book(symbol=symbol, bids=_levels(self.bids), asks=_levels(self.asks), time=self.clock.now)

    async def fetch_public_trades(self, symbol: str, *, since: datetime) -> Sequence[PublicTrade]:
        self.calls += 1
        if self.is_delisted:
            raise UnknownSymbolError(f"There is no market {symbol} any more.")
        if self.fail_tape:
            raise VenueDownError("The market does not answer; try again later.")
        return [trade for trade in self.tape if trade.time >= since]

    @property
    def budget_used(self) -> float:
        return 0.0

    async def fetch_day_volumes(self) -> Mapping[str, Decimal]:
        self.calls += 1
        return {SYMBOL: sum((trade.price * trade.amount for trade in self.tape), Decimal(0))}

    async def close(self) -> None:
        pass


def _levels(pairs: Sequence[tuple[str, str]]) -> tuple[Level, ...]:
    return tuple(Level(Decimal(price), Decimal(amount)) for price, amount in pairs)


def saved_connection(**balances: str) -> ExchangeConnection:
    owner = get_user_model().objects.create_user(username=uuid4().hex)
    return ExchangeConnection.objects.create(
        name=uuid4().hex, venue="demo", owner=owner, paper_balances=balances
    )


@contextmanager
def gateway_on(
    connection: ExchangeConnection, market_data: MarketData, clock: SetClock
) -> Iterator[PaperGateway]:
    """One process's gateway, with a database thread of its own."""
    spec = ConnectionSpec(
        id=str(connection.pk),
        name=connection.name,
        venue=connection.venue,
        is_paper=True,
        credentials=Credentials(),
    )
    database = DatabaseThread()
    try:
        yield PaperGateway(spec, market_data=market_data, database=database, clock=clock, sleep=clock.sleep)
    finally:
        database.close()


def order(
    side: Side,
    amount: str,
    price: str | None = None,
    *,
    symbol: str = SYMBOL,
    post_only: bool = False,
    time_in_force: TimeInForce = TimeInForce.GTC,
) -> OrderRequest:
    return OrderRequest(
        client_id=uuid4().hex,
        symbol=symbol,
        side=side,
        type=OrderType.MARKET if price is None else OrderType.LIMIT,
        amount=Decimal(amount),
        price=None if price is None else Decimal(price),
        post_only=post_only,
        time_in_force=time_in_force,
    )


async def in_database(function: Callable[[], T]) -> T:
    """The function's result, from a thread whose connection is closed afterwards."""
    database = DatabaseThread()
    try:
        return await database.run(function)
    finally:
        database.close()
