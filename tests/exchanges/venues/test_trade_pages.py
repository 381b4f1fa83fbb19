"""All trades are collected, whichever end of a full page a venue shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.errors import MalformedAnswerError
from exchanges.venues.ccxt_answers import milliseconds
from exchanges.venues.dialect import Cursor
from exchanges.venues.trade_pages import fetch_back, fetch_pages

SINCE = datetime.now(UTC) - timedelta(days=2)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Row:
    id: str
    time: datetime


@dataclass
class HandVenue:
    """Rows at these milliseconds after SINCE; it shows `size` of them, the newest or the oldest."""

    offsets: list[int]
    size: int
    newest: bool = False
    asked: list[tuple[int, int | None]] = field(default_factory=list)

    @property
    def rows(self) -> list[Row]:
        return [Row(str(n), SINCE + timedelta(milliseconds=o)) for n, o in enumerate(sorted(self.offsets))]

    async def page(self, start: int, until: int | None) -> list[Row]:
        self.asked.append((start, until))
        end = until if until is not None else milliseconds(datetime.now(UTC))
        found = [row for row in self.rows if start <= milliseconds(row.time) <= end]
        return found[-self.size :] if self.newest else found[: self.size]


@given(
    offsets=st.lists(st.integers(0, 100_000_000), max_size=30, unique=True),
    newest=st.booleans(),
)
async def test_windows_find_every_row_once_and_in_order(offsets: list[int], *, newest: bool) -> None:
    venue = HandVenue(offsets, size=4, newest=newest)

    assert await fetch_pages(venue.page, since=SINCE, page_size=4, window=DAY) == venue.rows


@given(offsets=st.lists(st.integers(0, 100_000), max_size=30, unique=True))
async def test_without_windows_pages_follow_each_other(offsets: list[int]) -> None:
    venue = HandVenue(offsets, size=4)

    assert await fetch_pages(venue.page, since=SINCE, page_size=4) == venue.rows


async def test_a_short_page_costs_one_request_a_window() -> None:
    venue = HandVenue([1, 2, 3], size=1000)

    await fetch_pages(venue.page, since=datetime.now(UTC), page_size=1000, window=DAY)

    assert len(venue.asked) == 1


async def test_no_request_spans_more_than_the_window() -> None:
    venue = HandVenue([], size=10)

    await fetch_pages(venue.page, since=SINCE, page_size=10, window=DAY)

    assert all(
        until is not None and until - start < DAY / timedelta(milliseconds=1) for start, until in venue.asked
    )


async def test_more_rows_in_a_millisecond_than_on_a_page_are_an_error_and_not_a_loss() -> None:
    venue = HandVenue([7, 7, 7, 7, 7], size=4)

    with pytest.raises(MalformedAnswerError):
        await fetch_pages(venue.page, since=SINCE, page_size=4, window=DAY)


class NewestFirst:
    """Shows ids below `after`, the greatest first, `size` on a page."""

    def __init__(self, ids: list[Any], size: int) -> None:
        self._ids = ids
        self._size = size
        self.asked: list[dict[str, Any]] = []

    async def page(self, params: dict[str, Any]) -> list[dict[str, Any]]:
        self.asked.append(params)
        after = params.get("after")
        older = [i for i in self._ids if after is None or i < after]
        return [{"id": i} for i in sorted(older, reverse=True)[: self._size]]


BY_ID = Cursor(older=lambda rows: {"after": min(row["id"] for row in rows)}, params={"kind": "spot"})


@given(count=st.integers(0, 25), size=st.integers(1, 5))
async def test_a_cursor_finds_every_row_once_on_whatever_page(count: int, size: int) -> None:
    venue = NewestFirst(list(range(count)), size)

    rows = await fetch_back(venue.page, BY_ID, page_size=size)

    assert sorted(row["id"] for row in rows) == list(range(count))
    assert len(venue.asked) == count // size + 1
    assert {params["kind"] for params in venue.asked} == {"spot"}


async def test_a_venue_that_shows_the_same_page_again_and_again_is_not_asked_for_ever() -> None:
    venue = NewestFirst([1, 2, 3], 3)
    stuck = Cursor(older=lambda rows: {})

    assert len(await fetch_back(venue.page, stuck, page_size=3)) == 3
    assert len(venue.asked) == 2


async def test_a_row_without_an_id_is_not_passed_over() -> None:
    with pytest.raises(MalformedAnswerError, match="id"):
        await fetch_back(NewestFirst([""], 3).page, BY_ID, page_size=3)
