"""The rules of one market, as Binance's filters state them (filters.md of its API documentation)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tests.lab.orders import Kind, Reason, RefusedError, Side, Ticket

SMALLEST = Decimal("0.00000001")


@dataclass(frozen=True, kw_only=True)
class MarketRules:
    """price_step, min_price, max_price: quote; amounts: base; costs: quote.

    bid_multiplier, ask_multiplier: (down, up), how far from the average price an order may be.
    average_minutes: the span of that average, weighted by volume; 0 stands for the last price.
    is_free_of_charge: nobody pays a commission here.
    The smallest cost must be a multiple of 1e-8, so that no ledger ever rounds a cost.
    """

    base: str
    quote: str
    price_step: Decimal = Decimal("0.01")
    min_price: Decimal = Decimal("0.01")
    max_price: Decimal = Decimal(1000000)
    amount_step: Decimal = Decimal("0.00001")
    min_amount: Decimal = Decimal("0.00001")
    max_amount: Decimal = Decimal(9000)
    max_market_amount: Decimal = Decimal(100)
    min_cost: Decimal = Decimal(5)
    max_cost: Decimal = Decimal(9000000)
    bid_multiplier: tuple[Decimal, Decimal] = (Decimal("0.2"), Decimal(5))
    ask_multiplier: tuple[Decimal, Decimal] = (Decimal("0.2"), Decimal(5))
    average_minutes: int = 5
    max_open_orders: int = 200
    is_trading: bool = True
    is_free_of_charge: bool = False

    def __post_init__(self) -> None:
        if (self.price_step * self.amount_step) % SMALLEST:
            raise ValueError(
                f"{self.symbol}: a step of price times a step of amount is finer than {SMALLEST}"
            )

    @property
    def symbol(self) -> str:
        return f"{self.base}/{self.quote}"

    def check(self, ticket: Ticket, average: Decimal | None, open_orders: int) -> None:
        """average: the average price of late, None before the first trade. Raises RefusedError."""
        if not self.is_trading:
            raise RefusedError(Reason.MARKET_CLOSED)
        if ticket.price is not None:
            self._check_price(ticket.side, ticket.price, average)
        if ticket.amount is not None:
            self._check_amount(ticket.kind, ticket.amount)
        self._check_cost(ticket, average)
        if open_orders >= self.max_open_orders:
            raise RefusedError(Reason.MAX_OPEN_ORDERS)

    def _check_price(self, side: Side, price: Decimal, average: Decimal | None) -> None:
        if not self.min_price <= price <= self.max_price or price % self.price_step:
            raise RefusedError(Reason.PRICE_FILTER, f"{price}")
        if average is None:
            return
        down, up = self.bid_multiplier if side is Side.BUY else self.ask_multiplier
        if not average * down <= price <= average * up:
            raise RefusedError(Reason.PERCENT_PRICE, f"{price} against {average}")

    def _check_amount(self, kind: Kind, amount: Decimal) -> None:
        if not self.min_amount <= amount <= self.max_amount or amount % self.amount_step:
            raise RefusedError(Reason.LOT_SIZE, f"{amount}")
        if kind is Kind.MARKET and amount > self.max_market_amount:
            raise RefusedError(Reason.MARKET_LOT_SIZE, f"{amount}")

    def _check_cost(self, ticket: Ticket, average: Decimal | None) -> None:
        """The minimum holds for market orders too, at the average price; the maximum does not."""
        if ticket.budget is not None:
            cost = ticket.budget
        else:
            price = ticket.price if ticket.price is not None else average
            if price is None or ticket.amount is None:
                return
            cost = price * ticket.amount
        if cost < self.min_cost or (cost > self.max_cost and ticket.kind is not Kind.MARKET):
            raise RefusedError(Reason.NOTIONAL, f"{cost}")
