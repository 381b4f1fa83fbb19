"""The test of a connection at every venue of the lab, each in its own words on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from exchanges import services
from exchanges.checkup.report import Outcome, Part, Step, TestReport
from exchanges.venues import wire as wire_module
from exchanges.venues.credentials import credential_mistakes
from exchanges.venues.registry import known_venues, venue
from tests.lab.accounts import Login
from tests.lab.background import BackgroundLab, background_lab
from tests.lab.venues import VENUES
from vault.secret import Secret

pytestmark = pytest.mark.django_db(transaction=True)
WITHOUT_ALLOW_LISTS = {"alpaca"}
TELL_OF_WITHDRAWALS = {"binance", "coinbase", "kraken", "okx"}
every_venue = pytest.mark.parametrize("venue_id", sorted(VENUES))


@pytest.fixture(scope="module")
def lab() -> Iterator[BackgroundLab]:
    with background_lab(username="desk", password="its-password") as background:
        yield background


@pytest.fixture(autouse=True)
def way_to_the_lab(lab: BackgroundLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire_module, "build_connector", lab.lab.connector)


def account(lab: BackgroundLab, venue_id: str, number: int, **rights: Any) -> Login:
    """With 100 of a market's quote currency; each number is an account of its own."""
    house = lab.lab.house(venue_id)
    login = house.dialect.new_login(number)
    quote = next(iter(house.exchange.markets.values())).rules.quote
    balances = {quote: Decimal(100)}
    lab.call(lambda: house.open_account(f"account {number}", **login._asdict(), balances=balances, **rights))
    return login


def tried(venue_id: str, login: Login) -> tuple[TestReport, dict[str, Step]]:
    boss = User.objects.create_user("boss")
    connection = services.create_connection(
        actor=boss, owner=boss, name="Main", venue=venue_id, mode="live", secrets=secrets_of(login)
    )
    report = services.test_connection(connection=connection, actor=boss)
    return report, {step.name: step for step in report.steps}


def secrets_of(login: Login) -> Any:
    return {
        "api_key": Secret(login.key),
        "api_secret": Secret(login.secret),
        "passphrase": Secret(login.passphrase),
    }


@every_venue
def test_a_good_key_is_connected(lab: BackgroundLab, venue_id: str) -> None:
    report, steps = tried(venue_id, account(lab, venue_id, 901))
    assert report.ok, report.cause
    assert report.latency_ms is not None
    assert {step.outcome for step in steps.values()} <= {Outcome.PASSED, Outcome.WARNING, Outcome.NOT_NEEDED}
    assert [held.total for held in report.holdings or ()] == ["100"]
    assert (Outcome.WARNING is steps["Permissions"].outcome) is bool(venue(venue_id).no_orders_because)


@every_venue
def test_a_key_that_the_venue_does_not_know_fails_at_the_key(lab: BackgroundLab, venue_id: str) -> None:
    stranger = lab.lab.house(venue_id).dialect.new_login(902)
    report, steps = tried(venue_id, stranger)
    failed = [step for step in report.steps if step.failed]
    assert [step.name for step in failed] == [Part.KEY], report.cause
    assert steps["Balances"].outcome is Outcome.NOT_TRIED
    assert not [secret for secret in stranger if secret and secret in report.cause]


@pytest.mark.parametrize("venue_id", sorted(VENUES.keys() - WITHOUT_ALLOW_LISTS))
def test_an_address_that_the_key_does_not_admit_is_named_as_a_cause(
    lab: BackgroundLab, venue_id: str
) -> None:
    report, _ = tried(venue_id, account(lab, venue_id, 903, allowed_ips=frozenset({"203.0.113.7"})))
    assert report.cause.startswith(("Address: ", "Key: ", "Permissions: "))
    assert "address" in report.cause.lower() or "ip" in report.cause.lower().split()


@every_venue
def test_a_good_key_has_the_form_that_its_venue_states(lab: BackgroundLab, venue_id: str) -> None:
    login = lab.lab.house(venue_id).dialect.new_login(904)
    assert credential_mistakes(venue(venue_id), secrets_of(login), known_venues()) == {}


@pytest.mark.parametrize("venue_id", sorted(TELL_OF_WITHDRAWALS))
def test_a_key_that_can_withdraw_is_warned_of_where_the_venue_tells(
    lab: BackgroundLab, venue_id: str
) -> None:
    report, _ = tried(venue_id, account(lab, venue_id, 905, withdrawals=True))
    assert report.ok
    assert any("can WITHDRAW" in caution for caution in report.cautions)


@pytest.mark.parametrize("venue_id", sorted(TELL_OF_WITHDRAWALS | {"alpaca"}))
def test_a_key_that_may_only_read_fails_at_the_permissions_and_shows_its_balances(
    lab: BackgroundLab, venue_id: str
) -> None:
    report, steps = tried(venue_id, account(lab, venue_id, 906, trading=False))
    assert report.cause.startswith("Permissions: The key may not trade")
    assert steps["Balances"].outcome is Outcome.PASSED
