"""A bot's limits, and what the rules that keep them look at."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from bots.strategies.base import OpenOrder, Quote
from exchanges.types import ZERO, Book, Market, Side


class LimitRule(StrEnum):
    KILL_SWITCH = "kill_switch"
    CONNECTION_DISABLED = "connection_disabled"
    BOT_NOT_RUNNING = "bot_not_running"
    MARKET_CLOSED = "market_closed"
    NO_BOOK = "no_book"
    STALE_BOOK = "stale_book"
    CROSSED_BOOK = "crossed_book"
    DAILY_LOSS = "daily_loss"
    PRICE_STEP = "price_step"
    AMOUNT_STEP = "amount_step"
    MIN_AMOUNT = "min_amount"
    MAX_AMOUNT = "max_amount"
    MIN_COST = "min_cost"
    PRICE_BAND = "price_band"
    POST_ONLY = "post_only"
    MAX_ORDER_COST = "max_order_cost"
    MAX_OPEN_ORDERS = "max_open_orders"
    MAX_POSITION = "max_position"
    FREE_BALANCE = "free_balance"


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """A bot's own limits, named as its columns; None: no limit.

    max_order_cost, daily_loss_limit: quote. max_position: base. price_band_pct: a fraction, 0.2 is 20 %.
    """

    max_order_cost: Decimal | None = None
    max_position: Decimal | None = None
    max_open_orders: int = 20
    daily_loss_limit: Decimal | None = None
    price_band_pct: Decimal = Decimal("0.2")
    max_book_age_seconds: int = 15


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitContext:
    """What the rules look at, at one moment.

    open_orders: this bot's live orders in the market, those being cancelled and the unknown ones included.
        Those two count beside the quotes; the others are kept for a quote or make room for one.
    position: base, by this bot's trades, negative where more was sold than bought.
    unrecorded_fills: base, signed: filled by the venue's word, but the trades are not here yet.
    free_base, free_quote: what the account has free, less what any bot of the connection has sent since the
        balance was read and less its unknown orders. What the open orders here hold comes on top.
    day_profit: quote, realised and unrealised since midnight UTC; a loss is negative.
    last_price: stands in for the middle of a book that has none.
    kill_switch: why nothing may be placed at all; empty where no switch is on.
    """

    now: datetime
    market: Market
    book: Book | None
    limits: Limits = field(default_factory=Limits)
    kill_switch: str = ""
    connection_enabled: bool = True
    bot_running: bool = True
    open_orders: tuple[OpenOrder, ...] = ()
    position: Decimal = ZERO
    unrecorded_fills: Decimal = ZERO
    free_base: Decimal = ZERO
    free_quote: Decimal = ZERO
    day_profit: Decimal = ZERO
    last_price: Decimal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What unsettled orders and the quotes allowed so far take up.

    buys, sells, base_funds: base. quote_funds: quote.
    """

    orders: int = 0
    buys: Decimal = ZERO
    sells: Decimal = ZERO
    quote_funds: Decimal = ZERO
    base_funds: Decimal = ZERO

    def with_quote(self, quote: Quote, market: Market) -> Taken:
        if quote.side is Side.BUY:
            return replace(
                self,
                orders=self.orders + 1,
                buys=self.buys + quote.amount,
                quote_funds=self.quote_funds + hold_of(quote.price, quote.amount, market),
            )
        return replace(
            self,
            orders=self.orders + 1,
            sells=self.sells + quote.amount,
            base_funds=self.base_funds + quote.amount,
        )


def hold_of(price: Decimal, amount: Decimal, market: Market) -> Decimal:
    """Quote currency that a bid needs: its cost and the maker's fee."""
    return price * amount * (1 + max(market.maker_fee, ZERO))
