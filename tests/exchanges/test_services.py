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
from exchanges.checkup import clock_verdict, examine, permissions_verdict
from exchanges.errors import CredentialsError, PermissionMissingError, VenueDownError
from exchanges.gateway import AccountPermissions
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


class FakeVenue:
    """Answers as told; an answer that is an error is raised."""

    def __init__(self, **answers: object) -> None:
        self.answers: dict[str, object] = {
            "fetch_time": datetime.now(UTC),
            "load_markets": {"BTC/USDT": BTC},
            "fetch_permissions": AccountPermissions(can_trade=True, can_withdraw=False),
            "fetch_balances": {"BTC": BalanceNow(currency="BTC", free=Decimal(1), used=Decimal(0))},
        } | answers

    def __getattr__(self, name: str) -> object:
        async def answer() -> object:
            given = self.answers[name]
            if isinstance(given, Exception):
                raise given
            return given

        return answer


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
        ("socks5://proxy.example:1080", "http://"),
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


async def test_a_healthy_account_passes_every_step() -> None:
    venue = FakeVenue()
    checkup = await examine(venue, venue, needs_key=True)  # type: ignore[arg-type]
    assert [(step.name, step.ok) for step in checkup.steps] == [
        ("Time", True), ("Markets", True), ("Key", True), ("Permissions", True), ("Balances", True)
    ]  # fmt: skip
    assert checkup.balances


async def test_a_venue_that_is_down_ends_the_test_at_its_first_step() -> None:
    venue = FakeVenue(fetch_time=VenueDownError("Binance does not answer."))
    checkup = await examine(venue, venue, needs_key=True)  # type: ignore[arg-type]
    assert [(step.ok, step.sentence) for step in checkup.steps] == [(False, "Binance does not answer.")]


async def test_a_wrong_key_keeps_the_markets_that_were_read() -> None:
    venue = FakeVenue(fetch_permissions=CredentialsError("Binance refuses the key."))
    checkup = await examine(venue, venue, needs_key=True)  # type: ignore[arg-type]
    assert checkup.steps[-1].sentence == "Binance refuses the key."
    assert checkup.markets == {"BTC/USDT": BTC}
    assert checkup.balances is None


async def test_a_missing_trade_permission_does_not_hide_the_balances() -> None:
    venue = FakeVenue(fetch_permissions=AccountPermissions(can_trade=False, can_withdraw=None))
    checkup = await examine(venue, venue, needs_key=True)  # type: ignore[arg-type]
    assert [(step.name, step.ok) for step in checkup.steps[3:]] == [
        ("Permissions", False),
        ("Balances", True),
    ]


async def test_balances_that_the_key_may_not_read_fail_their_own_step() -> None:
    venue = FakeVenue(fetch_balances=PermissionMissingError("The key may not read balances."))
    checkup = await examine(venue, venue, needs_key=True)  # type: ignore[arg-type]
    assert [step.ok for step in checkup.steps] == [True, True, True, True, False]


async def test_a_live_connection_without_a_key_is_told_so() -> None:
    checkup = await examine(FakeVenue(), None, needs_key=True)  # type: ignore[arg-type]
    assert (checkup.steps[-1].name, checkup.steps[-1].ok) == ("Key", False)


async def test_a_paper_connection_needs_no_key() -> None:
    checkup = await examine(FakeVenue(), None, needs_key=False)  # type: ignore[arg-type]
    assert [step.name for step in checkup.steps] == ["Time", "Markets"]


def test_a_right_to_withdraw_is_a_warning_and_no_failure() -> None:
    ok, sentence = permissions_verdict(AccountPermissions(can_trade=True, can_withdraw=True))
    assert ok
    assert "Warning" in sentence


@pytest.mark.parametrize(
    ("seconds", "ok", "words"),
    [(0.2, True, "agrees"), (-3, True, "3.0 s behind"), (9, False, "9.0 s ahead")],
)
def test_a_clock_that_is_far_off_fails(seconds: float, ok: bool, words: str) -> None:
    verdict = clock_verdict(timedelta(seconds=seconds))
    assert verdict[0] is ok
    assert words in verdict[1]


def test_the_demo_venue_passes_its_test_and_its_markets_are_kept(user: User) -> None:
    demo = services.create_connection(actor=user, owner=user, name="Demo", venue="demo", mode="paper")
    report = services.test_connection(connection=demo, actor=user)
    assert report.ok
    assert Market.objects.filter(venue="demo", active=True).exists()
    assert AuditEntry.objects.get(action="connection.tested").after["steps"][0]["ok"] is True
