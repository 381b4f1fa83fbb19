"""What a bot's page shows beside its form, and how it stays up to date."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bots.models import Bot, Decision, MarketView, Order, Position, PricePoint, SpreadBot, Trade
from bots.services import update_bot
from exchanges.models import Balance, ExchangeConnection
from tests.bots.scalpers import a_scalper, an_open_trip

D = Decimal
HTML = "<script>alert(1)</script>"
READ = ("now", "book", "market", "profit")
pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss")


@pytest.fixture
def client(boss: User) -> Client:
    return browser_of(boss)


@pytest.fixture
def bot(boss: User) -> SpreadBot:
    connection = ExchangeConnection.objects.create(name="Main", venue="demo", owner=boss)
    return SpreadBot.objects.create(
        name=f"Maker {HTML}", connection=connection, symbol="BTC/USDT", bid_spread_pct=D("0.01"),
        ask_spread_pct=D("0.01"), order_amount=D(1), state="running",
    )  # fmt: skip


def browser_of(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def url(bot: Bot, page: str, kind: str = "spreadbot") -> str:
    return f"/admin/bots/{kind}/{bot.pk}/{page}/"


def an_order(bot: Bot, side: str = "buy", price: str = "99", amount: str = "2", filled: str = "0.5") -> Order:
    return Order.objects.create(
        connection=bot.connection, bot=bot, fence=1, symbol="BTC/USDT", side=side, price=D(price),
        amount=D(amount), filled=D(filled), created_at=timezone.now(), state="open", level="bid 1",
    )  # fmt: skip


def a_fill(bot: Bot, number: int, profit: str = "1") -> None:
    Trade.objects.create(
        connection=bot.connection, bot=bot, order=Order.objects.filter(bot=bot).first() or an_order(bot),
        venue_id=str(number), symbol="BTC/USDT", side="buy", price=D(100), amount=D(1), cost=D(100),
        realised_profit=D(profit), time=timezone.now() - timedelta(minutes=60 - number),
    )  # fmt: skip


def a_view(bot: Bot) -> MarketView:
    return MarketView.objects.create(
        connection=bot.connection, symbol="BTC/USDT", wanted_until=timezone.now(), seen_at=timezone.now(),
        bids=[["99", "4"], ["98", "2"]], asks=[["101", "1"]],
    )  # fmt: skip


def test_the_book_shows_the_bots_own_orders(client: Client, bot: SpreadBot) -> None:
    a_view(bot)
    an_order(bot)
    page = client.get(url(bot, "book"))
    first = page.context["ladder"][0]
    assert (first["bid"]["price"], first["bid"]["own"], first["ask"]["own"]) == ("99", "1.5", "")
    assert (page.context["book"].mid, page.context["spread"]) == (D(100), "2 %")
    assert "desk-own" in page.content.decode()


def test_an_order_beyond_the_levels_that_are_shown_stands_below_them(client: Client, bot: SpreadBot) -> None:
    a_view(bot)
    an_order(bot, price="90")
    an_order(bot, side="sell", price="130", amount="3", filled="0")
    ladder = client.get(url(bot, "book")).context["ladder"]
    bids, asks = ([row.get(side) for row in ladder] for side in ("bid", "ask"))
    assert [(level["price"], level["own"]) for level in bids if level] == [
        ("99", ""),
        ("98", ""),
        ("90", "1.5"),
    ]
    assert [(level["price"], level["own"]) for level in asks if level] == [("101", ""), ("130", "3")]


def test_before_a_worker_has_shown_a_book_the_page_says_so(client: Client, bot: SpreadBot) -> None:
    assert "A worker shows the book while this page is open" in client.get(url(bot, "book")).content.decode()


def test_to_look_is_a_post_and_the_market_is_the_bots_own(client: Client, bot: SpreadBot) -> None:
    assert client.get(url(bot, "look")).status_code == 405
    assert client.post(url(bot, "look") + "?symbol=DOGE/USDT").status_code == 204
    view = MarketView.objects.get()
    assert (view.symbol, view.wanted_until > timezone.now()) == ("BTC/USDT", True)


@pytest.mark.parametrize("page", READ)
def test_a_part_that_is_read_changes_nothing(client: Client, bot: SpreadBot, page: str) -> None:
    with CaptureQueriesContext(database) as queries:
        assert client.get(url(bot, page)).status_code == 200
    assert not [q for q in queries if not q["sql"].startswith(("SELECT", "WITH"))]


@pytest.mark.parametrize("page", READ)
def test_a_part_asks_as_much_for_thirty_trades_as_for_three(
    client: Client, bot: SpreadBot, page: str
) -> None:
    counts = []
    for numbers in (range(3), range(3, 30)):
        for number in numbers:
            a_fill(bot, number)
        with CaptureQueriesContext(database) as queries:
            client.get(url(bot, page))
        counts.append(len(queries))
    assert counts[0] == counts[1] < 25


@pytest.mark.parametrize("page", READ)
def test_a_part_is_for_who_may_see_the_bot(bot: SpreadBot, page: str) -> None:
    guest = User.objects.create_user("guest", is_staff=True)
    browser = browser_of(guest)
    assert browser.get(url(bot, page)).status_code == 403
    guest.user_permissions.set(Permission.objects.filter(codename="view_spreadbot"))
    assert browser_of(guest).get(url(bot, page)).status_code == 404  # it is another's
    ExchangeConnection.objects.update(owner=guest)
    assert browser_of(guest).get(url(bot, page)).status_code == 200


def test_nobody_looks_through_another_ones_bot(bot: SpreadBot) -> None:
    guest = User.objects.create_user("guest", is_staff=True)
    guest.user_permissions.set(Permission.objects.filter(codename="view_spreadbot"))
    assert browser_of(guest).post(url(bot, "look")).status_code == 404
    assert not MarketView.objects.exists()


def test_names_and_words_of_venues_are_text_and_no_markup(client: Client, bot: SpreadBot) -> None:
    an_order(bot)
    Order.objects.update(reason=HTML)
    Decision.objects.create(bot=bot, reason=HTML, at=timezone.now())
    ExchangeConnection.objects.update(last_error=HTML)
    for page in ("change", "now", "book"):
        shown = client.get(url(bot, page)).content.decode()
        assert HTML not in shown, page
        assert page == "book" or "&lt;script&gt;" in shown


def test_the_chart_has_prices_fills_and_resting_orders(client: Client, bot: SpreadBot) -> None:
    minute = timezone.now().replace(second=0, microsecond=0)
    PricePoint.objects.create(venue="demo", symbol="BTC/USDT", minute=minute, price=D("100.50"))
    PricePoint.objects.create(venue="demo", symbol="ETH/USDT", minute=minute, price=D(1))
    a_fill(bot, 1)
    told = client.get(url(bot, "market")).json()
    assert [price for _, price in told["prices"]] == ["100.5"]
    assert [(fill["side"], fill["price"]) for fill in told["fills"]] == [("buy", "100")]
    assert told["orders"] == [{"side": "buy", "price": "99", "level": "bid 1"}]


def test_the_profit_is_added_up_trade_by_trade(client: Client, bot: SpreadBot) -> None:
    for number, profit in enumerate(("1", "-3", "5")):
        a_fill(bot, number, profit)
    (line,) = client.get(url(bot, "profit")).json()["lines"]
    assert [value for _, value in line["points"]] == ["0", "1", "-2", "3"]


def test_the_inventory_stands_beside_its_target(client: Client, bot: SpreadBot) -> None:
    a_view(bot)
    SpreadBot.objects.update(inventory_skew=True, inventory_target_pct=D("0.4"))
    Position.objects.create(bot=bot, symbol="BTC/USDT", mark_price=D(100))
    for currency, free in (("BTC", D(1)), ("USDT", D(300))):
        Balance.objects.create(
            connection=bot.connection, currency=currency, free=free, used=D(0), at=timezone.now()
        )
    assert client.get(url(bot, "book")).context["inventory"] == {
        "share": "25.0%", "width": "25%", "target": "40%",
    }  # fmt: skip


def test_what_was_changed_of_its_settings_stands_on_the_page(
    client: Client, boss: User, bot: SpreadBot
) -> None:
    update_bot(bot=bot, actor=boss, bid_spread_pct=D("0.03"))
    (row,) = client.get(url(bot, "change")).context["changes"]["rows"]
    assert row[1:] == ("boss", "bid_spread_pct: 0.01 → 0.03")


def test_the_parts_of_the_page_renew_themselves(client: Client, bot: SpreadBot) -> None:
    page = client.get(url(bot, "change")).content.decode()
    for part in ("now", "book", "look"):
        assert f"{url(bot, part)}" in page, part
    for chart in ("market", "profit"):
        assert f'data-chart="{url(bot, chart)}' in page
    renewed = client.get(url(bot, "now")).content.decode()
    assert '<div id="bot-status" hx-swap-oob="innerHTML">' in renewed
    assert "running" in renewed


def test_a_scalpers_page_shows_the_market_that_is_chosen(client: Client, bot: SpreadBot) -> None:
    scalper = a_scalper(bot.connection, symbols="BTC/USDT, ETH/USDT")
    an_open_trip(scalper)
    page = client.get(url(scalper, "change", "scalperbot"), {"symbol": "ETH/USDT"})
    assert page.context["symbol"] == "ETH/USDT"
    client.post(url(scalper, "look", "scalperbot") + "?symbol=ETH/USDT")
    assert MarketView.objects.get().symbol == "ETH/USDT"
    assert client.get(url(scalper, "now", "scalperbot")).status_code == 200


PAGES = ["/admin/", "change", "/admin/bots/killswitch/pull/?for=desk", "/admin/login/"]


@pytest.mark.parametrize("address", PAGES)
def test_no_page_has_a_script_of_its_own(client: Client, bot: SpreadBot, address: str) -> None:
    """The content policy forbids them: scripts are files, and what they need to know stands in attributes."""
    page = client.get(url(bot, address) if address == "change" else address).content.decode()
    inline = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", page)
    assert [tag for tag in inline if "application/json" not in tag] == []
    assert re.findall(r"\son(?:click|submit|change|load)=", page) == []
