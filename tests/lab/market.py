"""One market's state: its book, its orders, its trades."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Sequence
from decimal import Decimal

from tests.lab.display import Display
from tests.lab.matching import OrderBook
from tests.lab.orders import ZERO, Fill, Kind, Order, PublicTrade
from tests.lab.rules import MarketRules

MINUTE_MS = 60_000


class LabMarket:
    def __init__(self, rules: MarketRules) -> None:
        self.rules = rules
        self.book = OrderBook(rules.amount_step)
        self.orders: dict[int, Order] = {}
        self.trades: list[PublicTrade] = []
        self.fills: list[Fill] = []
        self.display = Display(self.book)
        self._orders_of: defaultdict[str, dict[int, Order]] = defaultdict(dict)
        self._fills_of: defaultdict[str, list[Fill]] = defaultdict(list)
        self._by_client_id: dict[tuple[str, str], Order] = {}
        self.update_id = 0  # counts the changes of the book
        self.is_halted = False
        self.waiting: list[Order] = []  # came while the market was halted
        self._accepted = 0
        self._open: dict[int, Order] = {}
        self._recent: deque[PublicTrade] = deque()
        self._recent_cost = self._recent_amount = ZERO

    @property
    def next_order_id(self) -> int:
        return self._accepted + 1

    @property
    def next_trade_id(self) -> int:
        return len(self.trades) + 1

    @property
    def last_price(self) -> Decimal | None:
        return self.trades[-1].price if self.trades else None

    def enter(self, order: Order) -> None:
        """Make it known and open; whether it comes to rest in the book is the exchange's to say."""
        self._accepted += 1
        self.orders[order.id] = self._open[order.id] = order
        self._orders_of[order.account][order.id] = order
        self._by_client_id[order.account, order.client_id] = order
        self.update_id += 1

    def rest(self, order: Order) -> None:
        """Where others can meet it, or until the market resumes."""
        if self.is_halted:
            self.waiting.append(order)
        else:
            self.book.resting(order.side).add(order)

    def leave(self, order: Order) -> None:
        del self._open[order.id]
        side = self.book.resting(order.side)
        if order.ticket.kind is not Kind.MARKET and order in side:
            side.remove(order)
        self.update_id += 1

    def forget(self, order: Order) -> None:
        """As if it had never been, for orders of the crowd that nothing came of."""
        del self.orders[order.id], self._orders_of[order.account][order.id]
        del self._by_client_id[order.account, order.client_id]

    def orders_of(self, account: str) -> Collection[Order]:
        """Open and ended, in the order of arrival."""
        return self._orders_of[account].values()

    def add_fill(self, fill: Fill) -> None:
        self.fills.append(fill)
        self._fills_of[fill.account].append(fill)

    def fills_of(self, account: str) -> Sequence[Fill]:
        """In the order of their ids."""
        return self._fills_of.get(account, ())

    def open_orders(self, account: str | None = None) -> list[Order]:
        return [order for order in self._open.values() if account in (None, order.account)]

    def by_client_id(self, account: str, client_id: str) -> Order | None:
        """The newest of that id: an id may be used again once its order is closed."""
        return self._by_client_id.get((account, client_id))

    def record(self, trade: PublicTrade) -> None:
        self.trades.append(trade)
        self._recent.append(trade)
        self._recent_cost += trade.cost
        self._recent_amount += trade.amount

    def average_price(self, now_ms: int) -> Decimal | None:
        """Weighted by volume over the rules' minutes; the last price when none traded in them."""
        since = now_ms - self.rules.average_minutes * MINUTE_MS
        while self._recent and self._recent[0].time_ms < since:
            old = self._recent.popleft()
            self._recent_cost -= old.cost
            self._recent_amount -= old.amount
        return self._recent_cost / self._recent_amount if self._recent else self.last_price

    def trades_since(self, time_ms: int) -> list[PublicTrade]:
        recent: list[PublicTrade] = []
        for trade in reversed(self.trades):
            if trade.time_ms < time_ms:
                break
            recent.append(trade)
        return recent[::-1]
