from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from audit.models import AuditEntry
from bots.models import BotState, SpreadBot
from exchanges import services
from exchanges.models import Balance, ExchangeConnection, Market
from exchanges.types import Balance as BalanceNow
from exchanges.types import Market as MarketRules
from vault.secret import Secret

KEY = "canary-key-5f1c9d77"
SECRET = "canary-secret-0be4aa12"
PROXY_PASSWORD = "canary-proxy-77aa41"
BTC = MarketRules(
    symbol="BTC/USDT", base="BTC", quote="USDT", price_step=Decimal("0.01"), amount_step=Decimal("0.001"),
    min_amount=Decimal("0.001"), min_cost=Decimal(5),
)  # fmt: skip
pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return User.objects.create_user("olga")


@pytest.fixture
def connection(user: User) -> ExchangeConnection:
    return services.create_connection(
        actor=user, owner=user, name="Main", venue="binance", mode="live",
        secrets={"api_key": Secret(KEY), "api_secret": Secret(SECRET)},
    )  # fmt: skip


def refusal(caught: pytest.ExceptionInfo[ValidationError]) -> dict[str, list[str]]:
    return caught.value.message_dict


def spread_bot(connection: ExchangeConnection, state: BotState) -> SpreadBot:
    return SpreadBot.objects.create(
        name="Maker", connection=connection, symbol="BTC/USDT", state=state, bid_spread_pct="0.01",
        ask_spread_pct="0.01", order_amount="1",
    )  # fmt: skip


def test_a_created_connection_opens_with_the_secrets_that_were_entered(
    connection: ExchangeConnection,
) -> None:
    stored = ExchangeConnection.objects.get(pk=connection.pk)
    assert (stored.api_key.reveal(), stored.api_secret.reveal()) == (KEY, SECRET)


def test_an_empty_secret_leaves_the_stored_one(connection: ExchangeConnection, user: User) -> None:
    services.update_connection(
        connection=connection, actor=user, secrets={"api_key": Secret(), "api_secret": Secret("new-canary-1")}
    )
    connection.refresh_from_db()
    assert (connection.api_key.reveal(), connection.api_secret.reveal()) == (KEY, "new-canary-1")


def test_a_cleared_secret_is_removed(connection: ExchangeConnection, user: User) -> None:
    services.update_connection(connection=connection, actor=user, clear=["api_key"])
    connection.refresh_from_db()
    assert not connection.api_key
    assert connection.api_secret.reveal() == SECRET


def test_the_audit_says_what_changed_and_holds_no_secret(connection: ExchangeConnection, user: User) -> None:
    services.update_connection(
        connection=connection, actor=user, name="Second",
        secrets={"api_key": Secret("canary-other-key-1"), "proxy_password": Secret(PROXY_PASSWORD)},
    )  # fmt: skip
    entry = AuditEntry.objects.get(action="connection.updated")
    assert entry.before == {"name": "Main", "api_key": "set", "proxy_password": "empty"}
    assert entry.after == {"name": "Second", "api_key": "changed", "proxy_password": "changed"}
    everything = json.dumps(list(AuditEntry.objects.values("before", "after")))
    assert "canary" not in everything


def test_an_update_that_changes_nothing_leaves_no_audit_row(
    connection: ExchangeConnection, user: User
) -> None:
    services.update_connection(connection=connection, actor=user, name="Main")
    assert not AuditEntry.objects.filter(action="connection.updated").exists()


def test_a_venue_that_does_not_exist_is_refused_in_one_sentence(user: User) -> None:
    with pytest.raises(ValidationError) as caught:
        services.create_connection(actor=user, owner=user, name="X", venue="binanse", mode="paper")
    assert list(refusal(caught)) == ["venue"]
    assert "binanse" in refusal(caught)["venue"][0]
    assert not ExchangeConnection.objects.exists()


def test_the_demo_venue_is_refused_in_live_mode(user: User) -> None:
    with pytest.raises(ValidationError) as caught:
        services.create_connection(actor=user, owner=user, name="X", venue="demo", mode="live")
    assert "choose paper" in refusal(caught)["mode"][0]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://olga:hunter2pass@proxy.example:3128", "their own fields"),
        ("proxy.example:3128", "http://"),
        ("socks4://proxy.example:1080", "http://"),
        ("http://proxy.example", "port"),
        ("http://proxy.example:99999", "http://host:port"),
        ("http://proxy.example:3128/path", "ends with its port"),
    ],
)
def test_a_proxy_address_that_cannot_work_is_refused(user: User, url: str, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        services.create_connection(
            actor=user, owner=user, name="X", venue="demo", mode="paper", proxy_url=url
        )
    [sentence] = refusal(caught)["proxy_url"]
    assert words in sentence
    assert "hunter2pass" not in sentence


@pytest.mark.parametrize("balances", [["USDT"], {"USDT": "much"}, {"USDT": "-1"}, {"USDT": 0.1}, {"": "1"}])
def test_paper_balances_are_currencies_with_amounts(user: User, balances: object) -> None:
    with pytest.raises(ValidationError) as caught:
        services.create_connection(
            actor=user, owner=user, name="X", venue="demo", mode="paper",
            paper_balances=balances,  # type: ignore[arg-type]
        )  # fmt: skip
    assert list(refusal(caught)) == ["paper_balances"]


def test_a_name_that_the_owner_has_used_already_is_refused(
    connection: ExchangeConnection, user: User
) -> None:
    with pytest.raises(ValidationError, match="connection of this name already"):
        services.create_connection(actor=user, owner=user, name="MAIN", venue="demo", mode="paper")


def test_a_connection_with_a_bot_at_work_is_not_archived(connection: ExchangeConnection, user: User) -> None:
    spread_bot(connection, BotState.PAUSED)
    with pytest.raises(ValidationError, match="Maker"):
        services.archive_connection(connection=connection, actor=user)
    connection.refresh_from_db()
    assert connection.archived_at is None


def test_archiving_twice_is_archiving_once(connection: ExchangeConnection, user: User) -> None:
    spread_bot(connection, BotState.STOPPED)
    services.archive_connection(connection=connection, actor=user)
    services.archive_connection(connection=connection, actor=user)
    connection.refresh_from_db()
    assert connection.archived_at is not None
    assert AuditEntry.objects.filter(action="connection.archived").count() == 1


def test_only_changed_markets_are_written_again() -> None:
    eth = dataclasses.replace(BTC, symbol="ETH/USDT", base="ETH")
    assert services.save_markets(venue="binance", markets={"BTC/USDT": BTC, "ETH/USDT": eth}) == 2
    assert services.save_markets(venue="binance", markets={"BTC/USDT": BTC, "ETH/USDT": eth}) == 0
    finer = dataclasses.replace(eth, price_step=Decimal("0.001"))
    assert services.save_markets(venue="binance", markets={"BTC/USDT": BTC, "ETH/USDT": finer}) == 1
    assert Market.objects.get(symbol="ETH/USDT").price_step == Decimal("0.001")


def test_a_market_that_is_gone_becomes_inactive() -> None:
    services.save_markets(venue="binance", markets={"BTC/USDT": BTC})
    services.save_markets(venue="okx", markets={"BTC/USDT": BTC})
    services.save_markets(venue="binance", markets={})
    assert {row.venue: row.active for row in Market.objects.all()} == {"binance": False, "okx": True}


def test_a_currency_that_vanished_becomes_zero_and_stays(connection: ExchangeConnection) -> None:
    at = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    btc = BalanceNow(currency="BTC", free=Decimal("0.123456789012345678"), used=Decimal(1))
    usdt = BalanceNow(currency="USDT", free=Decimal(100), used=Decimal(0))
    services.save_balances(connection_id=connection.pk, balances={"BTC": btc, "USDT": usdt}, at=at)
    later = at + timedelta(minutes=1)
    services.save_balances(connection_id=connection.pk, balances={"BTC": btc}, at=later)
    rows = {row.currency: (row.free, row.used, row.at) for row in Balance.objects.all()}
    assert rows == {"BTC": (btc.free, btc.used, later), "USDT": (Decimal(0), Decimal(0), later)}
    connection.refresh_from_db()
    assert connection.balances_at == later


def test_the_demo_venue_passes_its_test_and_its_markets_are_kept(user: User) -> None:
    demo = services.create_connection(actor=user, owner=user, name="Demo", venue="demo", mode="paper")
    report = services.test_connection(connection=demo, actor=user)
    assert report.ok
    assert Market.objects.filter(venue="demo", active=True).exists()
    assert AuditEntry.objects.get(action="connection.tested").after["steps"][2]["outcome"] == "passed"
