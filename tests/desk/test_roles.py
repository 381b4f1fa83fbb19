"""What each role may do: every act, list and form of the admin, tried by a member of each role."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.urls import reverse

from audit.models import AuditEntry
from bots.models import Bot, BotState, SpreadBot
from console import roles
from console.roles import ADMIN, CLIENT, OPERATOR, VIEWER
from exchanges.admin.acting import ActingAdmin
from tests.desk.pages import form_of
from tests.desk.two_clients import a_desk_of, browser_of

pytestmark = pytest.mark.django_db
ROLES = [CLIENT, VIEWER, OPERATOR, ADMIN]
ACTS = [
    (model, act)
    for model, page in admin.site._registry.items()
    if isinstance(page, ActingAdmin)
    for act in page.acts
]
MAY_NOT = {(OPERATOR, "exchangeconnection", "archive")}
# Lists beside those of owned rows: who may look at them.
LISTS = {
    "bots_killswitch": {VIEWER, OPERATOR, ADMIN},
    "audit_auditentry": {VIEWER, OPERATOR, ADMIN},
    "auth_user": {ADMIN},
    "auth_group": {ADMIN},
    "django_q_failure": {ADMIN},
    "rest_apitoken": {ADMIN},
}


def member_of(role: str) -> User:
    user = User.objects.create_user(f"the {role}")
    user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss")


def test_every_model_of_ours_is_placed() -> None:
    """A new one is in one of the sets of console.roles, or nobody but an admin would ever see it."""
    ours = {
        model._meta.label_lower
        for model in apps.get_models(include_auto_created=True)
        if Path(model._meta.app_config.path).is_relative_to(Path(settings.BASE_DIR))
        and "site-packages" not in model._meta.app_config.path
    }
    placed = [roles.OWNED, roles.OF_THE_DESK, roles.INTERNAL]
    assert len(ours) > 20
    assert ours == set().union(*placed)
    assert sum(map(len, placed)) == len(ours)


def test_every_permission_of_our_own_is_placed() -> None:
    special = {
        f"{model._meta.app_label}.{codename}"
        for model in apps.get_models()
        if Path(model._meta.app_config.path).is_relative_to(Path(settings.BASE_DIR))
        for codename, _ in model._meta.permissions
    }
    assert special == special & {roles.SEES_ALL, *roles.OPERATES, *roles.ADMINISTERS}


def test_each_permission_of_a_role_exists() -> None:
    known = {
        f"{p.content_type.app_label}.{p.codename}" for p in Permission.objects.select_related("content_type")
    }
    for role, permissions in roles.PERMISSIONS.items():
        assert permissions <= known, role
        assert Group.objects.get(name=role).permissions.count() == len(permissions)
    assert known >= roles.ADMINISTERS
    assert Group.objects.get(name=ADMIN).permissions.count() == len(known)


def test_migrate_sets_a_role_right_that_was_changed_and_leaves_other_groups_alone() -> None:
    Group.objects.get(name=VIEWER).permissions.add(Permission.objects.get(codename="operate_bot"))
    own = Group.objects.create(name="Traders")
    own.permissions.set(Permission.objects.filter(codename="operate_bot"))
    call_command("migrate", verbosity=0)
    assert not Group.objects.get(name=VIEWER).permissions.filter(codename="operate_bot").exists()
    assert own.permissions.count() == 1


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("model", "act"), ACTS, ids=lambda it: getattr(it, "__name__", getattr(it, "name", ""))
)
def test_each_role_and_each_act(boss: User, role: str, model: type, act: object) -> None:
    """On a row of another owner: a client does not even find it."""
    a_desk_of(boss)
    if act.name in {"pause", "stop"}:  # type: ignore[attr-defined]
        Bot.objects.update(state=BotState.RUNNING)
    name = model._meta.model_name  # type: ignore[attr-defined]
    row = model._default_manager.get()  # type: ignore[attr-defined]
    url = reverse(f"admin:{model._meta.app_label}_{name}_act", args=[row.pk, act.name])  # type: ignore[attr-defined]
    known = AuditEntry.objects.count()
    status = browser_of(member_of(role)).post(url).status_code
    may = role in {OPERATOR, ADMIN} and (role, name, act.name) not in MAY_NOT  # type: ignore[attr-defined]
    assert status == (302 if may else 404 if role == CLIENT else 403)
    if not may:
        assert AuditEntry.objects.count() == known


@pytest.mark.parametrize("role", ROLES)
def test_each_role_and_each_list(boss: User, role: str) -> None:
    a_desk_of(boss)
    browser = browser_of(member_of(role))
    for model in admin.site._registry:
        view = f"{model._meta.app_label}_{model._meta.model_name}"
        expected = 200 if role in LISTS.get(view, set(ROLES)) else 403
        assert browser.get(reverse(f"admin:{view}_changelist")).status_code == expected, view


@pytest.mark.parametrize("role", ROLES)
def test_each_role_and_each_form(boss: User, role: str) -> None:
    """Adding and changing: bots and connections by operators, people by admins, records by nobody."""
    bot = a_desk_of(boss)
    browser = browser_of(member_of(role))
    acts = role in {OPERATOR, ADMIN}
    for view in ("bots_spreadbot", "bots_scalperbot", "exchanges_exchangeconnection"):
        assert browser.get(reverse(f"admin:{view}_add")).status_code == (200 if acts else 403)
    assert browser.get(reverse("admin:auth_user_add")).status_code == (200 if role == ADMIN else 403)
    assert browser.get(reverse("admin:bots_order_add")).status_code == 403
    url = reverse("admin:bots_spreadbot_change", args=[bot.pk])
    answer = browser.post(url, {"name": "Renamed"})
    assert answer.status_code == (200 if acts else 403)


def test_a_client_changes_and_adds_nothing_of_their_own(boss: User) -> None:
    client = member_of(CLIENT)
    bot = a_desk_of(client)
    browser = browser_of(client)
    url = reverse("admin:bots_spreadbot_change", args=[bot.pk])
    assert browser.get(url).status_code == 200
    assert browser.post(url, {"name": "Renamed"}).status_code == 403
    assert browser.post(reverse("admin:bots_spreadbot_act", args=[bot.pk, "start"])).status_code == 403
    assert SpreadBot.objects.get(pk=bot.pk).name == bot.name


def test_a_role_opens_the_admin_without_another_tick_and_none_keeps_it_shut() -> None:
    assert browser_of(member_of(CLIENT)).get("/admin/").status_code == 200
    assert browser_of(User.objects.create_user("nobody")).get("/admin/").status_code == 302
    former = member_of(VIEWER)
    former.is_active = False
    former.save()
    assert browser_of(former).get("/admin/").status_code == 302


def test_an_admin_makes_no_superuser_and_changes_none(boss: User) -> None:
    browser = browser_of(member_of(ADMIN))
    olga = User.objects.create_user("olga")
    url = reverse("admin:auth_user_change", args=[olga.pk])
    browser.post(url, form_of(browser, url, "user_form") | {"is_superuser": "on", "is_staff": "on"})
    olga.refresh_from_db()
    assert (olga.is_staff, olga.is_superuser) == (True, False)
    for page in ("change", "delete", "password_change"):
        url = reverse(f"admin:auth_user_{page}", args=[boss.pk])
        assert (
            browser.post(url, {"password1": "taken-over-77", "password2": "taken-over-77"}).status_code == 403
        )
    boss.refresh_from_db()
    assert not boss.check_password("taken-over-77")


def test_a_role_that_is_given_is_on_record(boss: User) -> None:
    olga = User.objects.create_user("olga")
    browser, group = browser_of(boss), Group.objects.get(name=OPERATOR)
    url = reverse("admin:auth_user_change", args=[olga.pk])
    browser.post(url, form_of(browser, url, "user_form") | {"groups": [str(group.pk)]})
    entry = AuditEntry.objects.get(action="user.rights_changed")
    assert (entry.actor, entry.target_name, entry.before, entry.after) == (
        boss, "olga", {"roles": []}, {"roles": ["Operator"]},
    )  # fmt: skip
