"""The book as a venue shows it, which is not always the book that it trades on."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from tests.lab.matching import OrderBook
from tests.lab.orders import ZERO, Side

Levels = list[tuple[Decimal, Decimal]]


class Look(StrEnum):
    TRUE = "true"
    FROZEN = "frozen"  # as it was, its update id standing still
    EMPTY = "empty"
    BIDS_ONLY = "bids_only"
    ASKS_ONLY = "asks_only"
    CROSSED = "crossed"  # the best bid above the best ask: the sides' prices change places


@dataclass(frozen=True)
class ShownBook:
    update_id: int
    bids: Levels
    asks: Levels


def changes_between(before: Levels, after: Levels) -> Levels:
    """New amounts by price; zero for a level that is gone."""
    old, new = dict(before), dict(after)
    changed = [(price, amount) for price, amount in new.items() if old.get(price) != amount]
    return changed + [(price, ZERO) for price in old if price not in new]


class Display:
    """Matching never looks here: an order meets the true book, whatever is shown."""

    def __init__(self, book: OrderBook) -> None:
        self._book = book
        self._look = Look.TRUE
        self._frozen: ShownBook | None = None

    def change(self, look: Look, update_id: int) -> None:
        self._look = look
        self._frozen = self._true(update_id) if look is Look.FROZEN else None

    def shown(self, update_id: int) -> ShownBook:
        if self._frozen is not None:
            return self._frozen
        true = self._true(update_id)
        if self._look is Look.CROSSED:
            return _crossed(true)
        hidden = {Look.EMPTY: set(Side), Look.BIDS_ONLY: {Side.SELL}, Look.ASKS_ONLY: {Side.BUY}}
        gone = hidden.get(self._look, set())
        return ShownBook(
            update_id, [] if Side.BUY in gone else true.bids, [] if Side.SELL in gone else true.asks
        )

    def _true(self, update_id: int) -> ShownBook:
        return ShownBook(update_id, self._book.bids.levels(), self._book.asks.levels())


def _crossed(book: ShownBook) -> ShownBook:
    """Bids stay sorted downwards and asks upwards; they just overlap."""
    return ShownBook(book.update_id, sorted(book.asks, reverse=True), sorted(book.bids))
