"""A connection is tested outside of any transaction: a venue that hangs must hold no lock."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.urls import reverse

from audit.models import AuditEntry
from exchanges import services
from exchanges.checkup.examination import Findings
from exchanges.checkup.report import Outcome, Step
from exchanges.gateway import ConnectionSpec
from exchanges.models import ExchangeConnection


@pytest.mark.django_db(transaction=True)
def test_the_venue_is_asked_outside_of_any_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    boss = User.objects.create_superuser("boss")
    connection = ExchangeConnection.objects.create(name="Main", venue="binance", owner=boss)
    database, seen = connections["default"], []

    def examine(spec: ConnectionSpec) -> Findings:
        seen.append(database.in_atomic_block)
        return Findings(steps=(Step(name="Time", outcome=Outcome.PASSED, sentence="It answers."),))

    monkeypatch.setattr(services, "examine_connection", examine)
    browser = Client()
    browser.force_login(boss)

    browser.post(reverse("admin:exchanges_exchangeconnection_act", args=[connection.pk, "test"]))

    assert seen == [False]
    assert AuditEntry.objects.get(action="connection.tested").actor == boss
