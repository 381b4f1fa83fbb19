"""Every case, at every venue where there is what it needs."""

from __future__ import annotations

import pytest

from tests.spec.bench import Bench
from tests.spec.case import Case
from tests.spec.cases import CASES
from tests.spec.stands import STANDS, Stand

POSSIBLE = [
    pytest.param(stand, case, id=f"{stand.venue}-{case.number}")
    for stand in STANDS
    for case in CASES
    if not stand.lacking(case)
]


@pytest.mark.parametrize(("stand", "case"), POSSIBLE)
async def test_the_venue_passes_the_case(stand: Stand, case: Case, bench: Bench) -> None:
    await case.story(bench)


def test_the_cases_are_numbered_from_one_on() -> None:
    assert [case.number for case in CASES] == [f"S{number:02}" for number in range(1, len(CASES) + 1)]
    assert len(CASES) >= 40


@pytest.mark.parametrize("stand", STANDS, ids=lambda stand: stand.venue)
def test_what_a_venue_lacks_is_something_that_a_case_needs(stand: Stand) -> None:
    asked = {need for case in CASES for need in case.needs}
    assert set(stand.lacks) <= asked
