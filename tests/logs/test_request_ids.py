"""A request's id: the router's where it is well-formed, else one of our own."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
from django.test import Client

from logs.about import ids
from logs.middleware import request_id_of
from vault.redaction import RedactingHandler

pytestmark = pytest.mark.django_db


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    (handler,) = [each for each in logging.root.handlers if isinstance(each, RedactingHandler)]
    new = io.StringIO()
    old = handler.setStream(new)
    yield new
    handler.setStream(old or io.StringIO())


def test_the_routers_id_is_taken_logged_and_answered(client: Client, written: io.StringIO) -> None:
    answer = client.get("/nowhere", headers={"X-Request-ID": "5a0e2c1b-router-id"})
    assert answer.headers["X-Request-ID"] == "5a0e2c1b-router-id"
    assert "Not Found: /nowhere [request_id=5a0e2c1b-router-id]" in written.getvalue()
    assert ids() == {}


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 129, "a b c d e f g", "line\nbreak-in-it", "ünicode-id"]
)
def test_what_is_not_well_formed_is_replaced(given: str) -> None:
    made = request_id_of(given)
    assert made != given
    assert len(made) == 32


def test_each_request_without_one_has_its_own(client: Client) -> None:
    made = {client.get("/admin/login/").headers["X-Request-ID"] for _ in range(3)}
    assert len(made) == 3
