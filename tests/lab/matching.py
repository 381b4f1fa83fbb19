"""Price-time priority: which resting orders an incoming one meets, and how much of each."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal
from typing import NamedTuple

from tests.lab.orders import ZERO, Kind, Order, SelfTrade, Side


class Match(NamedTuple):
    """amount: base, at the maker's price."""

    maker: Order
    amount: Decimal


@dataclass
class Plan:
    """What an incoming order would do, before anything is moved.

    own: the account's own resting orders that end on the way.
    stopped: it met an own order that ends it.
    """

    matches: list[Match] = field(default_factory=list)
    own: list[Order] = field(default_factory=list)
    stopped: bool = False

    @property
    def amount(self) -> Decimal:
        return sum((match.amount for match in self.matches), ZERO)

    @property
    def cost(self) -> Decimal:
        return sum((match.amount * match.maker.limit_price for match in self.matches), ZERO)


class BookSide:
    """Resting orders, best first; of equal prices the one that came first."""

    def __init__(self, side: Side) -> None:
        self._sign = -1 if side is Side.BUY else 1
        self._orders: list[Order] = []

    def __iter__(self) -> Iterator[Order]:
        return iter(self._orders)

    def __bool__(self) -> bool:
        return bool(self._orders)

    @property
    def best_price(self) -> Decimal | None:
        return self._orders[0].limit_price if self._orders else None

    def add(self, order: Order) -> None:
        insort(self._orders, order, key=self._priority)

    def remove(self, order: Order) -> None:
        index = bisect_left(self._orders, self._priority(order), key=self._priority)
        if self._orders[index] is not order:
            raise LookupError(f"order {order.id} does not rest here")
        del self._orders[index]

    def levels(self) -> list[tuple[Decimal, Decimal]]:
        """(price, amount) summed over the orders of one price, best first."""
        sums: dict[Decimal, Decimal] = {}
        for order in self._orders:
            sums[order.limit_price] = sums.get(order.limit_price, ZERO) + order.remaining
        return list(sums.items())

    def _priority(self, order: Order) -> tuple[Decimal, int]:
        return (self._sign * order.limit_price, order.sequence)


class OrderBook:
    def __init__(self, amount_step: Decimal) -> None:
        self._amount_step = amount_step
        self.bids = BookSide(Side.BUY)
        self.asks = BookSide(Side.SELL)

    def resting(self, side: Side) -> BookSide:
        return self.bids if side is Side.BUY else self.asks

    def opposite(self, side: Side) -> BookSide:
        return self.asks if side is Side.BUY else self.bids

    def would_take(self, side: Side, price: Decimal) -> bool:
        best = self.opposite(side).best_price
        return best is not None and _crosses(side, price, best)

    def plan(self, order: Order) -> Plan:
        """Nothing is changed; the plan holds as long as the book does not."""
        plan = Plan()
        taken = spent = ZERO
        for maker in self.opposite(order.side):
            price = maker.limit_price
            wanted = self._wanted(order, price, taken, spent)
            if wanted <= 0 or not _reaches(order, price):
                break
            if maker.account == order.account:
                _meet_own(plan, order, maker)
                if plan.stopped:
                    break
                continue
            amount = min(wanted, maker.remaining)
            plan.matches.append(Match(maker, amount))
            taken += amount
            spent += amount * price
        return plan

    def _wanted(self, order: Order, price: Decimal, taken: Decimal, spent: Decimal) -> Decimal:
        budget = order.ticket.budget
        if budget is None:
            return order.amount - taken
        lots = ((budget - spent) / price / self._amount_step).to_integral_value(rounding=ROUND_FLOOR)
        return lots * self._amount_step


def _meet_own(plan: Plan, order: Order, maker: Order) -> None:
    mode = order.ticket.self_trade
    plan.stopped = mode is not SelfTrade.EXPIRE_MAKER
    if mode is not SelfTrade.EXPIRE_TAKER:
        plan.own.append(maker)


def _reaches(order: Order, price: Decimal) -> bool:
    return order.ticket.kind is Kind.MARKET or _crosses(order.side, order.limit_price, price)


def _crosses(side: Side, price: Decimal, resting: Decimal) -> bool:
    return price >= resting if side is Side.BUY else price <= resting
