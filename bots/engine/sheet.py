"""What a runtime keeps of one bot between two cycles."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import Decimal

from bots.engine.limits import Limits
from bots.models import BotState, Position, SpreadBot

FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0


@dataclass
class Sheet:
    """due_at, held_until: `uptime()`. written: the decision that the database has.

    mark: a position whose mark is to be written with those of its round.
    broken_until: the bot's own cycle failed in a way that nobody foresaw; it has none until then.
    """

    bot: SpreadBot
    connection_enabled: bool = True
    kill_switch: str = ""
    due_at: float = 0.0
    held_until: float = 0.0
    broken_until: float = 0.0
    breaks_in_a_row: int = 0
    refusals_in_a_row: int = 0
    last_refusal: str = ""
    written: tuple[object, ...] = ()
    marked_at: float = field(default=float("-inf"))
    mark: Position | None = None

    @property
    def is_running(self) -> bool:
        return self.bot.state == BotState.RUNNING

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

    def pause_placing(self, now: float, sentence: str) -> bool:
        """After a refusal: each in a row waits twice as long. True where the reason is a new one."""
        pause = min(FIRST_PAUSE_SECONDS * 2**self.refusals_in_a_row, LONGEST_PAUSE_SECONDS)
        self.refusals_in_a_row += 1
        self.held_until = now + pause
        is_new, self.last_refusal = sentence != self.last_refusal, sentence
        return is_new

    def placed_well(self) -> None:
        self.refusals_in_a_row, self.last_refusal = 0, ""
