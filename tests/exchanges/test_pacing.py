"""The leaky bucket: what goes at once, what waits, and how long."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.pacing import (
    SLOWER,
    SLOWEST,
    Budget,
    PaceState,
    book,
    heard,
    level_at,
    pause,
    resized,
    seconds_to_wait,
    seconds_until_idle,
    slow_down,
    speed_at,
)

BUDGET = Budget(rate=2.0, burst=4.0, read_share=0.75)
NOTHING = 1e-6


def spend(state: PaceState, *costs: float, now: float, reads: bool = False) -> tuple[PaceState, list[float]]:
    waits = []
    for cost in costs:
        waits.append(seconds_to_wait(BUDGET, state, now=now, cost=cost, reads=reads))
        state = book(BUDGET, state, now=now, cost=cost)
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
    assert spend(pause(BUDGET, state, now=100, seconds=3), 0, now=100)[1] == [3]


# --- Reads and orders


def test_reads_leave_a_part_of_the_burst_to_orders() -> None:
    state, waits = spend(PaceState(), 1, 1, 1, now=100, reads=True)

    assert waits == [0, 0, 0]
    assert seconds_to_wait(BUDGET, state, now=100, cost=1, reads=True) == 0.5
    assert seconds_to_wait(BUDGET, state, now=100, cost=1) == 0


def test_a_read_waits_for_those_before_it() -> None:
    state, _ = spend(PaceState(), 3, now=100, reads=True)

    assert seconds_to_wait(BUDGET, state, now=100, cost=1, reads=True, ahead=4) == 2.5


@given(
    gaps=st.lists(st.floats(0, 3), min_size=1, max_size=40),
    wishes=st.lists(st.tuples(st.booleans(), st.floats(0.1, 6)), min_size=40, max_size=40),
)
def test_no_span_of_time_ever_sees_more_than_its_share(
    gaps: list[float], wishes: list[tuple[bool, float]]
) -> None:
    """Orders book and leave when they may; reads are booked when they leave, or asked for again later."""
    state, now, sent = PaceState(), 100.0, []
    for gap, (reads, cost) in zip(gaps, wishes, strict=False):
        now += gap
        wait = seconds_to_wait(BUDGET, state, now=now, cost=cost, reads=reads)
        if reads and wait > 0:
            continue
        state = book(BUDGET, state, now=now, cost=cost)
        sent.append((now + wait, cost))

    sent.sort()
    for first, (start, _cost) in enumerate(sent):
        for last in range(first, len(sent)):
            spent = [cost for _at, cost in sent[first : last + 1]]
            allowed = max(BUDGET.burst, *spent) + BUDGET.rate * (sent[last][0] - start)
            assert sum(spent) <= allowed + NOTHING


@given(
    reads=st.lists(st.floats(0.1, 3), max_size=200),
    before=st.lists(st.floats(0.1, 3), max_size=5),
    cost=st.floats(0.1, 3),
)
def test_an_orders_wait_does_not_depend_on_how_many_reads_wait(
    reads: Sequence[float], before: Sequence[float], cost: float
) -> None:
    state, _ = spend(PaceState(), *before, now=100)
    alone = seconds_to_wait(BUDGET, state, now=100, cost=cost)
    for read in reads:
        if seconds_to_wait(BUDGET, state, now=100, cost=read, reads=True) == 0:
            state = book(BUDGET, state, now=100, cost=read)

    waits = seconds_to_wait(BUDGET, state, now=100, cost=cost)

    still_free = BUDGET.burst - max(BUDGET.room(reads=True), *reads, 0)
    assert waits <= max(alone, (cost - still_free) / BUDGET.rate) + NOTHING


# --- Pauses


def test_nothing_goes_before_the_pause_that_a_venue_asked_for_is_over() -> None:
    state = pause(BUDGET, PaceState(), now=100, seconds=30)

    assert spend(state, 1, now=110)[1] == [20]
    assert spend(state, 1, now=131)[1] == [0]


def test_what_waited_for_a_pause_goes_one_after_another() -> None:
    state = pause(BUDGET, PaceState(), now=100, seconds=30)

    assert spend(state, 1, 1, 1, now=100, reads=True)[1] == [30.5, 31, 31.5]


def test_a_shorter_pause_never_ends_a_longer_one() -> None:
    state = pause(BUDGET, pause(BUDGET, PaceState(), now=100, seconds=30), now=101, seconds=1)

    assert state.paused_until == 130


@given(
    steps=st.lists(st.tuples(st.floats(0, 5), st.floats(0, 4), st.floats(0, 20)), min_size=1, max_size=30),
    reads=st.booleans(),
)
def test_pauses_hold_whatever_is_booked(steps: list[tuple[float, float, float]], reads: bool) -> None:
    state, now, until = PaceState(), 100.0, 0.0
    for gap, cost, seconds in steps:
        now += gap
        wait = seconds_to_wait(BUDGET, state, now=now, cost=cost, reads=reads)
        assert now + wait >= until - NOTHING
        state = book(BUDGET, state, now=now, cost=cost)
        if seconds > 15:
            state = pause(BUDGET, state, now=now, seconds=seconds)
            until = max(until, now + seconds)


# --- A venue that allows less than we think


def test_a_refusal_slows_us_down_and_time_heals() -> None:
    state = slow_down(PaceState(), now=100)

    assert speed_at(state, 100) == SLOWER
    assert seconds_to_wait(BUDGET, state, now=100, cost=4) == 0, "larger than the burst is by now"
    assert spend(state, 4, 1, now=100)[1] == [0, pytest.approx((4 + 1 - SLOWER * 4) / (SLOWER * 2))]
    assert SLOWER < speed_at(state, 400) < 1
    assert speed_at(state, 100 + 600) == pytest.approx(1)


def test_refusals_that_come_together_count_once() -> None:
    state = slow_down(slow_down(PaceState(), now=100), now=103)

    assert speed_at(state, 103) == pytest.approx(SLOWER, abs=0.01)


def test_refusals_of_what_was_on_its_way_when_a_pause_began_count_once() -> None:
    state = pause(BUDGET, slow_down(PaceState(), now=100), now=100, seconds=60)

    assert slow_down(state, now=130) == state
    assert speed_at(slow_down(state, now=171), 171) < SLOWER


def test_we_never_stop_asking_altogether() -> None:
    state = PaceState()
    for number in range(50):
        state = slow_down(state, now=100.0 + 20 * number)

    assert speed_at(state, 100.0 + 20 * 49) == SLOWEST


# --- What the venue counted


def test_what_another_program_used_raises_the_level() -> None:
    state, _ = spend(PaceState(), 1, now=100)
    state = heard(BUDGET, state, now=100, used=50, elapsed=20)

    assert level_at(BUDGET, state, 100) == 10
    assert seconds_to_wait(BUDGET, state, now=100, cost=1) == 3.5


def test_a_venue_that_counted_less_lowers_nothing() -> None:
    """What is on its way it has not counted yet."""
    state, _ = spend(PaceState(), 4, 4, now=100)

    assert heard(BUDGET, state, now=100, used=0, elapsed=0) == state
    assert heard(BUDGET, state, now=100, used=8, elapsed=1) == state


def test_of_what_an_address_used_each_process_counts_its_share() -> None:
    half = BUDGET.part(0.5)

    state = heard(half, PaceState(), now=100, used=50, elapsed=20, share=0.5)

    assert level_at(half, state, 100) == 5


@given(own=st.lists(st.floats(0, 4), max_size=20), others=st.floats(0, 60), elapsed=st.floats(0, 60))
def test_with_others_at_the_address_a_window_holds_no_more_than_without(
    own: list[float], others: float, elapsed: float
) -> None:
    """Who goes on as fast as he may spends the rate for all of the window, and the burst."""
    window, now = 60.0, 1000.0
    state, _ = spend(PaceState(), *own, now=now)
    used = sum(own) + others

    state = heard(BUDGET, state, now=now, used=used, elapsed=elapsed)

    still = BUDGET.burst - level_at(BUDGET, state, now) + BUDGET.rate * (window - elapsed)
    assert used + max(0.0, still) <= max(used, window * BUDGET.rate + BUDGET.burst) + NOTHING


# --- Idle, and another size


def test_it_is_idle_once_all_that_was_booked_has_drained() -> None:
    state, _ = spend(PaceState(), 4, 4, now=100)

    assert seconds_until_idle(BUDGET, state, now=100) == 4
    assert seconds_until_idle(BUDGET, state, now=103) == 1
    assert seconds_until_idle(BUDGET, pause(BUDGET, PaceState(), now=100, seconds=9), now=103) == 7.5
    assert seconds_until_idle(BUDGET, PaceState(), now=100) == 0


def test_a_tenth_of_a_venues_limit_is_left_unused() -> None:
    budget = Budget.from_interval(50)

    assert budget.rate == pytest.approx(18)
    assert budget.burst + 60 * budget.rate <= 60 * 1000 / 50


@given(
    shares=st.lists(st.floats(0, 1), min_size=1, max_size=20),
    gap=st.floats(0, 2),
    greed=st.lists(st.booleans(), min_size=20, max_size=20),
)
def test_two_that_hand_a_budget_to_and_fro_together_keep_it(
    shares: list[float], gap: float, greed: list[bool]
) -> None:
    """Both send all they may, at every step, each in its share."""
    halves = [(BUDGET.part(0.5), PaceState()), (BUDGET.part(0.5), PaceState())]
    now, sent = 100.0, []
    for share, greedy in zip(shares, greed, strict=False):
        now += gap
        for number, part in enumerate((share, 1 - share)):
            before, state = halves[number]
            after = BUDGET.part(max(part, 0.001))
            state = resized(before, after, state, now=now)
            free = after.burst - level_at(after, state, now)
            if greedy and free > 0:
                state = book(after, state, now=now, cost=free)
                sent.append((now, free))
            halves[number] = (after, state)

    for first, (start, _cost) in enumerate(sent):
        for last in range(first, len(sent)):
            spent = sum(cost for _at, cost in sent[first : last + 1])
            assert spent <= BUDGET.burst + (BUDGET.rate + 0.01) * (sent[last][0] - start) + 0.1
