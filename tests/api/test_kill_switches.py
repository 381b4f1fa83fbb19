"""The kill switch over the API: for what is one's own, pulled and released with two permissions."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission

from audit.models import AuditEntry
from bots.models import KillSwitch, Order
from bots.switches import outcome_of
from tests.api.people import Program, errors
from tests.api.rows import Desk

SWITCHES = "/v1/kill-switches/"
pytestmark = pytest.mark.django_db


def pull(program: Program, scope: str, **named: Any) -> Any:
    return program.post(SWITCHES, {"scope": scope, "reason": "too wide", **named})


@pytest.mark.parametrize("scope", ["bot", "connection", "owner"])
def test_one_is_pulled_and_released_on_what_is_ones_own(desk: Desk, controller: Program, scope: str) -> None:
    named = {"bot": str(desk.spread.pk), "connection": str(desk.connection.pk), "owner": "olga"}
    answer = pull(controller, scope, **{scope: named[scope]})
    assert answer.status_code == 201, answer.json()
    switch = KillSwitch.objects.engaged().get()
    assert (switch.scope, switch.reason, switch.engaged_by) == (scope, "too wide", desk.owner)
    assert AuditEntry.objects.get(action="kill_switch.pulled").through == "API token “Robot”"
    assert [row["id"] for row in controller.get(f"{SWITCHES}?on=true").json()["results"]] == [switch.pk]
    released = controller.post(f"{SWITCHES}{switch.pk}/release/")
    assert (released.status_code, released.json()["released_by"]) == (200, "olga")
    assert not KillSwitch.objects.engaged().exists()


def test_what_is_anothers_is_neither_pulled_nor_seen_nor_released(
    desk: Desk, others: Desk, controller: Program
) -> None:
    theirs = KillSwitch.objects.create(scope="bot", bot=others.spread, reason="theirs")
    assert pull(controller, "bot", bot=str(others.spread.pk)).status_code == 400
    assert pull(controller, "connection", connection=str(others.connection.pk)).status_code == 400
    assert pull(controller, "owner", owner="otto").status_code == 403
    assert pull(controller, "owner", owner="nobody").status_code == 403
    assert pull(controller, "desk").status_code == 403
    assert controller.get(f"{SWITCHES}{theirs.pk}/").status_code == 404
    assert controller.post(f"{SWITCHES}{theirs.pk}/release/").status_code == 404
    assert KillSwitch.objects.engaged().get() == theirs


def test_the_desks_is_for_who_sees_every_connection(desk: Desk, controller: Program) -> None:
    desk.owner.user_permissions.add(Permission.objects.get(codename="view_all_connections"))
    assert pull(controller, "desk").status_code == 201


def test_all_see_the_desks_and_only_who_sees_everything_releases_it(desk: Desk, controller: Program) -> None:
    switch = KillSwitch.objects.create(scope="desk", reason="all")
    assert controller.get(f"{SWITCHES}{switch.pk}/").status_code == 200
    assert controller.post(f"{SWITCHES}{switch.pk}/release/").status_code == 403


def test_of_the_desks_one_is_told_what_became_of_ones_own_orders(
    desk: Desk, others: Desk, controller: Program
) -> None:
    told = [outcome_of(order, "Canceled.", is_certain=True) for order in Order.objects.all()]
    switch = KillSwitch.objects.create(scope="desk", reason="all", outcome=told)
    own = list(Order.objects.filter(connection=desk.connection).values_list("client_id", flat=True))
    assert 0 < len(own) < len(told)
    for shown in (
        controller.get(f"{SWITCHES}{switch.pk}/").json(), *controller.get(SWITCHES).json()["results"],
    ):  # fmt: skip
        assert [row["order"] for row in shown["outcome"]] == own
        assert set(shown["outcome"][0]) == {"order", "text", "connection", "sentence", "is_certain"}
    desk.owner.user_permissions.add(Permission.objects.get(codename="view_all_connections"))
    assert len(controller.get(f"{SWITCHES}{switch.pk}/").json()["outcome"]) == len(told)


def test_pulling_and_releasing_need_a_permission_each(desk: Desk, controller: Program) -> None:
    desk.owner.user_permissions.remove(Permission.objects.get(codename="release_killswitch"))
    pulled = pull(controller, "bot", bot=str(desk.spread.pk))
    assert controller.post(f"{SWITCHES}{pulled.json()['id']}/release/").status_code == 403
    desk.owner.user_permissions.remove(Permission.objects.get(codename="pull_killswitch"))
    assert pull(controller, "bot", bot=str(desk.spread.pk)).status_code == 403


def test_a_reason_and_what_it_covers_are_asked_for(desk: Desk, controller: Program) -> None:
    without = controller.post(SWITCHES, {"scope": "bot", "bot": str(desk.spread.pk)})
    assert errors(without) == [("required", "reason")]
    assert errors(pull(controller, "bot")) == [("invalid", "scope")]
    assert errors(pull(controller, "bot", bot=str(desk.spread.pk), owner="olga")) == [("invalid", "scope")]
    assert not KillSwitch.objects.exists()
