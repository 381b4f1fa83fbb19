"""Every page of the admin, and every start, says that the desk is in a dry run."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from bots.engine.pulse import Pulse
from bots.models import Runtime
from bots.selectors import dry_run_notice
from exchanges.models import ExchangeConnection
from exchanges.selectors import DRY_RUN_NOTICE, connection_spec, live_refusal, single_exchange_warning
from exchanges.services import create_connection

pytestmark = pytest.mark.django_db
PAGES = (
    "/admin/", "/admin/bots/spreadbot/", "/admin/bots/order/", "/admin/exchanges/exchangeconnection/add/",
    "/admin/audit/auditentry/", "/admin/auth/user/", "/accounts/2fa/",
)  # fmt: skip


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss")


@pytest.fixture
def client(boss: User) -> Client:
    browser = Client()
    browser.force_login(boss)
    return browser


@pytest.fixture
def live(boss: User) -> ExchangeConnection:
    return create_connection(actor=boss, owner=boss, name="Real", venue="binance", mode="live")


def worker(*, is_dry_run: bool, age: timedelta = timedelta(0)) -> None:
    Runtime.objects.create(
        id=uuid4(), host="h", boot_id="b", pid=1, process_started="1", started_at=timezone.now(),
        heartbeat_at=timezone.now() - age, is_dry_run=is_dry_run,
    )  # fmt: skip


@pytest.mark.parametrize("url", PAGES)
def test_every_page_says_that_it_is_a_dry_run(client: Client, settings: Settings, url: str) -> None:
    assert DRY_RUN_NOTICE not in client.get(url).content.decode()
    settings.DRY_RUN = True
    assert client.get(url).content.decode().count(DRY_RUN_NOTICE) == 1


def test_the_page_to_log_in_says_it_too(settings: Settings) -> None:
    assert DRY_RUN_NOTICE not in Client().get("/accounts/login/").content.decode()
    settings.DRY_RUN = True
    assert Client().get("/accounts/login/").content.decode().count(DRY_RUN_NOTICE) == 1


def test_a_live_connection_stays_live_in_the_database_and_is_opened_as_paper(
    live: ExchangeConnection, settings: Settings
) -> None:
    assert not connection_spec(live).is_paper
    settings.DRY_RUN = True
    assert connection_spec(live).is_paper
    live.refresh_from_db()
    assert live.mode == "live"


def test_a_live_connection_is_shown_as_in_a_dry_run(
    client: Client, live: ExchangeConnection, settings: Settings
) -> None:
    url = f"/admin/exchanges/exchangeconnection/{live.pk}/change/"
    assert "desk-badge-live" in client.get(url).content.decode()
    settings.DRY_RUN = True
    page = client.get(url).content.decode()
    assert "desk-badge-live" not in page
    assert ">dry run<" in page


def test_a_worker_without_dry_run_is_told_of_beside_the_notice(settings: Settings) -> None:
    settings.DRY_RUN = True
    worker(is_dry_run=True)
    worker(is_dry_run=False, age=timedelta(hours=1))
    assert dry_run_notice() == DRY_RUN_NOTICE
    worker(is_dry_run=False)
    assert dry_run_notice() == (
        f"{DRY_RUN_NOTICE} But a worker runs without DRY_RUN and trades for real: restart it with this "
        "environment."
    )


def test_a_worker_in_a_dry_run_is_told_of_where_the_pages_are_in_none() -> None:
    worker(is_dry_run=False)
    assert dry_run_notice() == ""
    worker(is_dry_run=True)
    assert dry_run_notice().startswith(
        "A worker runs with DRY_RUN, and trades with play money on live connections"
    )


def test_a_connection_without_keys_can_start_in_a_dry_run_only(
    boss: User, live: ExchangeConnection, settings: Settings
) -> None:
    assert "is live but has no API key and no API secret" in live_refusal(live)
    settings.DRY_RUN = True
    assert live_refusal(live) == ""


def test_the_balances_of_the_real_account_keep_their_age(
    live: ExchangeConnection, settings: Settings
) -> None:
    paper = create_connection(actor=None, owner=live.owner, name="Play", venue="demo", mode="paper")
    settings.DRY_RUN = True
    pulse = Pulse()
    pulse.answered(live.pk)
    pulse.answered(paper.pk)
    pulse.write()
    live.refresh_from_db()
    paper.refresh_from_db()
    assert (live.balances_at, live.last_answer_at is None) == (None, False)
    assert paper.balances_at is not None


def test_check_exchange_says_it_first(
    live: ExchangeConnection, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    ExchangeConnection.objects.update(venue="nowhere")
    settings.DRY_RUN = True
    with pytest.raises(CommandError):
        call_command("check_exchange", "Real")
    told = capsys.readouterr().out
    assert told.startswith(DRY_RUN_NOTICE)
    assert "Real (nowhere, live, now a dry run): NOT CONNECTED." in told
    with pytest.raises(CommandError):
        call_command("check_exchange", "Real", "--json")
    (facts,) = json.loads(capsys.readouterr().out)
    assert (facts["mode"], facts["dry_run"]) == ("live", True)


# --- A single exchange


def test_a_single_live_exchange_is_warned_of_on_the_first_page(
    client: Client, boss: User, live: ExchangeConnection, settings: Settings
) -> None:
    sentence = (
        "Every live connection is at Binance: while it is down, nothing trades. Add one at another exchange, "
        "or set SUPPRESS_SINGLE_EXCHANGE_WARNING=true."
    )
    assert single_exchange_warning() == sentence
    assert sentence in client.get("/admin/").content.decode()
    settings.SUPPRESS_SINGLE_EXCHANGE_WARNING = True
    assert sentence not in client.get("/admin/").content.decode()


def test_two_live_exchanges_paper_and_a_dry_run_are_not_warned_of(
    boss: User, live: ExchangeConnection, settings: Settings
) -> None:
    settings.DRY_RUN = True
    assert single_exchange_warning() == ""
    settings.DRY_RUN = False
    other = create_connection(actor=None, owner=boss, name="Other", venue="okx", mode="paper")
    assert single_exchange_warning() != ""
    ExchangeConnection.objects.filter(pk=other.pk).update(mode="live")
    assert single_exchange_warning() == ""
    ExchangeConnection.objects.filter(venue="okx").update(enabled=False)
    assert single_exchange_warning() != ""
    ExchangeConnection.objects.all().update(mode="paper")
    assert single_exchange_warning() == ""
