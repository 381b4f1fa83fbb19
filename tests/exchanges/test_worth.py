"""What the pages say that an account is worth, how old that is, and what is not in it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from exchanges.admin.worth import worth_sentences
from exchanges.models import Balance, BalanceSnapshot, ExchangeConnection, UnexplainedChange
from exchanges.selectors import quote_currency, worth
from exchanges.valuation import Line, Price, lines_as_json

D = Decimal
LIST = "/admin/exchanges/exchangeconnection/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss")


@pytest.fixture
def client(boss: User) -> Client:
    browser = Client()
    browser.force_login(boss)
    return browser


def account(owner: User, name: str = "Main", *, minutes_old: int = 0, **fields: Any) -> ExchangeConnection:
    """1,000 USDT, half a BTC that cost 40,000 five minutes before it was read, and 7 XYZ without a price."""
    at = timezone.now() - timedelta(minutes=minutes_old)
    seen = Price(value=D(40_000), at=at - timedelta(minutes=5), symbol="BTC/USDT")
    held = {"USDT": (D(600), D(400)), "BTC": (D("0.5"), D(0)), "XYZ": (D(7), D(0))}
    connection = ExchangeConnection.objects.create(
        **({"name": name, "venue": "binance", "owner": owner, "balances_at": at} | fields)
    )
    for currency, (free, used) in held.items():
        Balance.objects.create(connection=connection, currency=currency, free=free, used=used, at=at)
    connection.last_snapshot = BalanceSnapshot.objects.create(
        connection=connection, hour=at, taken_at=at, quote="USDT", total=D(21_000),
        lines=lines_as_json([Line(currency="BTC", amount=D("0.5"), price=seen)]),
    )  # fmt: skip
    connection.save()
    return connection


def change_url(connection: ExchangeConnection) -> str:
    return reverse("admin:exchanges_exchangeconnection_change", args=[connection.pk])


def test_an_account_is_worth_its_balances_at_the_last_prices(boss: User) -> None:
    value = worth(account(boss))
    assert value is not None
    assert (value.total, value.quote) == (D(21_000), "USDT")
    assert [line.currency for line in value.unpriced] == ["XYZ"]


def test_a_connection_whose_balances_were_never_read_says_so(boss: User) -> None:
    connection = ExchangeConnection.objects.create(name="New", venue="binance", owner=boss)
    assert worth_sentences(connection) == ["The balances were not read yet."]


@pytest.mark.parametrize(
    ("venue", "own", "quote"), [("binance", "", "USDT"), ("kraken", "", "USD"), ("kraken", "EUR", "EUR")]
)
def test_the_quote_currency_is_the_owners_or_the_usual_one(
    boss: User, venue: str, own: str, quote: str
) -> None:
    connection = ExchangeConnection(name="New", venue=venue, owner=boss, quote_currency=own)
    assert quote_currency(connection) == quote


def test_prices_of_another_quote_currency_are_not_used(boss: User) -> None:
    value = worth(account(boss, quote_currency="EUR"))
    assert value is not None
    assert {line.currency for line in value.unpriced} == {"USDT", "BTC", "XYZ"}


@pytest.mark.usefixtures("standing_clock")
def test_the_page_says_worth_age_prices_and_what_has_none(client: Client, boss: User) -> None:
    page = client.get(change_url(account(boss))).content.decode()
    assert "21000 USDT, as the exchange said 0 s ago." in page
    assert "Valued at prices of which the oldest was seen 5 min ago." in page
    assert "Without a price in USDT, and not in the total: 7 XYZ." in page
    assert "last known" not in page


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"last_error": "Binance is down: wait."}, "These are the last known. Binance is down: wait."),
        ({"enabled": False}, "These are the last known: no worker acts for a connection that is disabled"),
        ({}, "These are the last known: no worker has looked since. Is one running?"),
    ],
)
def test_balances_that_are_old_say_why(client: Client, boss: User, fields: dict[str, Any], why: str) -> None:
    page = client.get(change_url(account(boss, minutes_old=180, **fields))).content.decode()
    assert "21000 USDT, as the exchange said 3 h ago." in page
    assert why in page


def test_the_list_shows_worth_and_the_age_of_what_is_old(client: Client, boss: User) -> None:
    account(boss, minutes_old=180)
    page = client.get(LIST).content.decode()
    assert "21000 USDT" in page
    assert "and 7 XYZ, last known, 3 h ago" in page


def test_the_list_asks_no_more_for_more_connections(client: Client, boss: User) -> None:
    account(boss)
    with CaptureQueriesContext(database) as one:
        client.get(LIST)
    for number in range(5):
        account(boss, f"Other {number}")
    with CaptureQueriesContext(database) as six:
        client.get(LIST)
    assert len(six) == len(one)


def test_a_snapshot_tells_its_prices_and_a_change_its_amount(client: Client, boss: User) -> None:
    connection = account(boss)
    UnexplainedChange.objects.create(
        connection=connection, currency="USDT", amount=D("-12.5"), since=timezone.now(),
        noticed_at=timezone.now(),
    )  # fmt: skip
    snapshot = reverse("admin:exchanges_balancesnapshot_change", args=[connection.last_snapshot_id])
    assert "40000 for BTC (BTC/USDT," in client.get(snapshot).content.decode()
    assert "-12.5" in client.get("/admin/exchanges/unexplainedchange/").content.decode()
