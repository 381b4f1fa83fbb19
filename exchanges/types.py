"""The outside world in our words: frozen values, `Decimal` money, aware UTC times.

ccxt's names where it has one: symbol ("BTC/USDT"), price (quote per base), amount (base), cost (quote).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import NamedTuple

ZERO = Decimal(0)


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    LIMIT = "limit"
    MARKET = "market"


class TimeInForce(StrEnum):
    GTC = "gtc"
    IOC = "ioc"


class VenueOrderStatus(StrEnum):
    """What a venue says of an order."""

    SUBMITTED = "submitted"  # accepted for processing, not in the book yet
    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"


class Liquidity(StrEnum):
    MAKER = "maker"
    TAKER = "taker"


@dataclass(frozen=True, kw_only=True, slots=True)
class Market:
    """One tradable pair and its rules.

    price_step, amount_step: tick and lot size; a value must be a whole multiple.
    price_digits: where set, prices and amounts are limited to that many significant digits instead,
        and price_step and amount_step are the smallest steps allowed.
    min_amount, max_amount: base; min_cost: quote; None where the venue has no such rule.
    maker_fee, taker_fee: fraction of the cost, 0.001 is 0.1 %.
    """

    symbol: str
    base: str
    quote: str
    price_step: Decimal
    amount_step: Decimal
    min_amount: Decimal | None = None
    max_amount: Decimal | None = None
    min_cost: Decimal | None = None
    maker_fee: Decimal = ZERO
    taker_fee: Decimal = ZERO
    price_digits: int | None = None
    active: bool = True

    def price_step_at(self, price: Decimal) -> Decimal:
        """The distance between neighbouring prices near `price`."""
        return self._step_at(price, self.price_step)

    def amount_step_at(self, amount: Decimal) -> Decimal:
        return self._step_at(amount, self.amount_step)

    def floor_price(self, price: Decimal) -> Decimal:
        return _to_step(price, self.price_step_at(price), ROUND_FLOOR)

    def ceil_price(self, price: Decimal) -> Decimal:
        return _to_step(price, self.price_step_at(price), ROUND_CEILING)

    def round_price(self, price: Decimal, side: Side) -> Decimal:
        """Onto the tick, away from the touch: bids down, asks up."""
        return self.floor_price(price) if side is Side.BUY else self.ceil_price(price)

    def floor_amount(self, amount: Decimal) -> Decimal:
        return _to_step(amount, self.amount_step_at(amount), ROUND_FLOOR)

    def _step_at(self, value: Decimal, smallest: Decimal) -> Decimal:
        if self.price_digits is None or value <= 0:
            return smallest
        # ceil(log10 x): the exponent of the leading digit, one more unless x is a power of ten.
        exponent = value.adjusted() + (0 if value == Decimal(1).scaleb(value.adjusted()) else 1)
        return max(Decimal(1).scaleb(exponent - self.price_digits), smallest)


def _to_step(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    return (value / step).to_integral_value(rounding=rounding) * step


class Level(NamedTuple):
    """One price level of a book: quote per base, and base."""

    price: Decimal
    amount: Decimal


class Touch(NamedTuple):
    """The best level of each side of a book; None where a side is empty."""

    bid: Level | None
    ask: Level | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticker:
    symbol: str
    bid: Decimal | None
    ask: Decimal | None
    last: Decimal | None
    time: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Book:
    """bids: best (highest) first; asks: best (lowest) first; time: when we received it.

    closed: why nothing trades in it now, as a clause; empty where it does.
    """

    symbol: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    time: datetime
    closed: str = ""

    @property
    def best_bid(self) -> Decimal | None:
        return self.bids[0].price if self.bids else None

    @property
    def best_ask(self) -> Decimal | None:
        return self.asks[0].price if self.asks else None

    @property
    def touch(self) -> Touch:
        return Touch(self.bids[0] if self.bids else None, self.asks[0] if self.asks else None)

    @property
    def mid(self) -> Decimal | None:
        if not self.bids or not self.asks:
            return None
        return (self.bids[0].price + self.asks[0].price) / 2

    @property
    def is_crossed(self) -> bool:
        return bool(self.bids and self.asks and self.bids[0].price >= self.asks[0].price)

    def side(self, side: Side) -> tuple[Level, ...]:
        """The levels where orders of that side rest."""
        return self.bids if side is Side.BUY else self.asks

    def age_seconds(self, now: datetime) -> float:
        return (now - self.time).total_seconds()


@dataclass(frozen=True, kw_only=True, slots=True)
class PublicTrade:
    """A trade that the venue shows to everybody; side is the taker's."""

    id: str
    symbol: str
    side: Side
    price: Decimal
    amount: Decimal
    time: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Balance:
    currency: str
    free: Decimal
    used: Decimal

    @property
    def total(self) -> Decimal:
        return self.free + self.used


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderRequest:
    """An order as it is to be sent.

    client_id: uuid4 hex, 32 characters, the one form that every venue takes.
    price: None for a market order.
    """

    client_id: str
    symbol: str
    side: Side
    type: OrderType
    amount: Decimal
    price: Decimal | None
    post_only: bool = False
    time_in_force: TimeInForce = TimeInForce.GTC


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderRef:
    """How to name an order to its venue.

    venue_id: None while the venue has not answered.
    not_before: it was not sent before that, by our clock, which bounds a search; None where nobody knows.
    """

    client_id: str
    symbol: str
    venue_id: str | None = None
    not_before: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderReport:
    """What the venue says of one order.

    client_id: None for an order that was not placed with one (a foreign order).
    filled: base, cumulative; average: quote per base, None until something is filled.
    """

    venue_id: str
    client_id: str | None
    symbol: str
    side: Side
    type: OrderType
    status: VenueOrderStatus
    amount: Decimal
    filled: Decimal
    price: Decimal | None
    average: Decimal | None
    time: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Fee:
    currency: str
    amount: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class TradeReport:
    """One fill. `id` is the venue's, unique per symbol; negative fees are rebates."""

    id: str
    order_venue_id: str
    client_id: str | None
    symbol: str
    side: Side
    price: Decimal
    amount: Decimal
    cost: Decimal
    fees: tuple[Fee, ...]
    liquidity: Liquidity | None
    time: datetime


def cost_of(levels: Iterable[Level], amount: Decimal) -> tuple[Decimal, Decimal]:
    """Walk the levels: (amount that can be had, up to `amount`; its cost)."""
    taken = cost = ZERO
    for level in levels:
        part = min(level.amount, amount - taken)
        if part <= 0:
            break
        taken += part
        cost += part * level.price
    return taken, cost
