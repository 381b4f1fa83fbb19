"""How a connection's venue answers, noted call by call, for whoever decides by it."""

from __future__ import annotations

from dataclasses import dataclass, field

from bots.engine.clock import uptime
from exchanges.errors import (
    RateLimitError,
    RejectedError,
    VenueError,
)
from exchanges.health import Breaker, Meter, Reading, Seen, State, score

READ_EVERY_SECONDS = 1.0


@dataclass
class Condition:
    """Times are `uptime()`. cause: what was wrong the last time, one sentence; empty before that."""

    meter: Meter = field(default_factory=Meter)
    breaker: Breaker = field(default_factory=lambda: Breaker(answered_at=uptime()))
    cause: str = ""
    _failed_at: float = float("-inf")
    _reading: Reading = field(default_factory=lambda: Meter().read(0.0))
    _read_at: float = float("-inf")

    @property
    def reading(self) -> Reading:
        """Of the last minutes, no older than a second."""
        now = uptime()
        if now - self._read_at >= READ_EVERY_SECONDS:
            self._reading, self._read_at = self.meter.read(now), now
        return self._reading

    @property
    def median_ms(self) -> float | None:
        """Of a call's round trip; None before the first answer."""
        return self.reading.median_ms

    @property
    def score(self) -> int:
        """0 to 100, as `exchanges.health.score` counts it."""
        return score(self.reading, self.state)

    @property
    def state(self) -> State:
        return self.breaker.state(uptime())

    def answered(self, began_at: float) -> None:
        now = uptime()
        self.meter.note(Seen(at=now, seconds=now - began_at))
        self.breaker = self.breaker.answered(now)

    def failed(self, began_at: float, error: VenueError) -> None:
        """What is the venue's own answer, or was never sent, is no failure to answer."""
        if isinstance(error, RejectedError | RateLimitError) and not error.code:
            return  # our own refusal: it was not asked
        if isinstance(error, RejectedError):
            self.answered(began_at)
            return
        now = uptime()
        self.meter.note(Seen(at=now, seconds=now - began_at, error=type(error).__name__))
        self.cause = error.sentence
        if isinstance(error, RateLimitError):
            self.breaker = self.breaker.answered(now)  # it says itself when it wants to be asked again
        elif began_at >= self._failed_at:
            # Calls that were under way together fail together: one error of those in a row.
            self.breaker, self._failed_at = self.breaker.failed(now), now
