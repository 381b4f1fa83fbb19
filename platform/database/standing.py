"""A question that is asked once a second: its SQL is written once.

Django writes a queryset's SQL each time it is run, which takes more CPU than to send it and to read the rows.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)


class Standing(Generic[M]):
    def __init__(self, rows: QuerySet[M]) -> None:
        """rows: one model's own columns; what they are filtered by stays as it is now."""
        self._manager = rows.model._default_manager
        try:
            self._sql, self._arguments = rows.query.sql_with_params()
        except EmptyResultSet:  # nothing can be among an empty list
            self._sql, self._arguments = "", ()

    def ask(self) -> list[M]:
        return list(self._manager.raw(self._sql, self._arguments)) if self._sql else []
