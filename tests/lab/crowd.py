"""A seeded crowd: it keeps a two-sided book around a price that moves, and trades against it.

Everything happens in explicit calls, so a test with a seed gives the same story each time;
`run()` makes the steps at an interval.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal

from tests.lab.accounts import FeeSchedule
from tests.lab.exchange import Exchange
from tests.lab.orders import Kind, Order, RefusedError, Side, Ticket, TimeInForce
from tests.lab.rules import MarketRules

FREE_OF_CHARGE = FeeSchedule(maker=Decimal(0), taker=Decimal(0))
WEALTH = Decimal(10) ** 9


@dataclass(frozen=True, kw_only=True)
class Temper:
    """How the crowd behaves.

    levels: orders on each side; spread_pct: from bid to ask, as a fraction; step_pct: between levels.
    cost: of one order, in quote, give or take a half.
    drift_pct: the most that the price moves in a step; trades_pct: the chance of a trade in a step.
    """

    levels: int = 10
    spread_pct: Decimal = Decimal("0.002")
    step_pct: Decimal = Decimal("0.0005")
    cost: Decimal = Decimal(500)
    drift_pct: Decimal = Decimal("0.0005")
    trades_pct: Decimal = Decimal("0.5")


class Crowd:
    def __init__(
        self, exchange: Exchange, symbol: str, price: Decimal, *, seed: int = 1, temper: Temper | None = None
    ) -> None:
        self._exchange = exchange
        self._rules: MarketRules = exchange.market(symbol).rules
        self._temper = temper or Temper()
        self._random = random.Random(seed)
        self._makers = self._join("makers")
        self._takers = self._join("takers")
        self.price = price

    def quote(self) -> None:
        """Lay the book anew around the price. What it meets of others' orders on the way, it takes."""
        for order in self._exchange.open_orders(self._makers, self._rules.symbol):
            self._exchange.cancel(order)
        half = self._temper.spread_pct / 2
        for level in range(self._temper.levels):
            distance = half + level * self._temper.step_pct
            self._rest(Side.BUY, self.price * (1 - distance))
            self._rest(Side.SELL, self.price * (1 + distance))

    def step(self, count: int = 1) -> None:
        """The price moves a little, the book follows, and somebody may trade."""
        for _ in range(count):
            self.price *= 1 + self._temper.drift_pct * self._fraction()
            self.quote()
            if self._random.random() < self._temper.trades_pct:
                self._trade()

    def move_price(self, price: Decimal) -> None:
        """To a price of one's choice, at once."""
        self.price = price
        self.quote()

    def hit_bid(self, amount: Decimal, *, price: Decimal | None = None) -> Order:
        """Sell `amount` (base) into the bids, down to `price` where given."""
        return self._take(Side.SELL, amount, price)

    def lift_ask(self, amount: Decimal, *, price: Decimal | None = None) -> Order:
        """Buy `amount` (base) from the asks, up to `price` where given."""
        return self._take(Side.BUY, amount, price)

    async def run(self, interval_seconds: float) -> None:
        """Steps until it is cancelled."""
        while True:
            self.step()
            await asyncio.sleep(interval_seconds)

    def _join(self, role: str) -> str:
        name = f"crowd {role} {self._rules.symbol}"
        self._exchange.open_account(name, FREE_OF_CHARGE, is_crowd=True)
        self._exchange.ledger.deposit(name, self._rules.base, WEALTH)
        self._exchange.ledger.deposit(name, self._rules.quote, WEALTH)
        return name

    def _rest(self, side: Side, price: Decimal) -> None:
        price = _to_step(price, self._rules.price_step)
        if price < self._rules.min_price:
            return
        ticket = Ticket(
            account=self._makers,
            symbol=self._rules.symbol,
            side=side,
            kind=Kind.LIMIT,
            price=price,
            amount=self._some_amount(price),
        )
        try:
            self._exchange.place(ticket)
        except RefusedError:
            return  # too far from the average price just after a jump: the book is thinner, as in life

    def _trade(self) -> None:
        side = self._random.choice((Side.BUY, Side.SELL))
        amount = self._some_amount(self.price)
        try:
            if self._random.random() < 0.5:
                self._take(side, amount, None)
            else:
                away = 1 + self._temper.spread_pct * (1 if side is Side.BUY else -1)
                self._take(side, amount, _to_step(self.price * away, self._rules.price_step))
        except RefusedError:
            return

    def _take(self, side: Side, amount: Decimal, price: Decimal | None) -> Order:
        ticket = Ticket(
            account=self._takers,
            symbol=self._rules.symbol,
            side=side,
            kind=Kind.MARKET if price is None else Kind.LIMIT,
            price=price,
            amount=amount,
            time_in_force=TimeInForce.GTC if price is None else TimeInForce.IOC,
        )
        return self._exchange.place(ticket)

    def _some_amount(self, price: Decimal) -> Decimal:
        """Around the usual cost, never under the market's minimum."""
        cost = max(self._temper.cost * (1 + self._fraction() / 2), self._rules.min_cost * 2)
        step = self._rules.amount_step
        amount = (cost / price / step).to_integral_value(rounding=ROUND_CEILING) * step
        return min(max(amount, self._rules.min_amount), self._rules.max_market_amount)

    def _fraction(self) -> Decimal:
        """Between -1 and 1."""
        return Decimal(self._random.randint(-10_000, 10_000)) / 10_000


def _to_step(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).to_integral_value(rounding=ROUND_HALF_EVEN) * step
