"""The API answers as its description says, whatever is sent to it, and nothing that is sent breaks it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase
from hypothesis import settings as bounded
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bots.models import BotEvent
from tests.api.people import Program, a_token
from tests.api.rows import Desk, a_desk
from tests.test_acting_urls import everything

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
]  # fmt: skip
EXAMPLES = 5
GENERATOR = SchemaGenerator()  # type: ignore[no-untyped-call]
DESCRIBED: dict[str, Any] = json.loads(
    json.dumps(GENERATOR.get_schema(request=None, public=True), default=str)  # type: ignore[no-untyped-call]
)
# Its systematic phase alone sends 3,600 requests: by chance is enough for each run of the tests.
BY_CHANCE = SchemathesisConfig.from_dict({"phases": {"coverage": {"enabled": False}}})
schema = schemathesis.openapi.from_dict(DESCRIBED, config=BY_CHANCE)
schema.app = get_wsgi_application()
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """A server closes its database connection after a request; this one is the test's."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def keys(desk: Desk, settings: Any) -> dict[str, str]:
    """By resource, a row that is there: most of what is made up by chance names none."""
    settings.API_READS_PER_MINUTE = settings.API_ACTS_PER_MINUTE = 1_000_000
    event = BotEvent.objects.get()
    return {
        "connections": str(desk.connection.pk), "bots": str(desk.spread.pk), "events": str(event.pk),
        "spread-bots": str(desk.spread.pk), "scalper-bots": str(desk.scalper.pk),
        "orders": str(desk.order.pk), "trades": str(desk.trade.pk), "round-trips": str(desk.trip.pk),
    }  # fmt: skip


@pytest.fixture
def tokens(olga: User) -> dict[str, str]:
    return {scope: a_token(olga, scope, f"All of {scope}") for scope in ("read", "control")}


@schema.parametrize()
@bounded(
    max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
    phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_every_answer_is_as_described(
    case: schemathesis.Case[Any], keys: dict[str, str], tokens: dict[str, str]
) -> None:
    resource = case.path.split("/")[3] if case.path.count("/") > 3 else ""
    if resource in keys and "id" in case.path_parameters and len(case.query or {}) % 2 == 0:
        case.path_parameters["id"] = keys[resource]
    for token in tokens.values():  # that of “read” first: “control” may archive what is asked for
        case.call_and_validate(headers={"Authorization": f"Token {token}"}, checks=CHECKS)


def test_the_description_names_every_address_but_its_own() -> None:
    assert len(DESCRIBED["paths"]) > 35
    for path, operations in DESCRIBED["paths"].items():
        for method, operation in operations.items():
            assert {"401", "403", "404", "429", "503"} <= set(operation["responses"]), (method, path)


def test_no_secret_has_a_place_in_the_description() -> None:
    described = DESCRIBED["components"]["schemas"]["Connection"]["properties"]
    assert {"api_key", "api_secret", "passphrase", "proxy_password", "proxy_url"} & set(described) == set()


def test_the_pages_of_the_description_need_somebody_and_no_other_host(desk: Desk, reader: Program) -> None:
    for address in ("schema", "docs"):
        assert Client().get(f"/api/{address}/").status_code == 401
    assert reader.get("/schema/").status_code == 200
    browser = Client()
    browser.force_login(desk.owner)
    before = everything()
    page = browser.get("/api/docs/").content.decode()
    script = browser.get("/api/docs/?script=")
    assert script.headers["Content-Type"].startswith("application/javascript")
    assert "http://" not in page
    assert "https://" not in page
    assert "/static/drf_spectacular_sidecar/swagger-ui-dist/" in page
    assert everything() == before


def test_two_desks_do_not_meet_in_any_described_list(desk: Desk, reader: Program) -> None:
    other = a_desk(User.objects.create_user("otto"), "Otto's own")
    lists = [
        path for path, operations in DESCRIBED["paths"].items() if "get" in operations and "{" not in path
    ]
    assert len(lists) > 15
    for path in lists:
        answer = reader.client.get(path)
        told = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
        assert other.connection.name not in told.decode(), path
        assert str(other.connection.pk) not in told.decode(), path
