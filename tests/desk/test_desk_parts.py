"""The parts of the first page: each by itself, for who may see it, in a fixed number of questions."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.staticfiles import finders
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import strip_tags

from bots.models import BotEvent, Order, Position, SpreadBot, Trade
from exchanges.models import Balance, BalanceSnapshot, ExchangeConnection
from tests.desk.pages import a_health

D = Decimal
PARTS = {
    "trouble": None,
    "sums": "bots.view_spreadbot",
    "bots": "bots.view_spreadbot",
    "connections": "exchanges.view_exchangeconnection",
    "trades": "bots.view_trade",
    "events": "bots.view_botevent",
    "profit": "bots.view_trade",
    "equity": "exchanges.view_balancesnapshot",
}
HTML = "<script>alert(1)</script>"
VENDOR = Path(str(finders.find("vendor/vendored.json")))
pytestmark = pytest.mark.django_db


def url(part: str) -> str:
    return f"/admin/desk/{part}/"


def browser_of(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def person(name: str, *permissions: str) -> User:
    user = User.objects.create_user(name, is_staff=True)
    for permission in permissions:
        app_label, codename = permission.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app_label, codename=codename)
        )
    return user


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss")


def a_desk(owner: User, number: int, name: str = "") -> SpreadBot:
    """A connection with a bot that has traded, and all that hangs on them."""
    now = timezone.now()
    connection = ExchangeConnection.objects.create(
        name=name or f"C{number}", venue="demo", owner=owner, balances_at=now
    )
    bot = SpreadBot.objects.create(
        name=name or f"B{number}", connection=connection, symbol="BTC/USDT", bid_spread_pct=D("0.01"),
        ask_spread_pct=D("0.01"), order_amount=D(1), state="running",
    )  # fmt: skip
    Position.objects.create(
        bot=bot, symbol="BTC/USDT", amount=D(1), cost=D(90), realised_profit=D(5), mark_price=D(100),
        marked_at=now, day=now.date(), day_start_profit=D(12),
    )  # fmt: skip
    order = Order.objects.create(
        connection=connection, bot=bot, fence=1, symbol="BTC/USDT", side="buy", price=D(100), amount=D(1),
        created_at=now, state="open", level="bid 1",
    )  # fmt: skip
    for second, profit in enumerate(("2", "3")):
        Trade.objects.create(
            connection=connection, bot=bot, order=order, venue_id=f"{number}-{second}", symbol="BTC/USDT",
            side="buy", price=D(100), amount=D(1), cost=D(100), realised_profit=D(profit),
            time=now - timedelta(minutes=10 - second),
        )  # fmt: skip
    Balance.objects.create(connection=connection, currency="USDT", free=D(900), used=D(100), at=now)
    Balance.objects.create(connection=connection, currency="BTC", free=D(1), used=D(0), at=now)
    hour = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    BalanceSnapshot.objects.create(
        connection=connection, hour=hour, taken_at=hour, quote="USDT", total=D(1050), lines=[]
    )
    BotEvent.objects.create(bot=bot, connection=connection, at=now, kind="started", text=name or "Started.")
    a_health(connection, cause=name)
    return bot


@pytest.mark.parametrize("part", PARTS)
def test_a_part_asks_as_much_for_thirty_rows_as_for_three(boss: User, part: str) -> None:
    browser, counts = browser_of(boss), []
    for numbers in (range(3), range(3, 30)):
        for number in numbers:
            a_desk(boss, number)
        with CaptureQueriesContext(
            database,
        ) as queries:
            assert browser.get(url(part)).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] < 25


@pytest.mark.parametrize(("part", "permission"), PARTS.items())
def test_a_part_is_for_who_may_see_it(boss: User, part: str, permission: str | None) -> None:
    a_desk(boss, 1)
    others = {name for name in PARTS.values() if name} - {permission}
    assert browser_of(person("other", *others)).get(url(part)).status_code == (403 if permission else 200)
    assert browser_of(person("guest", *filter(None, [permission]))).get(url(part)).status_code == 200


@pytest.mark.parametrize("part", PARTS)
def test_a_part_shows_nobody_what_is_anothers(boss: User, part: str) -> None:
    a_desk(boss, 1, "Secret")
    client = person("client", *filter(None, PARTS.values()))
    a_desk(client, 2, "Mine")
    page = browser_of(client).get(url(part)).content.decode()
    assert "Secret" not in page
    assert ("Mine" in page) == (part in {"bots", "connections", "trades", "events"})


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_only_read(boss: User, part: str) -> None:
    assert browser_of(boss).post(url(part)).status_code == 405


def test_who_was_logged_out_has_the_whole_page_loaded_anew() -> None:
    answer = Client().get(url("bots"))
    assert (answer.headers.get("HX-Refresh"), answer.content) == ("true", b"")


@pytest.mark.parametrize("part", ["trouble", "bots", "connections", "trades", "events"])
def test_what_people_and_venues_write_is_text_and_no_markup(boss: User, part: str) -> None:
    a_desk(boss, 1, HTML)
    ExchangeConnection.objects.update(last_error=HTML)
    page = browser_of(boss).get(url(part)).content.decode()
    assert HTML not in page
    if part != "trouble":
        assert "&lt;script&gt;" in page


def test_equity_and_todays_profit_stand_beside_what_was_earned_in_all(boss: User) -> None:
    a_desk(boss, 1)
    (total,) = browser_of(boss).get(url("sums")).context["totals"]
    shown = {name: strip_tags(total[name]) for name in ("equity", "today", "profit")}
    assert shown == {"equity": "1100 USDT", "today": "+3 USDT", "profit": "+15 USDT"}


def test_what_has_no_price_is_named_and_not_guessed(boss: User) -> None:
    bot = a_desk(boss, 1)
    Balance.objects.create(
        connection=bot.connection, currency="DUST", free=D(7), used=D(0), at=timezone.now()
    )
    page = browser_of(boss).get(url("sums"))
    assert "Equity without DUST" in page.content.decode()


def test_yesterdays_profit_is_not_todays(boss: User) -> None:
    a_desk(boss, 1)
    Position.objects.update(day=timezone.now().date() - timedelta(days=1))
    (total,) = browser_of(boss).get(url("sums")).context["totals"]
    assert strip_tags(total["today"]) == "0 USDT"


def test_bots_are_counted_by_state_and_open_orders_in_all(boss: User) -> None:
    for number, state in enumerate(("running", "running", "paused")):
        bot = a_desk(boss, number)
        SpreadBot.objects.filter(pk=bot.pk).update(state=state)
    context = browser_of(boss).get(url("sums")).context
    assert context["states"] == [("Running", 2), ("Paused", 1), ("Stopping", 0), ("Stopped", 0)]
    assert context["live_orders"] == 3


def test_a_connection_that_does_not_answer_stands_on_top_with_its_cause(boss: User) -> None:
    bot = a_desk(boss, 1)
    health = bot.connection.health
    health.state, health.cause = "open", "Binance is down: it is tried again."
    health.save()
    page = browser_of(boss).get(url("trouble")).content.decode()
    assert "does not answer as it should" in page
    assert "Binance is down" in page
    assert "nothing here needs you" not in page


def test_the_profit_of_a_day_is_added_up_from_nothing(boss: User) -> None:
    a_desk(boss, 1)
    (line,) = browser_of(boss).get(url("profit")).json()["lines"]
    assert (line["title"], [value for _, value in line["points"]]) == ("Paper, USDT", ["0", "2", "5"])


def test_the_equity_of_a_week_ends_with_what_the_accounts_are_worth_now(boss: User) -> None:
    a_desk(boss, 1)
    a_desk(boss, 2)
    (line,) = browser_of(boss).get(url("equity")).json()["lines"]
    assert [value for _, value in line["points"]] == ["2100", "2200"]


def test_an_empty_chart_says_why(boss: User) -> None:
    assert browser_of(boss).get(url("profit")).json() == {
        "lines": [], "empty": "No trade in the last 24 hours.",
    }  # fmt: skip


def test_each_part_of_the_first_page_renews_itself(boss: User) -> None:
    a_desk(boss, 1)
    page = browser_of(boss).get("/admin/").content.decode()
    for part in ("trouble", "sums", "bots", "connections", "trades", "events"):
        assert re.search(rf'data-renews hx-get="{url(part)}" hx-trigger="every \d+s, shown"', page), part
    for chart in ("profit", "equity"):
        assert f'data-chart="{url(chart)}"' in page


def vendored() -> list[dict[str, Any]]:
    files: list[dict[str, Any]] = json.loads(VENDOR.read_text())["files"]
    return files


def test_what_was_vendored_is_what_was_published() -> None:
    stated = {file["path"] for file in vendored()}
    there = {str(path.relative_to(VENDOR.parent)) for path in VENDOR.parent.rglob("*.js")}
    assert stated == there
    for file in vendored():
        path = VENDOR.parent / file["path"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == file["sha256"], file["path"]
        assert "Apache License" in (path.parent / file["licence"]).read_text()
        assert file["version"] in path.read_text()[:400]
