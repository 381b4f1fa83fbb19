"""What a strategy sees and what it answers. Strategies are pure: no Django, network, clock or memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from exchanges.types import ZERO, Book, Market, OrderType, Side


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenOrder:
    """An order of this bot that rests, or may rest, at the venue.

    remaining: base, what may still fill; is_certain: False while its outcome, or its cancel's, is unknown.
    """

    client_id: str
    side: Side
    price: Decimal
    amount: Decimal
    remaining: Decimal
    is_canceling: bool = False
    is_certain: bool = True
    type: OrderType = OrderType.LIMIT


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """Everything that a decision may depend on, at one moment.

    book: None where there is none; a price that is not known is None.
    base_balance, quote_balance: what this bot may use, its own resting orders' holds included.
    base_total, quote_total: what the account holds, for the share of the inventory.
    """

    now: datetime
    market: Market
    book: Book | None
    base_balance: Decimal = ZERO
    quote_balance: Decimal = ZERO
    base_total: Decimal = ZERO
    quote_total: Decimal = ZERO
    last_price: Decimal | None = None
    last_own_price: Decimal | None = None
    other_mid: Decimal | None = None
    open_orders: tuple[OpenOrder, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Quote:
    """An order that should rest now. level: its place in the ladder, "bid 1", or what it is for, "close".

    type: at market, its price is only what it is expected to trade at.
    symbol: where its bot has several markets.
    """

    side: Side
    price: Decimal
    amount: Decimal
    level: str
    post_only: bool = True
    type: OrderType = OrderType.LIMIT
    symbol: str = ""

    @property
    def cost(self) -> Decimal:
        return self.price * self.amount


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """The quotes that should rest now (none: cancel what rests), and why, for a person."""

    quotes: tuple[Quote, ...] = ()
    reason: str
    reference_price: Decimal | None = None

    @classmethod
    def stand_aside(cls, reason: str, *, reference_price: Decimal | None = None) -> Decision:
        return cls(reason=reason, reference_price=reference_price)
