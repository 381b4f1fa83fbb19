"""Latency, errors, score and breaker of a connection."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.health import (
    COOLDOWN_SECONDS,
    ERRORS_TO_OPEN,
    MOST_CALLS,
    SILENCE_SECONDS,
    WINDOW_SECONDS,
    Breaker,
    Grade,
    Meter,
    Reading,
    Seen,
    State,
    batch_size,
    grade,
    score,
)


def reading(requests: int = 100, errors: int = 0, p95_ms: float | None = 200.0) -> Reading:
    return Reading(requests=requests, errors=errors, median_ms=p95_ms, p95_ms=p95_ms)


def after_errors(count: int, at: float = 0.0) -> Breaker:
    breaker = Breaker(answered_at=0.0)
    for _ in range(count):
        breaker = breaker.failed(at)
    return breaker


# --- The meter


def test_nothing_seen_reads_as_nothing() -> None:
    assert Meter().read(0) == Reading(requests=0, errors=0, median_ms=None, p95_ms=None)


def test_latencies_are_those_of_answers_only() -> None:
    meter = Meter()
    for number in range(1, 101):
        meter.note(Seen(at=0, seconds=number / 1000))
    meter.note(Seen(at=0, seconds=9, error="VenueDownError"))
    seen = meter.read(0)
    assert (seen.requests, seen.errors) == (101, 1)
    assert (seen.median_ms, seen.p95_ms) == (51, 96)


def test_what_is_older_than_the_window_does_not_count() -> None:
    meter = Meter()
    meter.note(Seen(at=0, seconds=1, error="x"))
    meter.note(Seen(at=10, seconds=1))
    assert meter.read(WINDOW_SECONDS + 5).errors == 0


def test_what_is_kept_is_bounded() -> None:
    meter = Meter()
    for _ in range(MOST_CALLS + 50):
        meter.note(Seen(at=0, seconds=1))
    assert meter.read(0).requests == MOST_CALLS


# --- The breaker


def test_it_opens_at_the_fourth_error_in_a_row_and_not_before() -> None:
    assert after_errors(ERRORS_TO_OPEN - 1).state(0) is State.CLOSED
    assert after_errors(ERRORS_TO_OPEN).state(0) is State.OPEN


def test_an_answer_in_between_starts_the_count_anew() -> None:
    breaker = after_errors(ERRORS_TO_OPEN - 1).answered(1).failed(2)
    assert breaker.state(2) is State.CLOSED


def test_after_the_cooldown_one_may_try() -> None:
    breaker = after_errors(ERRORS_TO_OPEN)
    assert breaker.seconds_to_wait(10) == COOLDOWN_SECONDS - 10
    assert breaker.state(COOLDOWN_SECONDS) is State.HALF_OPEN
    assert breaker.seconds_to_wait(COOLDOWN_SECONDS) == 0


def test_half_open_an_error_opens_it_again_and_an_answer_closes_it() -> None:
    breaker = after_errors(ERRORS_TO_OPEN)
    assert breaker.failed(40).state(41) is State.OPEN
    assert breaker.answered(40).state(41) is State.CLOSED


def test_five_minutes_without_an_answer_are_silence() -> None:
    breaker = after_errors(1, at=SILENCE_SECONDS)
    assert breaker.is_silent(SILENCE_SECONDS)
    assert not breaker.is_silent(SILENCE_SECONDS - 1)
    assert not Breaker(answered_at=0).is_silent(SILENCE_SECONDS + 1)  # nobody asked


# --- Score and batches


@pytest.mark.parametrize(
    ("seen", "state", "points"),
    [
        (reading(), State.CLOSED, 100),
        (reading(p95_ms=None), State.CLOSED, 100),
        (reading(errors=10), State.CLOSED, 80),
        (reading(errors=50), State.CLOSED, 0),
        (reading(p95_ms=5000), State.CLOSED, 50),
        (reading(p95_ms=60_000), State.CLOSED, 50),
        (reading(), State.HALF_OPEN, 50),
        (reading(), State.OPEN, 0),
    ],
)
def test_the_score_falls_with_errors_and_slowness(seen: Reading, state: State, points: int) -> None:
    assert score(seen, state) == points


@pytest.mark.parametrize(("points", "size"), [(100, 15), (80, 15), (65, 10), (50, 5), (0, 5)])
def test_the_batch_follows_the_score(points: int, size: int) -> None:
    assert batch_size(points) == size


@given(st.integers(0, 100), st.integers(0, 100), st.floats(0, 1e6), st.sampled_from(State))
def test_a_score_is_from_0_to_100_and_more_errors_never_raise_it(
    errors: int, more: int, p95_ms: float, state: State
) -> None:
    fewer, many = sorted((errors, more))
    better, worse = (score(reading(errors=count, p95_ms=p95_ms), state) for count in (fewer, many))
    assert 0 <= worse <= better <= 100


@pytest.mark.parametrize(
    ("points", "before", "now"),
    [
        (80, Grade.GOOD, Grade.GOOD),
        (79, Grade.GOOD, Grade.FAIR),
        (84, Grade.FAIR, Grade.FAIR),
        (85, Grade.FAIR, Grade.GOOD),
        (50, Grade.FAIR, Grade.FAIR),
        (49, Grade.FAIR, Grade.POOR),
        (54, Grade.POOR, Grade.POOR),
        (55, Grade.POOR, Grade.FAIR),
        (100, Grade.POOR, Grade.GOOD),
        (0, Grade.GOOD, Grade.POOR),
    ],
)
def test_a_grade_falls_at_its_edge_and_rises_five_points_above_it(
    points: int, before: Grade, now: Grade
) -> None:
    assert grade(points, before) is now


@given(st.integers(0, 100), st.sampled_from(Grade))
def test_a_grade_that_was_just_given_is_kept(points: int, before: Grade) -> None:
    given_now = grade(points, before)
    assert grade(points, given_now) is given_now
