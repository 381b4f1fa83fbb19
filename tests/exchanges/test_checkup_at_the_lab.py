"""Tests of connections over real sockets: production URLs, TLS and an authenticated proxy, on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from audit.models import AuditEntry
from exchanges import services
from exchanges.checkup.report import Outcome, Part, Step, TestReport
from exchanges.models import Balance, ExchangeConnection
from exchanges.venues import wire as wire_module
from exchanges.venues.wire import build_connector
from tests.desk.pages import form_of
from tests.lab.background import BackgroundLab, background_lab
from vault.secret import Secret

KEY, SECRET = "CheckupCanaryKey" * 4, "CheckupCanarySec" * 4
USERNAME, PASSWORD = "desk", "canary-p@ss:w/rd%#1"
FORM = "exchangeconnection_form"
PASSED, FAILED, NOT_TRIED = Outcome.PASSED, Outcome.FAILED, Outcome.NOT_TRIED
pytestmark = [
    pytest.mark.django_db(transaction=True),
    # A loop that ends while a request is given up leaves that one's TLS goodbye unsaid and its socket open.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Iterator[BackgroundLab]:
    with background_lab(username=USERNAME, password=PASSWORD) as background:
        monkeypatch.setattr(wire_module, "build_connector", background.lab.connector)
        background.call(lambda: background.lab.gather_crowd("BTC/USDT", Decimal(50_000)))
        yield background


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss")


def account(lab: BackgroundLab, **rights: Any) -> None:
    balances = {"USDT": Decimal("100000.5"), "BTC": Decimal(1)}
    lab.call(lambda: lab.lab.open_account("desk", key=KEY, secret=SECRET, balances=balances, **rights))


def connection(boss: User, **fields: Any) -> ExchangeConnection:
    secrets = {"api_key": Secret(KEY), "api_secret": Secret(SECRET)} | fields.pop("secrets", {})
    return services.create_connection(
        actor=boss, owner=boss, name="Main", venue="binance", mode="live", secrets=secrets, **fields
    )


def behind_the_proxy(boss: User, lab: BackgroundLab, password: str = PASSWORD) -> ExchangeConnection:
    return connection(
        boss, proxy_url=lab.proxy.url, proxy_username=USERNAME, secrets={"proxy_password": Secret(password)}
    )


def tried(connection: ExchangeConnection) -> tuple[TestReport, dict[str, Step]]:
    report = services.test_connection(connection=connection, actor=None)
    return report, {step.name: step for step in report.steps}


def test_each_part_of_a_proxied_account_passes_with_its_own_time(boss: User, lab: BackgroundLab) -> None:
    account(lab, allowed_ips=frozenset({"127.0.0.1"}))
    report, steps = tried(behind_the_proxy(boss, lab))
    assert {name: step.outcome for name, step in steps.items()} == dict.fromkeys(map(str, Part), PASSED)
    assert steps["TLS"].sentence.startswith("TLSv1.3 with a trusted certificate of api.binance.com")
    assert (
        steps["Address"].sentence
        == "The venue lets this address in. The key works from listed addresses only."
    )
    assert steps["Proxy"].milliseconds + steps["TLS"].milliseconds > 0
    assert report.latency_ms is not None
    assert [str(held) for held in report.holdings or ()] == ["1 BTC", "100000.5 USDT"]
    assert Balance.objects.filter(currency="USDT", free=Decimal("100000.5")).exists()


def test_a_refused_login_is_the_proxys_and_nothing_goes_round_it(boss: User, lab: BackgroundLab) -> None:
    account(lab)
    report, steps = tried(behind_the_proxy(boss, lab, password="canary-wr@ng"))
    assert "the proxy refused the user name or password (407)" in report.cause.lower()
    assert {step.outcome for step in steps.values() if step.name != "Proxy"} == {NOT_TRIED}
    assert lab.lab.requests.counts() == {}


def test_a_strangers_certificate_fails_at_tls(
    boss: User, lab: BackgroundLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy leads to the lab, whose authority only tests trust."""
    account(lab)
    monkeypatch.setattr(wire_module, "build_connector", build_connector)
    _, steps = tried(behind_the_proxy(boss, lab))
    assert (steps["Proxy"].outcome, steps["TLS"].outcome, steps["Time"].outcome) == (
        PASSED,
        FAILED,
        NOT_TRIED,
    )
    assert "certificate" in steps["TLS"].sentence


def test_a_key_that_may_withdraw_is_told_loudly_and_still_works(boss: User, lab: BackgroundLab) -> None:
    account(lab, withdrawals=True)
    report, _ = tried(connection(boss))
    assert report.ok
    assert any("can WITHDRAW" in sentence for sentence in report.cautions)


def test_a_wrong_secret_fails_at_the_key(boss: User, lab: BackgroundLab) -> None:
    account(lab)
    report, steps = tried(connection(boss, secrets={"api_secret": Secret("another" * 9)}))
    assert (steps["Markets"].outcome, steps["Key"].outcome) == (PASSED, FAILED)
    assert report.holdings is None


def test_the_audit_keeps_the_steps_and_no_amounts(boss: User, lab: BackgroundLab) -> None:
    account(lab)
    services.test_connection(connection=connection(boss), actor=boss)
    entry = AuditEntry.objects.get(action="connection.tested")
    assert [step["name"] for step in entry.after["steps"]] == [str(part) for part in Part]
    assert "100000.5" not in repr(entry.after)


def test_a_connection_is_tested_as_it_is_saved_and_again_only_where_that_can_matter(
    boss: User, lab: BackgroundLab
) -> None:
    account(lab)
    browser = Client()
    browser.force_login(boss)
    add = reverse("admin:exchanges_exchangeconnection_add")
    entered = {"name": "New", "venue": "binance", "mode": "live", "api_key": KEY, "api_secret": "another" * 9}
    page = browser.post(add, form_of(browser, add, FORM) | entered, follow=True).content.decode()
    assert "Key: Binance refuses" in page

    change = reverse("admin:exchanges_exchangeconnection_change", args=[ExchangeConnection.objects.get().pk])
    answer = browser.post(change, form_of(browser, change, FORM) | {"api_secret": SECRET}, follow=True)
    assert "“New” works" in answer.content.decode()

    browser.post(change, form_of(browser, change, FORM) | {"name": "Renamed"})
    assert AuditEntry.objects.filter(action="connection.tested").count() == 2


def test_who_may_not_test_saves_without_a_test(lab: BackgroundLab) -> None:
    account(lab)
    clerk = User.objects.create_user("clerk", is_staff=True)
    names = (
        "add_exchangeconnection",
        "change_exchangeconnection",
        "view_exchangeconnection",
        "view_all_connections",
    )
    clerk.user_permissions.set(Permission.objects.filter(codename__in=names))
    browser = Client()
    browser.force_login(clerk)
    add = reverse("admin:exchanges_exchangeconnection_add")
    entered = {"name": "New", "venue": "binance", "mode": "live", "api_key": KEY, "api_secret": SECRET}
    entered["owner"] = str(clerk.pk)
    browser.post(add, form_of(browser, add, FORM) | entered)
    assert ExchangeConnection.objects.exists()
    assert not AuditEntry.objects.filter(action="connection.tested").exists()


@pytest.mark.parametrize("proxied", [False, True], ids=["direct", "proxied"])
def test_a_lost_encryption_key_is_told_and_nothing_is_asked(
    boss: User, lab: BackgroundLab, settings: Any, proxied: bool
) -> None:
    main = behind_the_proxy(boss, lab) if proxied else connection(boss)
    settings.FIELD_ENCRYPTION_KEYS = ["dGhpcmQtdGhpcmQtdGhpcmQtdGhpcmQtdGhpcmQtISE="]
    report, steps = tried(ExchangeConnection.objects.get(pk=main.pk))
    assert report.cause.startswith("Key: A stored secret was encrypted with key")
    assert steps["TLS"].outcome is NOT_TRIED
    assert lab.lab.requests.counts() == {}


def test_a_clock_that_is_off_is_told_before_the_key_is_tried(boss: User, lab: BackgroundLab) -> None:
    account(lab)
    lab.lab.clock.offset_ms = 42_000
    report, steps = tried(connection(boss))
    assert report.cause.startswith("Time: The venue's clock is 4")
    assert steps["Key"].outcome is NOT_TRIED
