"""No page, command, refusal or pickle shows a secret."""

from __future__ import annotations

import io
import pickle

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from audit.models import AuditEntry
from bots.models import SpreadBot
from exchanges import services
from exchanges.models import ExchangeConnection
from exchanges.selectors import connection_spec
from tests.canaries import (
    API_KEY,
    PASSWORD,
    USERNAME,
    forms,
    leaks,
)
from tests.canaries.planted import SECRETS, rows, story
from tests.desk.pages import form_of

CHANGE = "admin:exchanges_exchangeconnection_change"
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("secret", [PASSWORD, API_KEY])
def test_the_search_finds_a_planted_canary_in_each_form(secret: str) -> None:
    assert all(leaks(f"before {form} after") for form in forms(secret))
    assert leaks("nothing") == []


def test_no_page_shows_a_secret(client: Client, connection: ExchangeConnection, bot: SpreadBot) -> None:
    change = reverse(CHANGE, args=[connection.pk])
    for address in (
        "/admin/", reverse("admin:exchanges_exchangeconnection_changelist"), change,
        reverse("admin:exchanges_exchangeconnection_history", args=[connection.pk]),
        reverse("admin:bots_spreadbot_change", args=[bot.pk]), reverse("admin:audit_auditentry_changelist"),
        reverse("admin:audit_auditentry_change", args=[AuditEntry.objects.earliest("pk").pk]),
    ):  # fmt: skip
        answer = client.get(address, follow=True)
        assert answer.status_code == 200, address
        assert leaks(answer.content.decode()) == [], address


@pytest.mark.parametrize(
    "wrong",
    [
        {"venue": "nowhere"},
        {"name": ""},
        {"proxy_url": "no address"},
        {"proxy_url": f"http://{USERNAME}:{PASSWORD}@proxy.example:3128"},
        {"proxy_username": "with:colon", "proxy_url": "http://proxy.example"},
    ],
    ids="-".join,
)
def test_a_form_that_is_refused_does_not_repeat_what_was_typed(client: Client, wrong: dict[str, str]) -> None:
    address = reverse("admin:exchanges_exchangeconnection_add")
    typed = {"name": "New", "venue": "binance", "mode": "live"}
    typed |= {name: secret.reveal() for name, secret in SECRETS.items()}
    answer = client.post(address, form_of(client, address, "exchangeconnection_form") | typed | wrong)
    assert answer.status_code == 200
    assert leaks(answer.content.decode()) == []
    assert not ExchangeConnection.objects.exists()


def test_no_command_prints_a_secret(connection: ExchangeConnection) -> None:
    out = io.StringIO()
    call_command("dumpdata", stdout=out, stderr=out)
    call_command("check", stdout=out, stderr=out)
    call_command("rotate_secrets", stdout=out, stderr=out)
    assert "Main" in out.getvalue()
    assert leaks(out.getvalue() + rows()) == []


def test_what_the_services_refuse_is_told_without_secrets(boss: User) -> None:
    with pytest.raises(ValidationError) as refused:
        services.create_connection(
            actor=boss, owner=boss, name="", venue="binance", mode="live", secrets=SECRETS,
            proxy_url=f"http://{USERNAME}:{PASSWORD}@proxy.example:3128",
        )  # fmt: skip
    assert leaks(story(refused.value)) == []


def test_nothing_that_holds_a_secret_shows_it_or_is_pickled(connection: ExchangeConnection) -> None:
    spec = connection_spec(connection)
    shown = [
        repr(each) for each in (connection, vars(connection), spec, spec.credentials, spec.proxy, SECRETS)
    ]
    assert leaks("\n".join(shown)) == []
    for holder in (connection, spec):
        with pytest.raises(TypeError, match="never pickled"):
            pickle.dumps(holder)
