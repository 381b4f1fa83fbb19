"""How a connection's venue answers, noted call by call, for whoever decides by it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import Error as AnyDatabaseError

from bots.engine.clock import uptime, utc_now
from bots.engine.lease import Lease
from exchanges.errors import RateLimitError, RejectedError, VenueError
from exchanges.health import (
    COOLDOWN_SECONDS,
    ERRORS_TO_OPEN,
    JUDGED_FROM_CALLS,
    SILENCE_SECONDS,
    Breaker,
    Grade,
    Meter,
    Reading,
    Seen,
    State,
    grade,
    score,
)
from exchanges.models import ConnectionHealth

READ_EVERY_SECONDS = 1.0
FIGURES_EVERY_SECONDS = 15.0
NEWS_FOR = timedelta(seconds=SILENCE_SECONDS)  # while it fails, its row is written far more often


@dataclass
class Condition:
    """Times are `uptime()`, but for those of the row.

    cause: what was wrong the last time, one sentence; empty before that.
    told_state, told_grade: of which people know; tries: of an open breaker that failed.
    silent_at: when it was told that nothing is answered; None while it answers. quiet_from: what lies before
        it does not count as silence, for the bots of now.
    budget_used: of the rate limit, as the gateway said last.
    has_last_word: the worker stops, so what it still has to send is sent, open breaker or not.
    """

    meter: Meter = field(default_factory=Meter)
    breaker: Breaker = field(default_factory=lambda: Breaker(answered_at=uptime()))
    cause: str = ""
    told_state: State = State.CLOSED
    told_grade: Grade = Grade.GOOD
    told_cause: str = ""
    tries: int = 0
    silent_at: float | None = None
    quiet_from: float = float("-inf")
    changed_at: datetime = field(default_factory=utc_now)
    has_last_word: bool = False
    budget_used: float = 0.0
    _on_record: tuple[object, ...] = ()
    _recorded_at: float = float("-inf")
    _failed_at: float = float("-inf")
    _reading: Reading = field(default_factory=lambda: Meter().read(0.0))
    _read_at: float = float("-inf")

    @classmethod
    def restored(cls, row: ConnectionHealth | None) -> Condition:
        """As another process left it. An open breaker is half-open: who is new may try once, at once."""
        health = cls()
        if row is None:
            return health
        health.told_state, health.told_grade = State(row.state), Grade(row.grade)
        health.cause = health.told_cause = row.cause
        health.changed_at = row.changed_at
        if row.unanswered_since is not None:
            is_open = health.told_state is not State.CLOSED
            health.breaker = Breaker(
                answered_at=_uptime_of(row.unanswered_since),
                errors=ERRORS_TO_OPEN if is_open else 1,
                opened_at=uptime() - COOLDOWN_SECONDS if is_open else None,
            )
        if row.silent_since is not None:
            health.silent_at = _uptime_of(row.silent_since)
        if row.silent_since is not None or utc_now() - row.updated_at > NEWS_FOR:
            health.quiet_from = uptime()  # nobody has asked for a while, or its bots were stopped already
        return health

    # --- What it is like

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
    def grade(self) -> Grade:
        """The one that people know of, until enough calls were seen to judge."""
        is_judged = self.reading.requests >= JUDGED_FROM_CALLS or self.state is State.OPEN
        return grade(self.score, self.told_grade) if is_judged else self.told_grade

    @property
    def state(self) -> State:
        return self.breaker.state(uptime())

    @property
    def is_left_alone(self) -> bool:
        return self.state is State.OPEN and not self.has_last_word

    @property
    def seconds_to_wait(self) -> float:
        """Until it may be tried; 0 unless the breaker is open."""
        return self.breaker.seconds_to_wait(uptime())

    def seconds_to_rest(self, stretch: float = 1.0) -> float:
        """As seconds_to_wait, stretched, but no longer than until its silence is to be told."""
        told_in = max(self.breaker.answered_at, self.quiet_from) + SILENCE_SECONDS - uptime()
        wait = stretch * self.seconds_to_wait
        return min(wait, told_in) if told_in > 0 else wait

    @property
    def is_silent(self) -> bool:
        """Nothing was answered for so long that its bots must not wait on."""
        now = uptime()
        return self.breaker.is_silent(now) and now - self.quiet_from >= SILENCE_SECONDS

    @property
    def is_due_on_record(self) -> bool:
        """What people wait for is written at once, figures that tremble now and then."""
        is_old = uptime() - self._recorded_at >= FIGURES_EVERY_SECONDS
        return is_old or self._on_record != self._marks

    @property
    def _marks(self) -> tuple[object, ...]:
        is_unanswered, is_silent = self.breaker.errors > 0, self.silent_at is not None
        return self.state, self.told_grade, self.cause, is_unanswered, is_silent

    # --- What happens to it

    def answered(self, began_at: float) -> None:
        now = uptime()
        self.meter.note(Seen(at=now, seconds=max(now - began_at, 0.0)))
        self._heard()

    def failed(self, began_at: float, error: VenueError) -> None:
        """What is the venue's own answer, or was never sent, is no failure to answer."""
        if isinstance(error, RejectedError | RateLimitError) and not error.code:
            return  # our own refusal: it was not asked
        if isinstance(error.__cause__, AnyDatabaseError):
            return  # of a paper account: our own books
        if isinstance(error, RejectedError):
            self.answered(began_at)
            return
        now = uptime()
        self.meter.note(Seen(at=now, seconds=max(now - began_at, 0.0), error=type(error).__name__))
        self.cause = error.sentence
        if isinstance(error, RateLimitError):
            self._heard()  # it says itself when it wants to be asked again
        elif began_at >= self._failed_at:
            # Calls that were under way together fail together: one error of those in a row.
            self.tries += self.state is State.HALF_OPEN
            self.breaker, self._failed_at = self.breaker.failed(now), now

    def told(self) -> None:
        """People know of it as it is now."""
        if (self.state, self.grade) != (self.told_state, self.told_grade):
            self.changed_at = utc_now()
        self.told_grade, self.told_state, self.told_cause = self.grade, self.state, self.cause
        if self.told_state is State.CLOSED:
            self.tries = 0

    def written(self, row: ConnectionHealth) -> None:
        """This row is in the database now."""
        is_unanswered, is_silent = row.unanswered_since is not None, row.silent_since is not None
        self._on_record = (row.state, row.grade, row.cause, is_unanswered, is_silent)
        self._recorded_at = uptime()

    def is_news_of_silence(self, are_bots_running: bool) -> bool:
        """Whether to tell, and to stop bots. Those that are started in a silence get their time, too."""
        if self.silent_at is not None and not are_bots_running:
            self.quiet_from = uptime()
        return self.is_silent

    def silence_told(self) -> None:
        self.silent_at = uptime() if self.silent_at is None else self.silent_at
        self.quiet_from = uptime()

    def let_try(self) -> None:
        """A person has changed something: an open breaker is half-open."""
        if self.state is State.OPEN:
            self.breaker = replace(self.breaker, opened_at=uptime() - COOLDOWN_SECONDS)

    def _heard(self) -> None:
        self.breaker = self.breaker.answered(uptime())
        self.silent_at, self.quiet_from = None, float("-inf")


def condition_on_record(lease: Lease) -> Condition:
    return Condition.restored(ConnectionHealth.objects.filter(connection_id=lease.connection_id).first())


def row_of(health: Condition, connection_id: UUID) -> ConnectionHealth:
    """As it is now; not saved yet."""
    reading, now = health.reading, utc_now()
    return ConnectionHealth(
        connection_id=connection_id,
        score=health.score,
        grade=health.told_grade,
        state=health.state,
        median_ms=_whole(reading.median_ms),
        p95_ms=_whole(reading.p95_ms),
        requests=reading.requests,
        errors=reading.errors,
        error_rate=round(reading.error_rate, 4),
        budget_used=round(health.budget_used, 4),
        cause=health.cause,
        unanswered_since=_moment(health.breaker.answered_at, now) if health.breaker.errors else None,
        silent_since=_moment(health.silent_at, now),
        changed_at=health.changed_at,
        updated_at=now,
    )


def _whole(milliseconds: float | None) -> int | None:
    return None if milliseconds is None else round(milliseconds)


def _moment(at: float | None, now: datetime) -> datetime | None:
    """A moment of `uptime()`, on the wall clock."""
    return None if at is None else now - timedelta(seconds=uptime() - at)


def _uptime_of(moment: datetime) -> float:
    """A moment of the wall clock, which may have stepped since, as one of `uptime()` that is past."""
    return uptime() - max((utc_now() - moment).total_seconds(), 0.0)
