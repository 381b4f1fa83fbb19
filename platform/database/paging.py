"""Pages of a list that may have a million rows: as far as a person turns pages, and no further."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.core.paginator import EmptyPage, Paginator

MOST_ROWS = 10_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts and shows the first MOST_ROWS rows: to count more of them, or to skip them, a database reads
    them all. A page past the last one is the last one.
    """

    template_name = "console/pagination.html"

    @cached_property
    def count(self) -> int:
        return min(self._counted, MOST_ROWS)

    @property
    def is_capped(self) -> bool:
        """There are more rows than it shows."""
        return self._counted > MOST_ROWS

    @property
    def rows_in_words(self) -> str:
        return f"more than {MOST_ROWS:,}" if self.is_capped else f"{self.count:,}"

    @cached_property
    def _counted(self) -> int:
        rows: Any = self.object_list
        counted: int = rows.order_by()[: MOST_ROWS + 1].count()
        return counted

    def validate_number(self, number: Any) -> int:
        try:
            return super().validate_number(number)
        except EmptyPage:
            return self.num_pages if int(number) > self.num_pages else 1
