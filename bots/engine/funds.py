"""What is free on a connection while its bots take turns: read once a round, then counted down."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from bots.engine.account import Account, held_by
from bots.lifecycle import LIVE, OrderState
from bots.models import Order
from exchanges.types import ZERO, Market, Side


class Funds:
    """What a round trip still has to sell, or to buy back, is free for nobody but its own exits."""

    def __init__(self, account: Account) -> None:
        self._free = {currency: balance.free for currency, balance in account.balances.items()}
        for order in account.live_orders():
            if order.state == OrderState.UNKNOWN and not order.venue_id:
                self._move(account.markets.get(order.symbol), [order], -1)
        for trip in account.trips.values():
            market = account.markets.get(trip.symbol)
            if market is not None:
                exits = held_by(o for o in account.live_orders_of(trip) if o.side != trip.side)
                if trip.side == Side.BUY:
                    self._take(market.base, trip.left - exits[Side.SELL])
                else:
                    self._take(market.quote, abs(trip.cost) - exits[Side.BUY])

    def free(self, currency: str) -> Decimal:
        return max(self._free.get(currency, ZERO), ZERO)

    def taken(self, market: Market, orders: Iterable[Order]) -> None:
        """By orders that were just sent: what they hold, or what they traded at once."""
        for order in orders:
            amount = order.amount if order.state in LIVE else order.filled
            if order.side == Side.BUY:
                self._take(market.quote, amount * (order.price or order.average or ZERO))
            else:
                self._take(market.base, amount)

    def released(self, market: Market, orders: Iterable[Order]) -> None:
        self._move(market, orders, 1)

    def _take(self, currency: str, amount: Decimal) -> None:
        self._free[currency] = self._free.get(currency, ZERO) - max(amount, ZERO)

    def _move(self, market: Market | None, orders: Iterable[Order], sign: int) -> None:
        if market is None:
            return
        held = held_by(orders)
        for currency, amount in ((market.quote, held[Side.BUY]), (market.base, held[Side.SELL])):
            self._free[currency] = self._free.get(currency, ZERO) + sign * amount
