"""A channel's address comes out nowhere, whatever becomes of it and of its messages."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from alerts import courier
from alerts.delivery import send_due
from alerts.models import AlertChannel, AlertMessage
from audit.models import AuditEntry
from tests.alerts.receiver import Receiver, receiving
from tests.canaries import HOOK, leaks
from tests.canaries.planted import rows
from tests.desk.pages import form_of

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
ADD = "admin:alerts_alertchannel_add"


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.ALERTS_ALLOW_PRIVATE = True
    with receiving() as it:
        yield it


def entered(client: Client, url: str) -> str:
    """The page that answers."""
    typed = form_of(client, reverse(ADD), "alertchannel_form") | {"name": "Night shift", "url": url}
    return client.post(reverse(ADD), typed, follow=True).content.decode()


def hook(receiver: Receiver) -> str:
    return f"json://user:{HOOK}@127.0.0.1:{receiver.port}/{HOOK}?+X-Token={HOOK}&rto=60"


@pytest.mark.parametrize("fate", ["taken", "refused", "redirected", "hanging", "gone"])
def test_whatever_a_receiver_does_no_address_comes_out(
    client: Client,
    receiver: Receiver,
    logs: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
    fate: str,
) -> None:
    monkeypatch.setattr(courier, "SEND_SECONDS", 4)
    told = entered(client, hook(receiver))
    channel = AlertChannel.objects.get()
    receiver.hangs = fate == "hanging"
    receiver.answers = {"refused": [401, 401], "redirected": [302, 302]}.get(fate, [])
    receiver.location = f"http://127.0.0.1:9/{HOOK}" if fate == "redirected" else ""
    if fate == "gone":
        channel.url = f"json://127.0.0.1:9/{HOOK}"
        channel.save()
    now = timezone.now()
    AlertMessage.objects.create(channel=channel, key="k", title="T", created_at=now, not_before=now)
    act = reverse("admin:alerts_alertchannel_act", args=[channel.pk, "test"])
    told += client.post(act, follow=True).content.decode()
    assert send_due(seconds=60) == 1
    for name, row in (("alertchannel", channel), ("alertmessage", AlertMessage.objects.get())):
        for page in (f"{name}_changelist", f"{name}_change"):
            args = [row.pk] if page.endswith("_change") else []
            told += client.get(reverse(f"admin:alerts_{page}", args=args)).content.decode()
    told += client.get(reverse("admin:audit_auditentry_changelist")).content.decode()
    assert AuditEntry.objects.filter(action="alert_channel.tested").exists()
    assert AlertMessage.objects.get().state == ("sent" if fate == "taken" else "waiting")
    assert leaks(told + logs.getvalue() + rows()) == []


@pytest.mark.parametrize(
    "url",
    [
        f"https://desk.example/{HOOK}", f"json://10.0.0.1/{HOOK}", f"nothing://{HOOK}", HOOK,
        f"slack://{HOOK}", f"tgram://{HOOK}/1", f"syslog://{HOOK}", f"mailto://user:{HOOK}@[::1]",
    ],
)  # fmt: skip
def test_an_address_that_is_refused_is_not_repeated(client: Client, logs: io.StringIO, url: str) -> None:
    told = entered(client, url)
    assert not AlertChannel.objects.exists()
    assert leaks(told + logs.getvalue() + rows()) == []
