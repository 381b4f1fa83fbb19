"""The whole road, with real processes: from the admin's forms to filled orders on the wire, and back."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.browser import Browser, Page
from tests.e2e.desk import ADMIN_PASSWORD, Desk, database_for, wait_until
from tests.lab.control import Control, LabProcess

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

API_KEY = "E2eCanaryKey" + "Kx7" * 17
API_SECRET = "E2eCanarySecret" + "Sy8" * 16
SYMBOL = "BTC/USDT"
MONEY = {"USDT": "20000", "BTC": "1"}
D = Decimal


@pytest.fixture
def lab() -> Iterator[tuple[LabProcess, Control]]:
    process = LabProcess()
    with process as control:
        control.open_account(name="desk", key=API_KEY, secret=API_SECRET, balances=MONEY)
        control.gather_crowd(symbol=SYMBOL, price="50000", trades_pct="0")
        yield process, control


@pytest.fixture
def desk(tmp_path: Path, lab: tuple[LabProcess, Control]) -> Iterator[Desk]:
    with database_for(tmp_path, os.environ.get("DATABASE_URL", "")) as url:
        desk = Desk(tmp_path, url, lab[0].environment)
        try:
            desk.prepare()
            desk.start_web()
            desk.start_worker()
            yield desk
        finally:
            desk.stop_all()


@pytest.fixture
def browser(desk: Desk) -> Iterator[Browser]:
    browser = Browser(desk.url)
    yield browser
    browser.close()


def test_from_the_admin_to_filled_orders_and_exact_books(
    lab: tuple[LabProcess, Control], desk: Desk, browser: Browser
) -> None:
    venue = lab[1]
    log_in(browser)
    connection = create_connection(browser)
    tested = browser.press(connection, "Test connection")
    assert "all" in tested.text
    assert "steps passed" in tested.text
    first = create_bot(browser, connection, "First")
    second = create_bot(browser, connection, "Second", bid_spread_pct="0.004", ask_spread_pct="0.004")
    venue.clear_requests()
    for page in (first, second):
        assert "running" in browser.press(page, "Start").text.lower()

    quoted(venue, bids=4, asks=4)
    filled_in_part(venue)
    filled_whole(venue)
    requoted(venue)
    one_look_serves_both_bots(venue)
    venue.start_crowd(symbol=SYMBOL, interval_seconds=0.2)
    wait_until(lambda: len(venue.trades(account="desk")) >= 6, "the crowd trades with the bots", seconds=60)
    venue.stop_crowd(symbol=SYMBOL)

    for page in (first, second):
        browser.press(browser.open(page.url), "Stop")
    wait_until(lambda: not venue.open_orders(account="desk"), "no order rests in the lab")
    wait_until(
        lambda: all(bot["state"] == "stopped" for bot in desk.report()["bots"]), "both bots are stopped"
    )
    assert desk.stop("worker") == 0

    books = desk.report()
    books_agree(books, venue)
    assert [c["lease_owner"] for c in books["connections"]] == [None]
    pages_show_it(browser, books)
    no_secret_anywhere(desk, browser, venue)


# --- Through the admin's own forms


def log_in(browser: Browser) -> None:
    page = browser.open("/admin/login/?next=/admin/")
    home = browser.send(page, page.form_with("password"), username="admin", password=ADMIN_PASSWORD)
    assert home.url.endswith("/admin/")


def create_connection(browser: Browser) -> Page:
    page = browser.open("/admin/exchanges/exchangeconnection/add/")
    saved = browser.send(
        page, page.form_with("api_key"), name="Lab", venue="binance", mode="live", api_key=API_KEY,
        api_secret=API_SECRET, _continue="1",
    )  # fmt: skip
    assert "/change/" in saved.url, saved.text
    assert f"…{API_KEY[-4:]}" in saved.text
    return saved


def create_bot(browser: Browser, connection: Page, name: str, **settings: str) -> Page:
    connection_id = connection.url.rstrip("/").split("/")[-2]
    page = browser.open("/admin/bots/spreadbot/add/")
    wanted = {
        "name": name,
        "connection": connection_id,
        "symbol": SYMBOL,
        "cycle_seconds": "1",
        "bid_spread_pct": "0.0004",
        "ask_spread_pct": "0.0004",
        "order_amount": "0.002",
        "levels": "2",
        "level_spread_pct": "0.0002",
        "level_amount": "0.001",
        "_continue": "1",
    }
    saved = browser.send(page, page.form_with("bid_spread_pct"), **(wanted | settings))
    assert "/change/" in saved.url, saved.text
    return saved


# --- What the market does, and what the bots make of it


def quoted(venue: Control, *, bids: int, asks: int) -> None:
    def all_rest() -> bool:
        sides = [order["side"].lower() for order in venue.open_orders(account="desk")]
        return sides.count("buy") == bids and sides.count("sell") == asks

    wait_until(all_rest, f"{bids} bids and {asks} asks rest")


def filled_in_part(venue: Control) -> None:
    """Somebody sells half of the best bid's amount into it."""
    best = max(
        (o for o in venue.open_orders(account="desk") if o["side"].lower() == "buy"),
        key=lambda order: D(order["price"]),
    )
    venue.hit_bid(symbol=SYMBOL, amount=str(D(best["amount"]) / 2), price=best["price"])
    assert [D(trade["amount"]) for trade in venue.trades(account="desk")] == [D(best["amount"]) / 2]


def filled_whole(venue: Control) -> None:
    """Somebody buys the first ask whole, and the next."""
    asks = sorted(
        (o for o in venue.open_orders(account="desk") if o["side"].lower() == "sell"),
        key=lambda order: D(order["price"]),
    )[:2]
    amount = sum(D(order["amount"]) for order in asks)
    venue.lift_ask(symbol=SYMBOL, amount=str(amount), price=asks[-1]["price"])
    done = {o["id"]: o["state"].lower() for o in venue.orders(account="desk")}
    assert [done[order["id"]] for order in asks] == ["filled", "filled"]


def requoted(venue: Control) -> None:
    """The market moves by 1 %: every quote follows."""
    before = {order["client_id"] for order in venue.open_orders(account="desk")}
    venue.move_price(symbol=SYMBOL, price="50500")

    def all_new() -> bool:
        orders = venue.open_orders(account="desk")
        return len(orders) == 8 and not before & {order["client_id"] for order in orders}

    wait_until(all_new, "all quotes are new ones around the new price")


def one_look_serves_both_bots(venue: Control) -> None:
    """In quiet seconds there is one request of each kind per interval, not one per bot."""
    venue.clear_requests()
    time.sleep(5)
    counts = {row["path"]: row["count"] for row in venue.request_counts()}
    for path in ("/api/v3/depth", "/api/v3/openOrders", "/api/v3/account"):
        assert 3 <= counts[path] <= 6, counts


# --- The books


def books_agree(books: dict[str, Any], venue: Control) -> None:
    orders_agree(books, venue)
    trades_agree(books, venue)
    balances_agree(books, venue)
    positions_agree(books)


def orders_agree(books: dict[str, Any], venue: Control) -> None:
    theirs = {order["client_id"]: order for order in venue.orders(account="desk")}
    ours = {order["client_id"]: order for order in books["orders"] if order["state"] != "rejected"}
    assert ours.keys() == theirs.keys()
    for client_id, order in ours.items():
        their = theirs[client_id]
        assert order["venue_id"] == str(their["id"])
        assert order["state"] == their["state"].lower()
        assert [D(order[name]) for name in ("price", "amount", "filled")] == [
            D(their[name]) for name in ("price", "amount", "filled")
        ]
        assert order["traded"] == order["filled"]
        assert order["settled_at"] is not None


def trades_agree(books: dict[str, Any], venue: Control) -> None:
    ours = [
        (
            t["venue_id"], t["order__client_id"], t["side"], D(t["price"]), D(t["amount"]), D(t["cost"]),
            D(t["fee_amount"]), t["fee_currency"], t["liquidity"] == "maker",
        )
        for t in books["trades"]
    ]  # fmt: skip
    theirs = [
        (
            str(t["trade_id"]), t["client_id"], t["side"].lower(), D(t["price"]), D(t["amount"]),
            D(t["cost"]), D(t["fee"]), t["fee_currency"], t["is_maker"],
        )
        for t in venue.trades(account="desk")
    ]  # fmt: skip
    assert sorted(ours) == sorted(theirs)


def balances_agree(books: dict[str, Any], venue: Control) -> None:
    ours = {row["currency"]: (D(row["free"]), D(row["used"])) for row in books["balances"]}
    theirs = venue.balances(account="desk")
    for currency, row in theirs.items():
        assert ours[currency] == (D(row["free"]), D(row["used"])), currency
    assert all(used == 0 for _, used in ours.values())


def positions_agree(books: dict[str, Any]) -> None:
    """Every bot's position is what its trades moved, and what went out came in, to the last digit."""
    bots = {order["client_id"]: order["bot__name"] for order in books["orders"]}
    for position in books["positions"]:
        trades = [t for t in books["trades"] if bots[t["order__client_id"]] == position["bot__name"]]
        signs = {"buy": 1, "sell": -1}
        fees = {
            currency: sum((D(t["fee_amount"]) for t in trades if t["fee_currency"] == currency), D(0))
            for currency in ("BTC", "USDT")
        }
        moved = sum((signs[t["side"]] * D(t["amount"]) for t in trades), D(0))
        income = -sum((signs[t["side"]] * D(t["cost"]) for t in trades), D(0))
        assert D(position["amount"]) == moved - fees["BTC"]
        assert (D(position["fees_base"]), D(position["fees_quote"])) == (fees["BTC"], fees["USDT"])
        realised = D(position["realised_profit"])
        assert realised == sum((D(t["realised_profit"]) for t in trades), D(0))
        assert realised - D(position["cost"]) == income - fees["USDT"]
    assert {position["bot__name"] for position in books["positions"]} == {"First", "Second"}


# --- What people see, and what nobody may see


def pages_show_it(browser: Browser, books: dict[str, Any]) -> None:
    assert "First" in browser.open("/admin/").text
    for path in (
        "/admin/bots/order/", "/admin/bots/trade/", "/admin/bots/position/", "/admin/exchanges/balance/",
        "/admin/bots/botevent/", "/admin/audit/auditentry/", "/admin/exchanges/exchangeconnection/",
    ):  # fmt: skip
        page = browser.open(path)
        assert page.status == 200, path
    for bot in books["bots"]:
        page = browser.open(f"/admin/bots/spreadbot/{bot['id']}/change/")
        assert page.status == 200


def no_secret_anywhere(desk: Desk, browser: Browser, venue: Control) -> None:
    """In no page, log, dump or request's URL; the key itself goes to the venue in its header only."""
    dump = desk.manage("dumpdata")
    places = {
        "pages": "\n".join(page.text for page in browser.seen),
        "logs": desk.logs(),
        "dump": dump,
        "report": str(desk.report()),
        "urls": "\n".join(f"{r['path']}?{r['query']}{r['body']}" for r in venue.requests()),
    }
    for secret in (API_KEY, API_SECRET):
        for form in (secret, base64.b64encode(secret.encode()).decode().rstrip("=")):
            leaks = [place for place, text in places.items() if form in text]
            assert not leaks, f"a canary was found in {leaks}"
