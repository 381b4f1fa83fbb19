"""What is sent to the exchange, what it becomes, and why it may be refused."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

ZERO = Decimal(0)


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


class Kind(StrEnum):
    LIMIT = "limit"
    POST_ONLY = "post_only"
    MARKET = "market"


class TimeInForce(StrEnum):
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"


class SelfTrade(StrEnum):
    """Whose order ends when an account would trade with itself."""

    EXPIRE_TAKER = "expire_taker"
    EXPIRE_MAKER = "expire_maker"
    EXPIRE_BOTH = "expire_both"


class State(StrEnum):
    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    SELF_TRADE = "self_trade"  # expired, so that it does not meet the account's own order


class Reason(StrEnum):
    """Why an order or a cancel has no effect."""

    UNKNOWN_SYMBOL = "unknown_symbol"
    MARKET_CLOSED = "market_closed"
    ACCOUNT_DISABLED = "account_disabled"
    PRICE_FILTER = "price_filter"
    PERCENT_PRICE = "percent_price"
    LOT_SIZE = "lot_size"
    MARKET_LOT_SIZE = "market_lot_size"
    NOTIONAL = "notional"
    MAX_OPEN_ORDERS = "max_open_orders"
    DUPLICATE = "duplicate"
    WOULD_TAKE = "would_take"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    NO_LIQUIDITY = "no_liquidity"
    UNKNOWN_ORDER = "unknown_order"


class RefusedError(Exception):
    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """An order as it is handed in. Either `amount` (base) or, for market orders, `budget` (quote).

    key: the API key that sent it, for the journal.
    """

    account: str
    symbol: str
    side: Side
    kind: Kind
    amount: Decimal | None = None
    budget: Decimal | None = None
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    client_id: str = ""
    key: str = ""
    self_trade: SelfTrade = SelfTrade.EXPIRE_MAKER


class Change(NamedTuple):
    """What an order came to at a moment. at_ms: by this machine's clock."""

    at_ms: int
    state: State
    filled: Decimal
    cost: Decimal
    prevented: Decimal
    update_ms: int


@dataclass(kw_only=True, eq=False)
class Order:
    """id: unique per symbol, as the big venues have it; sequence: over all symbols, the order of arrival.

    amount: base; what was asked for, or for a market order by budget what it came to.
    held: what the ledger still holds for it, in quote for a buy and in base for a sell.
    prevented: base that was not traded because it would have met the account's own order.
    changes: its story so far, from its acceptance on.
    """

    id: int
    sequence: int
    ticket: Ticket
    client_id: str
    amount: Decimal
    time_ms: int
    update_ms: int
    filled: Decimal = ZERO
    cost: Decimal = ZERO
    held: Decimal = ZERO
    prevented: Decimal = ZERO
    state: State = State.OPEN
    changes: list[Change] = field(default_factory=list, repr=False)

    def note_change(self, at_ms: int) -> None:
        self.changes.append(Change(at_ms, self.state, self.filled, self.cost, self.prevented, self.update_ms))

    def as_of(self, at_ms: int) -> Order | None:
        """The order as it stood then; None before it was accepted."""
        past = next((change for change in reversed(self.changes) if change.at_ms <= at_ms), None)
        if past is None:
            return None
        return replace(
            self,
            state=past.state,
            filled=past.filled,
            cost=past.cost,
            prevented=past.prevented,
            update_ms=past.update_ms,
        )

    @property
    def account(self) -> str:
        return self.ticket.account

    @property
    def symbol(self) -> str:
        return self.ticket.symbol

    @property
    def side(self) -> Side:
        return self.ticket.side

    @property
    def price(self) -> Decimal | None:
        return self.ticket.price

    @property
    def remaining(self) -> Decimal:
        return self.amount - self.filled

    @property
    def is_open(self) -> bool:
        return self.state is State.OPEN

    @property
    def limit_price(self) -> Decimal:
        """Only a limit order has one."""
        if self.ticket.price is None:
            raise TypeError("a market order has no price")
        return self.ticket.price


@dataclass(frozen=True, kw_only=True)
class PublicTrade:
    """id: unique per symbol, counting up; cost: quote."""

    id: int
    symbol: str
    price: Decimal
    amount: Decimal
    cost: Decimal
    taker_side: Side
    time_ms: int
    maker_order_id: int
    taker_order_id: int


@dataclass(frozen=True, kw_only=True)
class Fill:
    """One account's side of a trade. at_ms: by this machine's clock; time_ms: by the venue's."""

    trade_id: int
    order_id: int
    account: str
    key: str
    client_id: str
    symbol: str
    side: Side
    price: Decimal
    amount: Decimal
    cost: Decimal
    fee: Decimal
    fee_currency: str
    is_maker: bool
    time_ms: int
    at_ms: int
