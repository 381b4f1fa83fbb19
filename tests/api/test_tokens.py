"""Who gets in: tokens as they are made, used, spent and taken back; sessions; nobody else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection as database
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEntry
from rest.models import ApiToken
from rest.tokens import create_token, revoke_token
from tests.api.people import Program, a_token, an_owner, errors
from tests.api.rows import Desk
from tests.desk.pages import form_of
from vault.redaction import redact

STATUS = "/system/status"
ADD = "admin:rest_apitoken_add"
pytestmark = pytest.mark.django_db


def test_a_token_opens_what_is_its_owners(reader: Program, desk: Desk) -> None:
    assert reader.get(STATUS).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Token",
        "Token a b",
        "Token desk_" + "0" * 64,
        "Token " + "x" * 5000,
        "Token désk",
        "Token \x00",
        "Basic b2xnYTpvbGdh",
        "Bearer desk_" + "0" * 64,
    ],
)
def test_nobody_gets_in_without_a_token_that_is_known(desk: Desk, header: str) -> None:
    answer = Client(headers={"Authorization": header} if header else {}).get(f"/api{STATUS}")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Token"
    assert errors(answer)[0][0] in {"not_authenticated", "authentication_failed"}


def test_a_part_of_a_token_or_its_hash_opens_nothing(olga: User) -> None:
    clear = a_token(olga)
    for forged in (clear[:-1], clear.upper(), clear + "0", ApiToken.objects.get().digest):
        assert Program(forged).get(STATUS).status_code == 401


def test_an_expired_token_is_refused_and_kept(olga: User) -> None:
    program = Program(a_token(olga, expiry=timezone.now() + timedelta(hours=1)))
    assert program.get(STATUS).status_code == 200
    ApiToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    answer = program.get(STATUS)
    assert answer.status_code == 401
    assert "has expired" in answer.json()["errors"][0]["detail"]
    assert ApiToken.objects.count() == 1


def test_a_revoked_token_is_refused_at_once(olga: User) -> None:
    program = Program(a_token(olga))
    revoke_token(token=ApiToken.objects.get(), actor=olga)
    answer = program.get(STATUS)
    assert answer.status_code == 401
    assert "was revoked" in answer.json()["errors"][0]["detail"]


def test_a_token_ends_with_its_owners_account(olga: User, reader: Program) -> None:
    User.objects.filter(pk=olga.pk).update(is_active=False)
    assert reader.get(STATUS).status_code == 401


def test_the_token_itself_is_nowhere_in_the_database(olga: User) -> None:
    clear = a_token(olga)
    with database.cursor() as cursor:
        for table in database.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {database.ops.quote_name(table)}")
            assert clear not in repr(cursor.fetchall()), table


def test_a_token_is_masked_in_logs_even_where_this_process_did_not_make_it() -> None:
    assert "desk_" not in redact("Authorization: Token desk_" + "0123456789abcdef" * 4)


def test_the_last_use_is_noted_once_a_minute(olga: User, reader: Program) -> None:
    reader.get(STATUS)
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    reader.get(STATUS)
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(minutes=2))
    reader.get(STATUS)
    assert ApiToken.objects.get().last_used_at > first - timedelta(minutes=1)


def test_a_token_for_reading_does_not_act(desk: Desk, reader: Program) -> None:
    answer = reader.post(f"/v1/bots/{desk.spread.pk}/start/")
    assert answer.status_code == 403
    assert "may read only" in answer.json()["errors"][0]["detail"]
    desk.spread.refresh_from_db()
    assert desk.spread.state == "stopped"


def test_what_a_token_does_is_on_record_under_its_owner_and_its_name(desk: Desk, controller: Program) -> None:
    assert controller.post(f"/v1/bots/{desk.spread.pk}/start/").status_code == 200
    entry = AuditEntry.objects.get(action="bot.started")
    assert (entry.actor, entry.through) == (desk.owner, "API token “Robot”")


def test_what_a_person_does_afterwards_is_not_put_down_to_the_token(desk: Desk, controller: Program) -> None:
    controller.post(f"/v1/bots/{desk.spread.pk}/start/")
    boss = User.objects.create_superuser("boss")
    browser = Client()
    browser.force_login(boss)
    browser.post(reverse("admin:bots_spreadbot_act", args=[desk.spread.pk, "pause"]))
    assert AuditEntry.objects.get(action="bot.paused").through == ""


# --- Sessions


def test_a_session_reads(desk: Desk) -> None:
    browser = Client()
    browser.force_login(desk.owner)
    assert browser.get(f"/api{STATUS}").status_code == 200


def test_a_session_does_not_act_from_another_site(desk: Desk) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(desk.owner)
    for headers in ({}, {"Origin": "https://evil.example"}):
        answer = browser.post(f"/api/v1/bots/{desk.spread.pk}/start/", headers=headers)
        assert answer.status_code == 403
        assert errors(answer) == [("permission_denied", None)]
    desk.spread.refresh_from_db()
    assert desk.spread.state == "stopped"


def test_no_other_sites_page_may_read_unless_it_is_listed(desk: Desk, settings: object) -> None:
    answer = Client().get(f"/api{STATUS}", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in answer.headers
    settings.CORS_ALLOWED_ORIGINS = ["https://board.example"]  # type: ignore[attr-defined]
    asked = {"Origin": "https://board.example", "Access-Control-Request-Method": "GET"}
    allowed = Client().options(f"/api{STATUS}", headers=asked)
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://board.example"
    assert "Access-Control-Allow-Credentials" not in allowed.headers
    assert "Access-Control-Allow-Origin" not in Client().get("/admin/login/", headers=asked).headers


# --- Making them


def test_a_token_is_made_for_oneself_only(olga: User) -> None:
    for other in (User.objects.create_user("otto"), User.objects.create_superuser("boss")):
        with pytest.raises(ValidationError, match="acts as its owner"):
            create_token(actor=olga, owner=other, name="Up", scope="control")


def test_who_manages_tokens_makes_them_for_those_who_may_do_no_more(olga: User) -> None:
    manager = an_owner("manager", "rest.manage_apitokens", "bots.view_order")
    create_token(actor=manager, owner=an_owner("client", "bots.view_order"), name="Board")
    for stronger in (olga, User.objects.create_superuser("boss")):
        with pytest.raises(ValidationError, match="acts as its owner"):
            create_token(actor=manager, owner=stronger, name="Up", scope="control")


def test_a_stronger_owner_is_refused_at_the_form(olga: User) -> None:
    manager = an_owner("manager", "rest.manage_apitokens", "rest.add_apitoken", "rest.view_apitoken")
    User.objects.filter(pk=manager.pk).update(is_staff=True)
    browser = Client()
    browser.force_login(manager)
    form = form_of(browser, reverse(ADD), "apitoken_form")
    page = browser.post(reverse(ADD), form | {"name": "Up", "user": str(olga.pk), "scope": "control"})
    assert page.status_code == 200
    assert "A token acts as its owner" in page.content.decode()
    assert not ApiToken.objects.exists()


def revoke_address(owner: User) -> str:
    a_token(owner, name="Spent")
    return reverse("admin:rest_apitoken_act", args=[ApiToken.objects.get(name="Spent").pk, "revoke"])


def test_a_token_is_revoked_by_a_post_with_the_permission_and_on_record(olga: User) -> None:
    url, manager = revoke_address(olga), an_owner("manager", "rest.manage_apitokens", "rest.view_apitoken")
    other = an_owner("other", "rest.view_apitoken", "rest.delete_apitoken", "rest.change_apitoken")
    User.objects.update(is_staff=True)
    browser, stranger, elsewhere = Client(), Client(), Client(enforce_csrf_checks=True)
    for each, person in ((browser, manager), (stranger, other), (elsewhere, manager)):
        each.force_login(person)
    assert [browser.get(url).status_code, stranger.post(url).status_code] == [405, 404]
    assert elsewhere.post(url).status_code == 403
    assert ApiToken.objects.get().revoked_at is None
    assert browser.post(url).status_code == 302
    assert ApiToken.objects.get().revoked_at is not None
    entry = AuditEntry.objects.get(action="api_token.revoked")
    assert (entry.actor, entry.target_name) == (manager, "Spent")


def test_the_page_of_a_new_token_shows_it_once(olga: User) -> None:
    boss = User.objects.create_superuser("boss")
    browser = Client()
    browser.force_login(boss)
    form = form_of(browser, reverse(ADD), "apitoken_form")
    page = browser.post(reverse(ADD), form | {"name": "Grafana", "user": str(olga.pk), "scope": "read"})
    assert page.status_code == 200
    token = ApiToken.objects.get()
    assert (token.user, token.scope) == (olga, "read")
    shown = page.content.decode()
    clear = shown.partition('<code id="api-token">')[2].partition("</code>")[0]
    assert Program(clear).get(STATUS).status_code == 200
    assert "no-store" in page.headers["Cache-Control"]
    for again in (
        reverse("admin:rest_apitoken_changelist"),
        reverse("admin:rest_apitoken_change", args=[token.pk]),
    ):
        later = browser.get(again)
        assert later.status_code == 200
        assert clear not in later.content.decode()
    assert [entry.action for entry in AuditEntry.objects.all()] == ["api_token.created"]


def test_who_is_no_superuser_cannot_name_another_owner() -> None:
    maker = an_owner("maker", "rest.add_apitoken", "rest.view_apitoken")
    User.objects.filter(pk=maker.pk).update(is_staff=True)
    boss = User.objects.create_superuser("boss")
    browser = Client()
    browser.force_login(maker)
    form = form_of(browser, reverse(ADD), "apitoken_form")
    assert "user" not in form
    browser.post(reverse(ADD), form | {"name": "Mine", "user": str(boss.pk), "scope": "control"})
    assert ApiToken.objects.get().user == maker


def test_a_name_twice_and_a_past_expiry_are_told_at_their_fields(olga: User) -> None:
    a_token(olga, name="Grafana")
    for wrong, field in (({"name": "Grafana"}, "__all__"), ({"expiry": timezone.now()}, "expiry")):
        with pytest.raises(ValidationError) as refused:
            create_token(actor=olga, owner=olga, **({"name": "Other"} | wrong))
        assert field in refused.value.message_dict
