"""ccxt's order books for streams, with exact numbers, and honest about how deep they are known."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ccxt.async_support.base.ws.order_book import OrderBook
from ccxt.async_support.base.ws.order_book_side import OrderBookSide

from exchanges.types import Level, Touch
from exchanges.venues.ccxt_answers import amount_of, positive

SERVED_LEVELS = 100  # of each side; a book that knows fewer, and not because there are no more, is worn


class ExactSide(OrderBookSide):  # type: ignore[misc]
    """changes: counts what was done to it.

    edge: where the venue does not say what comes into the depth, nothing is known beyond this key, which is
    ccxt's: the price, negative on the side of the bids.
    """

    changes = 0
    edge: Decimal | None = None

    def storeArray(self, delta: Any) -> None:  # noqa: N802 - ccxt's name
        price, amount = (
            positive(delta[0], "a price of the book"),
            amount_of(delta[1], "an amount of the book"),
        )
        self.changes += 1
        if self.edge is None or (-price if self.side else price) <= self.edge:
            super().storeArray([price, amount])

    @property
    def is_worn(self) -> bool:
        return self.edge is not None and len(self) < SERVED_LEVELS

    def best(self) -> Level | None:
        return Level(*self[0]) if self else None

    def served(self) -> tuple[Level, ...]:
        return tuple(Level(*row) for row in self[:SERVED_LEVELS])

    def forget(self) -> None:
        self.edge = None
        self.changes += 1

    def draw_edge(self) -> None:
        """After it was filled or cut: what lies beyond the last level may be there and is not known."""
        if len(self) >= self._depth:
            self.edge = self._index[-1]


class ExactBids(ExactSide):
    side = True


class ExactAsks(ExactSide):
    side = False


class ExactBook(OrderBook):  # type: ignore[misc]
    """refills: the venue tells each level that comes into the depth when another one leaves it."""

    def __init__(self, snapshot: Mapping[str, Any], depth: int, *, refills: bool) -> None:
        self.refills = refills
        sides = {
            "bids": ExactBids(snapshot.get("bids", []), depth),
            "asks": ExactAsks(snapshot.get("asks", []), depth),
        }
        super().__init__({**snapshot, **sides}, depth)

    @property
    def bids(self) -> ExactSide:
        return self["bids"]  # type: ignore[no-any-return]

    @property
    def asks(self) -> ExactSide:
        return self["asks"]  # type: ignore[no-any-return]

    @property
    def changes(self) -> int:
        return self.bids.changes + self.asks.changes

    @property
    def is_worn(self) -> bool:
        return self.bids.is_worn or self.asks.is_worn

    @property
    def is_crossed(self) -> bool:
        bid, ask = self.touch()
        return bid is not None and ask is not None and bid.price >= ask.price

    def touch(self) -> Touch:
        return Touch(self.bids.best(), self.asks.best())

    def reset(self, snapshot: Mapping[str, Any] | None = None) -> None:
        for side in (self.bids, self.asks):
            side.forget()
        super().reset(snapshot or {})
        self._draw_edges()

    def limit(self) -> ExactBook:
        super().limit()
        self._draw_edges()
        return self

    def _draw_edges(self) -> None:
        if not self.refills:
            self.bids.draw_edge()
            self.asks.draw_edge()
