"""Cancels that race a fill: somebody takes the order in the moment its cancel arrives."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from tests.lab.accounts import FeeSchedule
from tests.lab.exchange import Exchange
from tests.lab.orders import ZERO, Kind, Order, RefusedError, Side, Ticket, TimeInForce

RACER = "racer"
WEALTH = Decimal(10) ** 9
FREE_OF_CHARGE = FeeSchedule(maker=ZERO, taker=ZERO)


@dataclass(frozen=True, kw_only=True)
class Odds:
    """probability: that a cancel meets a fill; whole: that the fill takes all that is left, so that the
    cancel finds no open order; otherwise it takes about half, and the cancel is accepted."""

    probability: float
    whole: float = 0.5
    key: str | None = None


class Races:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._random = random.Random(0)
        self._odds: Odds | None = None
        self.won = 0

    def set(self, odds: Odds | None, *, seed: int = 0) -> None:
        self._odds = odds
        self._random = random.Random(seed)

    def strike(self, order: Order, key: str) -> None:
        """Perhaps a fill, before the cancel of this key is looked at."""
        odds = self._odds
        if odds is None or not order.is_open or odds.key not in (None, key):
            return
        if self._random.random() >= odds.probability:
            return
        amount = order.remaining if self._random.random() < odds.whole else self._half(order)
        if amount:
            self._take(order, amount)

    def _take(self, order: Order, amount: Decimal) -> None:
        """Through all that rests before it; an amount too small for the venue's rules is no race."""
        self._enrol(order)
        try:
            self._exchange.place(
                Ticket(
                    account=RACER,
                    symbol=order.symbol,
                    side=Side.SELL if order.side is Side.BUY else Side.BUY,
                    kind=Kind.LIMIT,
                    price=order.limit_price,
                    amount=self._ahead(order) + amount,
                    time_in_force=TimeInForce.IOC,
                )
            )
        except RefusedError:
            return
        self.won += 1

    def _ahead(self, order: Order) -> Decimal:
        ahead = ZERO
        for resting in self._exchange.market(order.symbol).book.resting(order.side):
            if resting is order:
                break
            ahead += resting.remaining
        return ahead

    def _half(self, order: Order) -> Decimal:
        step = self._exchange.market(order.symbol).rules.amount_step
        return (order.remaining / 2 / step).to_integral_value(rounding=ROUND_FLOOR) * step

    def _enrol(self, order: Order) -> None:
        if RACER not in self._exchange.accounts:
            self._exchange.open_account(RACER, FREE_OF_CHARGE, is_crowd=True)
        rules = self._exchange.market(order.symbol).rules
        for currency in (rules.base, rules.quote):
            if self._exchange.ledger.holding(RACER, currency).free < WEALTH / 2:
                self._exchange.ledger.deposit(RACER, currency, WEALTH)
