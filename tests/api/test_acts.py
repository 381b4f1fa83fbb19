"""What acts: with the admin's permission, on one's own rows, once."""

from __future__ import annotations

import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection as database
from django.test import Client

from audit.models import AuditEntry
from bots.models import Bot, ScalperBot, SpreadBot
from rest.models import StoredAnswer
from tests.api.conftest import ACTS
from tests.api.people import Program, a_token, errors
from tests.api.rows import Desk

SPREAD = {
    "name": "New", "symbol": "BTC/USDT", "bid_spread_pct": "0.01", "ask_spread_pct": "0.02",
    "order_amount": "0.100000000000000001",
}  # fmt: skip
SCALPER = {
    "name": "New", "symbols": "BTC/USDT", "order_cost": "50", "entry_move_pct": "0.005",
    "stop_loss_pct": "0.01", "take_profit_pct": "0.02",
}  # fmt: skip
pytestmark = pytest.mark.django_db


def test_a_bot_is_started_paused_and_stopped(desk: Desk, controller: Program) -> None:
    address = f"/v1/bots/{desk.spread.pk}"
    states = [controller.post(f"{address}/{act}/").json()["state"] for act in ("start", "pause", "stop")]
    assert states == ["running", "paused", "stopped"]


def test_what_a_service_refuses_is_a_sentence(desk: Desk, controller: Program) -> None:
    answer = controller.post(f"/v1/bots/{desk.spread.pk}/pause/")
    assert answer.status_code == 400
    assert "nothing to pause" in answer.json()["errors"][0]["detail"]


def test_a_spread_bot_is_made_to_the_last_digit(desk: Desk, controller: Program) -> None:
    answer = controller.post("/v1/spread-bots/", SPREAD | {"connection": str(desk.connection.pk)})
    assert answer.status_code == 201, answer.json()
    assert answer.json()["order_amount"] == "0.100000000000000001"
    made = SpreadBot.objects.get(name="New")
    assert (made.state, str(made.order_amount)) == ("stopped", "0.100000000000000001")
    entry = AuditEntry.objects.get(action="bot.created", target_id=str(made.pk))
    assert (entry.actor, entry.through) == (desk.owner, "API token “Robot”")


def test_a_scalper_is_made(desk: Desk, controller: Program) -> None:
    answer = controller.post("/v1/scalper-bots/", SCALPER | {"connection": str(desk.connection.pk)})
    assert answer.status_code == 201, answer.json()
    assert ScalperBot.objects.filter(name="New").exists()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"bid_spread_pct": "1.5"}, ("invalid", "bid_spread_pct")),
        ({"bid_spread_pct": 0.01}, ("not_text", "bid_spread_pct")),
        ({"bid_spread_pct": "NaN"}, ("not_a_number", "bid_spread_pct")),
        ({"bid_spread_pct": "1e5"}, ("not_a_number", "bid_spread_pct")),
        ({"order_amount": "9" * 30}, ("not_a_number", "order_amount")),
        ({"name": ""}, ("blank", "name")),
        ({"cycle_seconds": -1}, ("min_value", "cycle_seconds")),
        ({"connection": "00000000-0000-0000-0000-000000000000"}, ("does_not_exist", "connection")),
    ],
)
def test_each_mistake_is_told_at_its_field(
    desk: Desk, controller: Program, wrong: dict[str, Any], told: tuple[str, str]
) -> None:
    body = SPREAD | {"connection": str(desk.connection.pk)} | wrong
    answer = controller.post("/v1/spread-bots/", body)
    assert answer.status_code == 400
    assert told in errors(answer)
    assert not SpreadBot.objects.filter(name="New").exists()


def test_a_setting_is_changed_with_what_it_was_on_record(desk: Desk, controller: Program) -> None:
    answer = controller.patch(f"/v1/spread-bots/{desk.spread.pk}/", {"bid_spread_pct": "0.03"})
    assert (answer.status_code, answer.json()["bid_spread_pct"]) == (200, "0.03")
    entry = AuditEntry.objects.get(action="bot.updated")
    assert (entry.before, entry.after) == ({"bid_spread_pct": "0.01"}, {"bid_spread_pct": "0.03"})


def test_state_is_not_set_like_a_setting(desk: Desk, controller: Program) -> None:
    controller.patch(f"/v1/spread-bots/{desk.spread.pk}/", {"state": "running", "archived_at": "2026-01-01"})
    desk.spread.refresh_from_db()
    assert (desk.spread.state, desk.spread.archived_at) == ("stopped", None)


def test_a_bot_is_copied_and_archived(desk: Desk, controller: Program) -> None:
    copy = controller.post(f"/v1/spread-bots/{desk.spread.pk}/clone/", {"name": "Second"})
    assert (copy.status_code, copy.json()["name"], copy.json()["state"]) == (201, "Second", "stopped")
    gone = controller.post(f"/v1/spread-bots/{copy.json()['id']}/archive/")
    assert gone.json()["archived_at"] is not None
    assert Bot.objects.filter(pk=copy.json()["id"]).exists()


def test_a_connection_is_tested(desk: Desk, controller: Program) -> None:
    answer = controller.post(f"/v1/connections/{desk.connection.pk}/test/")
    assert (answer.status_code, answer.json()["connected"]) == (200, True)
    assert AuditEntry.objects.get(action="connection.tested").through == "API token “Robot”"


def acting(desk: Desk) -> list[tuple[str, str, Any]]:
    """Method, address and body of everything that acts on a row."""
    bots, spread, scalper = "/v1/bots", "/v1/spread-bots", "/v1/scalper-bots"
    return [
        *(("post", f"{bots}/{desk.spread.pk}/{act}/", None) for act in ("start", "pause", "stop")),
        ("patch", f"{spread}/{desk.spread.pk}/", {"bid_spread_pct": "0.03"}),
        ("patch", f"{scalper}/{desk.scalper.pk}/", {"order_cost": "60"}),
        *(("post", f"{spread}/{desk.spread.pk}/{act}/", {}) for act in ("clone", "archive")),
        *(("post", f"{scalper}/{desk.scalper.pk}/{act}/", {}) for act in ("clone", "archive")),
        ("post", f"/v1/connections/{desk.connection.pk}/test/", None),
    ]


def test_another_owners_rows_are_not_there_to_act_on(others: Desk, controller: Program) -> None:
    before = AuditEntry.objects.count()
    for method, address, body in acting(others):
        answer = getattr(controller, method)(address, body)
        assert (answer.status_code, errors(answer)) == (404, [("not_found", None)]), address
    assert AuditEntry.objects.count() == before


def test_no_bot_is_made_on_or_moved_to_another_owners_connection(
    desk: Desk, others: Desk, controller: Program
) -> None:
    theirs = str(others.connection.pk)
    made = controller.post("/v1/spread-bots/", SPREAD | {"connection": theirs})
    moved = controller.patch(f"/v1/spread-bots/{desk.spread.pk}/", {"connection": theirs})
    looked = controller.patch(
        f"/v1/spread-bots/{desk.spread.pk}/",
        {"reference": "other_market", "reference_connection": theirs, "reference_symbol": "BTC/USDT"},
    )
    assert [answer.status_code for answer in (made, moved, looked)] == [400, 400, 400]
    assert errors(moved) == [("does_not_exist", "connection")]


def test_a_control_token_without_the_admins_permission_does_nothing(desk: Desk, controller: Program) -> None:
    desk.owner.user_permissions.set(Permission.objects.none())
    before = AuditEntry.objects.count()
    for method, address, body in acting(desk):
        assert getattr(controller, method)(address, body).status_code == 403, address
    made = controller.post("/v1/spread-bots/", SPREAD | {"connection": str(desk.connection.pk)})
    assert made.status_code == 403
    assert AuditEntry.objects.count() == before
    assert ACTS


def test_a_body_of_ten_megabytes_is_refused_without_being_read(desk: Desk, controller: Program) -> None:
    body = io.BytesIO(b" " * 10 * 1024 * 1024)
    answer = controller.client.generic(
        "POST", "/api/v1/spread-bots/", b"", "application/json",
        **{"CONTENT_LENGTH": str(10 * 1024 * 1024), "wsgi.input": body},  # type: ignore[arg-type]
    )  # fmt: skip
    assert (answer.status_code, errors(answer)) == (413, [("body_too_large", None)])
    assert body.tell() == 0


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff", b"null", b"NaN"])
def test_a_body_that_is_no_object_is_refused_in_words(desk: Desk, controller: Program, body: bytes) -> None:
    answer = controller.client.post("/api/v1/spread-bots/", body, content_type="application/json")
    assert answer.status_code == 400
    assert errors(answer)


def test_a_form_is_not_taken_for_json(desk: Desk, controller: Program) -> None:
    answer = controller.client.post("/api/v1/spread-bots/", {"name": "x"})
    assert (answer.status_code, errors(answer)) == (415, [("unsupported_media_type", None)])


# --- Idempotency


def copies(desk: Desk) -> int:
    return SpreadBot.objects.filter(connection=desk.connection).count() - 1


def test_the_same_request_with_its_key_is_answered_again_and_not_done_again(
    desk: Desk, controller: Program
) -> None:
    address = f"/v1/spread-bots/{desk.spread.pk}/clone/"
    first = controller.post(address, {}, Idempotency_Key="one")
    again = controller.post(address, {}, Idempotency_Key="one")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert copies(desk) == 1
    assert controller.post(address, {}, Idempotency_Key="two").status_code == 201
    assert copies(desk) == 2


def test_a_key_with_another_body_or_address_is_refused(desk: Desk, controller: Program) -> None:
    address = f"/v1/spread-bots/{desk.spread.pk}/clone/"
    controller.post(address, {"name": "A"}, Idempotency_Key="one")
    for other, body in ((address, {"name": "B"}), (f"/v1/bots/{desk.spread.pk}/start/", {"name": "A"})):
        answer = controller.post(other, body, Idempotency_Key="one")
        assert (answer.status_code, errors(answer)) == (422, [("unprocessable", None)])
    assert copies(desk) == 1


def test_a_refusal_is_kept_with_its_key(desk: Desk, controller: Program) -> None:
    address = f"/v1/bots/{desk.spread.pk}/pause/"
    answers = [controller.post(address, Idempotency_Key="one") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert errors(answers[0]) == errors(answers[1])


def test_while_a_request_is_being_done_its_key_is_taken(desk: Desk, controller: Program) -> None:
    address = f"/v1/spread-bots/{desk.spread.pk}/clone/"
    controller.post(address, {}, Idempotency_Key="one")
    StoredAnswer.objects.update(status=None, body="")  # as it is until the answer is known
    answer = controller.post(address, {}, Idempotency_Key="one")
    assert (answer.status_code, errors(answer)) == (409, [("conflict", None)])
    assert copies(desk) == 1


def test_keys_of_two_owners_do_not_meet(desk: Desk, others: Desk, controller: Program) -> None:
    others.owner.user_permissions.set(desk.owner.user_permissions.all())
    otto = Program(a_token(others.owner, "control"))
    first = controller.post(f"/v1/spread-bots/{desk.spread.pk}/clone/", {}, Idempotency_Key="one")
    second = otto.post(f"/v1/spread-bots/{others.spread.pk}/clone/", {}, Idempotency_Key="one")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]


@pytest.mark.django_db(transaction=True)
def test_of_the_same_request_many_times_at_once_one_is_done(desk: Desk, controller: Program) -> None:
    together = threading.Barrier(6)

    def send(_: int) -> int:
        try:
            together.wait(timeout=30)
            answer = controller.post(f"/v1/spread-bots/{desk.spread.pk}/clone/", {}, Idempotency_Key="one")
            return int(answer.status_code)
        finally:
            database.close()

    with ThreadPoolExecutor(6) as threads:
        statuses = list(threads.map(send, range(6)))
    assert copies(desk) == 1
    assert set(statuses) <= {201, 409}
    assert 201 in statuses


@pytest.mark.parametrize("key", ["x" * 256, "tab\there", "ключ"])
def test_a_key_that_cannot_be_kept_is_refused(desk: Desk, controller: Program, key: str) -> None:
    answer = controller.post(f"/v1/bots/{desk.spread.pk}/start/", Idempotency_Key=key)
    assert answer.status_code == 400
    assert Bot.objects.get(pk=desk.spread.pk).state == "stopped"


def test_too_many_acts_in_a_minute_are_refused_and_reading_goes_on(
    desk: Desk, controller: Program, settings: Any
) -> None:
    settings.API_ACTS_PER_MINUTE = 2
    answers = [controller.post(f"/v1/bots/{desk.spread.pk}/start/") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert errors(answers[2]) == [("throttled", None)]
    assert 0 < int(answers[2].headers["Retry-After"]) <= 61
    assert controller.get("/v1/bots/").status_code == 200


def test_an_address_that_is_nothing_is_told_in_the_same_shape() -> None:
    answer = Client().get("/api/v1/nothing/")
    assert (answer.status_code, errors(answer)) == (404, [("not_found", None)])


def test_a_method_that_is_not_taken_is_told_in_the_same_shape(desk: Desk, controller: Program) -> None:
    answer = controller.client.delete(f"/api/v1/bots/{desk.spread.pk}/")
    assert json.loads(answer.content)["errors"][0]["code"] in {"method_not_allowed", "permission_denied"}
    assert Bot.objects.filter(pk=desk.spread.pk).exists()
