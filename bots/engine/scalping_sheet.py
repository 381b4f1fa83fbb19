"""What a runtime keeps of a scalper between two cycles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Self

from bots.engine.hold import Hold
from bots.engine.limit_context import Limits
from bots.engine.sheet import Sheet
from bots.engine.tape import Tape
from bots.models import Bot, BotState, OnScalperStop, RoundTrip, ScalperBot
from bots.strategies.barriers import Exit
from bots.strategies.exits import Closing
from bots.strategies.protections import ClosedTrip
from exchanges.health import LARGEST_BATCH
from exchanges.types import ZERO

LONGEST_EXIT_PAUSE_SECONDS = 15.0  # a position waits for its exit


@dataclass
class Memory:
    """Of one round trip, what its row may not say yet. saved_at: `uptime()`.

    takes_market_orders: the venue has refused none for it. too_little: exits in a row that the venue refused
    as too small, and the amount of the last one. lacks_funds: the last exit was refused because the account
    does not hold that much. holds: of its exits, by level: a stop does not wait for what was said to a
    target.
    """

    trailing_stop: Decimal | None = None
    closing: Closing | None = None
    saved: tuple[Decimal | None, Closing | None] = (None, None)
    saved_at: float = float("-inf")
    trouble: str = ""
    takes_market_orders: bool = True
    too_little: tuple[int, Decimal] = (0, ZERO)
    lacks_funds: bool = False
    holds: defaultdict[str, Hold] = field(
        default_factory=lambda: defaultdict(lambda: Hold(longest_seconds=LONGEST_EXIT_PAUSE_SECONDS))
    )

    @classmethod
    def of(cls, trip: RoundTrip) -> Memory:
        closing = None
        if trip.closing and trip.closing_since:
            closing = Closing(reason=Exit(trip.closing), since=trip.closing_since, tries=trip.closing_tries)
        stop: Decimal | None = trip.trailing_stop
        return cls(trailing_stop=stop, closing=closing, saved=(stop, closing))

    @property
    def known(self) -> tuple[Decimal | None, Closing | None]:
        return self.trailing_stop, self.closing

    def is_saved(self, now: float) -> None:
        self.saved, self.saved_at = self.known, now

    def write(self, trip: RoundTrip) -> None:
        """Onto the row, which is not saved by that."""
        trip.trailing_stop = self.trailing_stop
        if self.closing is not None:
            trip.closing = self.closing.reason
            trip.closing_since, trip.closing_tries = self.closing.since, self.closing.tries


@dataclass
class ScalpingSheet(Sheet):
    """tape: of its venue; None before the first scan. watched: its markets; unknown: those that its venue
    does not have. looked_at: the times of the books that were looked at for an entry.

    closed: its round trips, oldest first, as far back as protections look; None: not read yet.
    told_locks: those that an event told of. scan_hold: after a scan ended in a way that nobody foresaw;
    scan_trouble: what is to be told of that.
    """

    bot: ScalperBot
    tape: Tape | None = None
    watched: Sequence[str] = ()
    unknown: Sequence[str] = ()
    looked_at: dict[str, datetime] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    scan_sentence: str = ""
    scan_place: str = ""
    place_kept_at: float = float("-inf")
    scan_hold: Hold = field(default_factory=Hold)
    scan_trouble: str = ""
    memories: dict[int, Memory] = field(default_factory=dict)
    entry_holds: defaultdict[str, Hold] = field(default_factory=lambda: defaultdict(Hold))
    closed: list[ClosedTrip] | None = None
    told_locks: frozenset[str] = frozenset()

    def memory(self, trip: RoundTrip) -> Memory:
        if trip.pk not in self.memories:
            self.memories[trip.pk] = Memory.of(trip)
        return self.memories[trip.pk]

    def forget(self, trip: RoundTrip) -> None:
        self.memories.pop(trip.pk, None)

    def wanted(self, bot: Bot) -> Self:
        if isinstance(bot, ScalperBot) and bot.protections != self.bot.protections:
            self.closed = None  # they may look further back now
        return super().wanted(bot)

    def scan_broke(self, sentence: str, now: float) -> None:
        """Its exits go on. now: `uptime()`."""
        self.scan_sentence = f"the scan waits: {sentence}"
        if self.scan_hold.refused(now, sentence):
            self.scan_trouble = sentence

    def scan_went_well(self) -> None:
        """What was told of once is not told again."""
        self.scan_hold.refusals_in_a_row = 0

    @property
    def shown_symbols(self) -> Collection[str]:
        """Where they are few; of many those would be shown that nobody asks for."""
        return self.watched if len(self.watched) <= LARGEST_BATCH else ()

    @property
    def closes_all(self) -> bool:
        """It is to stop, and closes its positions before."""
        return self.bot.state == BotState.STOPPING and self.bot.on_stop == OnScalperStop.CLOSE

    @property
    def leaves_all(self) -> bool:
        """It is to stop, and leaves its positions as they are."""
        return self.bot.state == BotState.STOPPING and self.bot.on_stop == OnScalperStop.LEAVE

    @property
    def limits(self) -> Limits:
        """A day's loss is looked at over all of its round trips: see `protections`."""
        return replace(super().limits, daily_loss_limit=None)
