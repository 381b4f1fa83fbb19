"""When a position is closed: stop loss, trailing stop, take profit, time limit, in this order.

Profit is what closing now would leave, after the fees of both ways, as a fraction of what the entry cost:
a long position pays `entry (1 + fee)` and would receive `price (1 - fee)`; a short one received
`entry (1 - fee)` and would pay `price (1 + fee)`. `price` is the side of the book at which it would close:
the bid for a long position, the ask for a short one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from exchanges.types import ZERO, Side

ONE = Decimal(1)


class Exit(StrEnum):
    """Why a position is closed."""

    STOP_LOSS = "stop_loss"
    TRAILING_STOP = "trailing_stop"
    TAKE_PROFIT = "take_profit"
    TIME_LIMIT = "time_limit"
    STOPPED = "stopped"  # its bot was told to stop


@dataclass(frozen=True, kw_only=True, slots=True)
class Barriers:
    """Fractions: 0.01 is one per cent. None: there is no such barrier.

    stop_loss_pct, take_profit_pct: of profit, as above.
    trailing_delta_pct: how far behind the best price the stop follows, as a fraction of that price.
    trailing_activation_pct: the profit above which (not at which) it begins to.
    time_limit_seconds: from the entry's first fill.
    """

    stop_loss_pct: Decimal | None = None
    take_profit_pct: Decimal | None = None
    trailing_delta_pct: Decimal | None = None
    trailing_activation_pct: Decimal = ZERO
    time_limit_seconds: Decimal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Watch:
    """An open position between two looks at its price.

    side: of the entry. entry: its average price. fee: of each way, as a fraction.
    trailing_stop: the price it stands at once armed; it only moves towards profit.
    """

    side: Side
    entry: Decimal
    fee: Decimal = ZERO
    trailing_stop: Decimal | None = None

    @property
    def is_long(self) -> bool:
        return self.side is Side.BUY


def profit_pct(watch: Watch, price: Decimal) -> Decimal:
    """What closing at `price` would leave, as a fraction of the entry's cost."""
    paid, received = (watch.entry, price) if watch.is_long else (price, watch.entry)
    result = received * (ONE - watch.fee) - paid * (ONE + watch.fee)
    return result / (watch.entry * (ONE + watch.fee if watch.is_long else ONE - watch.fee))


def price_at_profit(watch: Watch, pct: Decimal) -> Decimal:
    """The price at which closing leaves this profit; the inverse of `profit_pct`."""
    up, down = ONE + watch.fee, ONE - watch.fee
    if watch.is_long:
        return watch.entry * up * (ONE + pct) / down
    return watch.entry * down * (ONE - pct) / up


def followed(watch: Watch, barriers: Barriers, price: Decimal) -> Watch:
    """With the trailing stop where this price puts it."""
    delta = barriers.trailing_delta_pct
    if delta is None:
        return watch
    if watch.trailing_stop is None and profit_pct(watch, price) <= barriers.trailing_activation_pct:
        return watch
    stop = price * (ONE - delta if watch.is_long else ONE + delta)
    best = max if watch.is_long else min
    old = watch.trailing_stop
    return replace(watch, trailing_stop=stop if old is None else best(old, stop))


def stop_price(watch: Watch, barriers: Barriers) -> Decimal | None:
    """The nearest stop, of loss or trailing; None while there is none."""
    stops = [] if watch.trailing_stop is None else [watch.trailing_stop]
    if barriers.stop_loss_pct is not None:
        stops.append(price_at_profit(watch, -barriers.stop_loss_pct))
    nearest = max if watch.is_long else min
    return nearest(stops, default=None)


def due_exit(watch: Watch, barriers: Barriers, price: Decimal, seconds: Decimal) -> Exit | None:
    """Why to close now, if at all. seconds: since the entry. The watch has followed this price."""
    profit = profit_pct(watch, price)
    if barriers.stop_loss_pct is not None and profit <= -barriers.stop_loss_pct:
        return Exit.STOP_LOSS
    if watch.trailing_stop is not None and _is_reached(watch, price, watch.trailing_stop):
        return Exit.TRAILING_STOP
    if barriers.take_profit_pct is not None and profit >= barriers.take_profit_pct:
        return Exit.TAKE_PROFIT
    if barriers.time_limit_seconds is not None and seconds >= barriers.time_limit_seconds:
        return Exit.TIME_LIMIT
    return None


def _is_reached(watch: Watch, price: Decimal, stop: Decimal) -> bool:
    return price <= stop if watch.is_long else price >= stop
