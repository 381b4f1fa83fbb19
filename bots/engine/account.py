"""What a runtime knows of one connection while it holds its lease: orders, balances, markets."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, MutableSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from bots.engine.balance_watch import BalanceWatch
from bots.engine.condition import Condition
from bots.engine.feed import Feed
from bots.engine.foreign import ForeignOrders
from bots.engine.lease import Lease
from bots.lifecycle import LIVE, OrderState
from bots.models import BotEvent, Order, Position, RoundTrip, Severity
from bots.strategies.base import OpenOrder
from database.thread import DatabaseThread
from exchanges.errors import OrderNotFoundError
from exchanges.gateway import Gateway
from exchanges.types import ZERO, Balance, Market, OrderRef, OrderReport, OrderType, Side


@dataclass
class Account:
    """One connection's books in memory; the database has the same, written first where it matters.

    orders: unsettled ones by client id. trips: round trips at work by their number.
    trade_cursors: per symbol, since when trades must be asked for.
    denied_at: by symbol, when an order there was given up because the venue denied it (`uptime()`).
    foreign: (symbol, venue id) of orders that somebody else placed on this account; they are never touched.
    health: how the venue answers; the gateway notes it.
    is_dry_run: live by its row, and run with play money.
    """

    lease: Lease
    name: str
    gateway: Gateway
    feed: Feed
    database: DatabaseThread
    markets: Mapping[str, Market] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    balances: Mapping[str, Balance] = field(default_factory=dict)
    positions: dict[tuple[UUID, str], Position] = field(default_factory=dict)
    trips: dict[int, RoundTrip] = field(default_factory=dict)
    trade_cursors: dict[str, datetime] = field(default_factory=dict)
    trades_checked_at: dict[str, float] = field(default_factory=dict)
    denied_at: dict[str, float] = field(default_factory=dict)
    foreign: MutableSet[tuple[str, str]] = field(default_factory=ForeignOrders)
    watch: BalanceWatch = field(default_factory=BalanceWatch)
    health: Condition = field(default_factory=Condition)
    is_dry_run: bool = False

    def hold(self, orders: Iterable[Order]) -> None:
        """Looks after these from now on, and no longer after those that are settled."""
        for order in orders:
            if order.settled_at is None:
                self.orders[order.client_id] = order
            else:
                self.orders.pop(order.client_id, None)

    def forget_markets_but(self, symbols: Collection[str]) -> None:
        """Where no trades are awaited; the database knows since when they are, should the market return."""
        for symbol in self.trade_cursors.keys() - symbols:
            del self.trade_cursors[symbol]
            self.trades_checked_at.pop(symbol, None)

    def live_orders(self) -> list[Order]:
        return [order for order in self.orders.values() if order.state in LIVE]

    def orders_of(self, bot_id: UUID) -> list[Order]:
        return [order for order in self.orders.values() if order.bot_id == bot_id]

    @property
    def awaits_news(self) -> bool:
        """Of an order whose end is open, or that is placed to be filled at once."""
        return any(
            order.state != OrderState.OPEN or order.cancel_requested_at is not None or order.is_urgent
            for order in self.orders.values()
        )

    def trips_of(self, bot_id: UUID) -> list[RoundTrip]:
        return [trip for trip in self.trips.values() if trip.bot_id == bot_id]

    def live_orders_of(self, trip: RoundTrip) -> list[Order]:
        return [order for order in self.live_orders() if order.round_trip_id == trip.pk]

    def position(self, bot_id: UUID, symbol: str) -> Position:
        """Its position, a new empty one where it never traded."""
        key = (bot_id, symbol)
        if key not in self.positions:
            self.positions[key] = Position(bot_id=bot_id, symbol=symbol, is_dry_run=self.is_dry_run)
        return self.positions[key]

    def find(self, report: OrderReport) -> Order | None:
        if report.client_id in self.orders:
            return self.orders[report.client_id]
        return self.by_venue_id(report.symbol, report.venue_id)

    def by_venue_id(self, symbol: str, venue_id: str) -> Order | None:
        for order in self.orders.values():
            if order.venue_id == venue_id and order.symbol == symbol:
                return order
        return None

    def free(self, currency: str) -> Decimal:
        balance = self.balances.get(currency)
        return balance.free if balance else ZERO

    def total(self, currency: str) -> Decimal:
        balance = self.balances.get(currency)
        return balance.total if balance else ZERO

    def event(
        self,
        kind: str,
        text: str,
        *,
        at: datetime,
        order: Order | None = None,
        bot_id: UUID | None = None,
        severity: Severity = Severity.INFO,
    ) -> BotEvent:
        bot_id = order.bot_id if order else bot_id
        return event_of(self.lease, kind, text, at=at, bot_id=bot_id, severity=severity)


def event_of(
    lease: Lease,
    kind: str,
    text: str,
    *,
    at: datetime,
    bot_id: UUID | None = None,
    severity: Severity = Severity.INFO,
) -> BotEvent:
    """An event of the connection, or of one of its bots; not saved yet."""
    return BotEvent(
        connection_id=lease.connection_id, bot_id=bot_id, at=at, kind=kind, severity=severity, text=text
    )


def ref_of(order: Order) -> OrderRef:
    return OrderRef(
        client_id=order.client_id,
        symbol=order.symbol,
        venue_id=order.venue_id or None,
        not_before=order.created_at,
    )


async def ask_for(gateway: Gateway, order: Order) -> OrderReport:
    """By the venue's number, else by our client id: a number that the venue does not know may be the fault of
    the answer that gave it, and is forgotten when the client id finds the order. Raises VenueError."""
    try:
        return await gateway.fetch_order(ref_of(order))
    except OrderNotFoundError:
        if not order.venue_id:
            raise
        report = await gateway.fetch_order(by_client_id(order))
        order.venue_id = ""
        return report


def by_client_id(order: Order) -> OrderRef:
    return replace(ref_of(order), venue_id=None)


def open_order_of(order: Order) -> OpenOrder:
    """As strategies and reconcile see it; the price of one at market is 0."""
    return OpenOrder(
        client_id=order.client_id,
        side=Side(order.side),
        price=order.price if order.price is not None else ZERO,
        amount=order.amount,
        remaining=order.amount - max(order.filled, order.traded),
        is_canceling=order.cancel_requested_at is not None,
        is_certain=order.state == OrderState.OPEN,
        type=OrderType(order.type),
    )


def held_by(orders: Iterable[Order]) -> dict[Side, Decimal]:
    """What these orders hold at the venue: quote for bids, base for asks."""
    held = {Side.BUY: ZERO, Side.SELL: ZERO}
    for order in orders:
        remaining = order.amount - max(order.filled, order.traded)
        held[Side(order.side)] += remaining * (order.price or ZERO) if order.side == Side.BUY else remaining
    return held
