"""The long day in short: `make day` runs half a million cycles."""

from __future__ import annotations

import pytest

from tests.chaos.day_run import Plan, live_a_day

# The first tenth is some seconds long here: Python and Django are still filling their caches after it.
SHORT_DAY = Plan(cycles=5000, connections=4, bots=5, cycle_seconds=2, samples=20, memory_pct=0.08)


@pytest.mark.django_db(transaction=True)
def test_a_desk_that_runs_for_long_does_not_grow_and_its_books_agree() -> None:
    day = live_a_day(SHORT_DAY)
    assert day.wrong == []
    assert day.samples[-1].cycles >= SHORT_DAY.cycles
    assert day.samples[-1].tables["bots.Trade"] > 0
