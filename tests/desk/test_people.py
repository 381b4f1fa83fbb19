"""Users, groups and tasks in the admin: what is done to people is on record, and no page runs a task."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ, Schedule, Success
from pytest_django import DjangoAssertNumQueries

from audit.models import AuditEntry
from tests.desk.pages import form_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss")


@pytest.fixture
def client(boss: User) -> Client:
    browser = Client()
    browser.force_login(boss)
    return browser


def entries() -> list[tuple[str, str, str, dict[str, object]]]:
    rows = AuditEntry.objects.order_by("pk")
    return [(str(row.actor), row.action, row.target_name, row.after) for row in rows]


def test_a_new_right_is_on_record(client: Client) -> None:
    olga = User.objects.create_user("olga")
    url = reverse("admin:auth_user_change", args=[olga.pk])
    answer = client.post(url, form_of(client, url, "user_form") | {"is_staff": "on"})
    assert answer.status_code == 302
    assert entries() == [("boss", "user.updated", "olga", {"fields": ["Staff status"]})]


def test_the_list_tells_each_ones_roles_and_second_factors(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for name in ("olga", "otto", "oscar"):
        user = User.objects.create_user(name)
        user.groups.set(Group.objects.filter(name__in=["Viewer", "Operator"]))
        for kind in (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES):
            Authenticator.objects.create(user=user, type=kind, data={"secret": "canary"})
    with django_assert_max_num_queries(16):
        page = client.get(reverse("admin:auth_user_changelist")).content.decode()
    assert page.count("Operator, Viewer") == 3
    assert page.count("Recovery codes, TOTP Authenticator") == 3
    assert "canary" not in page


def test_a_changed_password_is_on_record_and_not_shown(client: Client) -> None:
    olga = User.objects.create_user("olga")
    url = reverse("admin:auth_user_password_change", args=[olga.pk])
    password = "canary-of-a-person-77"
    answer = client.post(url, {"usable_password": "true", "password1": password, "password2": password})
    assert answer.status_code == 302
    ((actor, action, target, after),) = entries()
    assert (actor, action, target) == ("boss", "user.updated", "olga")
    assert "canary" not in str(after)


def test_a_group_that_is_made_and_deleted_is_on_record(client: Client) -> None:
    permission = Permission.objects.get(codename="operate_bot")
    client.post(reverse("admin:auth_group_add"), {"name": "Traders", "permissions": [permission.pk]})
    group = Group.objects.get(name="Traders")
    client.post(reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"})
    assert [(action, target) for _, action, target, _ in entries()] == [
        ("group.created", "Traders"),
        ("group.deleted", "Traders"),
    ]


@pytest.mark.parametrize("model", [Schedule, Success, OrmQ])
def test_no_page_adds_or_repeats_a_task(model: type) -> None:
    assert not admin.site.is_registered(model)


def test_failed_tasks_are_only_read(client: Client) -> None:
    assert client.get(reverse("admin:django_q_failure_changelist")).status_code == 200
    assert client.get(reverse("admin:django_q_failure_add")).status_code == 403
