from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache

from tests.api.people import Program, a_token, an_owner
from tests.api.rows import Desk, a_desk

ACTS = (
    "bots.operate_bot", "bots.add_spreadbot", "bots.change_spreadbot", "bots.delete_spreadbot",
    "bots.add_scalperbot", "bots.change_scalperbot", "bots.delete_scalperbot", "bots.pull_killswitch",
    "bots.release_killswitch", "exchanges.test_exchangeconnection", "audit.view_auditentry",
)  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    """Each test begins with a minute in which nobody has asked."""
    cache.clear()


@pytest.fixture
def olga(db: None) -> User:
    """May do all that the admin's buttons do, on her own connections."""
    return an_owner("olga", *ACTS)


@pytest.fixture
def desk(olga: User) -> Desk:
    return a_desk(olga)


@pytest.fixture
def others(db: None) -> Desk:
    """Another owner's."""
    return a_desk(an_owner("otto"), "Otto's")


@pytest.fixture
def reader(olga: User) -> Program:
    return Program(a_token(olga, "read"))


@pytest.fixture
def controller(olga: User) -> Program:
    return Program(a_token(olga, "control", "Robot"))
