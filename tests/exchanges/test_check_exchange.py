"""`manage.py check_exchange`: what it prints, its exit code, and the same from a process of its own."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client
from django.urls import reverse

from audit.models import AuditEntry
from exchanges import services
from exchanges.checkup import apart as apart_module
from exchanges.checkup.apart import CheckupError, run_apart
from exchanges.models import ExchangeConnection, Market
from vault.secret import Secret

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss")


@pytest.fixture
def demo(boss: User) -> ExchangeConnection:
    return services.create_connection(actor=boss, owner=boss, name="Play money", venue="demo", mode="paper")


def live(boss: User, name: str, venue: str = "binance", **secrets: str) -> ExchangeConnection:
    kept: Any = {secret: Secret(value) for secret, value in secrets.items()}
    return services.create_connection(
        actor=boss, owner=boss, name=name, venue=venue, mode="live", secrets=kept
    )


def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command("check_exchange", *arguments, stdout=out)
    return out.getvalue()


def refusal(*arguments: str) -> tuple[int, str]:
    """(exit code, sentence)"""
    with pytest.raises(CommandError) as caught:
        printed(*arguments)
    return caught.value.returncode, str(caught.value)


@pytest.mark.parametrize("word", ["Play money", "play MONEY", "demo", "DEMO", "--all"])
def test_a_connection_is_found_by_its_name_or_its_venue(demo: ExchangeConnection, word: str) -> None:
    text = printed(word)
    assert text.startswith("Play money (Demo (synthetic prices), paper): connected, answers in 0 ms\n")
    assert "  Markets     passed" in text
    assert "  Key         not needed" in text


def test_a_connection_that_is_named_twice_is_tested_once(demo: ExchangeConnection) -> None:
    assert printed("demo", "Play money").count("connected") == 1


def test_a_connection_that_does_not_work_ends_with_1_and_says_why(
    boss: User, demo: ExchangeConnection
) -> None:
    connection = live(boss, "Real")
    ExchangeConnection.objects.filter(pk=connection.pk).update(venue="nowhere")
    out = io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("check_exchange", "--all", stdout=out)
    assert (caught.value.returncode, str(caught.value)) == (1, "1 of 2 connections do not work: Real.")
    assert "Real (nowhere, live): NOT CONNECTED. Venue: There is no venue “nowhere”" in out.getvalue()
    assert "Play money (Demo (synthetic prices), paper): connected" in out.getvalue()


def test_an_unknown_name_ends_with_2_and_names_what_is_near(boss: User, demo: ExchangeConnection) -> None:
    live(boss, "Kraken main", venue="kraken")
    code, sentence = refusal("Krakn main")
    assert (code, sentence.startswith("No connection is called “Krakn main”")) == (2, True)
    assert sentence.endswith("did you mean Kraken main or kraken?")
    code, sentence = refusal("zzz")
    assert (code, "there are Kraken main, Play money, demo, kraken." in sentence) == (2, True)
    assert not AuditEntry.objects.filter(action="connection.tested").exists()


def test_without_any_connection_it_says_how_to_add_one() -> None:
    code, sentence = refusal("--all")
    assert code == 2
    assert "import_connections" in sentence


def test_an_unknown_user_tests_nothing(demo: ExchangeConnection) -> None:
    assert refusal("--all", "--as", "nobody") == (2, "There is no user “nobody”.")


def test_an_archived_connection_is_not_tested(boss: User, demo: ExchangeConnection) -> None:
    services.archive_connection(connection=demo, actor=boss)
    live(boss, "Kraken main", venue="kraken")
    assert refusal("demo")[0] == 2


def test_programs_get_json(demo: ExchangeConnection) -> None:
    (answer,) = json.loads(printed("--all", "--json"))
    assert (answer["connection"], answer["mode"], answer["connected"]) == ("Play money", "paper", True)
    assert [step["name"] for step in answer["steps"]][:3] == ["Proxy", "TLS", "Time"]


# --- In a process of its own


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Another process works on this test's database."""
    settings.CHECKUP_APART = True
    database = connections["default"].settings_dict
    if database["ENGINE"].endswith("sqlite3"):
        url = f"sqlite:///{database['NAME']}"
    else:
        login = f"{database['USER']}:{database['PASSWORD']}"
        url = f"postgres://{login}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    monkeypatch.setenv("DATABASE_URL", url)


@pytest.mark.django_db(transaction=True)
def test_the_admin_tests_in_another_process_and_names_who_asked(
    boss: User, demo: ExchangeConnection, apart: None
) -> None:
    loaded = {"ccxt", "aiohttp"} & set(sys.modules)
    browser = Client()
    browser.force_login(boss)
    act = reverse("admin:exchanges_exchangeconnection_act", args=[demo.pk, "test"])
    page = browser.post(act, follow=True).content.decode()
    assert "“Play money” works" in page
    assert AuditEntry.objects.get(action="connection.tested").actor == boss
    assert Market.objects.filter(venue="demo").exists()
    assert {"ccxt", "aiohttp"} & set(sys.modules) == loaded


@pytest.mark.django_db(transaction=True)
def test_a_test_that_cannot_run_is_one_sentence(
    boss: User, demo: ExchangeConnection, apart: None, settings: Any, tmp_path: Path
) -> None:
    broken = tmp_path / "manage.py"
    broken.write_text("raise SystemExit('the database is gone')")
    settings.MANAGE_FILE = broken
    browser = Client()
    browser.force_login(boss)
    act = reverse("admin:exchanges_exchangeconnection_act", args=[demo.pk, "test"])
    assert "The test could not be run" in browser.post(act, follow=True).content.decode()


def test_two_connections_are_tested_at_a_time(
    demo: ExchangeConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart_module, "WAIT_SECONDS", 0.01)
    refused = pytest.raises(CheckupError, match="Other connections are being tested")
    with apart_module._turns, apart_module._turns, refused:
        run_apart(connection_id=demo.pk)


@pytest.mark.django_db(transaction=True)
def test_a_test_that_hangs_is_ended(
    demo: ExchangeConnection, apart: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = tmp_path / "manage.py"
    hanging.write_text("import time; time.sleep(60)")
    settings.MANAGE_FILE = hanging
    monkeypatch.setattr("exchanges.checkup.apart.START_SECONDS", -19.0)
    with pytest.raises(CheckupError, match="did not end in time"):
        run_apart(connection_id=demo.pk)
