"""What routers, monitors and Prometheus ask."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bots.models import Runtime
from config.checks import check_cors_origins
from tests.api.people import Program, a_token, an_owner
from tests.api.rows import Desk, a_desk
from tests.canaries import leaks
from tests.canaries.planted import SECRETS

pytestmark = pytest.mark.django_db


def a_worker(heard_of: timedelta = timedelta()) -> None:
    then = timezone.now() - heard_of
    Runtime.objects.create(
        id=uuid.uuid4(),
        host="here",
        boot_id="1",
        pid=1,
        process_started="1",
        started_at=then,
        heartbeat_at=then,
    )


def test_the_process_lives_without_a_database() -> None:
    with CaptureQueriesContext(database) as captured:
        answer = Client().get("/livez")
    assert (answer.status_code, answer.json(), len(captured)) == (200, {"status": "ok"}, 0)


def test_it_is_ready_where_the_database_answers() -> None:
    assert Client().get("/readyz").json()["checks"] == {"database": "ok"}


def test_a_database_that_is_away_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    def refuse(*_args: Any, **_named: Any) -> None:
        raise OperationalError("connection refused: password=hunter2")

    monkeypatch.setattr("api.probes._database", refuse)
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["missing"]) == (503, ["database"])
    assert "hunter2" not in answer.content.decode()


def test_a_worker_that_stopped_is_missing_within_a_minute(settings: Any) -> None:
    settings.REDIS_URL = ""
    assert Client().get("/healthz").json()["missing"] == ["worker"]
    a_worker(timedelta(seconds=61))
    assert Client().get("/healthz").status_code == 503
    a_worker(timedelta(seconds=30))
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


def test_redis_that_is_away_is_named(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    a_worker()
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()["missing"]) == (503, ["redis"])
    assert Client().get("/readyz").status_code == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz", "/metrics"])
def test_probes_are_not_sent_to_tls(path: str, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get(path).status_code in {200, 401, 503}


def a_watcher() -> Program:
    program = Program(a_token(an_owner("watcher", "exchanges.view_all_connections")))
    program.client.get("/metrics")  # notes the token's use
    return program


def test_metrics_are_for_a_token_that_sees_everything(desk: Desk, reader: Program) -> None:
    assert Client().get("/metrics").status_code == 401
    assert reader.client.get("/metrics").status_code == 403
    assert a_watcher().client.get("/metrics").status_code == 200


def test_metrics_tell_counts_ages_and_health(desk: Desk) -> None:
    a_worker(timedelta(seconds=5))
    told = a_watcher().client.get("/metrics").content.decode()
    labels = 'connection="Main",mode="paper",venue="demo"'
    for line in (
        "botdesk_workers 1.0",
        'botdesk_bots{kind="spread bot",state="stopped"} 1.0',
        'botdesk_bots{kind="scalper bot",state="running"} 0.0',
        'botdesk_live_orders{state="open"} 0.0',
        "botdesk_kill_switches_on 0.0",
        f"botdesk_connection_score{{{labels}}} 100.0",
        f"botdesk_connection_latency_p95_ms{{{labels}}} 300.0",
        f"botdesk_connection_breaker_open{{{labels}}} 0.0",
    ):
        assert line in told.splitlines(), line
    assert "botdesk_worker_heartbeat_age_seconds 5." in told
    assert f"botdesk_connection_balance_age_seconds{{{labels}}} " in told


def test_metrics_cost_the_same_for_many_connections_and_hold_no_secret(desk: Desk) -> None:
    watcher = a_watcher()
    with CaptureQueriesContext(database) as few:
        watcher.client.get("/metrics")
    for number in range(10):
        other = a_desk(desk.owner, f'C{number} "quoted"\n', venue="binance", mode="live")
        for name, secret in SECRETS.items():
            setattr(other.connection, name, secret)
        other.connection.save()
    with CaptureQueriesContext(database) as many:
        told = watcher.client.get("/metrics").content.decode()
    assert len(few) == len(many)
    assert 'connection="C9 \\"quoted\\"\\n"' in told
    assert leaks(told) == []


@pytest.mark.parametrize(
    "wrong",
    [
        "*",
        "board.example",
        "https://board.example/",
        "https://*.example",
        "ftp://board.example",
        "https://a@b.example",
    ],
)
def test_an_origin_that_is_none_is_named_at_the_start(wrong: str, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://board.example:8443", wrong]
    (mistake,) = check_cors_origins()
    assert (mistake.id, repr(wrong) in mistake.msg) == ("config.E010", True)


def test_origins_that_are_some_are_taken(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://board.example:8443", "http://localhost:3000"]
    assert check_cors_origins() == []
