"""Orders that somebody else placed on an account: remembered so that nobody asks again whose they are."""

from __future__ import annotations

from collections.abc import Iterator, MutableSet

REMEMBERED = 500


class ForeignOrders(MutableSet[tuple[str, str]]):
    """(symbol, venue id) of each; the oldest are forgotten, and looked up anew should they turn up again."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._most = remembered
        self._orders: dict[tuple[str, str], None] = {}

    def __contains__(self, order: object) -> bool:
        return order in self._orders

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._orders)

    def __len__(self) -> int:
        return len(self._orders)

    def add(self, order: tuple[str, str]) -> None:
        self._orders[order] = None
        if len(self._orders) > self._most:
            del self._orders[next(iter(self._orders))]

    def discard(self, order: tuple[str, str]) -> None:
        self._orders.pop(order, None)
