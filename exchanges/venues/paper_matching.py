"""How paper orders fill against a public book and a public tape. Pure: values in, values out.

- An order that arrives takes what it crosses, level by level, at the levels' prices.
- An order that rests fills from the tape: a taker's trade through its price fills it, a trade at its
  price does so when the queue ahead of it is used up. What one trade sold is shared by our orders in
  price-time order, once.
- An order that the book itself has crossed fills, at its own price, by what the crossing levels hold.
- What was taken from a level stays taken until the level leaves the book or shows another amount.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from exchanges.types import ZERO, Book, Level, PublicTrade, Side


def crosses(side: Side, limit: Decimal, price: Decimal) -> bool:
    """Whether an order of this side and limit trades with the other side at `price`."""
    return price <= limit if side is Side.BUY else price >= limit


@dataclass(frozen=True, kw_only=True, slots=True)
class RestingOrder:
    """queue_ahead: base, what others had at the price before us; arrived_at: trades before do not count."""

    id: int
    side: Side
    price: Decimal
    remaining: Decimal
    queue_ahead: Decimal
    arrived_at: datetime

    def reaches(self, price: Decimal) -> bool:
        return crosses(self.side, self.price, price)


class Fill(NamedTuple):
    """What a resting order got, as a maker."""

    order_id: int
    price: Decimal
    amount: Decimal
    time: datetime


class LevelKey(NamedTuple):
    side: Side
    price: Decimal


class Taken(NamedTuple):
    """amount: base that we took of a level that showed level_amount."""

    amount: Decimal
    level_amount: Decimal


TakenLevels = Mapping[LevelKey, Taken]


@dataclass(frozen=True, kw_only=True)
class TapeCursor:
    """The instant until which the tape is used up, and the ids of that instant that are."""

    until: datetime
    ids: frozenset[str]

    def is_past(self, trade: PublicTrade) -> bool:
        return trade.time < self.until or (trade.time == self.until and trade.id in self.ids)


@dataclass(frozen=True, kw_only=True)
class MarketView:
    """What the real market showed at one moment; trades oldest first."""

    book: Book
    trades: Sequence[PublicTrade]


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """changed: the orders that are not as they were, filled ones with nothing remaining among them."""

    changed: tuple[RestingOrder, ...]
    fills: tuple[Fill, ...]
    taken: TakenLevels


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """What an arriving order takes at once: price and amount of each part, best first."""

    parts: tuple[Level, ...]
    taken: TakenLevels

    @property
    def amount(self) -> Decimal:
        return _total(self.parts)


def arrive(side: Side, amount: Decimal, limit: Decimal | None, book: Book, taken: TakenLevels) -> Arrival:
    """limit: None takes at any price."""
    taken = still_valid(taken, book)
    levels = _reachable(book, side, limit, taken)
    parts = _walk(levels, amount)
    return Arrival(parts=parts, taken=_with_taken(taken, book, side.opposite, parts))


def queue_ahead(side: Side, price: Decimal, book: Book) -> Decimal:
    """What others have at that price already."""
    return _total(level for level in book.side(side) if level.price == price)


def settle(
    orders: Iterable[RestingOrder], taken: TakenLevels, view: MarketView, cursor: TapeCursor | None
) -> Settlement:
    """The fills that the market has given these orders of one symbol since the cursor."""
    before = {order.id: order for order in sorted(orders, key=_priority)}
    resting = dict(before)
    fills: list[Fill] = []
    for trade in view.trades:
        if cursor is None or not cursor.is_past(trade):
            fills += _trade_into(resting, trade)
    taken = still_valid(taken, view.book)
    for order in tuple(resting.values()):
        parts = _walk(_reachable(view.book, order.side, order.price, taken), order.remaining)
        if parts:
            taken = _with_taken(taken, view.book, order.side.opposite, parts)
            fills.append(_fill(resting, order, _total(parts), view.book.time))
    changed = tuple(order for order in resting.values() if order != before[order.id])
    return Settlement(changed=changed, fills=tuple(fills), taken=taken)


def advanced(cursor: TapeCursor | None, trades: Sequence[PublicTrade]) -> TapeCursor | None:
    """The cursor behind the last of these trades; it never moves back."""
    if not trades or (cursor is not None and trades[-1].time < cursor.until):
        return cursor
    until = trades[-1].time
    ids = frozenset(trade.id for trade in trades if trade.time == until)
    if cursor is not None and cursor.until == until:
        ids |= cursor.ids
    return TapeCursor(until=until, ids=ids)


def still_valid(taken: TakenLevels, book: Book) -> TakenLevels:
    """Without the levels that have left the book or show another amount than when we took of them."""
    shown = {LevelKey(side, level.price): level.amount for side in Side for level in book.side(side)}
    return {key: entry for key, entry in taken.items() if shown.get(key) == entry.level_amount}


def _trade_into(resting: dict[int, RestingOrder], trade: PublicTrade) -> list[Fill]:
    """Fills the orders that the taker met, best price first, out of the trade's one amount."""
    fills, left = [], trade.amount
    for order in tuple(resting.values()):
        if order.side is trade.side or not order.reaches(trade.price) or trade.time <= order.arrived_at:
            continue
        # Traded through our price: nobody ahead of us at it is left.
        ahead = min(order.queue_ahead, left) if order.price == trade.price else ZERO
        queue = order.queue_ahead - ahead if order.price == trade.price else ZERO
        resting[order.id] = queued = replace(order, queue_ahead=queue)
        part = min(left - ahead, order.remaining)
        if part > 0:
            left -= part
            fills.append(_fill(resting, queued, part, trade.time))
    return fills


def _fill(resting: dict[int, RestingOrder], order: RestingOrder, amount: Decimal, time: datetime) -> Fill:
    resting[order.id] = replace(order, remaining=order.remaining - amount)
    return Fill(order.id, order.price, amount, time)


def _reachable(book: Book, side: Side, limit: Decimal | None, taken: TakenLevels) -> Iterator[Level]:
    """The levels that an order of this side and limit trades with, less what we took of them."""
    for level in book.side(side.opposite):
        if limit is not None and not crosses(side, limit, level.price):
            return
        gone = taken.get(LevelKey(side.opposite, level.price))
        yield level if gone is None else Level(level.price, level.amount - gone.amount)


def _walk(levels: Iterable[Level], amount: Decimal) -> tuple[Level, ...]:
    parts, left = [], amount
    for level in levels:
        part = min(level.amount, left)
        if part > 0:
            parts.append(Level(level.price, part))
            left -= part
    return tuple(parts)


def _with_taken(taken: TakenLevels, book: Book, side: Side, parts: Iterable[Level]) -> TakenLevels:
    shown = {level.price: level.amount for level in book.side(side)}
    result = dict(taken)
    for part in parts:
        key = LevelKey(side, part.price)
        before = result[key].amount if key in result else ZERO
        result[key] = Taken(before + part.amount, shown[part.price])
    return result


def _priority(order: RestingOrder) -> tuple[Decimal, datetime, int]:
    best_first = -order.price if order.side is Side.BUY else order.price
    return best_first, order.arrived_at, order.id


def _total(levels: Iterable[Level]) -> Decimal:
    return sum((level.amount for level in levels), ZERO)
