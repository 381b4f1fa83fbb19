"""How well a connection's venue answers: latency, errors, a score, and the breaker that leaves it alone.

Pure: times come as arguments, in seconds of any clock that only goes forward.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from enum import StrEnum

WINDOW_SECONDS = 300.0
MOST_CALLS = 1000  # of the window that are kept; the oldest go first
ERRORS_TO_OPEN = 4
COOLDOWN_SECONDS = 30.0
SILENCE_SECONDS = 300.0  # without an answer the connection's bots are stopped

QUICK_MS, SLOW_MS = 1000.0, 5000.0
HEALTHY_SCORE, SICK_SCORE = 80, 50
RISE_POINTS = 5  # above its edge a better grade is given again
JUDGED_FROM_CALLS = 10  # of the window; of fewer, one error would be a verdict
LARGEST_BATCH, SMALLEST_BATCH = 15, 5


# --- What was seen


@dataclass(frozen=True, slots=True)
class Seen:
    """One call. seconds: the round trip; error: its class, empty where the venue answered."""

    at: float
    seconds: float
    error: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """Of the last WINDOW_SECONDS. Latencies in ms, of answers only; None before the first."""

    requests: int
    errors: int
    median_ms: float | None
    p95_ms: float | None

    @property
    def error_rate(self) -> float:
        return self.errors / self.requests if self.requests else 0.0


@dataclass
class Meter:
    """note() each call; constant cost. read() sorts what it keeps: for every few seconds."""

    _calls: deque[Seen] = field(default_factory=lambda: deque(maxlen=MOST_CALLS))

    def note(self, seen: Seen) -> None:
        self._calls.append(seen)

    def read(self, now: float) -> Reading:
        while self._calls and self._calls[0].at < now - WINDOW_SECONDS:
            self._calls.popleft()
        latencies = sorted(1000 * seen.seconds for seen in self._calls if not seen.error)
        return Reading(
            requests=len(self._calls),
            errors=sum(1 for seen in self._calls if seen.error),
            median_ms=quantile(latencies, 0.5),
            p95_ms=quantile(latencies, 0.95),
        )


def quantile(ascending: list[float], share: float) -> float | None:
    """The smallest value that at least this share of them does not exceed."""
    if not ascending:
        return None
    return ascending[min(int(share * len(ascending)), len(ascending) - 1)]


# --- The breaker


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, kw_only=True, slots=True)
class Breaker:
    """errors: in a row; opened_at: when it last opened; answered_at: the last answer, or the beginning."""

    answered_at: float
    errors: int = 0
    opened_at: float | None = None

    def state(self, now: float) -> State:
        if self.opened_at is None:
            return State.CLOSED
        return State.OPEN if now < self.opened_at + COOLDOWN_SECONDS else State.HALF_OPEN

    def answered(self, now: float) -> Breaker:
        return Breaker(answered_at=now)

    def failed(self, now: float) -> Breaker:
        """It opens at the last of ERRORS_TO_OPEN in a row; half-open, at the first."""
        errors = self.errors + 1
        opens = errors >= ERRORS_TO_OPEN
        return replace(self, errors=errors, opened_at=now if opens else self.opened_at)

    def seconds_to_wait(self, now: float) -> float:
        """Until it may be tried: 0 unless it is open."""
        return max(self.opened_at + COOLDOWN_SECONDS - now, 0.0) if self.opened_at is not None else 0.0

    def is_silent(self, now: float) -> bool:
        """Nothing was answered for so long that bots must not wait on."""
        return self.errors > 0 and now - self.answered_at >= SILENCE_SECONDS


# --- The score


def score(reading: Reading, state: State) -> int:
    """0 to 100. Half of all calls failing, or an open breaker, is 0; a p95 of 5 s and more halves it."""
    if state is State.OPEN:
        return 0
    answered = max(1.0 - 2.0 * reading.error_rate, 0.0)
    worst = reading.p95_ms or 0.0
    slowness = min(max((worst - QUICK_MS) / (SLOW_MS - QUICK_MS), 0.0), 1.0)
    points = round(100 * answered * (1.0 - slowness / 2))
    return min(points, SICK_SCORE) if state is State.HALF_OPEN else points


class Grade(StrEnum):
    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"


def grade(points: int, before: Grade) -> Grade:
    """Good from 80, poor below 50. It falls at these edges and rises RISE_POINTS above them, so that a score
    that trembles at one of them changes nothing."""
    if points >= HEALTHY_SCORE + (0 if before is Grade.GOOD else RISE_POINTS):
        return Grade.GOOD
    if points < SICK_SCORE + (RISE_POINTS if before is Grade.POOR else 0):
        return Grade.POOR
    return Grade.FAIR


def batch_size(points: int) -> int:
    """How many markets to scan at once, by the score."""
    share = (points - SICK_SCORE) / (HEALTHY_SCORE - SICK_SCORE)
    return SMALLEST_BATCH + round(min(max(share, 0.0), 1.0) * (LARGEST_BATCH - SMALLEST_BATCH))
