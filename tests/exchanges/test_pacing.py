"""The leaky bucket: what goes at once, what waits, and how long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.errors import RateLimitError
from exchanges.pacing import Budget, PaceState, pause, reserve, seconds_until_idle
from exchanges.venues.pace import Pace

BUDGET = Budget(rate=2.0, burst=4.0)


def spend(state: PaceState, *costs: float, now: float) -> tuple[PaceState, list[float]]:
    waits = []
    for cost in costs:
        state, wait = reserve(BUDGET, state, now=now, cost=cost)
        waits.append(wait)
    return state, waits


def test_what_fits_the_burst_goes_at_once() -> None:
    assert spend(PaceState(), 1, 1, 1, 1, now=100)[1] == [0, 0, 0, 0]


def test_what_does_not_fit_waits_in_turn() -> None:
    assert spend(PaceState(), 4, 1, 1, now=100)[1] == [0, 0.5, 1.0]


def test_a_pause_in_asking_refills_the_burst() -> None:
    state, _ = spend(PaceState(), 4, 4, now=100)

    assert spend(state, 4, now=104)[1] == [0]


def test_a_request_larger_than_the_burst_still_goes() -> None:
    assert spend(PaceState(), 10, 1, now=100)[1] == [0, 3.5]


def test_what_costs_nothing_waits_for_a_pause_only() -> None:
    state, _ = spend(PaceState(), 4, 4, now=100)

    assert spend(state, 0, 1, now=100)[1] == [0, 2.5]
    assert spend(pause(state, now=100, seconds=3), 0, now=100)[1] == [3]


def test_nothing_goes_before_the_pause_that_a_venue_asked_for_is_over() -> None:
    state = pause(PaceState(), now=100, seconds=30)

    assert spend(state, 1, now=110)[1] == [20]
    assert spend(state, 1, now=131)[1] == [0]


def test_a_shorter_pause_never_ends_a_longer_one() -> None:
    state = pause(pause(PaceState(), now=100, seconds=30), now=101, seconds=1)

    assert state.paused_until == 130


def test_a_tenth_of_a_venues_limit_is_left_unused() -> None:
    budget = Budget.from_interval(50)

    assert budget.rate == pytest.approx(18)
    assert budget.burst + 60 * budget.rate <= 60 * 1000 / 50


@given(
    gaps=st.lists(st.floats(0, 3), min_size=1, max_size=40),
    cost=st.floats(0.1, 3),
)
def test_no_span_of_time_ever_sees_more_than_its_share(gaps: list[float], cost: float) -> None:
    state, now, sent = PaceState(), 100.0, []
    for gap in gaps:
        now += gap
        state, wait = reserve(BUDGET, state, now=now, cost=cost)
        sent.append(now + wait)

    for first, start in enumerate(sent):
        for last in range(first, len(sent)):
            spent = cost * (last - first + 1)
            allowed = max(BUDGET.burst, cost) + BUDGET.rate * (sent[last] - start)
            assert spent <= allowed + cost + 1e-6


def test_it_is_idle_once_all_that_was_booked_has_drained() -> None:
    state, _ = spend(PaceState(), 4, 4, now=100)

    assert seconds_until_idle(BUDGET, state, now=100) == 4
    assert seconds_until_idle(BUDGET, state, now=103) == 1
    assert seconds_until_idle(BUDGET, pause(state, now=100, seconds=9), now=103) == 6
    assert seconds_until_idle(BUDGET, PaceState(), now=100) == 0


def test_who_is_refused_waits_until_the_budget_is_whole() -> None:
    pace = Pace(BUDGET)
    for _ in range(10):
        pace.reserve(2)  # 20 of 4: the last one waits for 8 s
    with pytest.raises(RateLimitError) as caught:
        pace.reserve(1)
    assert caught.value.retry_after == pytest.approx(10, abs=0.5)
