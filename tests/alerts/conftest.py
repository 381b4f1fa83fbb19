from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from alerts.models import AlertChannel
from exchanges.models import ExchangeConnection
from tests.alerts.receiver import Receiver, receiving
from vault.secret import Secret


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.ALERTS_ALLOW_PRIVATE = True
    with receiving() as it:
        yield it


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", is_staff=True)


@pytest.fixture
def bob() -> User:
    return User.objects.create_user("bob", is_staff=True)


@pytest.fixture
def connection(ada: User) -> ExchangeConnection:
    return ExchangeConnection.objects.create(name="Main", venue="demo", owner=ada)


@pytest.fixture
def channel(ada: User, receiver: Receiver) -> AlertChannel:
    return make_channel(ada, receiver.url)


def make_channel(owner: User, url: str, *, name: str = "Night shift") -> AlertChannel:
    channel = AlertChannel(name=name, owner=owner, service="JSON")
    channel.url = Secret(url)
    channel.save()
    return channel
