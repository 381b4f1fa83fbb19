"""The settings of a scalper bot, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from bots.strategies.barriers import Barriers
from bots.strategies.protections import Protections
from exchanges.types import ZERO, Side


class Direction(StrEnum):
    """long buys what rises; short sells held base that falls, and buys it back."""

    LONG = "long"
    SHORT = "short"
    BOTH = "both"

    def allows(self, side: Side) -> bool:
        return self is Direction.BOTH or (self is Direction.LONG) is (side is Side.BUY)


@dataclass(frozen=True, kw_only=True, slots=True)
class ScalperSettings:
    """When a scalper opens and closes positions; fractions in _pct: 0.01 is one per cent.

    order_cost: size of an entry, in quote currency.
    entry_move_pct: how far the middle must have moved in window_seconds.
    max_latency_ms: median round trip of the connection; max_spread_pct: of the book's middle;
        min_touch_cost: in quote, what can be traded at once at the touch; min_free_quote: what must stay
        free. 0 or None: no such gate.
    most_positions: of this bot; most_connection_positions: of all scalpers of its connection.
    through_pct: how far beyond the touch entries and exits are priced.
    entry_seconds: what has not filled by then is cancelled. exit_seconds: what has not filled by then is
        priced anew, exit_tries times; then it goes at market.
    believable_move_pct: a larger move in the window is taken for a fault of the venue, and nothing is opened.
    rests_take_profit: as an order in the book, until another exit takes its place.
    """

    order_cost: Decimal
    entry_move_pct: Decimal
    window_seconds: int = 60
    direction: Direction = Direction.LONG
    max_latency_ms: int = 0
    max_spread_pct: Decimal = ZERO
    min_touch_cost: Decimal = ZERO
    min_free_quote: Decimal = ZERO
    most_positions: int = 1
    most_connection_positions: int = 8
    through_pct: Decimal = ZERO
    entry_seconds: int = 5
    exit_seconds: int = 5
    exit_tries: int = 3
    rests_take_profit: bool = False
    max_book_age_seconds: float = 15.0
    believable_move_pct: Decimal = Decimal("0.2")
    barriers: Barriers = field(default_factory=Barriers)
    protections: Protections = field(default_factory=Protections)
