"""What others have resting in a book: its levels without our own orders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from bots.strategies.base import OpenOrder
from exchanges.types import ZERO, Book, Level, Side


def others_levels(book: Book, side: Side, own_orders: Iterable[OpenOrder]) -> tuple[Level, ...]:
    """One side of the book, best first, less what we have resting there ourselves."""
    own: dict[Decimal, Decimal] = {}
    for order in own_orders:
        if order.side is side:
            own[order.price] = own.get(order.price, ZERO) + order.remaining
    left = (Level(level.price, level.amount - own.get(level.price, ZERO)) for level in book.side(side))
    return tuple(level for level in left if level.amount > 0)


def price_at_depth(levels: Sequence[Level], depth: Decimal) -> Decimal | None:
    """The price of the level that brings the amount up to `depth` (base); the last one where all is less.

    None for no levels at all.
    """
    seen = ZERO
    for level in levels:
        seen += level.amount
        if seen >= depth:
            return level.price
    return levels[-1].price if levels else None
