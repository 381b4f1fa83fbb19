"""What people are told of a connection's health: each change once, with its cause."""

from __future__ import annotations

from collections.abc import Iterator

from bots.engine.account import event_of
from bots.engine.clock import utc_now
from bots.engine.condition import Condition
from bots.engine.lease import Lease
from bots.models import BotEvent, Severity
from exchanges.health import COOLDOWN_SECONDS, WINDOW_SECONDS, Grade, State


def bulletin(lease: Lease, health: Condition) -> list[BotEvent]:
    """The changes since `health.told()`; not saved yet."""
    return [
        event_of(lease, kind, text, at=utc_now(), severity=severity)
        for kind, text, severity in (*_of_breaker(health), *_of_grade(health))
    ]


def _of_breaker(health: Condition) -> Iterator[tuple[str, str, Severity]]:
    """Of an outage that goes on, the first try is told, and each that fails for another cause."""
    state, before = health.state, health.told_state
    if state is before:
        return
    wait, was = f"{COOLDOWN_SECONDS:.0f} s", f"What had been wrong: {health.cause}"
    if state is State.CLOSED:
        yield "breaker_closed", f"The exchange answers again. {was}", Severity.INFO
    elif state is State.HALF_OPEN and not health.tries:
        yield "breaker_half_open", f"One round is tried. {was}", Severity.INFO
    elif state is State.OPEN and before is State.CLOSED:
        text = f"{health.breaker.errors} times in a row: {health.cause} Nothing is asked for {wait}."
        yield "breaker_open", text, Severity.WARNING
    elif state is State.OPEN and (health.tries == 1 or health.cause != health.told_cause):
        text = f"The try failed: {health.cause} Nothing is asked for {wait}, and so on until it answers."
        yield "breaker_open", text, Severity.WARNING


def _of_grade(health: Condition) -> Iterator[tuple[str, str, Severity]]:
    grade, before = health.grade, health.told_grade
    if grade is not before:
        text = f"The score is {health.score}, {grade} ({before} before): {_reasons(health)}"
        yield "score_changed", text, Severity.WARNING if grade is Grade.POOR else Severity.INFO


def _reasons(health: Condition) -> str:
    reading = health.reading
    if health.state is State.OPEN:
        return f"it is left alone. {health.cause}"
    told = (
        f"of {reading.requests} requests in {WINDOW_SECONDS / 60:.0f} minutes {reading.errors} failed, and "
        f"of those answered one in twenty took {reading.p95_ms or 0.0:.0f} ms or more."
    )
    return f"{told} The last error: {health.cause}" if reading.errors else told
