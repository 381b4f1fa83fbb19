"""Lists come in pages: by cursor where they grow without end, by limit and offset where they do not."""

from __future__ import annotations

from typing import Any

from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination, LimitOffsetPagination
from rest_framework.request import Request

USUAL, MOST = 100, 500
FURTHEST = 10_000  # rows that an offset may skip: a database reads them all
YEARS = range(1970, 2200)


class ByCursor(CursorPagination):
    """The newest first. A view names its `ordering`: a time and the row's number, which have an index."""

    page_size = USUAL
    max_page_size = MOST
    page_size_query_param = "limit"
    page_size_query_description = f"Rows on a page, {MOST} at most."

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[str, ...]:
        ordering: tuple[str, ...] = view.ordering
        return ordering

    def decode_cursor(self, request: Request) -> Cursor | None:
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and not _is_moment(str(cursor.position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor


class ByLimit(LimitOffsetPagination):
    default_limit = USUAL
    max_limit = MOST

    def get_offset(self, request: Request) -> int:
        return min(super().get_offset(request), FURTHEST)


def _is_moment(position: str) -> bool:
    try:
        moment = parse_datetime(position)
    except ValueError:
        return False
    return moment is not None and moment.year in YEARS
