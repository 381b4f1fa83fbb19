"""A connection is tested outside of any transaction: a venue that hangs must hold no lock."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.urls import reverse

from audit.models import AuditEntry
from exchanges import services
from exchanges.checkup import Checkup, Step
from exchanges.models import ExchangeConnection


@pytest.mark.django_db(transaction=True)
def test_the_venue_is_asked_outside_of_any_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    boss = User.objects.create_superuser("boss")
    connection = ExchangeConnection.objects.create(name="Main", venue="binance", owner=boss)
    database, seen = connections["default"], []

    async def examine(*args: Any, **kwargs: Any) -> Checkup:
        seen.append(database.in_atomic_block)
        return Checkup(steps=(Step(name="Time", ok=True, sentence="It answers.", seconds=0.1),))

    monkeypatch.setattr(services, "examine", examine)
    browser = Client()
    browser.force_login(boss)

    browser.post(reverse("admin:exchanges_exchangeconnection_act", args=[connection.pk, "test"]))

    assert seen == [False]
    assert AuditEntry.objects.get(action="connection.tested").actor == boss
