from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from audit.models import AppendOnlyError, AuditEntry
from audit.services import record

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss")


@pytest.fixture
def entry(boss: User) -> AuditEntry:
    return record(actor=boss, action="bot.updated", target=boss, before={"levels": 1}, after={"levels": 3})


@pytest.fixture
def client(boss: User) -> Client:
    browser = Client()
    browser.force_login(boss)
    return browser


def test_an_entry_names_its_target_as_it_was_then(entry: AuditEntry, boss: User) -> None:
    boss.username = "renamed"
    boss.save()
    assert AuditEntry.objects.get().target_name == "boss"


def test_an_entry_is_never_changed(entry: AuditEntry) -> None:
    entry.action = "something.else"
    with pytest.raises(AppendOnlyError):
        entry.save()
    with pytest.raises(AppendOnlyError):
        AuditEntry.objects.update(action="something.else")


def test_an_entry_is_never_deleted(entry: AuditEntry) -> None:
    with pytest.raises(AppendOnlyError):
        entry.delete()
    with pytest.raises(AppendOnlyError):
        AuditEntry.objects.all().delete()


def test_the_list_says_who_changed_what_from_what_to_what(client: Client, entry: AuditEntry) -> None:
    page = client.get("/admin/audit/auditentry/").content.decode()
    for shown in ("boss", "bot.updated", "levels: 1 → 3"):
        assert shown in page


def test_what_nobody_in_particular_did_is_the_desks(client: Client, boss: User) -> None:
    record(actor=None, action="bot.stopped", target=boss)
    assert "the desk" in client.get("/admin/audit/auditentry/").content.decode()


def test_not_even_a_superuser_writes_in_it(client: Client, entry: AuditEntry) -> None:
    change, delete = (f"/admin/audit/auditentry/{entry.pk}/{verb}/" for verb in ("change", "delete"))
    assert client.get(change).status_code == 200
    assert client.post(change, {"action": "x"}).status_code == 403
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert client.get("/admin/audit/auditentry/add/").status_code == 403
