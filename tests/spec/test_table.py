"""The page about venues says what the code says."""

from __future__ import annotations

import pytest

from tests.spec.cases import CASES
from tests.spec.stands import STANDS
from tests.spec.table import PAGE, spec, written


def test_the_page_about_venues_is_up_to_date() -> None:
    page = PAGE.read_text()
    assert written(page) == page, "docs/venues.md is out of date: run `make venues`"


def test_every_case_has_its_row_and_every_venue_its_column() -> None:
    rows = [line for line in spec().splitlines() if line.startswith("| S")]
    assert [row.split(" | ")[0] for row in rows] == [f"| {case.number}" for case in CASES]
    assert {row.count(" | ") for row in rows} == {len(STANDS) + 1}


def test_a_page_without_a_place_for_the_spec_is_no_page() -> None:
    with pytest.raises(ValueError, match="no place for the facts"):
        written("# Venues\n")
