"""What a test has committed is taken out again by emptying the tables, not by Django's flush.

A flush truncates every table, then makes content types, permissions and roles anew: a twelfth of a second on
SQLite and a third on PostgreSQL, after each of a thousand tests. Here they stay; where a test has changed
them, Django's own flush follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import TransactionTestCase

KEPT = (ContentType, Permission, Group, Group.permissions.through)
Rows = list[set[tuple[Any, ...]]]


@contextmanager
def quick_flushes(kept: Rows) -> Iterator[None]:
    """kept: as the migrations have left them."""
    flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]  # not in its stubs

    def empty(test_case: TransactionTestCase) -> None:
        nonlocal kept
        if kept_rows() == kept:
            _empty_tables()
        else:
            flush(test_case)
            kept = kept_rows()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
        yield


def kept_rows() -> Rows:
    return [set(model._base_manager.values_list()) for model in KEPT]


def _empty_tables() -> None:
    """In one transaction, at whose end the foreign keys are looked at: in any order."""
    kept = {model._meta.db_table for model in KEPT}
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    quote = connection.ops.quote_name
    connection.ops.execute_sql_flush([f"DELETE FROM {quote(table)}" for table in tables if table not in kept])
