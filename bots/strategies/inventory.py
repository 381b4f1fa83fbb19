"""How the inventory bends the sizes: buy less and sell more while more than the target is held.

Source: the linear skew that docs/strategies/spread.md writes out with a worked example.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from exchanges.types import ZERO

ONE = Decimal(1)
TWO = Decimal(2)


class SkewRatios(NamedTuple):
    """What to multiply the sizes by: 0 to 2 each, together 2."""

    bid: Decimal
    ask: Decimal


def skew_ratios(
    *, base: Decimal, quote: Decimal, price: Decimal, target_pct: Decimal, range_base: Decimal
) -> SkewRatios:
    """1 and 1 at the target; one side reaches 0 at `range_base` (base currency) away from it.

    target_pct: the share of base in the value of both, 0.5 is one half. The range is worth at most half of
    that value; below the target it ends where nothing is held. No value, no range: 0 and 0.
    """
    value = base * price + quote
    if value <= 0 or range_base <= 0:
        return SkewRatios(ZERO, ZERO)
    held, target = base * price, value * target_pct
    reach = min(range_base * price, value / 2)
    if held < target:
        reach = min(reach, target)
    bid = ONE + _within((target - held) / reach, ONE)
    return SkewRatios(bid=bid, ask=TWO - bid)


def _within(value: Decimal, bound: Decimal) -> Decimal:
    return max(-bound, min(bound, value))
