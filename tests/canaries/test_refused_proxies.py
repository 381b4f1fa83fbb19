"""A proxy that refuses the login, of each kind: told in the page, the command and the event, within one
attempt, without a secret, and with no request to the venue around the proxy."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client, override_settings
from django.urls import reverse

from bots.engine.runtime import Runtime
from bots.models import BotEvent, SpreadBot
from exchanges import services
from exchanges.models import ExchangeConnection
from exchanges.proxy_address import split_login
from exchanges.venues import wire as wire_module
from tests.canaries import API_KEY, API_SECRET, PASSWORD, USERNAME, WRONG_PASSWORD, leaks
from tests.canaries.planted import SECRETS, change_secret, rows
from tests.lab.background import BackgroundLab, background_lab
from tests.lab.connect_proxy import KINDS

REFUSED = "The proxy refused the user name or password (407)"
WATCHED_SECONDS = 3.0

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]


@pytest.fixture(params=KINDS)
def lab(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[BackgroundLab]:
    with background_lab(username=USERNAME, password=PASSWORD, kind=request.param) as background:
        monkeypatch.setattr(wire_module, "build_connector", background.lab.connector)
        background.call(lambda: background.lab.open_account("desk", key=API_KEY, secret=API_SECRET))
        yield background


@pytest.fixture
def connection(boss: User, lab: BackgroundLab) -> ExchangeConnection:
    """Its proxy's password is out of date."""
    made = services.create_connection(
        actor=boss, owner=boss, name="Main", venue="binance", mode="live", proxy_url=lab.proxy.url,
        proxy_username=USERNAME, proxy_ca=lab.proxy.ca, secrets=SECRETS,
    )  # fmt: skip
    change_secret(made, proxy_password=WRONG_PASSWORD)
    return made


def attempts(lab: BackgroundLab) -> tuple[int, int]:
    """(how often the proxy was dialled, how many requests the venue saw)."""
    return lab.proxy.connections, len(lab.lab.requests.select())


def test_the_page_tells_it(
    client: Client, connection: ExchangeConnection, lab: BackgroundLab, logs: io.StringIO
) -> None:
    act = reverse("admin:exchanges_exchangeconnection_act", args=[connection.pk, "test"])

    page = client.post(act, follow=True).content.decode()

    assert REFUSED in page
    assert attempts(lab) == (1, 0)
    assert leaks(page + logs.getvalue() + rows()) == []


def test_the_command_tells_it(connection: ExchangeConnection, lab: BackgroundLab, logs: io.StringIO) -> None:
    told = io.StringIO()

    with pytest.raises(CommandError) as caught:
        call_command("check_exchange", "Main", stdout=told, stderr=told)

    assert REFUSED in told.getvalue()
    assert attempts(lab) == (1, 0)
    assert leaks(told.getvalue() + str(caught.value) + logs.getvalue() + rows()) == []


def test_the_worker_tells_it_in_an_event_and_does_not_ask_again_at_once(
    connection: ExchangeConnection, bot: SpreadBot, lab: BackgroundLab, logs: io.StringIO
) -> None:
    runtime = Runtime()
    runtime.start()
    try:
        watched_until = time.monotonic() + WATCHED_SECONDS
        while time.monotonic() < watched_until or not ExchangeConnection.objects.get().last_error:
            runtime.extend(5)
            time.sleep(0.05)
    finally:
        assert runtime.close(20)

    connection.refresh_from_db()
    assert connection.last_error.startswith(REFUSED)
    [event] = BotEvent.objects.filter(kind="connection_failed")
    assert event.text.startswith(REFUSED)
    assert attempts(lab) == (1, 0)
    assert leaks(logs.getvalue() + rows()) == []


def test_the_desks_own_proxy_is_told_apart(
    client: Client, boss: User, lab: BackgroundLab, logs: io.StringIO
) -> None:
    scheme, _, place = lab.proxy.url.partition("://")
    desk = split_login(f"{scheme}://{USERNAME}:{WRONG_PASSWORD}@{place}")
    connection = services.create_connection(
        actor=boss, owner=boss, name="Main", venue="binance", mode="live", proxy_ca=lab.proxy.ca,
        secrets={"api_key": SECRETS["api_key"], "api_secret": SECRETS["api_secret"]},
    )  # fmt: skip
    act = reverse("admin:exchanges_exchangeconnection_act", args=[connection.pk, "test"])

    with override_settings(DEFAULT_PROXY=desk):
        page = client.post(act, follow=True).content.decode()

    assert f"{REFUSED}: enter both again in QUOTAGUARDSTATIC_URL" in page
    assert attempts(lab) == (1, 0)
    assert leaks(page + logs.getvalue() + rows()) == []
