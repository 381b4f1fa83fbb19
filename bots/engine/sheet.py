"""What a runtime keeps of one bot between two cycles."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Self

from bots.engine.hold import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, Hold
from bots.engine.limit_context import Limits
from bots.models import Bot, BotState, Position, SpreadBot


@dataclass
class Sheet:
    """due_at: `uptime()`. is_nudged: this cycle is not due by the clock, something moved in a market.
    written: the decision that the database has.

    marks: positions whose marks are to be written with those of its round.
    broken_until: the bot's own cycle failed in a way that nobody foresaw; it has none until then.
    """

    bot: Bot
    connection_enabled: bool = True
    kill_switch: str = ""
    due_at: float = 0.0
    is_nudged: bool = False
    broken_until: float = 0.0
    breaks_in_a_row: int = 0
    written: tuple[object, ...] = ()
    marked_at: float = field(default=float("-inf"))
    marks: Sequence[Position] = ()

    @property
    def is_running(self) -> bool:
        return self.bot.state == BotState.RUNNING

    @property
    def symbols(self) -> frozenset[str]:
        """The markets in which it is at work whether it has an order there or not."""
        return frozenset()

    @property
    def shown_symbols(self) -> Collection[str]:
        """The markets whose prices people want to see."""
        return self.symbols

    @property
    def limits(self) -> Limits:
        bot = self.bot
        return Limits(
            max_order_cost=bot.max_order_cost,
            max_position=bot.max_position,
            max_open_orders=bot.max_open_orders,
            daily_loss_limit=bot.daily_loss_limit,
            price_band_pct=Decimal(bot.price_band_pct),
            max_book_age_seconds=bot.max_book_age_seconds,
        )

    def wanted(self, bot: Bot) -> Self:
        """With the bot as it is wanted now."""
        self.bot = bot
        return self

    def schedule(self, now: float) -> None:
        """Due at the next whole multiple of its cycle, so that bots of one pace look together."""
        cycle = self.bot.cycle_seconds
        self.due_at = (math.floor(now / cycle) + 1) * cycle

    def is_due(self, now: float) -> bool:
        return self.due_at <= now and not self.is_broken(now)

    def is_broken(self, now: float) -> bool:
        return now < self.broken_until

    def broke(self, now: float) -> None:
        """Each time in a row it waits twice as long."""
        self.broken_until = now + min(FIRST_PAUSE_SECONDS * 2**self.breaks_in_a_row, LONGEST_PAUSE_SECONDS)
        self.breaks_in_a_row += 1

    def went_well(self) -> None:
        self.breaks_in_a_row = 0


@dataclass
class QuotingSheet(Sheet):
    """Of a spread bot."""

    bot: SpreadBot
    hold: Hold = field(default_factory=Hold)

    @property
    def symbols(self) -> frozenset[str]:
        return frozenset([self.bot.symbol])
