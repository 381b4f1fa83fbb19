"""Alpaca's dialect, asked without a client library: plain requests, as its documentation describes them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from tests.lab.accounts import ApiKey
from tests.lab.alpaca import AlpacaDialect
from tests.lab.crowd import Crowd
from tests.lab.house import House
from tests.lab.lab import Lab
from tests.lab.orders import Side, State
from tests.lab.views import Lag

TRADING, DATA = "https://api.alpaca.markets", "https://data.alpaca.markets"
COIN = {"symbol": "BTC/USD", "side": "buy", "type": "limit", "time_in_force": "gtc"}
STOCK = COIN | {"symbol": "AAPL"}
BALANCES = {"USD": "100000", "BTC": "1", "AAPL": "10", "ETH": "5"}
D = Decimal


class Wire:
    """Sends the key as two headers; says (status, parsed answer, headers)."""

    def __init__(self, session: aiohttp.ClientSession, key: ApiKey) -> None:
        self._session = session
        self._headers = {"APCA-API-KEY-ID": key.key, "APCA-API-SECRET-KEY": key.secret}

    async def ask(
        self, method: str, url: str, body: Any = None, headers: dict[str, str] | None = None, **params: Any
    ) -> tuple[int, Any, Any]:
        async with self._session.request(
            method, url, params=params, json=body, headers=self._headers if headers is None else headers
        ) as response:
            content = await response.json() if response.status != 204 else None
            return response.status, content, response.headers

    async def get(self, path: str, **params: Any) -> Any:
        _, answer, _ = await self.ask("GET", TRADING + path, **params)
        return answer

    async def place(self, **order: Any) -> tuple[int, Any]:
        status, answer, _ = await self.ask("POST", f"{TRADING}/v2/orders", order)
        return status, answer

    async def cancel(self, order_id: str) -> tuple[int, Any]:
        status, answer, _ = await self.ask("DELETE", f"{TRADING}/v2/orders/{order_id}")
        return status, answer


@pytest.fixture
def house(lab: Lab) -> House:
    return lab.house("alpaca")


@pytest.fixture
def dialect(house: House) -> AlpacaDialect:
    assert isinstance(house.dialect, AlpacaDialect)
    return house.dialect


@pytest.fixture
def key(house: House, dialect: AlpacaDialect) -> ApiKey:
    login = dialect.new_login(1)
    balances = {currency: D(amount) for currency, amount in BALANCES.items()}
    return house.open_account("trader", key=login.key, secret=login.secret, balances=balances)


@pytest.fixture
def coins(house: House) -> Crowd:
    return house.gather_crowd("BTC/USD", D(50_000))


@pytest.fixture
def stocks(house: House) -> Crowd:
    return house.gather_crowd("AAPL/USD", D(200))


@pytest.fixture
def wire(lab_session: aiohttp.ClientSession, key: ApiKey, coins: Crowd, stocks: Crowd) -> Wire:
    return Wire(lab_session, key)


# --- Keys


async def test_a_missing_key_is_not_authorized_and_a_wrong_one_is_forbidden(wire: Wire, key: ApiKey) -> None:
    account = f"{TRADING}/v2/account"
    wrong = {"APCA-API-KEY-ID": key.key, "APCA-API-SECRET-KEY": "x" * 40}

    missing = await wire.ask("GET", account, headers={})
    refused = await wire.ask("GET", account, headers=wrong)

    assert missing[:2] == (401, {"code": 40110000, "message": "request is not authorized"})
    assert refused[:2] == (403, {"message": "forbidden."})


async def test_the_hosts_of_paper_accounts_do_not_know_a_live_key(wire: Wire) -> None:
    status, answer, _ = await wire.ask("GET", "https://paper-api.alpaca.markets/v2/account")

    assert (status, answer) == (403, {"message": "forbidden."})


async def test_coins_are_shown_to_everybody_and_stocks_to_keys(wire: Wire) -> None:
    books = f"{DATA}/v1beta3/crypto/us/latest/orderbooks"
    quotes = f"{DATA}/v2/stocks/quotes/latest"

    assert (await wire.ask("GET", books, headers={}, symbols="BTC/USD"))[0] == 200
    assert (await wire.ask("GET", quotes, headers={}, symbols="AAPL"))[0] == 401
    assert (await wire.ask("GET", quotes, symbols="AAPL"))[0] == 200


async def test_the_minutes_budget_is_told_and_kept(wire: Wire, dialect: AlpacaDialect, house: House) -> None:
    house.clock.offset_ms = 30_000 - house.clock.now_ms() % 60_000  # no minute ends in the middle
    dialect.limits.trading = 2

    seen = [await wire.ask("GET", f"{TRADING}/v2/clock") for _ in range(3)]

    assert [status for status, _, _ in seen] == [200, 200, 429]
    assert [headers["X-Ratelimit-Remaining"] for _, _, headers in seen] == ["1", "0", "0"]
    assert seen[2][1] == {"code": 42910000, "message": "rate limit exceeded"}
    assert 0 < int(seen[2][2]["X-Ratelimit-Reset"]) - house.clock.now_ms() / 1000 <= 60


# --- Orders


async def test_a_new_order_is_pending_whatever_becomes_of_it_at_once(wire: Wire, coins: Crowd) -> None:
    _, pending = await wire.place(**COIN, qty="0.001", limit_price="50100")

    order = await wire.get(f"/v2/orders/{pending['id']}")

    assert (pending["status"], pending["filled_qty"], pending["filled_avg_price"]) == (
        "pending_new",
        "0",
        None,
    )
    assert (order["status"], order["filled_qty"], order["filled_avg_price"]) == ("filled", "0.001", "50050")
    assert (order["symbol"], order["asset_class"], order["qty"]) == ("BTC/USD", "crypto", "0.001")


async def test_an_order_is_found_by_its_client_id_which_is_good_only_once(wire: Wire) -> None:
    client_id = uuid4().hex
    _, first = await wire.place(**COIN, qty="0.001", limit_price="40000", client_order_id=client_id)
    await wire.cancel(first["id"])

    again = await wire.place(**STOCK, qty="1", limit_price="100", client_order_id=client_id)
    found = await wire.get("/v2/orders:by_client_order_id", client_order_id=client_id)
    missing = await wire.get("/v2/orders:by_client_order_id", client_order_id="other")

    assert again == (422, {"code": 40010001, "message": "client_order_id must be unique"})
    assert (found["id"], found["status"]) == (first["id"], "canceled")
    assert missing == {"code": 40410000, "message": "order not found for other"}


async def test_a_cancelled_order_may_be_cancelled_again_and_a_filled_one_may_not(wire: Wire) -> None:
    _, resting = await wire.place(**COIN, qty="0.001", limit_price="40000")
    _, filled = await wire.place(**COIN, qty="0.001", limit_price="50100")

    assert await wire.cancel(resting["id"]) == (204, None)
    assert await wire.cancel(resting["id"]) == (204, None)
    status, answer = await wire.cancel(filled["id"])

    assert (status, answer) == (422, {"code": 42210000, "message": 'order is already in "filled" state'})
    assert (await wire.cancel(str(uuid4())))[0] == 404


async def test_another_accounts_order_is_not_found(wire: Wire, house: House, dialect: AlpacaDialect) -> None:
    other = house.exchange.open_orders()[0]

    status, _ = await wire.cancel(dialect.alpaca.order_id(other))

    assert (status, other.is_open) == (404, True)


@pytest.mark.parametrize(
    ("changed", "status", "code", "text"),
    [
        ({"symbol": "NOSUCH"}, 422, 42210000, 'asset "NOSUCH" not found'),
        ({"type": "stop"}, 422, 40010001, "invalid order type for crypto order"),
        ({"time_in_force": "day"}, 422, 42210000, "invalid crypto time_in_force"),
        ({"qty": "0"}, 422, 42210000, "qty must be > 0"),
        ({"qty": None}, 422, 40010001, "qty or notional is required"),
        ({"qty": "much"}, 422, 40010001, "request body format is invalid"),
        ({"side": "sell", "qty": "0.00001"}, 422, 42210000, "qty must be >= 0.000016"),
        ({"limit_price": None}, 422, 42210000, "limit orders require limit price"),
        ({"qty": "0.0002"}, 403, 40310000, "cost basis must be >= minimal amount of order 10"),
        ({"qty": "3"}, 403, 40310000, "insufficient balance for USD (requested: 120000, available: 100000)"),
        ({"side": "sell", "qty": "2"}, 403, 40310000, "insufficient balance for BTC"),
        ({"postOnly": True}, 422, 40010001, "unknown field postOnly"),
        ({"client_order_id": "x" * 129}, 422, 40010001, "client_order_id must be no more than 128"),
        ({"symbol": "AAPL", "qty": "1000"}, 403, 40310000, "insufficient buying power"),
        ({"symbol": "AAPL", "qty": "1", "limit_price": "99.999"}, 422, 42210000, "sub-penny increment"),
        ({"symbol": "AAPL", "qty": "0.5", "limit_price": "99"}, 422, 42210000, "must be DAY orders"),
        (
            {"symbol": "AAPL", "side": "sell", "qty": "11", "limit_price": "300"},
            403,
            40310000,
            "insufficient qty available for order (requested: 11, available: 10)",
        ),
        ({"symbol": "BRK.A", "qty": "0.1", "time_in_force": "day"}, 403, 40310000, "is not fractionable"),
    ],
)
async def test_a_bad_order_is_refused_in_alpacas_words(
    wire: Wire, house: House, changed: dict[str, Any], status: int, code: int, text: str
) -> None:
    order = COIN | {"qty": "0.001", "limit_price": "40000"} | changed

    answered, body = await wire.place(**{name: value for name, value in order.items() if value is not None})

    assert (answered, body["code"]) == (status, code)
    assert text in body["message"]
    assert house.exchange.orders("trader") == []


async def test_an_order_that_would_meet_ones_own_is_refused(wire: Wire) -> None:
    _, resting = await wire.place(**COIN, qty="0.001", limit_price="50010")

    status, answer = await wire.place(**(COIN | {"side": "sell"}), qty="0.001", limit_price="50010")
    apart, _ = await wire.place(**(COIN | {"side": "sell"}), qty="0.001", limit_price="50020")

    assert (status, answer["code"], answer["existing_order_id"]) == (403, 40310000, resting["id"])
    assert answer["message"] == "potential wash trade detected. use complex orders"
    assert apart == 200


async def test_an_account_that_suspends_trading_places_nothing(wire: Wire, key: ApiKey) -> None:
    key.trading = False

    status, answer = await wire.place(**COIN, qty="0.001", limit_price="40000")

    assert (status, answer["message"]) == (403, "new orders are rejected by user request")
    assert (await wire.get("/v2/account"))["trade_suspended_by_user"] is True


async def test_what_an_ioc_order_leaves_is_cancelled(wire: Wire, coins: Crowd) -> None:
    ioc = COIN | {"time_in_force": "ioc"}
    _, pending = await wire.place(**ioc, qty="0.1", limit_price="50051")

    order = await wire.get(f"/v2/orders/{pending['id']}")

    assert order["status"] == "canceled"
    assert D(0) < D(order["filled_qty"]) < D("0.1")


# --- Lists


async def test_orders_are_listed_newest_first_by_status_symbol_and_time(wire: Wire, house: House) -> None:
    ids = []
    for price in ("40000", "40001", "40002"):
        ids.append((await wire.place(**COIN, qty="0.001", limit_price=price))[1]["id"])
        house.clock.skip(10)
    await wire.place(**STOCK, qty="1", limit_price="100")
    await wire.cancel(ids[0])
    second = (await wire.get(f"/v2/orders/{ids[1]}"))["submitted_at"]

    async def listed(**ask: Any) -> list[str]:
        return [row["id"] for row in await wire.get("/v2/orders", symbols="BTC/USD", **ask)]

    assert await listed() == [ids[2], ids[1]]
    assert await listed(status="all", direction="asc") == ids
    assert await listed(status="closed") == [ids[0]]
    assert await listed(limit=1) == [ids[2]]
    assert await listed(after=second) == [ids[2]]
    assert await listed(status="all", until=second) == [ids[0]]
    assert len(await wire.get("/v2/orders")) == 3


async def test_fills_come_in_pages_that_begin_after_a_named_one(wire: Wire, house: House) -> None:
    for _ in range(5):
        await wire.place(**COIN, qty="0.001", limit_price="50100")
        house.clock.skip(10)

    async def page(**ask: Any) -> list[Any]:
        rows: list[Any] = await wire.get("/v2/account/activities/FILL", page_size=2, **ask)
        return rows

    newest = await page()
    first = await page(direction="asc")
    second = await page(direction="asc", page_token=first[-1]["id"])
    rest = await page(direction="asc", after=second[-1]["transaction_time"])

    assert [len(first), len(second), len(rest), newest[0]["id"]] == [2, 2, 1, rest[0]["id"]]
    assert len({row["id"] for row in first + second + rest}) == 5
    assert (first[0]["symbol"], first[0]["type"], first[0]["qty"]) == ("BTC/USD", "fill", "0.001")
    assert "commission" not in first[0]


async def test_a_partial_fill_tells_what_its_order_has_come_to(wire: Wire, coins: Crowd) -> None:
    await wire.place(**COIN, qty="0.001", limit_price="49960")
    coins.hit_bid(D("0.0004"))
    coins.hit_bid(D("0.0006"))

    rows = await wire.get("/v2/account/activities/FILL", direction="asc")

    assert [(row["type"], row["cum_qty"], row["leaves_qty"]) for row in rows] == [
        ("partial_fill", "0.0004", "0.0006"),
        ("fill", "0.001", "0"),
    ]


async def test_lists_may_lag_behind_what_an_order_was_answered_with(
    wire: Wire, dialect: AlpacaDialect
) -> None:
    dialect.views.set_lag(Lag(orders_ms=60_000, trades_ms=60_000))

    _, order = await wire.place(**COIN, qty="0.001", limit_price="50100")

    assert (await wire.get(f"/v2/orders/{order['id']}"))["code"] == 40410000
    assert await wire.get("/v2/orders", status="all") == []
    assert await wire.get("/v2/account/activities/FILL") == []


# --- Account


async def test_cash_leaves_out_what_orders_hold_and_coins_are_positions(wire: Wire) -> None:
    await wire.place(**COIN, qty="0.001", limit_price="40000")
    await wire.place(**(COIN | {"side": "sell"}), qty="0.25", limit_price="60000")

    account = await wire.get("/v2/account")
    rows = {row["symbol"]: row for row in await wire.get("/v2/positions")}

    assert (account["cash"], account["non_marginable_buying_power"]) == ("99960", "99960")
    assert D(account["equity"]) - D(account["position_market_value"]) == D(100_000)
    assert (rows["BTCUSD"]["qty"], rows["BTCUSD"]["qty_available"]) == ("1", "0.75")
    assert (rows["AAPL"]["asset_class"], rows["AAPL"]["qty"]) == ("us_equity", "10")


async def test_a_coins_fee_is_taken_from_what_is_received_and_a_stock_has_none(
    wire: Wire, house: House
) -> None:
    await wire.place(**COIN, qty="0.01", limit_price="50100")
    await wire.place(**STOCK, qty="2", limit_price="201")

    rows = {row["symbol"]: row["qty"] for row in await wire.get("/v2/positions")}

    assert rows["BTCUSD"] == "1.00999"
    assert rows["AAPL"] == "12"
    assert (await wire.get("/v2/account"))["crypto_tier"] == 8


async def test_assets_are_listed_by_class(wire: Wire) -> None:
    pairs = {
        row["symbol"]: row for row in await wire.get("/v2/assets", asset_class="crypto", status="active")
    }
    tickers = {row["symbol"]: row for row in await wire.get("/v2/assets", asset_class="us_equity")}

    assert set(pairs) == {"BTC/USD", "ETH/USD", "ETH/USDT"}
    assert (pairs["BTC/USD"]["min_order_size"], pairs["BTC/USD"]["price_increment"]) == ("0.000016", "0.01")
    assert {"AAPL", "BRK.A", "BTC", "ZZZOF"} == set(tickers)
    assert (tickers["ZZZOF"]["tradable"], tickers["BRK.A"]["fractionable"]) == (False, False)


# --- Market hours


async def test_the_clock_tells_the_next_session_in_new_york(wire: Wire, dialect: AlpacaDialect) -> None:
    dialect.alpaca.close_stock_market()

    clock = await wire.get("/v2/clock")

    assert clock["is_open"] is False
    opens, closes = (datetime.fromisoformat(clock[name]) for name in ("next_open", "next_close"))
    assert (opens.hour, opens.minute, closes.hour) == (9, 30, 16)
    assert datetime.fromisoformat(clock["timestamp"]) < min(opens, closes)


async def test_outside_hours_a_stock_order_waits_for_the_opening_and_a_coin_trades(
    wire: Wire, dialect: AlpacaDialect, house: House
) -> None:
    dialect.alpaca.close_stock_market()

    _, stock = await wire.place(**STOCK, qty="1", limit_price="201")
    _, coin = await wire.place(**COIN, qty="0.001", limit_price="50100")
    waiting = await wire.get(f"/v2/orders/{stock['id']}")
    dialect.alpaca.open_stock_market()
    filled = await wire.get(f"/v2/orders/{stock['id']}")

    assert (stock["status"], waiting["status"], filled["status"]) == ("accepted", "accepted", "filled")
    assert (await wire.get(f"/v2/orders/{coin['id']}"))["status"] == "filled"
    assert house.exchange.ledger.holding("trader", "AAPL").free == D(11)


async def test_a_day_order_ends_with_the_session_and_a_gtc_order_does_not(
    wire: Wire, dialect: AlpacaDialect
) -> None:
    _, day = await wire.place(**(STOCK | {"time_in_force": "day"}), qty="0.5", limit_price="100")
    _, gtc = await wire.place(**STOCK, qty="1", limit_price="100")

    dialect.alpaca.close_stock_market()

    assert (await wire.get(f"/v2/orders/{day['id']}"))["status"] == "expired"
    assert (await wire.get(f"/v2/orders/{gtc['id']}"))["status"] == "accepted"


# --- Market data


async def test_a_coins_book_quote_and_trades_are_numbers(wire: Wire, coins: Crowd) -> None:
    coins.lift_ask(D("0.001"))
    prefix = f"{DATA}/v1beta3/crypto/us"

    _, books, _ = await wire.ask("GET", f"{prefix}/latest/orderbooks", symbols="BTC/USD")
    _, snapshots, _ = await wire.ask("GET", f"{prefix}/snapshots", symbols="BTC/USD")
    _, trades, _ = await wire.ask("GET", f"{prefix}/trades", symbols="BTC/USD", start="2026-01-01")

    book = books["orderbooks"]["BTC/USD"]
    assert (book["b"][0]["p"], book["a"][0]["p"]) == (49950.0, 50050.0)
    assert snapshots["snapshots"]["BTC/USD"]["latestQuote"]["ap"] == 50050.0
    assert [(row["p"], row["s"], row["tks"]) for row in trades["trades"]["BTC/USD"]] == [(50050, 0.001, "B")]
    assert trades["next_page_token"] is None


async def test_a_coins_bars_are_of_whole_hours(wire: Wire, coins: Crowd, dialect: AlpacaDialect) -> None:
    clock = dialect.exchange.clock
    half_past = 1_800_000 - clock.now_ms() % 3_600_000  # no hour ends in the middle
    clock.offset_ms = half_past - 3_600_000
    coins.lift_ask(D("0.001"))
    clock.offset_ms = half_past
    coins.lift_ask(D("0.002"))
    coins.hit_bid(D("0.001"))
    bars = f"{DATA}/v1beta3/crypto/us/bars"

    _, shown, _ = await wire.ask("GET", bars, symbols="BTC/USD", timeframe="1Hour", start="2026-01-01")
    first, second = shown["bars"]["BTC/USD"]

    assert (first["v"], first["vw"], first["n"]) == (0.001, 50050.0, 1)
    assert (second["v"], second["n"], second["o"], second["c"]) == (0.003, 2, 50050.0, 49950.0)
    assert shown["next_page_token"] is None


async def test_a_stocks_book_is_one_quote(wire: Wire, stocks: Crowd) -> None:
    stocks.hit_bid(D(1))

    _, quotes, _ = await wire.ask("GET", f"{DATA}/v2/stocks/quotes/latest", symbols="AAPL")
    _, snapshots, _ = await wire.ask("GET", f"{DATA}/v2/stocks/snapshots", symbols="AAPL")

    assert (quotes["quotes"]["AAPL"]["bp"], quotes["quotes"]["AAPL"]["ap"]) == (199.8, 200.2)
    assert snapshots["AAPL"]["latestTrade"]["p"] == 199.8


async def test_trades_of_a_day_come_in_pages(wire: Wire, coins: Crowd) -> None:
    for _ in range(3):
        coins.lift_ask(D("0.001"))
    url = f"{DATA}/v1beta3/crypto/us/trades"

    _, first, _ = await wire.ask("GET", url, symbols="BTC/USD", limit=2)
    _, rest, _ = await wire.ask("GET", url, symbols="BTC/USD", limit=2, page_token=first["next_page_token"])

    assert [row["i"] for row in first["trades"]["BTC/USD"] + rest["trades"]["BTC/USD"]] == [1, 2, 3]
    assert rest["next_page_token"] is None


@pytest.mark.parametrize("symbols", ["BTCUSD", "btc/usd", "BTC/USD,AAPL"])
async def test_market_data_takes_pairs_with_a_slash_only(wire: Wire, symbols: str) -> None:
    url = f"{DATA}/v1beta3/crypto/us/latest/orderbooks"

    status, answer, _ = await wire.ask("GET", url, symbols=symbols)

    assert (status, answer["message"].startswith("Invalid symbol(s)")) == (400, True)


async def test_the_trading_api_takes_a_pair_without_its_slash_too(wire: Wire, house: House) -> None:
    status, order = await wire.place(**(COIN | {"symbol": "BTCUSD"}), qty="0.0010000009", limit_price="40000")

    (placed,) = house.exchange.orders("trader")
    assert (status, order["symbol"], order["qty"]) == (200, "BTC/USD", "0.001")
    assert (placed.side, placed.state) == (Side.BUY, State.OPEN)
