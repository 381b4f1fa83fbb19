from __future__ import annotations

import pytest

pytest_plugins = ["tests.lab.fixtures"]

DATABASE_FIXTURES = {"db", "transactional_db"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what another database can change the outcome of, so that it can be run alone on one."""
    for item in items:
        uses_database = DATABASE_FIXTURES.intersection(getattr(item, "fixturenames", ()))
        if uses_database or item.get_closest_marker("django_db"):
            item.add_marker("database")
