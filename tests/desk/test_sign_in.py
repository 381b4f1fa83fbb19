"""Signing in: one form, few tries, a second factor where there is one, and all of it on record."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from audit.models import AuditEntry
from exchanges.selectors import SEES_ALL
from people.services import remove_second_factors
from tests.canaries.planted import rows
from tests.desk.authenticator import code_of, next_code_of
from tests.desk.second_factors import LOGIN, PASSWORD, a_person, set_up_an_app, sign_in
from tests.desk.two_clients import browser_of, give
from vault.keyring import new_key

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_tries() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def olga() -> User:
    return a_person(is_staff=True)


def actions() -> list[tuple[str, str, str]]:
    return [(str(row.actor or ""), row.action, row.target_name) for row in AuditEntry.objects.order_by("pk")]


# --- The form


def test_a_password_opens_the_page_that_was_asked_for(olga: User) -> None:
    browser = Client()
    answer = browser.get("/admin/bots/order/", follow=True)
    assert answer.redirect_chain[-1][0] == "/accounts/login/?next=/admin/bots/order/"
    answer = browser.post(LOGIN, {"username": "olga", "password": PASSWORD, "next": "/admin/bots/order/"})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/bots/order/")
    assert browser.get("/admin/").status_code == 200


def test_nobody_is_sent_to_another_site_after_signing_in(olga: User) -> None:
    answer = Client().post(LOGIN, {"username": "olga", "password": PASSWORD, "next": "https://evil.example/"})
    assert answer["Location"] == "/admin/"


def test_the_admins_own_form_is_no_second_door(olga: User) -> None:
    browser = Client()
    answer = browser.post("/admin/login/", {"username": "olga", "password": PASSWORD})
    assert answer["Location"].startswith(LOGIN)
    assert "_auth_user_id" not in browser.session


def test_a_session_ends_after_twelve_hours_and_its_cookie_is_for_this_site_only(olga: User) -> None:
    cookie = sign_in(Client()).cookies["sessionid"]
    assert (cookie["max-age"], cookie["samesite"], cookie["httponly"]) == (12 * 3600, "Lax", True)


@pytest.mark.parametrize("path", [LOGIN, "/accounts/password/change/", "/accounts/2fa/totp/activate/"])
def test_a_form_from_another_site_is_refused(olga: User, path: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(olga)
    assert browser.post(path, {"username": "olga", "password": PASSWORD}).status_code == 403


@pytest.mark.parametrize("path", ["signup", "email", "password/reset", "3rdparty", "social/connections"])
def test_nobody_signs_up_or_asks_for_mail(path: str) -> None:
    assert Client().get(f"/accounts/{path}/").status_code == 404


def test_who_is_signed_in_and_may_see_nothing_is_told_so_and_not_sent_in_circles() -> None:
    browser = browser_of(User.objects.create_user("nobody"))
    answer = browser.get("/admin/", follow=True)
    assert (answer.status_code, len(answer.redirect_chain)) == (403, 1)
    assert "You are signed in as nobody, and your roles do not allow it" in answer.content.decode()


# --- Tries


def test_after_five_failed_tries_the_right_password_waits_too(olga: User) -> None:
    for _ in range(5):
        assert "do not belong together" in sign_in(Client(), password="wrong").content.decode()
    answer = sign_in(Client())
    assert answer.status_code == 200
    assert "Too many failed tries: wait five minutes, then try again." in answer.content.decode()


def test_another_persons_failed_tries_keep_nobody_out(olga: User) -> None:
    a_person("boris", is_staff=True)
    for _ in range(6):
        sign_in(Client(), password="wrong")
    assert sign_in(Client(), "boris").status_code == 302


def test_one_address_cannot_try_many_names(olga: User) -> None:
    for number in range(20):
        sign_in(Client(), f"nobody-{number}", "wrong")
    assert "Too many failed tries" in sign_in(Client()).content.decode()


def test_behind_a_router_each_client_has_its_own_tries(olga: User, settings: Settings) -> None:
    """What a client claims itself stands in front, and is not believed."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for number in range(6):
        claimed = f"198.51.100.{number}, 203.0.113.9"
        Client().post(LOGIN, {"username": "olga", "password": "wrong"}, headers={"X-Forwarded-For": claimed})
    form = {"username": "olga", "password": PASSWORD}
    same, other = (
        Client().post(LOGIN, form, headers={"X-Forwarded-For": address})
        for address in ("192.0.2.1, 203.0.113.9", "203.0.113.10")
    )
    assert (same.status_code, other.status_code) == (200, 302)


def test_a_flood_of_requests_gets_one_sentence(olga: User) -> None:
    for _ in range(30):
        Client().post(LOGIN, {})
    answer = Client().post(LOGIN, {})
    assert answer.status_code == 429
    assert "wait a minute, then try again" in answer.content.decode()


# --- The second factor


@pytest.fixture
def secret(olga: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> str:
    """Of the app that olga has set up, through the pages."""
    browser = Client()
    sign_in(browser)
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    with django_capture_on_commit_callbacks(execute=True):
        return set_up_an_app(browser)


def test_a_password_alone_is_not_enough_any_more(secret: str) -> None:
    browser = Client()
    assert sign_in(browser)["Location"].startswith("/accounts/2fa/authenticate/")
    assert browser.get("/admin/").status_code == 302
    answer = browser.post(reverse("mfa_authenticate"), {"code": next_code_of(secret)})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert browser.get("/admin/").status_code == 200


def test_a_code_counts_once(secret: str) -> None:
    code, statuses = next_code_of(secret), []
    for _ in range(2):
        browser = Client()
        sign_in(browser)
        statuses.append(browser.post(reverse("mfa_authenticate"), {"code": code}).status_code)
    assert statuses == [302, 200]


def test_a_code_that_was_used_is_used_for_as_long_as_it_would_be_good(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, clock, statuses = next_code_of(secret), time.time, []
    for seconds_later in (0, 31, 62):
        monkeypatch.setattr(time, "time", lambda later=seconds_later: clock() + later)
        browser = Client()
        sign_in(browser)
        statuses.append(browser.post(reverse("mfa_authenticate"), {"code": f" {code} "}).status_code)
    assert statuses == [302, 200, 200]


def test_a_wrong_code_does_not_open_and_five_are_enough(secret: str) -> None:
    browser = Client()
    sign_in(browser)
    for _ in range(5):
        answer = browser.post(reverse("mfa_authenticate"), {"code": "000000"})
        assert "This code is wrong or was used already" in answer.content.decode()
    answer = browser.post(reverse("mfa_authenticate"), {"code": next_code_of(secret)})
    assert "Too many failed tries" in answer.content.decode()
    assert browser.get("/admin/").status_code == 302


def test_a_recovery_code_opens_once(secret: str, olga: User) -> None:
    row = Authenticator.objects.get(user=olga, type=Authenticator.Type.RECOVERY_CODES)
    code, statuses = RecoveryCodes(row).get_unused_codes()[0], []
    for _ in range(2):
        browser = Client()
        sign_in(browser)
        statuses.append(browser.post(reverse("mfa_authenticate"), {"code": code}).status_code)
    assert statuses == [302, 200]


def test_to_set_up_a_second_factor_the_password_is_asked_again(olga: User) -> None:
    """Who finds an open browser binds no phone of their own to it."""
    browser = browser_of(olga)
    assert browser.get(reverse("mfa_activate_totp"))["Location"].startswith("/accounts/reauthenticate/")
    assert browser.get(reverse("mfa_add_webauthn"))["Location"].startswith("/accounts/reauthenticate/")


def test_the_secrets_of_second_factors_rest_in_the_vault(
    secret: str, olga: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    """Neither the app's secret nor a recovery code stands in any row; so while it is set up."""
    codes = RecoveryCodes(Authenticator.objects.get(type="recovery_codes")).get_unused_codes()
    stored = rows()
    assert [canary for canary in (secret, *codes) if canary in stored] == []
    assert all(
        row.data[name].startswith("enc1:")
        for row in Authenticator.objects.all()
        for name in ("secret", "seed")
        if name in row.data
    )
    boris = a_person("boris")
    browser = Client()
    sign_in(browser, "boris")
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    waiting = str(browser.get(reverse("mfa_activate_totp")).context["form"].secret)
    assert len(waiting) == 32
    for session in Session.objects.all():
        assert waiting not in str(session.get_decoded())
    answer = browser.post(reverse("mfa_activate_totp"), {"code": code_of(waiting)})
    assert answer.status_code == 302
    assert Authenticator.objects.filter(user=boris, type="totp").exists()


def test_a_rotation_puts_second_factors_under_the_new_key(secret: str, settings: Settings) -> None:
    old = settings.FIELD_ENCRYPTION_KEYS
    settings.FIELD_ENCRYPTION_KEYS = [new_key(), *old]
    out = io.StringIO()
    call_command("rotate_secrets", stdout=out)
    assert out.getvalue() == "2 rotated, 0 already current, 0 unreadable.\n"
    settings.FIELD_ENCRYPTION_KEYS = settings.FIELD_ENCRYPTION_KEYS[:1]
    browser = Client()
    sign_in(browser)
    assert browser.post(reverse("mfa_authenticate"), {"code": next_code_of(secret)}).status_code == 302


def test_a_lost_key_is_said_at_the_form(secret: str, settings: Settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [new_key()]
    browser = Client()
    sign_in(browser)
    answer = browser.post(reverse("mfa_authenticate"), {"code": next_code_of(secret)})
    assert "its encryption key is not in FIELD_ENCRYPTION_KEYS" in answer.content.decode()
    with pytest.raises(CommandError, match="open with no key"):
        call_command("rotate_secrets", stdout=io.StringIO())


@pytest.mark.parametrize("page", ["mfa_index", "mfa_view_recovery_codes", "mfa_download_recovery_codes"])
def test_a_lost_key_is_said_where_second_factors_are_shown(
    secret: str, settings: Settings, page: str
) -> None:
    browser = Client()
    sign_in(browser)
    browser.post(reverse("mfa_authenticate"), {"code": next_code_of(secret)})
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert browser.get(reverse(page)).status_code == 200
    settings.FIELD_ENCRYPTION_KEYS = [new_key()]
    answer = browser.get(reverse(page))
    assert answer.status_code == 409
    assert "its encryption key is not in FIELD_ENCRYPTION_KEYS" in answer.content.decode()


def test_a_form_that_is_too_old_says_what_to_do() -> None:
    answer = Client(enforce_csrf_checks=True).post(reverse("account_login"), {"login": "olga"})
    assert answer.status_code == 403
    assert "load it again" in answer.content.decode()


def test_a_passkey_is_asked_of_the_browser_with_a_fresh_challenge() -> None:
    first, second = (
        Client()
        .get(reverse("mfa_login_webauthn"), headers={"accept": "application/json"})
        .json()["request_options"]["publicKey"]
        for _ in range(2)
    )
    assert first["challenge"] != second["challenge"]
    assert first["rpId"] == "testserver"


FORGED = [
    "", "{}", "[]", "7", "not JSON", '{"id": "x", "response": {}}',
    '{"id": "eA", "rawId": "eA", "type": "public-key", "response": {"clientDataJSON": "eA"}}',
    '{"id": "eA", "rawId": "eA", "type": "public-key", "response": {"clientDataJSON": "e30"}}',
    '''{"id": "eA", "rawId": "eA", "type": "public-key", "response":
        {"clientDataJSON": "e30", "authenticatorData": "eA", "signature": "eA", "userHandle": "MQ"}}''',
]  # fmt: skip


@pytest.mark.parametrize("path", ["mfa_add_webauthn", "mfa_reauthenticate_webauthn"])
@pytest.mark.parametrize("credential", FORGED)
def test_a_forged_passkey_is_no_second_factor(secret: str, credential: str, path: str) -> None:
    browser = Client()
    sign_in(browser)
    browser.post(reverse("mfa_authenticate"), {"code": next_code_of(secret)})
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    browser.get(reverse(path))
    assert browser.post(reverse(path), {"credential": credential}).status_code in {200, 302}
    assert not Authenticator.objects.filter(type="webauthn").exists()


@pytest.mark.parametrize("credential", FORGED)
def test_a_forged_passkey_opens_nothing(olga: User, credential: str) -> None:
    browser = Client()
    browser.get(reverse("mfa_login_webauthn"), headers={"accept": "application/json"})
    answer = browser.post(reverse("mfa_login_webauthn"), {"credential": credential})
    assert answer.status_code == 302
    assert browser.get("/admin/").status_code == 302


# --- Where it is required


@pytest.mark.parametrize(
    ("required", "person", "sent_to_setup"),
    [("OFF", "staff", False), ("STAFF", "staff", True), ("STAFF", "viewer", True), ("STAFF", "client", False),
     ("ALL", "client", True)],
)  # fmt: skip
def test_who_needs_a_second_factor_sets_it_up_before_anything_else(
    settings: Settings, required: str, person: str, sent_to_setup: bool
) -> None:
    settings.REQUIRE_MFA = required
    user = a_person(is_staff=person == "staff")
    permissions = {"viewer": [SEES_ALL], "client": ["bots.view_order"]}
    browser = browser_of(give(user, *permissions.get(person, [])))
    for path in ("/admin/", "/admin/bots/order/"):
        answer = browser.get(path)
        if sent_to_setup:
            assert answer["Location"] == reverse("mfa_index")
        else:
            assert answer.status_code in {200, 403}
    assert browser.post("/admin/bots/spreadbot/add/").status_code == (302 if sent_to_setup else 403)
    assert browser.get(reverse("mfa_index")).status_code == 200


def test_with_a_second_factor_the_desk_is_open_and_the_last_one_stays(
    settings: Settings, secret: str
) -> None:
    settings.REQUIRE_MFA = "ALL"
    browser = Client()
    sign_in(browser)
    browser.post(reverse("mfa_authenticate"), {"code": next_code_of(secret)})
    assert browser.get("/admin/").status_code == 200
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    answer = browser.post(reverse("mfa_deactivate_totp"))
    assert "add another one first" in answer.content.decode()
    assert Authenticator.objects.filter(type="totp").exists()


# --- On record


def test_signing_in_and_out_is_on_record(olga: User) -> None:
    browser = Client()
    sign_in(browser)
    browser.post("/admin/logout/")
    assert actions() == [("olga", "user.signed_in", "olga"), ("olga", "user.signed_out", "olga")]
    assert AuditEntry.objects.earliest("pk").after == {"by": "password", "address": "127.0.0.1"}


def test_a_failed_try_is_on_record_without_what_was_typed(olga: User) -> None:
    sign_in(Client(), password="canary-password-1")
    sign_in(Client(), name="canary-password-2", password="x")
    assert actions() == [
        ("", "user.sign_in_failed", "olga"),
        ("", "user.sign_in_failed", "a name that is nobody's"),
    ]
    assert "canary" not in str(list(AuditEntry.objects.values()))


def test_second_factors_are_on_record(secret: str, olga: User) -> None:
    browser = Client()
    sign_in(browser)
    browser.post(reverse("mfa_authenticate"), {"code": "000000"})
    browser.post(reverse("mfa_authenticate"), {"code": next_code_of(secret)})
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    browser.post(reverse("mfa_deactivate_totp"))
    assert [(action, actor) for actor, action, _ in actions()] == [
        ("user.signed_in", "olga"),
        ("user.second_factor_added", "olga"),
        ("user.second_factor_added", "olga"),
        ("user.second_factor_failed", ""),
        ("user.signed_in", "olga"),
        ("user.second_factor_removed", "olga"),
        ("user.second_factor_removed", "olga"),
    ]
    assert AuditEntry.objects.filter(action="user.signed_in")[0].after["by"] == "password and totp"


def test_a_changed_password_is_on_record_and_opens(olga: User) -> None:
    browser = Client()
    sign_in(browser)
    new = "another-canary-88"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert browser.post(reverse("account_change_password"), form).status_code == 302
    assert ("olga", "user.password_changed", "olga") in actions()
    assert "canary" not in str(list(AuditEntry.objects.values()))
    assert sign_in(Client(), password=new).status_code == 302


# --- Locked out


def test_an_admin_removes_the_second_factors_of_who_lost_the_phone(secret: str, olga: User) -> None:
    boss = User.objects.create_superuser("boss")
    form = {"action": "remove_second_factors", "_selected_action": [str(olga.pk)]}
    browser_of(boss).post(reverse("admin:auth_user_changelist"), form)
    assert not Authenticator.objects.filter(user=olga).exists()
    assert ("boss", "user.second_factors_removed", "olga") in actions()
    assert sign_in(Client())["Location"] == "/admin/"


def test_only_a_superuser_removes_those_of_a_superuser(secret: str, olga: User) -> None:
    User.objects.filter(pk=olga.pk).update(is_superuser=True)
    clerk = give(User.objects.create_user("clerk"), "auth.view_user", "auth.change_user")
    form = {"action": "remove_second_factors", "_selected_action": [str(olga.pk)]}
    browser_of(clerk).post(reverse("admin:auth_user_changelist"), form)
    assert Authenticator.objects.filter(user=olga).count() == 2


def test_the_command_lets_the_only_admin_in_again(secret: str, olga: User) -> None:
    out = io.StringIO()
    call_command("remove_second_factors", "olga", stdout=out)
    assert out.getvalue() == "Removed: Recovery codes, TOTP Authenticator.\n"
    assert remove_second_factors(user=olga, actor=None) == []
    with pytest.raises(CommandError, match="There is no user 'nobody'"):
        call_command("remove_second_factors", "nobody")
