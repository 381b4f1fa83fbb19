"""What others have resting in a book: its levels without our own orders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from bots.strategies.base import OpenOrder
from exchanges.types import ZERO, Book, Level, Side


def others_levels(book: Book, side: Side, own_orders: Iterable[OpenOrder]) -> Iterator[Level]:
    """One side of the book, best first, less what we have resting there ourselves.

    One by one: most who ask want the first, and a book has hundreds.
    """
    own: dict[Decimal, Decimal] = {}
    for order in own_orders:
        if order.side is side:
            own[order.price] = own.get(order.price, ZERO) + order.remaining
    for level in book.side(side):
        amount = level.amount - own.get(level.price, ZERO)
        if amount > 0:
            yield Level(level.price, amount)


def others_best(book: Book, side: Side, own_orders: Iterable[OpenOrder]) -> Decimal | None:
    """The price at which others stand first; None where nobody does."""
    best = next(others_levels(book, side, own_orders), None)
    return best.price if best else None


def price_at_depth(levels: Iterable[Level], depth: Decimal) -> Decimal | None:
    """The price of the level that brings the amount up to `depth` (base); the last one where all is less.

    None for no levels at all.
    """
    seen, price = ZERO, None
    for level in levels:
        seen, price = seen + level.amount, level.price
        if seen >= depth:
            break
    return price
