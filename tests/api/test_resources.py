"""What is read: one's own rows, in bounded pages, in a fixed number of queries, and nothing changes by it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver
from django.utils import timezone

from api.urls import urlpatterns
from audit.services import record
from bots.models import (
    BotEvent,
    KillSwitch,
    Order,
    Position,
    PricePoint,
    RoundTrip,
    ScalperBot,
    SpreadBot,
    Trade,
)
from exchanges.models import Balance, BalanceSnapshot, ExchangeConnection, Market, UnexplainedChange
from rest.models import ApiToken
from tests.api.people import Program, a_token, an_owner, errors
from tests.api.rows import D, Desk, a_desk, a_spread_bot, a_trade, an_order
from tests.bots.scalpers import a_scalper, an_open_trip
from tests.canaries import leaks
from tests.canaries.planted import SECRETS
from tests.desk.pages import a_health
from tests.test_acting_urls import everything

GROWING = [
    "orders", "trades", "round-trips", "events", "balance-history", "unexplained-changes", "audit",
]  # fmt: skip
BOUNDED = ["connections", "health", "balances", "markets", "bots", "spread-bots", "scalper-bots", "positions"]
LISTS = [*GROWING, *BOUNDED]
pytestmark = pytest.mark.django_db


def rows(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def names(answer: Any) -> set[str]:
    """Of the connections that the rows are of."""
    return {row["connection_name"] for row in rows(answer)}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_has_its_rows(desk: Desk, reader: Program, name: str) -> None:
    record(actor=desk.owner, action="bot.started", target=desk.spread)
    assert rows(reader.get(f"/v1/{name}/"))


@pytest.mark.parametrize("name", LISTS)
def test_a_list_needs_somebody(desk: Desk, name: str) -> None:
    assert Client().get(f"/api/v1/{name}/").status_code == 401


def test_a_client_sees_their_own_rows_and_no_others(desk: Desk, others: Desk, reader: Program) -> None:
    of_connections = set(LISTS) - {"audit", "markets", "connections", "spread-bots", "scalper-bots"}
    for name in of_connections:
        assert names(reader.get(f"/v1/{name}/")) == {"Main"}, name
    assert [row["name"] for row in rows(reader.get("/v1/connections/"))] == ["Main"]
    for kind in ("spread-bots", "scalper-bots"):
        assert {row["connection"] for row in rows(reader.get(f"/v1/{kind}/"))} == {str(desk.connection.pk)}
    shown = json.dumps(reader.get("/system/status").json())
    assert "Main" in shown
    assert "Otto" not in shown


def test_another_owners_rows_are_not_found_by_their_numbers(
    desk: Desk, others: Desk, reader: Program
) -> None:
    event = BotEvent.objects.get(connection=others.connection)
    theirs = {
        "connections": others.connection.pk, "bots": others.spread.pk, "spread-bots": others.spread.pk,
        "scalper-bots": others.scalper.pk, "orders": others.order.pk, "trades": others.trade.pk,
        "round-trips": others.trip.pk, "events": event.pk,
    }  # fmt: skip
    for name, key in theirs.items():
        answer = reader.get(f"/v1/{name}/{key}/")
        assert (answer.status_code, errors(answer)) == (404, [("not_found", None)]), name
    for query in (f"bot={others.spread.pk}", f"connection={others.connection.pk}"):
        assert rows(reader.get(f"/v1/trades/?{query}")) == []
        assert reader.get(f"/v1/profit/?{query}").json() == []


def test_who_may_see_all_connections_sees_them(desk: Desk, others: Desk) -> None:
    watcher = an_owner("watcher", "exchanges.view_all_connections")
    program = Program(a_token(watcher))
    assert names(program.get("/v1/trades/")) == {"Main", "Otto's"}
    assert program.get("/system/status").json()["exchanges"]["count"] == 2


def test_the_audit_is_for_those_who_may(desk: Desk, others: Desk, reader: Program) -> None:
    record(actor=others.owner, action="bot.started", target=others.spread)
    record(actor=desk.owner, action="bot.stopped", target=desk.spread)
    assert {row["actor"] for row in rows(reader.get("/v1/audit/"))} == {"olga"}
    desk.owner.user_permissions.add(Permission.objects.get(codename="view_all_connections"))
    assert {row["actor"] for row in rows(reader.get("/v1/audit/"))} >= {"olga", "otto"}
    otto = Program(a_token(others.owner))
    assert otto.get("/v1/audit/").status_code == 403


def test_one_row_is_read_by_its_number(desk: Desk, reader: Program) -> None:
    trade = reader.get(f"/v1/trades/{desk.trade.pk}/").json()
    assert (trade["price"], trade["amount"], trade["fee_amount"]) == ("100", "0.5", "0.05")
    assert (trade["bot_name"], trade["mode"], trade["realised_profit"]) == ("Maker", "paper", "1.5")
    bot = reader.get(f"/v1/bots/{desk.spread.pk}/").json()
    assert (bot["kind"], bot["state"], bot["markets"]) == ("spread", "stopped", "BTC/USDT")
    assert bot["profits"] == [{"currency": "USDT", "realised": "0", "unrealised": "0.5"}]


def test_decimals_are_exact_text(desk: Desk, reader: Program) -> None:
    amount = Decimal("12345678901234567890.123456789012345678")
    an_order(desk.spread, amount=amount)
    newest = rows(reader.get("/v1/orders/"))[0]
    assert newest["amount"] == "12345678901234567890.123456789012345678"
    assert newest["average"] is None


def test_no_secret_is_in_any_answer(olga: User, reader: Program) -> None:
    desk = a_desk(olga, "Live", venue="binance", mode="live")
    for name, secret in SECRETS.items():
        setattr(desk.connection, name, secret)
    desk.connection.save()
    for address in (
        "/system/status",
        f"/v1/connections/{desk.connection.pk}/",
        *(f"/v1/{name}/" for name in LISTS),
    ):
        answer = reader.get(address)
        assert answer.status_code == 200, address
        assert leaks(answer.content.decode()) == [], address
    assert reader.get(f"/v1/connections/{desk.connection.pk}/").json()["has_api_key"] is True


def test_html_in_names_and_in_what_a_venue_said_is_data(olga: User, reader: Program) -> None:
    mark = "<script>alert(1)</script>"
    desk = a_desk(olga, mark)
    ExchangeConnection.objects.update(last_error=mark)
    an_order(desk.spread, state="rejected", reason=mark)
    for address in ("/v1/connections/", "/v1/orders/", "/system/status"):
        answer = reader.get(address)
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert mark in json.dumps(answer.json())


# --- Pages and filters


def test_pages_by_cursor_have_each_row_once(desk: Desk, reader: Program) -> None:
    now = timezone.now()
    for number in range(7):  # three of one moment
        a_trade(desk.order, f"t{number}", time=now - timedelta(seconds=number // 3))
    seen, address = [], "/v1/trades/?limit=3"
    while address:
        page = reader.get(address).json()
        seen += [row["id"] for row in page["results"]]
        address = (page["next"] or "").partition("/api")[2]
    assert len(seen) == len(set(seen)) == Trade.objects.count()


@pytest.mark.parametrize("name", LISTS)
def test_a_huge_page_is_cut(desk: Desk, reader: Program, name: str) -> None:
    for limit in ("10000000", "9" * 400, "-1", "0", "x"):
        assert len(rows(reader.get(f"/v1/{name}/?limit={limit}&offset={'9' * 30}"))) <= 500


def test_a_page_has_five_hundred_rows_at_most(desk: Desk, reader: Program) -> None:
    base = {
        "connection": desk.connection, "bot": desk.spread, "at": timezone.now(), "kind": "x", "text": "x"
    }  # fmt: skip
    BotEvent.objects.bulk_create(BotEvent(**base) for _ in range(510))
    assert len(rows(reader.get("/v1/events/?limit=9999"))) == 500


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "%00",
        "cD0wMDAxLTAxLTAxKzIzOjU5",
        "cD1ub3doZXJl",
        "bz05OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk=",
        "9" * 900,
    ],
)
def test_a_forged_cursor_is_refused(desk: Desk, reader: Program, cursor: str) -> None:
    answer = reader.get(f"/v1/trades/?cursor={cursor}")
    assert answer.status_code in {200, 404}
    assert answer.status_code == 200 or errors(answer) == [("not_found", None)]


@pytest.mark.parametrize(
    "query",
    [
        "bot=x", "connection=1", "mode=other", "side=both", "after=yesterday",
        "after=0001-01-01T00:00:00%2B14:00", "before=9999-12-31T23:59:59-14:00", "symbol=" + "x" * 500,
        "symbol=%00", "is_dry_run=maybe", "bot=" + "9" * 5000,
    ],
)  # fmt: skip
def test_a_filter_that_cannot_be_read_is_told_or_finds_all_or_nothing(
    desk: Desk, reader: Program, query: str
) -> None:
    answer = reader.get(f"/v1/trades/?{query}")
    assert answer.status_code in {200, 400}
    if answer.status_code == 400:
        assert errors(answer)[0][1] == query.partition("=")[0]


def test_rows_are_filtered(desk: Desk, reader: Program) -> None:
    resting = an_order(desk.spread, side="sell", price=D(110))
    found = {
        query: [row["id"] for row in rows(reader.get(f"/v1/orders/?{query}"))]
        for query in (
            "live=true",
            "state=filled",
            "side=sell",
            f"client_id={resting.client_id}",
            "symbol=X/Y",
        )
    }
    assert found == {
        "live=true": [resting.pk], "state=filled": [desk.order.pk], "side=sell": [resting.pk],
        f"client_id={resting.client_id}": [resting.pk], "symbol=X/Y": [],
    }  # fmt: skip
    assert [row["kind"] for row in rows(reader.get("/v1/bots/?kind=scalper"))] == ["scalper"]


@pytest.mark.parametrize("key", ["0", "9" * 17, "9" * 30, "x", "-1", "1%00"])
def test_a_number_of_nothing_is_not_found(desk: Desk, reader: Program, key: str) -> None:
    answer = reader.get(f"/v1/trades/{key}/")
    assert (answer.status_code, errors(answer)) == (404, [("not_found", None)])


# --- What it costs, and what it leaves


def more_rows(desk: Desk, numbers: range) -> None:
    now = timezone.now()
    for number in numbers:
        place = ExchangeConnection.objects.create(name=f"C{number}", venue="demo", owner=desk.owner)
        hour = {
            "connection": place,
            "hour": now,
            "taken_at": now,
            "quote": "USDT",
            "total": D(1),
            "lines": [],
        }
        place.last_snapshot, place.balances_at = BalanceSnapshot.objects.create(**hour), now
        place.save()
        bot = a_spread_bot(place, f"B{number}")
        order = an_order(bot)
        a_trade(order, f"n{number}")
        an_open_trip(a_scalper(place, name=f"S{number}"))
        Position.objects.create(bot=bot, symbol="BTC/USDT", amount=D(1), cost=D(1), mark_price=D(1))
        Balance.objects.create(connection=place, currency="USDT", free=D(1), used=D(0), at=now)
        UnexplainedChange.objects.create(
            connection=place, currency="USDT", amount=D(1), since=now, noticed_at=now
        )
        BotEvent.objects.create(bot=bot, connection=place, at=now, kind="x", text="x")
        a_health(place)
        record(actor=desk.owner, action="bot.started", target=bot)
        Market.objects.create(
            venue="demo", symbol=f"X{number}/USDT", base="X", quote="USDT",
            **{name: D("0.01") for name in ("price_step", "amount_step", "maker_fee", "taker_fee")},
        )  # fmt: skip


ADDRESSES = ["/system/status", "/v1/profit/", *(f"/v1/{name}/" for name in LISTS)]


def test_the_queries_of_a_list_do_not_grow_with_its_rows(desk: Desk, reader: Program) -> None:
    more_rows(desk, range(2))
    reader.get("/system/status")  # notes the token's use
    few = {address: _queries(reader, address) for address in ADDRESSES}
    more_rows(desk, range(2, 29))
    assert {address: _queries(reader, address) for address in ADDRESSES} == few
    assert max(few.values()) <= 16


def _queries(program: Program, address: str) -> int:
    with CaptureQueriesContext(database) as captured:
        assert program.get(address).status_code == 200
    return len(captured)


def test_an_answer_that_has_not_changed_is_not_sent_again(desk: Desk, reader: Program) -> None:
    first = reader.get("/v1/trades/")
    again = reader.get("/v1/trades/", If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert "private" in first.headers["Cache-Control"]
    assert "Authorization" in first.headers["Vary"]
    a_trade(desk.order, "2")
    assert reader.get("/v1/trades/", If_None_Match=first.headers["ETag"]).status_code == 200


def addresses(desk: Desk) -> list[str]:
    """Of every address of the API, with a row that exists where it takes one."""
    key_of = {
        "audit": record(actor=desk.owner, action="bot.started", target=desk.spread).pk,
        "kill-switches": KillSwitch.objects.create(scope="bot", bot=desk.spread, reason="x").pk,
        "connections": desk.connection.pk, "bots": desk.spread.pk, "spread-bots": desk.spread.pk,
        "scalper-bots": desk.scalper.pk, "orders": desk.order.pk, "trades": desk.trade.pk,
        "round-trips": desk.trip.pk, "events": BotEvent.objects.first().pk,  # type: ignore[union-attr]
    }  # fmt: skip
    found = []
    for pattern, prefix in _patterns(urlpatterns, "/"):
        text = prefix + str(pattern.pattern).lstrip("^").removesuffix("\\Z").removesuffix("$")
        head, marked, tail = text.partition("(?P<pk>")
        if marked:
            tail = tail[tail.index(")/") + 1 :]
            head += str(key_of.get(head.split("/")[-2], 1))
        found.append(head + tail)
    return found


def _patterns(patterns: Any, prefix: str) -> Any:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern.url_patterns, prefix + str(pattern.pattern).lstrip("^"))
        elif isinstance(pattern, URLPattern):
            yield pattern, prefix


def test_getting_any_address_changes_no_row(desk: Desk, controller: Program) -> None:
    where = addresses(desk)
    ApiToken.objects.update(last_used_at=timezone.now())
    before = everything()
    answers = {address: controller.get(address).status_code for address in where}
    assert everything() == before
    assert {address for address, status in answers.items() if status not in {200, 405}} == set()
    assert {address for address, status in answers.items() if status == 405} == {
        address
        for address in where
        if address.split("/")[-2] in ("start", "pause", "stop", "clone", "archive", "test", "release")
    }
    assert sum(status == 200 for status in answers.values()) > 25


def test_reading_too_often_is_refused_with_when_to_ask_again(
    desk: Desk, reader: Program, settings: Any
) -> None:
    settings.API_READS_PER_MINUTE = 3
    answers = [reader.get("/v1/markets/") for _ in range(4)]
    assert [answer.status_code for answer in answers][-1] == 429
    assert errors(answers[-1]) == [("throttled", None)]
    other = Program(a_token(desk.owner, name="Other"))
    assert other.get("/v1/markets/").status_code == 200


def test_while_the_shared_cache_is_away_requests_are_counted_here(
    desk: Desk, reader: Program, settings: Any
) -> None:
    nobody = "redis://127.0.0.1:1/0"
    settings.CACHES = {"default": {"BACKEND": "config.shared_cache.SharedCache", "LOCATION": nobody}}
    settings.API_READS_PER_MINUTE = 2
    assert [reader.get("/v1/markets/").status_code for _ in range(3)] == [200, 200, 429]


def test_profit_is_summed_by_day_currency_and_mode(desk: Desk, reader: Program) -> None:
    now = timezone.now()
    a_trade(desk.order, "2", profit="0.25")
    a_trade(desk.order, "3", profit="-1", time=now - timedelta(days=1))
    a_trade(desk.order, "4", profit="100", time=now - timedelta(days=60))
    live = a_desk(desk.owner, "Live", mode="live")
    Trade.objects.filter(connection=live.connection).update(symbol="BTC/EUR")
    days = reader.get("/v1/profit/").json()
    today, yesterday = f"{now:%Y-%m-%d}", f"{now - timedelta(days=1):%Y-%m-%d}"
    assert days == [
        {"day": yesterday, "mode": "paper", "currency": "USDT", "realised": "-1", "trades": 1},
        {"day": today, "mode": "live", "currency": "EUR", "realised": "1.5", "trades": 1},
        {"day": today, "mode": "paper", "currency": "USDT", "realised": "1.75", "trades": 2},
    ]
    assert [day["mode"] for day in reader.get("/v1/profit/?mode=live").json()] == ["live"]


def test_profit_is_put_together_by_week_and_month(desk: Desk, reader: Program) -> None:
    for number, (day, profit) in enumerate([(1, "0.5"), (1, "-2"), (4, "1"), (7, "4"), (8, "8"), (31, "16")]):
        a_trade(desk.order, f"w{number}", profit=profit, time=datetime(2025, 12, day, 23, 59, 59, tzinfo=UTC))
    a_trade(desk.order, "new year", profit="32", time=datetime(2026, 1, 1, tzinfo=UTC))

    def earned(period: str) -> list[tuple[str, str, int]]:
        days = reader.get(f"/v1/profit/?period={period}&first=2025-12-01&last=2026-01-31").json()
        return [(day["day"], day["realised"], day["trades"]) for day in days]

    assert earned("week") == [("2025-12-01", "3.5", 4), ("2025-12-08", "8", 1), ("2025-12-29", "48", 2)]
    assert earned("month") == [("2025-12-01", "27.5", 6), ("2026-01-01", "32", 1)]
    assert earned("day")[0] == ("2025-12-01", "-1.5", 2)
    assert len(earned("day")) == 6
    assert errors(reader.get("/v1/profit/?period=year"))[0][1] == "period"


@pytest.mark.parametrize(
    "query",
    ["first=2025-01-01&last=2026-12-31", "first=2026-02-02&last=2026-02-01", "last=0001-01-01", "first=x"],
)
def test_a_period_that_is_too_long_or_none_is_refused(desk: Desk, reader: Program, query: str) -> None:
    answer = reader.get(f"/v1/profit/?{query}")
    assert answer.status_code == 400
    assert errors(answer)[0][1] in {"first", "last"}


def test_a_preview_shows_where_a_scalpers_exits_would_stand(desk: Desk, reader: Program) -> None:
    address = f"/v1/scalper-bots/{desk.scalper.pk}/preview/"
    ScalperBot.objects.filter(pk=desk.scalper.pk).update(
        symbols="LTC/USDT, XRP/USDT", direction="both", order_cost=D(60), stop_loss_pct=D("0.05"),
        take_profit_pct=D("0.1"), trailing_delta_pct=D("0.02"), trailing_activation_pct=D("0.03"),
    )  # fmt: skip
    RoundTrip.objects.update(symbol="LTC/USDT")
    Position.objects.filter(bot=desk.scalper).delete()
    assert reader.get(address).json() == {
        "sentence": "No price of its markets is known yet: start the bot, and look again.", "entries": [],
    }  # fmt: skip
    Market.objects.create(
        venue="demo", symbol="LTC/USDT", base="LTC", quote="USDT", price_step=D("0.01"),
        amount_step=D("0.001"), min_amount=D(0), min_cost=D(0), maker_fee=D(0), taker_fee=D("0.0025"),
    )  # fmt: skip
    for minute, price in enumerate(["9", "2"]):
        at = timezone.now().replace(second=0, microsecond=0) + timedelta(minutes=minute)
        PricePoint.objects.create(venue="demo", symbol="LTC/USDT", minute=at, price=D(price))
    shown = reader.get(address).json()
    assert shown["sentence"] == "From the last known prices of 1 market; 1 more have no known price."
    long, short = shown["entries"]
    assert (long["side"], long["entry"], long["amount"], long["fee"]) == ("buy", "2", "30", "0.0025")
    assert (short["side"], short["amount"]) == ("sell", "30")
    stop, target, follows = (D(long[name]) for name in ("stop_loss", "take_profit", "trailing_from"))
    paid = 2 * D("1.0025")
    for exit_price, profit in ((stop, "-0.05"), (target, "0.1"), (follows, "0.03")):
        assert exit_price * D("0.9975") / paid - 1 == pytest.approx(D(profit), abs=D("1e-15"))
    assert D(short["take_profit"]) < 2 < D(short["stop_loss"])
    ScalperBot.objects.filter(pk=desk.scalper.pk).update(trailing_delta_pct=None, take_profit_pct=None)
    long = reader.get(address).json()["entries"][0]
    assert (long["take_profit"], long["trailing_from"]) == (None, None)


def test_a_preview_shows_what_a_bot_would_quote(desk: Desk, reader: Program) -> None:
    shown = reader.get(f"/v1/spread-bots/{desk.spread.pk}/preview/").json()
    assert {quote["side"] for quote in shown["decision"]["quotes"]} == {"buy", "sell"}
    assert shown["sentence"].startswith("From the market's book of now")
    assert reader.get(f"/v1/scalper-bots/{desk.scalper.pk}/warnings/").json()["warnings"] is not None
    assert (SpreadBot.objects.count(), ScalperBot.objects.count(), Order.objects.count()) == (1, 1, 1)
