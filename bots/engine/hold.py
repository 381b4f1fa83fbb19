"""How long nothing is tried after a refusal: of an order by the venue, mostly."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0


@dataclass
class Hold:
    """until: `uptime()`; longest_seconds: of one pause."""

    longest_seconds: float = LONGEST_PAUSE_SECONDS
    until: float = 0.0
    refusals_in_a_row: int = 0
    last_refusal: str = ""

    def is_on(self, now: float) -> bool:
        return now < self.until

    def refused(self, now: float, sentence: str) -> bool:
        """Each in a row waits twice as long. True where the reason is a new one."""
        self.until = now + min(FIRST_PAUSE_SECONDS * 2.0**self.refusals_in_a_row, self.longest_seconds)
        self.refusals_in_a_row += 1
        is_new, self.last_refusal = sentence != self.last_refusal, sentence
        return is_new

    def placed_well(self) -> None:
        self.refusals_in_a_row, self.last_refusal = 0, ""
