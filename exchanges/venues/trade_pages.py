"""Collects lists over all pages and windows, whatever part of a full page the venue chooses to show."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

from exchanges.errors import MalformedAnswerError
from exchanges.venues.ccxt_answers import id_of, milliseconds
from exchanges.venues.dialect import Cursor


class Dated(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def time(self) -> datetime: ...


Row = TypeVar("Row", bound=Dated)
Page = Callable[[int, int | None], Awaitable[list[Row]]]


async def fetch_back(
    page: Callable[[dict[str, Any]], Awaitable[list[Any]]], cursor: Cursor, *, page_size: int
) -> list[Any]:
    """Rows in ccxt's form, each once, from the newest page back to the first that is not full.

    page(params): one page. Raises MalformedAnswerError.
    """
    rows: dict[str, Any] = {}
    params: Mapping[str, Any] = cursor.params
    while True:
        found = {id_of(row.get("id"), "an id"): row for row in await page(dict(params))}
        fresh = found.keys() - rows.keys()
        rows |= found
        if len(found) < page_size or not fresh:
            return list(rows.values())
        params = {**cursor.params, **cursor.older(list(rows.values()))}


async def fetch_pages(
    page: Page[Row], *, since: datetime, page_size: int, window: timedelta | None = None
) -> list[Row]:
    """Oldest first, each once. page(start, until): both in milliseconds and inclusive.

    window: the longest span that one request may cover; None: the venue takes a start without an end,
    and shows the oldest page after it.
    """
    start = milliseconds(since)
    if window is None:
        return in_order(await _forward(page, start, page_size))
    rows: list[Row] = []
    now, length = milliseconds(datetime.now(UTC)), window // timedelta(milliseconds=1)
    while start <= now:
        rows += await _between(page, start, start + length - 1, page_size)
        start += length
    return in_order(rows)


async def _between(page: Page[Row], start: int, until: int, page_size: int) -> list[Row]:
    """A full page may be the oldest or the newest of its window: ask for what is on either side of it."""
    rows = await page(start, until)
    if len(rows) < page_size:
        return rows
    first = min(milliseconds(row.time) for row in rows)
    last = max(milliseconds(row.time) for row in rows)
    if first >= until or last <= start:
        raise MalformedAnswerError(
            "More trades in one millisecond than the venue shows on a page: they cannot be told apart."
        )
    older = await _between(page, start, first, page_size)
    return older + rows + await _between(page, last, until, page_size)


async def _forward(page: Page[Row], start: int, page_size: int) -> list[Row]:
    rows: dict[str, Row] = {}
    while True:
        found = await page(start, None)
        fresh = [row for row in found if row.id not in rows]
        rows.update((row.id, row) for row in fresh)
        if len(found) < page_size or not fresh:
            return list(rows.values())
        start = max(milliseconds(row.time) for row in fresh)


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Oldest first, each once."""
    once = {row.id: row for row in rows}
    return sorted(once.values(), key=lambda row: (row.time, len(row.id), row.id))
