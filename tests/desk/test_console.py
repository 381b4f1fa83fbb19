from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.staticfiles import finders
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from bots.models import Bot, Decision, Order, Position, Runtime, SpreadBot, Trade
from bots.services import create_spread_bot, start_bot
from exchanges.admin.cells import ago, figure, number, short
from exchanges.models import ExchangeConnection
from exchanges.services import create_connection
from tests.bots.scalpers import a_scalper, an_open_trip
from tests.desk.pages import a_health
from tests.test_acting_urls import pages_of_the_admin

pytestmark = pytest.mark.django_db
WARNING = "No worker is running while 1 bot is at work"


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss")


@pytest.fixture
def client(boss: User) -> Client:
    browser = Client()
    browser.force_login(boss)
    return browser


def a_bot(boss: User, connection: ExchangeConnection, name: str, profit: str) -> SpreadBot:
    bot = create_spread_bot(
        actor=boss, name=name, connection=connection, symbol="BTC/USDT", bid_spread_pct=Decimal("0.01"),
        ask_spread_pct=Decimal("0.01"), order_amount=Decimal("0.1"),
    )  # fmt: skip
    Position.objects.create(
        bot=bot, symbol="BTC/USDT", amount=Decimal(1), cost=Decimal(90), realised_profit=Decimal(profit),
        mark_price=Decimal(100),
    )  # fmt: skip
    return bot


@pytest.fixture
def paper(boss: User) -> ExchangeConnection:
    return create_connection(actor=boss, owner=boss, name="Play", venue="demo", mode="paper")


@pytest.fixture
def live(boss: User) -> ExchangeConnection:
    return create_connection(actor=boss, owner=boss, name="Real", venue="binance", mode="live")


def guest_who(*permissions: str) -> Client:
    guest = User.objects.create_user("guest", is_staff=True)
    guest.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    browser = Client()
    browser.force_login(guest)
    return browser


def words(html: str) -> str:
    """What a person reads."""
    return strip_tags(html)


def runtime(age_seconds: int) -> None:
    Runtime.objects.create(
        id=uuid4(), host="h", boot_id="b", pid=1, process_started="1", started_at=timezone.now(),
        heartbeat_at=timezone.now() - timedelta(seconds=age_seconds),
    )  # fmt: skip


def test_live_and_paper_profits_are_never_added_together(
    client: Client, boss: User, paper: ExchangeConnection, live: ExchangeConnection
) -> None:
    a_bot(boss, paper, "P1", "1000")
    a_bot(boss, paper, "P2", "0.5")
    a_bot(boss, live, "L", "7")
    totals = client.get("/admin/").context["totals"]
    assert [
        (row["mode"], *(words(row[name]) for name in ("profit", "realised", "unrealised")), row["bots"])
        for row in totals
    ] == [
        ("Live", "+17 USDT", "+7 USDT", "+10 USDT", 1),
        ("Paper", "+1020.5 USDT", "+1000.5 USDT", "+20 USDT", 2),
    ]


def test_the_first_page_lists_bots_with_state_age_and_reason(
    client: Client, boss: User, paper: ExchangeConnection
) -> None:
    bot = a_bot(boss, paper, "Maker", "1.50")
    Bot.objects.update(last_cycle_at=timezone.now() - timedelta(minutes=3))
    page = client.get("/admin/").content.decode()
    for shown in ("Maker", "stopped", "3 min ago", "1.5 USDT", f"/admin/bots/spreadbot/{bot.pk}/change/"):
        assert shown in page, shown


def an_order(bot: SpreadBot, state: str, reason: str = "") -> None:
    Order.objects.create(
        connection=bot.connection, bot=bot, fence=1, symbol="BTC/USDT", side="buy", price=Decimal(100),
        amount=Decimal(1), created_at=timezone.now(), state=state, reason=reason,
    )  # fmt: skip


def test_orders_that_are_refused_are_said_beside_the_decision_that_wanted_them(
    client: Client, boss: User, paper: ExchangeConnection
) -> None:
    bot = a_bot(boss, paper, "Maker", "1")
    Decision.objects.create(bot=bot, reason="Quotes 1 bid.", at=timezone.now())
    start_bot(bot=bot, actor=boss)
    an_order(bot, "rejected", "The key may not trade.")
    decided, refused = "Quotes 1 bid.", "Its newest order was refused: The key may not trade."
    for url, shown in (
        ("/admin/", f"{decided} {refused}"),
        (f"/admin/bots/spreadbot/{bot.pk}/change/", f"{refused} {decided}"),
    ):
        assert shown in " ".join(words(client.get(url).content.decode()).split()), url
    an_order(bot, "open")
    assert "was refused" not in client.get("/admin/").content.decode()


def test_a_bot_that_does_not_run_shows_no_old_decision_as_news(
    client: Client, boss: User, paper: ExchangeConnection
) -> None:
    bot = a_bot(boss, paper, "Maker", "1")
    quote = {"side": "buy", "price": "99", "amount": "1", "level": "bid 1"}
    Decision.objects.create(bot=bot, reason="Quotes 1 bid.", quotes=[quote], at=timezone.now())
    for url in ("/admin/", f"/admin/bots/spreadbot/{bot.pk}/change/"):
        page = client.get(url).content.decode()
        assert "Stopped." in page
        assert "Quotes 1 bid." not in page
        assert "Its quotes" not in page


def test_the_first_page_shows_the_last_trades_to_whom_may_see_them(
    client: Client, boss: User, paper: ExchangeConnection
) -> None:
    bot = a_bot(boss, paper, "Maker", "1")
    an_order(bot, "filled")
    Trade.objects.create(
        connection=paper, bot=bot, order=Order.objects.get(), venue_id="t1", symbol="BTC/USDT", side="buy",
        price=Decimal("101.5"), amount=Decimal(1), cost=Decimal("101.5"), time=timezone.now(),
    )  # fmt: skip
    assert "101.5" in client.get("/admin/").content.decode()
    browser = guest_who("view_spreadbot", "view_all_connections")
    page = browser.get("/admin/").content.decode()
    assert "Maker" in page
    assert "101.5" not in page


def test_who_may_not_see_bots_sees_none(boss: User, paper: ExchangeConnection) -> None:
    a_bot(boss, paper, "Maker", "1")
    browser = Client()
    browser.force_login(User.objects.create_user("guest", is_staff=True))
    assert "Maker" not in browser.get("/admin/").content.decode()


def test_a_banner_says_when_bots_are_at_work_and_no_worker_is(
    client: Client, boss: User, paper: ExchangeConnection
) -> None:
    bot = a_bot(boss, paper, "Maker", "1")
    assert WARNING not in client.get("/admin/").content.decode()
    start_bot(bot=bot, actor=boss)
    runtime(age_seconds=46)
    assert WARNING in client.get("/admin/").content.decode()
    runtime(age_seconds=5)
    assert WARNING not in client.get("/admin/").content.decode()


def test_the_sidebar_has_the_desk_the_exchanges_and_the_log(client: Client) -> None:
    page = client.get("/admin/").content.decode()
    for title in (
        "Spread bots",
        "Scalper bots",
        "Round trips",
        "Orders",
        "Trades",
        "Positions",
        "Connections",
        "Balances",
        "Events",
        "Audit",
    ):
        assert re.search(rf">\s*{title}\s*<", page), title
    assert "Botdesk" in page
    assert "django_q" not in page


@pytest.mark.parametrize("url", ["/admin/", "/admin/login/", "/admin/bots/spreadbot/add/"])
def test_pages_load_nothing_from_elsewhere(client: Client, url: str) -> None:
    page = client.get(url).content.decode()
    loaded = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="([^"]+)"', page)
    assert [address for address in loaded if "//" in address] == []
    for address in loaded:
        if address.startswith("/static/"):
            assert finders.find(address.removeprefix("/static/")), address


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("0.010", "0.01"),
        ("100", "100"),
        ("0E-18", "0"),
        ("-1.50", "-1.5"),
        ("1E+3", "1000"),
        ("1E-7", "0.0000001"),
        ("12345678901234567890.123456789012345678", "12345678901234567890.123456789012345678"),
    ],
)
def test_a_number_is_exact_and_plain(value: str, shown: str) -> None:
    assert number(Decimal(value)) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("-0.495528670829170829", "-0.495529"),
        ("10254.12290782", "10254.12"),
        ("0.000001234567", "0.00000123457"),
        ("1234567", "1234567"),
        ("0", "0"),
    ],
)
def test_a_figure_is_short_and_its_exact_value_is_at_hand(value: str, shown: str) -> None:
    assert short(Decimal(value)) == shown
    assert f'title="{number(Decimal(value))} USDT"' in figure(Decimal(value), "USDT")


def test_the_sign_of_a_profit_is_seen() -> None:
    shown = [figure(Decimal(value), is_profit=True) for value in ("1", "-1", "0")]
    assert [words(html) for html in shown] == ["+1", "-1", "0"]
    assert ["desk-gain" in html for html in shown] == [True, False, False]
    assert ["desk-loss" in html for html in shown] == [False, True, False]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-5, "0 s ago"), (3, "3 s ago"), (60, "1 min ago"), (7_300, "2 h ago"), (200_000, "2 d ago")],
)
def test_an_age_is_in_the_unit_that_says_it(seconds: int, shown: str) -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    assert ago(now - timedelta(seconds=seconds), now) == shown


class AwayDatabase:
    """Every statement meets a server that has gone."""

    def __call__(self, *_: object) -> None:
        raise OperationalError("server closed the connection unexpectedly at db.secret.example")


def test_a_page_without_its_database_says_so_in_one_sentence(client: Client) -> None:
    client.raise_request_exception = False
    with connection.execute_wrapper(AwayDatabase()):
        answer = client.get("/admin/")
    assert answer.status_code == 503
    assert answer.content.decode().startswith("The database does not answer at the moment.")
    assert "secret" not in answer.content.decode()


def test_a_scalpers_profit_is_the_sum_of_its_positions_by_currency(
    client: Client, boss: User, paper: ExchangeConnection
) -> None:
    a_bot(boss, paper, "Maker", "1")
    scalper = a_scalper(paper, symbols="BTC/USDT, ETH/USDT, ETH/BTC")
    an_open_trip(scalper)
    for symbol, profit in (("BTC/USDT", "3"), ("ETH/USDT", "-1"), ("ETH/BTC", "0.25")):
        Position.objects.create(bot=scalper, symbol=symbol, realised_profit=Decimal(profit))
    desk = client.get("/admin/").context
    row = next(row for row in desk["bot_rows"] if row["name"] == "Scalper")
    assert row["url"] == f"/admin/bots/scalperbot/{scalper.pk}/change/"
    assert (row["position"], words(row["realised"])) == ("1 open", "+2 USDT, +0.25 BTC")
    assert row["market"] == "BTC/USDT, ETH/USDT, ETH/BTC at Play"
    assert [(row["currency"], words(row["realised"]), row["bots"]) for row in desk["totals"]] == [
        ("BTC", "+0.25 BTC", 1), ("USDT", "+3 USDT", 2),
    ]  # fmt: skip


def test_the_first_page_shows_the_kinds_of_bot_that_one_may_see(
    boss: User, paper: ExchangeConnection
) -> None:
    a_bot(boss, paper, "Maker", "1")
    a_scalper(paper)
    browser = guest_who("view_scalperbot", "view_all_connections")
    assert [row["name"] for row in browser.get("/admin/").context["bot_rows"]] == ["Scalper"]


def test_the_first_page_shows_how_connections_are_the_worst_first(
    client: Client, boss: User, paper: ExchangeConnection, live: ExchangeConnection
) -> None:
    assert client.get("/admin/").context["health"] is None
    a_health(paper)
    a_health(live, score=0, grade="poor", state="open", errors=4, error_rate=1.0, cause="Binance is down.")
    page = client.get("/admin/")
    rows = [[words(str(cell)) for cell in row] for row in page.context["health"]["rows"]]
    assert [row[:3] for row in rows] == [["Real", "0 poor", "open"], ["Play", "100 good", "closed"]]
    assert "Binance is down." in page.content.decode()
    browser = guest_who("view_spreadbot", "view_all_connections")
    assert "Binance is down." not in browser.get("/admin/").content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "p=-1",
        "p=x",
        f"p={10**20}",
        "o=x",
        "o=99",
        "e=1",
        "nonsense=1",
        "all=",
        "q=%00",
        f"q={'a' * 5000}",
        "bot__id__exact=x",
        "connection__id__exact=0",
        "connection__mode__exact=x",
        "time__gte=x",
        "is_dry_run__exact=x",
        "_to_field=x",
    ],
)
def test_no_list_breaks_at_an_odd_address(client: Client, query: str) -> None:
    client.raise_request_exception = False
    lists = [page.name for page in pages_of_the_admin() if str(page.name).endswith("_changelist")]
    assert len(lists) > 10
    answers = {name: client.get(f"{reverse(f'admin:{name}')}?{query}") for name in lists}
    assert {name: answer.status_code for name, answer in answers.items() if answer.status_code >= 500} == {}


def test_there_is_no_search_over_everything(client: Client) -> None:
    assert client.get("/admin/search/?page=x").status_code == 404
