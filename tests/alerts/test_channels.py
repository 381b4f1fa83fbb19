"""Channels and rules in the admin: entered, tried, switched off, put away, and seen by their owner only."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from alerts import services
from alerts.models import AlertChannel, AlertMessage, AlertRule
from alerts.services import Address
from audit.models import AuditEntry
from exchanges.models import ExchangeConnection
from tests.alerts.conftest import make_channel
from tests.alerts.receiver import Receiver
from tests.desk.pages import form_of
from vault.secret import Secret

pytestmark = pytest.mark.django_db
ADD = "admin:alerts_alertchannel_add"
CHANGE = "admin:alerts_alertchannel_change"
FORM = "alertchannel_form"


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss")


@pytest.fixture
def client(boss: User) -> Client:
    return browser_of(boss)


def browser_of(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def may_manage_alerts(user: User) -> Client:
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="alerts"))
    return browser_of(user)


def added(client: Client, **typed: str) -> Any:
    url = reverse(ADD)
    return client.post(url, form_of(client, url, FORM) | {"name": "Night shift"} | typed)


def acted(client: Client, row: Any, act: str) -> list[str]:
    """What the page says afterwards."""
    address = f"admin:alerts_{row._meta.model_name}_act"
    answer = client.post(reverse(address, args=[row.pk, act]), follow=True)
    return [str(message) for message in answer.context["messages"]]


def test_a_channel_is_entered_and_its_address_never_shown_again(client: Client, receiver: Receiver) -> None:
    assert added(client, url=receiver.url).status_code == 302
    channel = AlertChannel.objects.get()
    assert (channel.service, channel.url.reveal()) == ("JSON", receiver.url)
    page = client.get(reverse(CHANGE, args=[channel.pk])).content.decode()
    assert "JSON is set" in page
    assert "canary-token-4711" not in page
    assert receiver.taken == []


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "Enter the address"),
        ("json://127.0.0.1/canary-token-4711", "private, loopback or metadata"),
        ("json://169.254.169.254/canary-token-4711", "private, loopback or metadata"),
        ("https://example.com/canary-token-4711", "Apprise knows no such address"),
        ("syslog://canary-token-4711", "machine"),
    ],
)
def test_an_address_that_is_refused_is_said_at_the_field_and_not_repeated(
    client: Client, url: str, sentence: str
) -> None:
    answer = added(client, url=url)
    assert sentence in str(answer.context["adminform"].form.errors["url"])
    assert "canary-token-4711" not in answer.content.decode()
    assert not AlertChannel.objects.exists()


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"report_hour": "24"}, "report_hour"),
        ({"name": ""}, "name"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    client: Client, receiver: Receiver, typed: dict[str, str], field: str
) -> None:
    answer = added(client, url=receiver.url, **typed)
    assert list(answer.context["adminform"].form.errors) == [field]


def test_an_empty_address_keeps_the_stored_one(client: Client, channel: AlertChannel) -> None:
    url = reverse(CHANGE, args=[channel.pk])
    before = channel.url.reveal()
    assert client.post(url, form_of(client, url, FORM) | {"name": "Day shift"}).status_code == 302
    channel.refresh_from_db()
    assert (channel.name, channel.url.reveal()) == ("Day shift", before)
    entry = AuditEntry.objects.get()
    assert (entry.before, entry.after) == ({"name": "Night shift"}, {"name": "Day shift"})


def test_a_new_address_is_on_record_without_itself(
    client: Client, channel: AlertChannel, receiver: Receiver
) -> None:
    url = reverse(CHANGE, args=[channel.pk])
    client.post(url, form_of(client, url, FORM) | {"url": f"{receiver.url}-new"})
    channel.refresh_from_db()
    assert channel.url.reveal().endswith("-new")
    assert AuditEntry.objects.get().after == {"url": "changed", "service": "JSON"}


def test_a_test_sends_a_message_and_says_what_came_of_it(
    client: Client, channel: AlertChannel, receiver: Receiver
) -> None:
    assert acted(client, channel, "test") == ["“Night shift” works: JSON took it."]
    assert receiver.titles == ["Botdesk: a test"]
    receiver.answers = [403]
    (said,) = acted(client, channel, "test")
    assert said.startswith("“Night shift”: JSON answered with status 403. It does not take the password")
    assert [entry.after["outcome"] for entry in AuditEntry.objects.order_by("pk")] == ["sent", "failed"]


def test_what_waits_is_dropped_when_its_channel_is_disabled(client: Client, channel: AlertChannel) -> None:
    now = timezone.now()
    AlertMessage.objects.create(channel=channel, key="k", title="Old news", created_at=now, not_before=now)
    acted(client, channel, "disable")
    assert AlertMessage.objects.get().state == "dropped"
    channel.refresh_from_db()
    assert not channel.enabled
    acted(client, channel, "enable")
    channel.refresh_from_db()
    assert channel.enabled


def test_what_is_archived_stays_on_record_and_is_not_changed(client: Client, channel: AlertChannel) -> None:
    acted(client, channel, "archive")
    channel.refresh_from_db()
    assert channel.archived_at is not None
    assert acted(client, channel, "enable") == ["“Night shift” is archived."]
    assert client.post(reverse("admin:alerts_alertchannel_delete", args=[channel.pk])).status_code == 403


def test_a_client_sees_their_own_channels_rules_and_messages_only(
    ada: User, bob: User, channel: AlertChannel
) -> None:
    now = timezone.now()
    rule = AlertRule.objects.create(name="Ada's rule", channel=channel)
    message = AlertMessage.objects.create(
        channel=channel, rule=rule, key="k", title="Ada's message", created_at=now, not_before=now
    )
    hers, his = may_manage_alerts(ada), may_manage_alerts(bob)
    for row in (channel, rule, message):
        model = row._meta.model_name
        list_of = reverse(f"admin:alerts_{model}_changelist")
        page = reverse(f"admin:alerts_{model}_change", args=[row.pk])
        assert str(row) in hers.get(list_of).content.decode().replace("&#x27;", "'")
        assert str(row) not in his.get(list_of).content.decode().replace("&#x27;", "'")
        assert (hers.get(page).status_code, his.get(page).status_code) == (200, 404)
    assert his.post(reverse("admin:alerts_alertchannel_act", args=[channel.pk, "test"])).status_code == 404


def test_a_client_makes_rules_of_what_is_theirs_only(
    ada: User, bob: User, channel: AlertChannel, connection: ExchangeConnection
) -> None:
    his = may_manage_alerts(bob)
    own = make_channel(bob, "json://203.0.113.9", name="Bob's")
    url = reverse("admin:alerts_alertrule_add")
    typed = form_of(his, url, "alertrule_form") | {"name": "Mine", "channel": str(own.pk)}
    for foreign in ({"channel": channel.pk}, {"connection": connection.pk}, {"owner_scope": ada.pk}):
        assert list(his.post(url, typed | foreign).context["adminform"].form.errors) == list(foreign)
    assert his.post(url, typed).status_code == 302
    assert AlertRule.objects.get().channel == own


def test_a_client_gives_no_channel_to_another(bob: User, ada: User, receiver: Receiver) -> None:
    answer = added(may_manage_alerts(bob), url=receiver.url, owner=str(ada.pk))
    assert list(answer.context["adminform"].form.errors) == ["owner"]


def test_who_may_only_look_is_shown_no_form_for_an_address(ada: User, channel: AlertChannel) -> None:
    ada.user_permissions.set(Permission.objects.filter(codename="view_alertchannel"))
    page = browser_of(ada).get(reverse(CHANGE, args=[channel.pk]))
    assert page.status_code == 200
    assert 'name="url"' not in page.content.decode()


def test_a_rule_is_entered_and_changed(
    client: Client, channel: AlertChannel, connection: ExchangeConnection
) -> None:
    url = reverse("admin:alerts_alertrule_add")
    typed = {
        "name": "Nights", "channel": str(channel.pk), "kinds": "breaker_open, stopped",
        "connection": str(connection.pk), "quiet_from": "22:00", "quiet_until": "07:00",
    }  # fmt: skip
    assert client.post(url, form_of(client, url, "alertrule_form") | typed).status_code == 302
    rule = AlertRule.objects.get()
    assert (rule.kinds, rule.connection_id) == (["breaker_open", "stopped"], connection.pk)
    assert rule.quiet_hours is not None
    page = reverse("admin:alerts_alertrule_change", args=[rule.pk])
    shown = form_of(client, page, "alertrule_form")
    assert (shown["kinds"], shown["connection"]) == ("breaker_open, stopped", str(connection.pk))
    assert client.post(page, shown | {"connection": "", "kinds": ""}).status_code == 302
    rule.refresh_from_db()
    assert (rule.kinds, rule.connection_id) == ([], None)


@pytest.mark.parametrize("until", ["", "22:00"])
def test_quiet_hours_have_a_start_and_another_end(client: Client, channel: AlertChannel, until: str) -> None:
    url = reverse("admin:alerts_alertrule_add")
    typed = {"name": "Nights", "channel": str(channel.pk), "quiet_from": "22:00", "quiet_until": until}
    answer = client.post(url, form_of(client, url, "alertrule_form") | typed)
    assert list(answer.context["adminform"].form.errors) == ["quiet_until"]


def test_a_name_is_an_owners_once(ada: User, channel: AlertChannel) -> None:
    address = Address(url=Secret("json://203.0.113.9"), service="JSON")
    with pytest.raises(ValidationError, match="You have a channel of this name already"):
        services.create_channel(actor=ada, address=address, owner=ada, name="night SHIFT")


def test_the_first_report_is_the_next_one_that_is_due(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 7, 1, 7, 30, tzinfo=UTC)  # 9:30 in Berlin
    monkeypatch.setattr(timezone, "now", lambda: now)
    address = Address(url=Secret("json://203.0.113.9"), service="JSON")
    for hour, reported in ((9, now.date()), (10, None)):
        channel = services.create_channel(
            actor=ada, address=address, owner=ada, name=f"At {hour}", report_hour=hour,
            time_zone="Europe/Berlin",
        )  # fmt: skip
        assert channel.last_report_on == reported


def test_a_rule_says_its_quiet_hours_in_the_channels_time_zone(channel: AlertChannel) -> None:
    channel.time_zone = "Asia/Tokyo"
    rule = AlertRule(name="r", channel=channel, quiet_from=time(22), quiet_until=time(7))
    evening_in_tokyo = datetime(2026, 7, 1, 14, tzinfo=UTC)
    assert rule.quiet_hours is not None
    assert rule.quiet_hours.until(evening_in_tokyo) - evening_in_tokyo == timedelta(hours=8)


def test_the_first_page_hints_at_channels_until_there_is_one(client: Client, boss: User) -> None:
    hint = "Nobody tells you"
    assert hint in client.get(reverse("admin:index")).content.decode()
    make_channel(boss, "json://203.0.113.9")
    assert hint not in client.get(reverse("admin:index")).content.decode()
