"""A venue in memory: one account, strict rules, and failures that are scripted call by call.

Orders fill when a test says so. A request can fail before it arrives or after it did, a new order or a
trade can stay invisible for a while, and a hook can strike at the n-th request.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from itertools import count

from bots.engine.clock import utc_now
from exchanges.errors import (
    InsufficientFundsError,
    InvalidOrderError,
    OrderNotFoundError,
    Rule,
    UnknownSymbolError,
)
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

D = Decimal
RESTING = VenueOrderStatus.OPEN
FEE_PCT = D("0.001")  # of the cost, taken in quote


def market(symbol: str, **rules: object) -> Market:
    base, quote = symbol.split("/")
    steps = {"price_step": D("0.01"), "amount_step": D("0.001"), "maker_fee": FEE_PCT, "taker_fee": FEE_PCT}
    return Market(symbol=symbol, base=base, quote=quote, **(steps | rules))  # type: ignore[arg-type]


def book(symbol: str, bid: str = "99.9", ask: str = "100.1") -> Book:
    """Two levels of 100 base, received now."""
    return Book(symbol=symbol, bids=(Level(D(bid), D(100)),), asks=(Level(D(ask), D(100)),), time=utc_now())


@dataclass(frozen=True)
class Failure:
    """What a call answers. arrives: the venue does what was asked all the same."""

    error: Exception
    arrives: bool = False


@dataclass
class FakeVenue:
    """calls: (method, argument) in the order in which requests left; strike, strike_back: called with
    a request's number when it arrived and when it was served."""

    markets: dict[str, Market] = field(
        default_factory=lambda: {symbol: market(symbol) for symbol in ("BTC/USDT", "ETH/USDT")}
    )
    funds: dict[str, Decimal] = field(
        default_factory=lambda: {"USDT": D(100_000), "BTC": D(100), "ETH": D(100)}
    )
    day_volumes: dict[str, Decimal] = field(default_factory=dict)
    quoted: dict[str, tuple[str, str]] = field(default_factory=dict)
    orders: dict[str, OrderReport] = field(default_factory=dict)
    trades: list[TradeReport] = field(default_factory=list)
    calls: list[tuple[str, object]] = field(default_factory=list)
    before_place: Callable[[OrderRequest], None] = lambda _request: None
    strike: Callable[[int], None] = lambda _number: None
    strike_back: Callable[[int], None] = lambda _number: None
    takes: Decimal = ZERO  # the share of a crossing limit order that fills at once
    hides_new_orders: bool = False
    hides_new_trades: bool = False
    ignores_cancels: bool = False
    gateways_opened: int = 0
    gateways_closed: int = 0
    budget_used: float = 0.0
    _failures: dict[str, list[Failure]] = field(default_factory=lambda: defaultdict(list))
    _hidden_orders: set[str] = field(default_factory=set)
    _hidden_trades: set[str] = field(default_factory=set)
    _ids: count[int] = field(default_factory=lambda: count(1))

    # --- What tests do to it

    def fail(self, method: str, error: Exception, *, times: int = 1, arrives: bool = False) -> None:
        """The next `times` calls of this method fail."""
        self._failures[method] += [Failure(error, arrives)] * times

    def recover(self) -> None:
        self._failures.clear()

    def reveal(self) -> None:
        self.hides_new_orders = self.hides_new_trades = False
        self._hidden_orders.clear()
        self._hidden_trades.clear()

    def fill(self, venue_id: str, amount: str, price: str | None = None) -> TradeReport:
        """Somebody trades with this order; the fee is taken in quote."""
        order, size = self.orders[venue_id], D(amount)
        assert order.status is RESTING
        assert size <= order.amount - order.filled
        at = D(price) if price else order.price
        assert at is not None
        cost = at * size
        trade = TradeReport(
            id=str(next(self._ids)),
            order_venue_id=venue_id,
            client_id=None,
            symbol=order.symbol,
            side=order.side,
            price=at,
            amount=size,
            cost=cost,
            fees=(Fee(currency="USDT", amount=cost * FEE_PCT),),
            liquidity=Liquidity.MAKER,
            time=utc_now(),
        )
        self.trades.append(trade)
        if self.hides_new_trades:
            self._hidden_trades.add(trade.id)
        self._book_trade(trade)
        filled = order.filled + size
        status = VenueOrderStatus.FILLED if filled == order.amount else RESTING
        self.orders[venue_id] = replace(order, filled=filled, average=at, status=status)
        return trade

    def end(self, venue_id: str) -> None:
        self.orders[venue_id] = replace(self.orders[venue_id], status=VenueOrderStatus.CANCELED)

    def forget(self, venue_id: str) -> None:
        """As a venue that purges what ended."""
        del self.orders[venue_id]

    def rest(self, symbol: str, side: Side, price: str, amount: str, client_id: str | None = None) -> str:
        """An order that was placed in another way; its venue id."""
        venue_id = str(next(self._ids))
        self.orders[venue_id] = OrderReport(
            venue_id=venue_id, client_id=client_id, symbol=symbol, side=side, type=OrderType.LIMIT,
            status=RESTING, amount=D(amount), filled=ZERO, price=D(price), average=None,
            time=utc_now(),
        )  # fmt: skip
        return venue_id

    def resting(self, symbol: str | None = None) -> list[OrderReport]:
        return [o for o in self.orders.values() if o.status is RESTING and symbol in {None, o.symbol}]

    def resting_at(self, price: str) -> OrderReport:
        return next(order for order in self.resting() if order.price == D(price))

    def asked(self, method: str) -> list[object]:
        return [argument for name, argument in self.calls if name == method]

    def counts(self) -> Counter[str]:
        return Counter(name for name, _ in self.calls)

    # --- What it does by itself

    def _book_trade(self, trade: TradeReport) -> None:
        sign = 1 if trade.side is Side.BUY else -1
        base = self.markets[trade.symbol].base
        self.funds[base] += sign * trade.amount
        self.funds["USDT"] -= sign * trade.cost + trade.fees[0].amount

    def used(self) -> Counter[str]:
        held: Counter[str] = Counter()
        for order in self.resting():
            left = order.amount - order.filled
            if order.side is Side.BUY:
                held["USDT"] += left * (order.price or ZERO)  # type: ignore[assignment]
            else:
                held[self.markets[order.symbol].base] += left  # type: ignore[assignment]
        return held

    def accept(self, request: OrderRequest) -> OrderReport:
        """A market order fills at the touch, and so does a limit order that crosses where `takes` says so."""
        bid, ask = self.quoted.get(request.symbol, ("99.9", "100.1"))
        touch = ask if request.side is Side.BUY else bid
        if request.price is None:
            request = replace(request, price=D(touch))
            report = self._rest(request)
            self.fill(report.venue_id, str(request.amount))
            return self.orders[report.venue_id]
        report = self._rest(request)
        crosses = request.price >= D(ask) if request.side is Side.BUY else request.price <= D(bid)
        share = self.takes * request.amount
        if crosses and share:
            self.fill(report.venue_id, str(share), touch)
        return self.orders[report.venue_id]

    def _rest(self, request: OrderRequest) -> OrderReport:
        assert request.price is not None
        if any(order.client_id == request.client_id for order in self.orders.values()):
            raise InvalidOrderError("This client id is taken.", rule=Rule.DUPLICATE)
        rules = self.markets[request.symbol]
        if rules.floor_price(request.price) != request.price:
            raise InvalidOrderError("Off the tick.", rule=Rule.PRICE_STEP)
        bid, ask = self.quoted.get(request.symbol, ("99.9", "100.1"))
        crosses = request.price >= D(ask) if request.side is Side.BUY else request.price <= D(bid)
        if request.post_only and crosses:
            raise InvalidOrderError("It would take.", rule=Rule.POST_ONLY)
        currency = rules.quote if request.side is Side.BUY else rules.base
        needed = request.amount * request.price if request.side is Side.BUY else request.amount
        if needed > self.funds[currency] - self.used()[currency]:
            raise InsufficientFundsError(f"There is not enough {currency}.")
        venue_id = self.rest(
            request.symbol, request.side, str(request.price), str(request.amount), request.client_id
        )
        if self.hides_new_orders:
            self._hidden_orders.add(venue_id)
        return self.orders[venue_id]

    def find(self, ref: OrderRef) -> OrderReport:
        for order in self.orders.values():
            is_it = order.venue_id == ref.venue_id if ref.venue_id else order.client_id == ref.client_id
            if is_it and order.symbol == ref.symbol and order.venue_id not in self._hidden_orders:
                return order
        raise OrderNotFoundError("There is no such order.")

    def is_visible(self, order: OrderReport) -> bool:
        return order.venue_id not in self._hidden_orders

    def is_trade_visible(self, trade: TradeReport) -> bool:
        return trade.id not in self._hidden_trades

    @asynccontextmanager
    async def serving(self, method: str, argument: object, licence: Licence | None) -> AsyncIterator[None]:
        """One request. Both of its ways, there and back, give other tasks a turn."""
        await asyncio.sleep(0)
        if licence is not None:
            licence.check()
        self.calls.append((method, argument))
        number = len(self.calls)
        self.strike(number)
        await asyncio.sleep(0)
        failures = self._failures[method]
        failure = failures.pop(0) if failures else None
        if failure and not failure.arrives:
            raise failure.error
        yield
        self.strike_back(number)
        await asyncio.sleep(0)
        if failure:
            raise failure.error


@dataclass
class FakeGateway:
    """One client of the venue, under one licence."""

    venue: FakeVenue
    licence: Licence | None = None
    markets: Mapping[str, Market] | None = None

    @property
    def budget_used(self) -> float:
        return self.venue.budget_used

    async def load_markets(self) -> Mapping[str, Market]:
        """Asked for once; a list that changed since is there without a request of this gateway's."""
        if self.markets is None:
            async with self.venue.serving("load_markets", None, self.licence):
                self.markets = dict(self.venue.markets)
        elif self.markets != self.venue.markets:
            self.markets = dict(self.venue.markets)
        return self.markets

    async def fetch_time(self) -> datetime:
        return utc_now()

    async def fetch_ticker(self, symbol: str) -> Ticker:
        async with self.venue.serving("fetch_ticker", symbol, self.licence):
            return Ticker(symbol=symbol, bid=None, ask=None, last=D(100), time=utc_now())

    async def fetch_book(self, symbol: str) -> Book:
        async with self.venue.serving("fetch_book", symbol, self.licence):
            if symbol not in self.venue.markets:
                raise UnknownSymbolError(f"There is no market {symbol}.")
            return book(symbol, *self.venue.quoted.get(symbol, ()))

    async def fetch_public_trades(self, symbol: str, *, since: datetime) -> Sequence[PublicTrade]:
        return []

    async def fetch_day_volumes(self) -> Mapping[str, Decimal]:
        async with self.venue.serving("fetch_day_volumes", None, self.licence):
            return dict(self.venue.day_volumes)

    async def fetch_permissions(self) -> AccountPermissions:
        return AccountPermissions(can_trade=True, can_withdraw=False)

    async def fetch_balances(self) -> Mapping[str, Balance]:
        async with self.venue.serving("fetch_balances", None, self.licence):
            used = self.venue.used()
            return {
                currency: Balance(currency=currency, free=amount - used[currency], used=D(used[currency]))
                for currency, amount in self.venue.funds.items()
            }

    async def fetch_open_orders(self, symbols: Collection[str]) -> Sequence[OrderReport]:
        async with self.venue.serving("fetch_open_orders", frozenset(symbols), self.licence):
            return [o for o in self.venue.resting() if o.symbol in symbols and self.venue.is_visible(o)]

    async def fetch_order(self, ref: OrderRef) -> OrderReport:
        async with self.venue.serving("fetch_order", ref, self.licence):
            return self.venue.find(ref)

    async def fetch_trades(self, symbol: str, *, since: datetime) -> Sequence[TradeReport]:
        async with self.venue.serving("fetch_trades", symbol, self.licence):
            visible = [trade for trade in self.venue.trades if self.venue.is_trade_visible(trade)]
            return [trade for trade in visible if trade.symbol == symbol and trade.time >= since]

    async def fetch_order_trades(self, ref: OrderRef) -> Sequence[TradeReport]:
        assert ref.venue_id
        async with self.venue.serving("fetch_order_trades", ref, self.licence):
            visible = [trade for trade in self.venue.trades if self.venue.is_trade_visible(trade)]
            return [trade for trade in visible if trade.order_venue_id == ref.venue_id]

    async def place(self, request: OrderRequest) -> OrderReport:
        self.venue.before_place(request)
        async with self.venue.serving("place", request, self.licence):
            return self.venue.accept(request)

    async def cancel(self, ref: OrderRef) -> OrderReport | None:
        async with self.venue.serving("cancel", ref, self.licence):
            order = self.venue.find(ref)
            if order.status is not RESTING:
                raise OrderNotFoundError("It is not open any more.")
            if not self.venue.ignores_cancels:
                self.venue.end(order.venue_id)
            return None

    async def close(self) -> None:
        self.venue.gateways_closed += 1
