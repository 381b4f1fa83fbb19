"""Lists that may have a million rows: searches, filters, pages, and the first page of a desk of many bots."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import strip_tags

from audit.models import AuditEntry
from bots import overview
from bots.models import BotEvent, BotState, Decision, Order, Position, RoundTrip, SpreadBot, Trade
from database import paging
from exchanges.models import Balance, BalanceSnapshot, ExchangeConnection, UnexplainedChange
from tests.bots.engine.conftest import make_bot, make_connection

D = Decimal
pytestmark = pytest.mark.django_db
TRADES, ORDERS, EVENTS = (f"/admin/bots/{name}/" for name in ("trade", "order", "botevent"))


@pytest.fixture
def client() -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("boss"))
    return browser


def a_fill(bot: SpreadBot, number: int, *, minutes_ago: float = 0, state: str = "filled") -> Trade:
    """Of an order that is the venue's `o{number}`; the fill is its `t{number}`."""
    at = timezone.now() - timedelta(minutes=minutes_ago)
    order = Order.objects.create(
        connection=bot.connection, bot=bot, fence=1, symbol=bot.symbol, side="buy", price=D(100), amount=D(1),
        created_at=at, venue_id=f"o{number}", level="bid 1", state=state, settled_at=at,
    )  # fmt: skip
    trade = Trade.objects.create(
        connection=bot.connection, bot=bot, order=order, venue_id=f"t{number}", symbol=bot.symbol,
        side="buy", price=D(100), amount=D(1), cost=D(100), time=at,
    )  # fmt: skip
    Position.objects.get_or_create(bot=bot, symbol=bot.symbol)
    return trade


@pytest.fixture
def fills() -> dict[str, Trade]:
    """By its bot's name."""
    main, other = make_connection("Main account"), make_connection("Spare", mode="paper")
    return {
        "Maker": a_fill(make_bot(main, "Maker", symbol="BTC/USDT"), 1),
        "Taker": a_fill(make_bot(main, "Taker", symbol="ETH/USDT"), 2),
        "Third": a_fill(make_bot(other, "Third", symbol="BTC/EUR"), 3),
    }


def listed(client: Client, url: str, **asked: str | int) -> list[str]:
    """The bots of the rows that are shown."""
    answer = client.get(url, {name: str(value) for name, value in asked.items()})
    assert answer.status_code == 200
    return sorted(row.bot.name for row in answer.context["cl"].result_list)


# --- What a search finds


@pytest.mark.parametrize("url", [TRADES, ORDERS])
def test_a_search_finds_rows_by_either_id_of_their_order(
    client: Client, fills: dict[str, Trade], url: str
) -> None:
    order = fills["Taker"].order
    assert listed(client, url, q=order.client_id) == ["Taker"]
    assert listed(client, url, q=f" {order.venue_id} ") == ["Taker"]


def test_a_search_finds_a_trade_by_the_venues_id(client: Client, fills: dict[str, Trade]) -> None:
    assert listed(client, TRADES, q="t3") == ["Third"]


def test_a_part_of_an_id_finds_nothing(client: Client, fills: dict[str, Trade]) -> None:
    assert listed(client, ORDERS, q=fills["Taker"].order.client_id[:20]) == []


@pytest.mark.parametrize("url", [TRADES, ORDERS])
@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("maker", ["Maker"]),
        ("ake", ["Maker", "Taker"]),
        ("spare", ["Third"]),
        ("BTC", ["Maker", "Third"]),
        ("eth/usdt", ["Taker"]),
        ("BTC main", ["Maker"]),
        ("BTC ETH", []),
        ("nobody", []),
        ("", ["Maker", "Taker", "Third"]),
    ],
)
def test_a_search_finds_rows_by_bot_connection_and_market(
    client: Client, fills: dict[str, Trade], url: str, typed: str, found: list[str]
) -> None:
    assert listed(client, url, q=typed) == found


def test_a_bot_that_moved_to_another_market_is_found_by_what_it_traded_there(
    client: Client, fills: dict[str, Trade]
) -> None:
    SpreadBot.objects.filter(name="Maker").update(symbol="SOL/USDT")
    assert listed(client, TRADES, q="BTC/USDT") == ["Maker"]
    assert listed(client, TRADES, q="SOL") == []


def test_a_search_finds_events_by_their_text_and_by_names(client: Client, fills: dict[str, Trade]) -> None:
    for name, text in (("Maker", "Started."), ("Third", "The venue refused it.")):
        bot = fills[name].bot
        BotEvent.objects.create(bot=bot, connection=bot.connection, at=timezone.now(), kind="note", text=text)
    assert listed(client, EVENTS, q="refused") == ["Third"]
    assert listed(client, EVENTS, q="main account") == ["Maker"]
    assert listed(client, EVENTS, q="note") == ["Maker", "Third"]


def test_rows_are_filtered_by_the_mode_of_their_connection(client: Client, fills: dict[str, Trade]) -> None:
    for url in (TRADES, ORDERS):
        assert listed(client, url, mode="paper") == ["Third"]
        assert listed(client, url, mode="live") == ["Maker", "Taker"]


def test_a_list_without_rows_is_looked_for_once(client: Client, fills: dict[str, Trade]) -> None:
    with CaptureQueriesContext(database) as captured:
        assert listed(client, TRADES, side__exact="sell") == []
    sent = [query["sql"] for query in captured.captured_queries]
    assert sum('"side" = ' in sql for sql in sent) == 1


# --- Pages


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> SpreadBot:
    """A bot with 55 trades, where lists show 50 at most."""
    monkeypatch.setattr(paging, "MOST_ROWS", 50)
    bot = make_bot(make_connection())
    for number in range(55):
        a_fill(bot, number, minutes_ago=number)
    return bot


def words(client: Client, **asked: str | int) -> str:
    page = client.get(TRADES, {name: str(value) for name, value in asked.items()}).content.decode()
    return " ".join(strip_tags(page).split())


def shown(client: Client, **asked: str | int) -> list[str]:
    answer = client.get(TRADES, {name: str(value) for name, value in asked.items()})
    return [trade.venue_id for trade in answer.context["cl"].result_list]


def test_a_list_of_too_many_rows_says_so_and_what_finds_the_others(client: Client, many: SpreadBot) -> None:
    assert "more than 50 trades. These pages show the first of them: a filter or a search" in words(client)


def test_a_list_of_few_rows_says_how_many(client: Client, many: SpreadBot) -> None:
    assert "1 trade" in words(client, q="t3")
    assert "more than" not in words(client, q="t3")
    assert "50 trades" in words(client, time__lt=str(Trade.objects.get(venue_id="t4").time))


def test_the_last_page_ends_with_the_last_row_that_is_counted(client: Client, many: SpreadBot) -> None:
    assert shown(client) == [f"t{number}" for number in range(30)]
    assert shown(client, p=2) == [f"t{number}" for number in range(30, 50)]


def test_a_page_past_the_last_is_the_last(client: Client, many: SpreadBot) -> None:
    assert shown(client, p=1000) == shown(client, p=2)
    assert shown(client, p=1000, q="t3") == ["t3"]


def test_rows_are_counted_no_further_than_they_are_shown(client: Client, many: SpreadBot) -> None:
    with CaptureQueriesContext(database) as captured:
        shown(client, p=2)
    counts = [
        q["sql"] for q in captured.captured_queries if "COUNT(" in q["sql"] and "bots_trade" in q["sql"]
    ]
    assert [sql for sql in counts if "LIMIT 51" not in sql] == []
    assert len(counts) == 1


# --- A fixed number of statements


def rows_of_every_kind(numbers: range) -> None:
    owner, _ = User.objects.get_or_create(username="olga")
    for number in numbers:
        connection = make_connection(f"C{number}", last_error="It is down." if number % 2 else "")
        bot = make_bot(connection, f"B{number}", state=BotState.RUNNING)
        trade = a_fill(bot, number, state="rejected" if number % 3 else "filled")
        now = timezone.now()
        Decision.objects.create(bot=bot, reason="x", at=now)
        BotEvent.objects.create(bot=bot, connection=connection, at=now, kind="note", text="x")
        RoundTrip.objects.create(
            bot=bot, connection=connection, symbol="BTC/USDT", side="buy", created_at=now, opened_at=now
        )
        Balance.objects.create(connection=connection, currency="USDT", free=D(1), used=D(0), at=now)
        snapshot = BalanceSnapshot.objects.create(
            connection=connection, hour=now, taken_at=now, quote="USDT", total=D(1), lines=[]
        )
        ExchangeConnection.objects.filter(pk=connection.pk).update(last_snapshot=snapshot)
        UnexplainedChange.objects.create(
            connection=connection, currency="USDT", amount=D(1), since=now, noticed_at=now
        )
        AuditEntry.objects.create(
            actor=owner, action="x", target_type="bots.trade", target_id=trade.pk, target_name="x"
        )


def every_list() -> list[str]:
    metas = [model._meta for model in admin.site._registry]
    return ["/admin/", *(f"/admin/{meta.app_label}/{meta.model_name}/" for meta in metas)]


@pytest.mark.parametrize("url", every_list())
def test_a_list_of_thirty_rows_asks_as_much_as_one_of_three(client: Client, url: str) -> None:
    asked = []
    for numbers in (range(3), range(3, 30)):
        rows_of_every_kind(numbers)
        client.get(url)
        with CaptureQueriesContext(database) as captured:
            assert client.get(url).status_code == 200
        asked.append(len(captured))
    assert asked[0] == asked[1]


# --- The first page of a desk of many bots


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Five bots of which two are shown; who they are."""
    monkeypatch.setattr(overview, "SHOWN_BOTS", 2)
    connection = make_connection()
    for number in range(5):
        bot = make_bot(connection, f"B{number}")
        a_fill(bot, number)
        Position.objects.filter(bot=bot).update(
            realised_profit=D(number), updated_at=timezone.now() - timedelta(minutes=number)
        )
    return lambda: [row.bot.name for row in overview.bot_rows(overview.seen_by(User(is_superuser=True))).rows]


def test_the_first_page_of_many_bots_shows_those_that_traded_last(crowd: Callable[[], list[str]]) -> None:
    assert crowd() == ["B0", "B1"]


def test_the_first_page_of_many_bots_shows_those_in_trouble_first(crowd: Callable[[], list[str]]) -> None:
    broken = make_bot(make_connection("Broken", last_error="It is down."), "Alone")
    assert crowd() == ["Alone", "B0"]
    SpreadBot.objects.filter(pk=broken.pk).update(state=BotState.STOPPED)
    assert crowd() == ["B0", "B1"]
    Order.objects.filter(bot__name="B4").update(state="rejected", reason="Too small.")
    assert crowd() == ["B0", "B4"]


def test_the_sums_of_the_first_page_are_over_all_bots(crowd: Callable[[], list[str]]) -> None:
    (total,) = overview.figures(overview.seen_by(User(is_superuser=True))).totals
    assert (total.bots, total.profit.realised) == (5, D(10))


def test_the_first_page_of_many_bots_says_where_the_others_are(
    client: Client, crowd: Callable[[], list[str]]
) -> None:
    page = client.get("/admin/").content.decode()
    assert "2 of 5 bots: those in trouble, and those that traded last." in page
    assert 'href="/admin/bots/spreadbot/"' in page


def test_a_bot_counts_the_trades_of_a_day(client: Client, crowd: Callable[[], list[str]]) -> None:
    bot = SpreadBot.objects.get(name="B0")
    a_fill(bot, 90, minutes_ago=60)
    a_fill(bot, 91, minutes_ago=25 * 60)
    row = next(
        row for row in overview.bot_rows(overview.seen_by(User(is_superuser=True))).rows if row.bot == bot
    )
    assert row.trades == 2
