"""Rows become specs and rules."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from exchanges.models import ExchangeConnection, Market, Mode
from exchanges.selectors import busy_key_warnings, connection_spec, market, markets_known
from vault.secret import Secret

pytestmark = pytest.mark.django_db


def saved_connection(**fields: object) -> ExchangeConnection:
    owner = get_user_model().objects.create(username="ada")
    connection = ExchangeConnection.objects.create(name="main", venue="binance", owner=owner, **fields)
    return ExchangeConnection.objects.get(pk=connection.pk)


def test_a_spec_carries_the_secrets_sealed_until_a_venue_opens_them() -> None:
    connection = saved_connection(mode=Mode.LIVE, api_key="canary-key-123", api_secret="canary-secret-123")

    spec = connection_spec(connection)

    assert (spec.id, spec.name, spec.venue, spec.is_paper) == (
        str(connection.pk),
        "main",
        "binance",
        False,
    )
    assert "canary" not in repr(spec)
    assert spec.credentials.api_secret == Secret("canary-secret-123")


def test_without_a_proxy_the_way_is_direct() -> None:
    assert connection_spec(saved_connection()).proxy is None


def test_a_proxys_login_stays_out_of_its_url() -> None:
    connection = saved_connection(
        proxy_url="https://proxy.example:9294", proxy_username="me", proxy_password="p@ss:w/rd%#1"
    )

    proxy = connection_spec(connection).proxy

    assert proxy is not None
    assert (proxy.url, proxy.username) == ("https://proxy.example:9294", "me")
    assert proxy.password == Secret("p@ss:w/rd%#1")


def test_a_markets_rules_are_those_of_its_row() -> None:
    Market.objects.create(
        venue="binance",
        symbol="BTC/USDT",
        base="BTC",
        quote="USDT",
        price_step=Decimal("0.01"),
        amount_step=Decimal("0.00001"),
        min_cost=Decimal(5),
        maker_fee=Decimal("0.001"),
        taker_fee=Decimal("0.002"),
    )

    found = market("binance", "BTC/USDT")

    assert found is not None
    assert (found.price_step, found.amount_step, found.min_cost) == (
        Decimal("0.01"),
        Decimal("0.00001"),
        Decimal(5),
    )
    assert (found.maker_fee, found.taker_fee, found.min_amount) == (Decimal("0.001"), Decimal("0.002"), None)
    assert market("binance", "ETH/USDT") is None
    assert (markets_known("binance"), markets_known("okx")) == (True, False)


@pytest.mark.parametrize(
    ("venue", "mode", "minutes", "warned"),
    [
        ("kraken", Mode.LIVE, 1, True),
        ("kraken", Mode.LIVE, -1, False),
        ("kraken", Mode.PAPER, 1, False),
        ("binance", Mode.LIVE, 1, False),
    ],
    ids=["a worker acts", "its lease has ended", "paper", "another venue"],
)
def test_a_key_that_a_worker_uses_is_warned_of_where_one_client_is_all(
    venue: str, mode: Mode, minutes: int, warned: bool
) -> None:
    until = timezone.now() + timedelta(minutes=minutes)
    connection = saved_connection(mode=mode, lease_expires_at=until)
    connection.venue = venue
    assert bool(busy_key_warnings(connection)) is warned
