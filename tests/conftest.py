from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from tests.flushing import kept_rows, quick_flushes

pytest_plugins = ["tests.lab.fixtures"]

DATABASE_FIXTURES = {"db", "transactional_db"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what another database can change the outcome of, so that it can be run alone on one."""
    for item in items:
        uses_database = DATABASE_FIXTURES.intersection(getattr(item, "fixturenames", ()))
        is_the_same = item.get_closest_marker("any_database")
        if not is_the_same and (uses_database or item.get_closest_marker("django_db")):
            item.add_marker("database")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        kept = kept_rows()
    with quick_flushes(kept):
        yield


@pytest.fixture
def standing_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that a test makes and is shown is of one moment, however long it takes: ages are exact."""
    moment = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: moment)
