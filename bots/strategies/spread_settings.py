"""The settings of a spread bot, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from bots.strategies.reference import ReferenceKind
from exchanges.types import ZERO, Side


class Rung(NamedTuple):
    """One order of the ladder. distance_pct: from the reference price, as a fraction of it; amount: base."""

    side: Side
    distance_pct: Decimal
    amount: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class SpreadSettings:
    """How a spread bot quotes; the names are the columns' names.

    bid_spread_pct, ask_spread_pct: distance of the first level from the reference price, as a fraction of
        it: 0.01 is one per cent, and so for every name in _pct.
    minimum_spread_pct: no quote is nearer to the reference price than that; 0: no rule.
    order_amount: size of the first level, in base currency.
    levels: orders on each side. level_spread_pct, level_amount: what each adds to distance and size (base).
    level_overrides: instead of that ladder, where not empty.
    price_ceiling, price_floor: at or above, only asks; at or below, only bids. Quote per base; None: no rule.
    order_optimization: no better than just ahead of others; the depths (base) of their orders are ignored.
    inventory_target_pct: share of base in the value of both, 0.5 is one half.
    inventory_range_multiplier: how far from the target one side stops, in sums of the whole ladder.
    """

    bid_spread_pct: Decimal
    ask_spread_pct: Decimal
    order_amount: Decimal
    reference: ReferenceKind = ReferenceKind.MID
    minimum_spread_pct: Decimal = ZERO
    levels: int = 1
    level_spread_pct: Decimal = ZERO
    level_amount: Decimal = ZERO
    level_overrides: tuple[Rung, ...] = ()
    price_ceiling: Decimal | None = None
    price_floor: Decimal | None = None
    order_optimization: bool = False
    bid_optimization_depth: Decimal = ZERO
    ask_optimization_depth: Decimal = ZERO
    inventory_skew: bool = False
    inventory_target_pct: Decimal = Decimal("0.5")
    inventory_range_multiplier: Decimal = Decimal(1)
    post_only: bool = True

    def rungs(self, side: Side) -> list[Rung]:
        """The orders wanted on one side, nearest to the touch first."""
        if self.level_overrides:
            return sorted((r for r in self.level_overrides if r.side is side), key=lambda r: r.distance_pct)
        first = self.bid_spread_pct if side is Side.BUY else self.ask_spread_pct
        return [
            Rung(side, first + i * self.level_spread_pct, self.order_amount + i * self.level_amount)
            for i in range(self.levels)
        ]

    @property
    def total_amount(self) -> Decimal:
        """Of all orders of both sides, in base currency."""
        return sum((rung.amount for side in Side for rung in self.rungs(side)), ZERO)
