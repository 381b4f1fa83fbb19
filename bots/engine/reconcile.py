"""What to cancel, place and keep, so that the desired quotes rest.

An order stays where it can, to keep its place in the queue: near enough in price, and what remains of it is
not more than desired (a limit checked the desired amount) and not less than a share of it, usually half (less
than that is worth a new place at the end of the queue).

One at market stands for a quote at market only, and takes whatever price there is.

An order whose cancel is unconfirmed, or whose outcome is unknown, occupies a slot: the quote nearest to it
waits. So does a quote that would trade with an order of our own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest
from typing import TypeVar

from bots.strategies.base import OpenOrder, Quote
from exchanges.types import ZERO, OrderType, Side

_Item = TypeVar("_Item")
HALF = Decimal("0.5")


@dataclass(frozen=True, kw_only=True, slots=True)
class Replacement:
    """Cancel, and place as soon as the cancel is confirmed. Other pairs need not wait for this one."""

    cancel: OpenOrder
    place: Quote


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Every open order is in exactly one of keep, replace, cancel and unsettled; every quote that is not
    kept is in exactly one of replace, place and waiting.

    cancel: orders that no quote stands for: first, so that limits hold at every moment.
    replace: nearest to the touch first, the sides in turn.
    place: quotes that replace nothing.
    keep: near enough, or their successor has to wait.
    waiting: quotes whose slot is occupied, or that would trade with an order of our own: next cycle.
    unsettled: being cancelled or of unknown outcome; nothing is done with them here.
    """

    cancel: tuple[OpenOrder, ...] = ()
    replace: tuple[Replacement, ...] = ()
    place: tuple[Quote, ...] = ()
    keep: tuple[OpenOrder, ...] = ()
    waiting: tuple[Quote, ...] = ()
    unsettled: tuple[OpenOrder, ...] = ()

    @property
    def is_idle(self) -> bool:
        """Nothing is to be sent."""
        return not (self.cancel or self.replace or self.place)


@dataclass(frozen=True, kw_only=True, slots=True)
class Nearness:
    """When an order is near enough to a quote to stay.

    tolerance_pct: distance of the prices, as a fraction of the desired one: 0.0005 is 0.05 %.
    least_share: of the desired amount, that has to remain of an order.
    minimum_distance_pct: no order stays that is nearer than this to the reference price, as a fraction of it.
    """

    tolerance_pct: Decimal
    least_share: Decimal = HALF
    minimum_distance_pct: Decimal = ZERO
    reference_price: Decimal | None = None

    def allows(self, order: OpenOrder, quote: Quote) -> bool:
        if OrderType.MARKET in (order.type, quote.type):
            return order.type is quote.type and order.remaining <= quote.amount
        return (
            abs(order.price - quote.price) <= self.tolerance_pct * quote.price
            and self.least_share * quote.amount <= order.remaining <= quote.amount
            and not self._is_too_near(order)
        )

    def _is_too_near(self, order: OpenOrder) -> bool:
        if self.reference_price is None or not self.minimum_distance_pct:
            return False
        outwards = _outwards(order.side) * (order.price - self.reference_price)
        return outwards < self.minimum_distance_pct * self.reference_price


@dataclass(frozen=True, slots=True)
class _SidePlan:
    kept: tuple[OpenOrder, ...]
    pairs: tuple[Replacement, ...]
    surplus: tuple[OpenOrder, ...]
    missing: tuple[Quote, ...]
    occupied: tuple[Quote, ...]


def reconcile(
    desired: Sequence[Quote],
    open_orders: Sequence[OpenOrder],
    *,
    tolerance_pct: Decimal,
    least_share: Decimal = HALF,
    minimum_distance_pct: Decimal = ZERO,
    reference_price: Decimal | None = None,
) -> Plan:
    """The way from what rests to what should rest. Units are Nearness's, the order of steps is Plan's."""
    nearness = Nearness(
        tolerance_pct=tolerance_pct,
        least_share=least_share,
        minimum_distance_pct=minimum_distance_pct,
        reference_price=reference_price,
    )
    bids = _side_plan(Side.BUY, desired, open_orders, nearness)
    asks = _side_plan(Side.SELL, desired, open_orders, nearness)
    standing_bids = [order.price for order in open_orders if order.side is Side.BUY]
    standing_asks = [order.price for order in open_orders if order.side is Side.SELL]
    bids, bids_waiting = _without_self_crossing(Side.BUY, bids, standing_asks)
    new_bids = [quote.price for quote in (*(pair.place for pair in bids.pairs), *bids.missing)]
    asks, asks_waiting = _without_self_crossing(Side.SELL, asks, [*standing_bids, *new_bids])
    return Plan(
        cancel=bids.surplus + asks.surplus,
        replace=_in_turn(bids.pairs, asks.pairs),
        place=_in_turn(bids.missing, asks.missing),
        keep=bids.kept + asks.kept,
        waiting=bids.occupied + asks.occupied + bids_waiting + asks_waiting,
        unsettled=tuple(order for order in open_orders if is_unsettled(order)),
    )


def is_unsettled(order: OpenOrder) -> bool:
    """Its cancel is unconfirmed, or nobody knows whether it rests: it may still fill."""
    return order.is_canceling or not order.is_certain


def _side_plan(
    side: Side, desired: Sequence[Quote], open_orders: Sequence[OpenOrder], nearness: Nearness
) -> _SidePlan:
    quotes = sorted((q for q in desired if q.side is side), key=lambda q: _outwards(side) * q.price)
    opposite = [q.price for q in desired if q.side is not side]
    orders = [order for order in open_orders if order.side is side]
    resting = [order for order in orders if not is_unsettled(order)]
    unsettled = [order for order in orders if is_unsettled(order)]

    def may_stay(order: OpenOrder, quote: Quote) -> bool:
        return nearness.allows(order, quote) and not _crosses(side, order.price, opposite)

    stays = _nearest_pairs(resting, quotes, may_stay)
    resting = _others(resting, [order for order, _ in stays])
    quotes = _others(quotes, [quote for _, quote in stays])
    occupied = [quote for _, quote in _nearest_pairs(unsettled, quotes)]
    quotes = _others(quotes, occupied)
    pairs = _nearest_pairs(resting, quotes)
    pairs.sort(key=lambda pair: _outwards(side) * pair[1].price)
    return _SidePlan(
        kept=tuple(order for order, _ in stays),
        pairs=tuple(Replacement(cancel=order, place=quote) for order, quote in pairs),
        surplus=tuple(_others(resting, [order for order, _ in pairs])),
        missing=tuple(_others(quotes, [quote for _, quote in pairs])),
        occupied=tuple(occupied),
    )


def _without_self_crossing(
    side: Side, plan: _SidePlan, own_opposite: Sequence[Decimal]
) -> tuple[_SidePlan, tuple[Quote, ...]]:
    """The plan without quotes that would trade with ourselves, and those quotes.

    Their predecessors stay meanwhile: they are further from the touch, and the side is not left empty.
    """
    blocked = [pair for pair in plan.pairs if _crosses(side, pair.place.price, own_opposite)]
    missing = [quote for quote in plan.missing if _crosses(side, quote.price, own_opposite)]
    safe = _SidePlan(
        kept=plan.kept + tuple(pair.cancel for pair in blocked),
        pairs=tuple(_others(plan.pairs, blocked)),
        surplus=plan.surplus,
        missing=tuple(_others(plan.missing, missing)),
        occupied=plan.occupied,
    )
    return safe, tuple(pair.place for pair in blocked) + tuple(missing)


def _crosses(side: Side, price: Decimal, opposite: Iterable[Decimal]) -> bool:
    return any(price >= other if side is Side.BUY else price <= other for other in opposite)


def _nearest_pairs(
    orders: Sequence[OpenOrder],
    quotes: Sequence[Quote],
    fits: Callable[[OpenOrder, Quote], bool] = lambda _order, _quote: True,
) -> list[tuple[OpenOrder, Quote]]:
    """Pairs that fit, each order and each quote in one at most, the nearest in price first."""
    candidates = [
        (abs(order.price - quote.price), i, j)
        for i, order in enumerate(orders)
        for j, quote in enumerate(quotes)
        if fits(order, quote)
    ]
    pairs: list[tuple[OpenOrder, Quote]] = []
    orders_taken: set[int] = set()
    quotes_taken: set[int] = set()
    for _, i, j in sorted(candidates):
        if i not in orders_taken and j not in quotes_taken:
            orders_taken.add(i)
            quotes_taken.add(j)
            pairs.append((orders[i], quotes[j]))
    return pairs


def _others(items: Sequence[_Item], taken: Iterable[_Item]) -> list[_Item]:
    left = list(items)
    for item in taken:
        left.remove(item)
    return left


def _in_turn(bids: Sequence[_Item], asks: Sequence[_Item]) -> tuple[_Item, ...]:
    return tuple(item for pair in zip_longest(bids, asks) for item in pair if item is not None)


def _outwards(side: Side) -> int:
    """The sign of the direction away from the touch."""
    return -1 if side is Side.BUY else 1
