"""Binance's dialect, asked without ccxt: raw signed requests, as its documentation describes them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from tests.lab.accounts import ApiKey
from tests.lab.binance.limits import Limits
from tests.lab.crowd import Crowd
from tests.lab.lab import Lab

BASE = "https://api.binance.com"
ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
SMALL = {"quantity": "0.001", "price": "49000"}
MISSING = "Mandatory parameter '{}' was not sent, was empty/null, or malformed."
ILLEGAL_ID = "Illegal characters found in parameter 'newClientOrderId'"


class Wire:
    """Signs by hand; says (status, parsed answer, headers)."""

    def __init__(self, lab: Lab, session: aiohttp.ClientSession, key: ApiKey) -> None:
        self._lab = lab
        self._session = session
        self._key = key

    async def public(self, path: str, **params: Any) -> tuple[int, Any, Any]:
        return await self._send("GET", f"{path}?{urlencode(params)}" if params else path)

    async def signed(self, method: str, path: str, **params: Any) -> tuple[int, Any, Any]:
        query = urlencode({"timestamp": self._lab.clock.now_ms(), **params})
        return await self.signed_as_is(method, path, query)

    async def signed_as_is(self, method: str, path: str, query: str, body: str = "") -> tuple[int, Any, Any]:
        signature = hmac.new(self._key.secret.encode(), (query + body).encode(), hashlib.sha256).hexdigest()
        return await self._send(method, f"{path}?{query}&signature={signature}", body)

    async def _send(self, method: str, target: str, body: str = "") -> tuple[int, Any, Any]:
        headers = {"X-MBX-APIKEY": self._key.key}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        async with self._session.request(
            method, BASE + target, data=body or None, headers=headers
        ) as response:
            return response.status, await response.json(), response.headers


@pytest.fixture
def crowd(lab: Lab) -> Crowd:
    return lab.gather_crowd("BTC/USDT", Decimal(50_000))


@pytest.fixture
def wire(lab: Lab, lab_session: aiohttp.ClientSession, trader: ApiKey, crowd: Crowd) -> Wire:
    return Wire(lab, lab_session, trader)


# --- Answers


async def test_a_limit_order_is_answered_in_full_and_a_post_only_one_is_acknowledged(wire: Wire) -> None:
    _, limit, headers = await wire.signed("POST", "/api/v3/order", **ORDER, **SMALL)
    assert limit["status"] == "NEW"
    assert limit["fills"] == []
    assert (limit["price"], limit["origQty"], limit["orderListId"]) == ("49000.00000000", "0.00100000", -1)
    assert headers["X-MBX-ORDER-COUNT-10S"] == "1"
    maker = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT_MAKER", **SMALL}
    _, post_only, _ = await wire.signed("POST", "/api/v3/order", **maker)
    assert set(post_only) == {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}


async def test_a_market_order_lists_its_fills(wire: Wire) -> None:
    order = {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "0.00100000"}
    _, answer, _ = await wire.signed("POST", "/api/v3/order", **order)
    assert answer["status"] == "FILLED"
    assert (answer["price"], answer["cummulativeQuoteQty"]) == ("0.00000000", "49.95000000")
    assert answer["fills"] == [
        {
            "price": "49950.00000000",
            "qty": "0.00100000",
            "commission": "0.04995000",
            "commissionAsset": "USDT",
            "tradeId": 1,
        }
    ]


async def test_a_queried_order_shows_both_its_times(wire: Wire, crowd: Crowd) -> None:
    bid = ORDER | {"quantity": "0.001", "price": "49960", "newClientOrderId": "mine"}
    await wire.signed("POST", "/api/v3/order", **bid)
    crowd.hit_bid(Decimal("0.0004"))
    _, order, _ = await wire.signed("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="mine")
    assert (order["status"], order["executedQty"]) == ("PARTIALLY_FILLED", "0.00040000")
    assert isinstance(order["time"], int)
    assert order["updateTime"] >= order["time"]
    assert order["isWorking"] is True


async def test_a_cancel_names_the_order_and_itself(wire: Wire) -> None:
    await wire.signed("POST", "/api/v3/order", **ORDER, **SMALL, newClientOrderId="mine")
    _, answer, _ = await wire.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="mine")
    assert (answer["status"], answer["origClientOrderId"]) == ("CANCELED", "mine")
    assert answer["clientOrderId"] != "mine"
    _, order, _ = await wire.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=answer["orderId"])
    assert order["clientOrderId"] == "mine"


async def test_an_order_is_named_by_both_ids_only_if_they_agree(wire: Wire) -> None:
    _, placed, _ = await wire.signed("POST", "/api/v3/order", **ORDER, **SMALL, newClientOrderId="mine")
    names = {"symbol": "BTCUSDT", "orderId": placed["orderId"], "origClientOrderId": "other"}
    status, answer, _ = await wire.signed("DELETE", "/api/v3/order", **names)
    assert (status, answer) == (400, {"code": -2011, "msg": "Unknown order sent."})
    assert (await wire.signed("DELETE", "/api/v3/order", **(names | {"origClientOrderId": "mine"})))[0] == 200


async def test_another_accounts_order_is_not_found(lab: Lab, wire: Wire) -> None:
    other = lab.exchange.open_orders()[0]
    status, answer, _ = await wire.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=other.id)
    assert (status, answer) == (400, {"code": -2013, "msg": "Order does not exist."})


async def test_zero_balances_can_be_left_out(wire: Wire) -> None:
    _, all_of_them, _ = await wire.signed("GET", "/api/v3/account")
    _, held, _ = await wire.signed("GET", "/api/v3/account", omitZeroBalances="true")
    assert [row["asset"] for row in all_of_them["balances"]] == ["BNB", "BTC", "ETH", "USDT"]
    assert held["balances"][1] == {"asset": "USDT", "free": "10000.00000000", "locked": "0.00000000"}
    assert len(held["balances"]) == 2


async def test_exchange_information_can_be_narrowed(wire: Wire) -> None:
    async def symbols(**ask: str) -> list[str]:
        _, info, _ = await wire.public("/api/v3/exchangeInfo", **ask)
        return [row["symbol"] for row in info["symbols"]]

    assert await symbols() == ["BTCUSDT", "ETHUSDT", "BNBUSDT"]
    assert await symbols(symbols='["ETHUSDT","BNBUSDT"]') == ["ETHUSDT", "BNBUSDT"]
    assert await symbols(permissions="SPOT") == ["BTCUSDT", "ETHUSDT", "BNBUSDT"]
    assert await symbols(symbolStatus="BREAK") == []
    status, answer, _ = await wire.public("/api/v3/exchangeInfo", symbol="NOSUCH")
    assert (status, answer) == (400, {"code": -1121, "msg": "Invalid symbol."})


async def test_trades_of_one_taker_at_one_price_are_aggregated(wire: Wire, crowd: Crowd) -> None:
    bid = ORDER | {"quantity": "0.001", "price": "49960"}
    for _ in range(2):
        await wire.signed("POST", "/api/v3/order", **bid)
    crowd.hit_bid(Decimal("0.002"))
    crowd.hit_bid(Decimal("0.001"))
    _, rows, _ = await wire.public("/api/v3/aggTrades", symbol="BTCUSDT")
    assert [(row["a"], row["f"], row["l"], row["q"]) for row in rows] == [
        (1, 1, 2, "0.00200000"),
        (2, 3, 3, "0.00100000"),
    ]


# --- Errors


@pytest.mark.parametrize(
    ("changed", "code", "text"),
    [
        ({"symbol": "NOSUCH"}, -1121, "Invalid symbol."),
        ({"symbol": ""}, -1102, MISSING.format("symbol")),
        ({"price": ""}, -1102, MISSING.format("price")),
        ({"timeInForce": ""}, -1102, MISSING.format("timeInForce")),
        ({"quantity": "1e-3"}, -1100, r"^([0-9]{1,20})(\.[0-9]{1,20})?$"),
        ({"quantity": "0.0010000001"}, -1111, "Parameter 'quantity' has too much precision."),
        ({"quantity": "0.001000001"}, -1111, "Parameter 'quantity' has too much precision."),
        ({"quantity": "0.000001"}, -1013, "Filter failure: LOT_SIZE"),
        ({"quantity": "0.0001"}, -1013, "Filter failure: NOTIONAL"),
        ({"price": "49000.001"}, -1013, "Filter failure: PRICE_FILTER"),
        ({"quantity": "1"}, -2010, "Account has insufficient balance for requested action."),
        ({"side": "HOLD"}, -1117, "Invalid side."),
        ({"type": "STOP_LOSS"}, -1116, "Invalid orderType."),
        ({"timeInForce": "GTX"}, -1115, "Invalid timeInForce."),
        (
            {"newClientOrderId": "no spaces"},
            -1100,
            "Illegal characters found in parameter 'newClientOrderId'",
        ),
        ({"newClientOrderId": "x" * 37}, -1100, ILLEGAL_ID),
        (
            {"postOnly": "true"},
            -1104,
            "parameters were read; read '8' parameter(s) but was sent '9'.",
        ),
        ({"quoteOrderQty": "10"}, -1106, "Parameter 'quoteOrderQty' sent when not required."),
        ({"recvWindow": "60001"}, -1131, "recvWindow must be less than 60000."),
    ],
)
async def test_a_bad_order_is_refused_in_binances_words(
    lab: Lab, wire: Wire, changed: dict[str, str], code: int, text: str
) -> None:
    status, answer, _ = await wire.signed("POST", "/api/v3/order", **(ORDER | SMALL | changed))
    assert (status, answer["code"]) == (400, code)
    assert text in answer["msg"]
    assert lab.exchange.orders("trader") == []


async def test_a_post_only_order_has_no_time_in_force(wire: Wire) -> None:
    order = ORDER | SMALL | {"type": "LIMIT_MAKER"}
    _, answer, _ = await wire.signed("POST", "/api/v3/order", **order)
    assert answer == {"code": -1106, "msg": "Parameter 'timeInForce' sent when not required."}


async def test_a_request_without_a_signature_is_incomplete(lab: Lab, wire: Wire) -> None:
    status, answer, _ = await wire.public("/api/v3/account", timestamp=lab.clock.now_ms())
    assert (status, answer["code"]) == (400, -1102)
    assert "'signature'" in answer["msg"]


async def test_the_signature_covers_query_and_body_together(lab: Lab, wire: Wire) -> None:
    body = urlencode(ORDER | SMALL)
    status, _, _ = await wire.signed_as_is("POST", "/api/v3/order", f"timestamp={lab.clock.now_ms()}", body)
    assert status == 200


async def test_a_parameter_sent_twice_is_refused(lab: Lab, wire: Wire) -> None:
    query = f"timestamp={lab.clock.now_ms()}&symbol=BTCUSDT&symbol=ETHUSDT"
    _, answer, _ = await wire.signed_as_is("GET", "/api/v3/openOrders", query)
    assert answer == {"code": -1101, "msg": "Duplicate values for a parameter detected."}


@pytest.mark.parametrize(
    ("late_ms", "window", "is_refused"),
    [
        (-900, "5000", False),
        (-1500, "5000", True),
        (4000, "5000", False),
        (6000, "5000", True),
        (6000, "10000", False),
    ],
)
async def test_a_request_is_good_for_its_window(
    lab: Lab, wire: Wire, late_ms: int, window: str, is_refused: bool
) -> None:
    sent = lab.clock.now_ms() - late_ms
    status, answer, _ = await wire.signed("GET", "/api/v3/account", timestamp=sent, recvWindow=window)
    assert (status, answer.get("code")) == ((400, -1021) if is_refused else (200, None))


# --- History


async def test_a_span_of_trades_is_a_day_at_most(lab: Lab, wire: Wire) -> None:
    now = lab.clock.now_ms()
    day = 86_400_000
    ask = {"symbol": "BTCUSDT", "endTime": now}
    assert (await wire.signed("GET", "/api/v3/myTrades", **ask, startTime=now - day))[0] == 200
    _, answer, _ = await wire.signed("GET", "/api/v3/myTrades", **ask, startTime=now - day - 1)
    assert answer == {"code": -1127, "msg": "More than 24 hours between startTime and endTime."}
    _, answer, _ = await wire.signed("GET", "/api/v3/myTrades", **ask, fromId=1)
    assert answer["code"] == -1128
    _, answer, _ = await wire.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT", limit=1001)
    assert answer["code"] == -1130


async def test_trades_come_in_pages(wire: Wire) -> None:
    order = {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "0.001"}
    for _ in range(5):
        await wire.signed("POST", "/api/v3/order", **order)

    async def ids(**ask: Any) -> list[int]:
        _, trades, _ = await wire.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT", **ask)
        return [trade["id"] for trade in trades]

    assert await ids(limit=2) == [4, 5]
    assert await ids(limit=2, fromId=1) == [1, 2]
    assert await ids(limit=2, fromId=3) == [3, 4]
    assert await ids(limit=2, startTime=0) == [1, 2]


async def test_all_orders_keep_the_closed_ones(wire: Wire) -> None:
    _, first, _ = await wire.signed("POST", "/api/v3/order", **ORDER, **SMALL)
    await wire.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=first["orderId"])
    await wire.signed("POST", "/api/v3/order", **ORDER, **SMALL)
    _, orders, _ = await wire.signed("GET", "/api/v3/allOrders", symbol="BTCUSDT")
    assert [order["status"] for order in orders] == ["CANCELED", "NEW"]
    _, still_open, _ = await wire.signed("GET", "/api/v3/openOrders")
    assert [order["orderId"] for order in still_open] == [orders[1]["orderId"]]


# --- Weights


@pytest.mark.parametrize(
    ("path", "params", "weight"),
    [
        ("/api/v3/ping", {}, 1),
        ("/api/v3/exchangeInfo", {}, 20),
        ("/api/v3/depth", {"symbol": "BTCUSDT"}, 5),
        ("/api/v3/depth", {"symbol": "BTCUSDT", "limit": 500}, 25),
        ("/api/v3/depth", {"symbol": "BTCUSDT", "limit": 5000}, 250),
        ("/api/v3/ticker/24hr", {"symbol": "BTCUSDT"}, 2),
        ("/api/v3/ticker/24hr", {}, 80),
        ("/api/v3/ticker/bookTicker", {}, 4),
        ("/api/v3/trades", {"symbol": "BTCUSDT"}, 25),
    ],
)
async def test_public_requests_weigh_what_is_documented(
    wire: Wire, path: str, params: dict[str, Any], weight: int
) -> None:
    _, _, headers = await wire.public(path, **params)
    assert headers["X-MBX-USED-WEIGHT-1M"] == str(weight)


@pytest.mark.parametrize(
    ("path", "params", "weight"),
    [
        ("/api/v3/account", {}, 20),
        ("/api/v3/openOrders", {"symbol": "BTCUSDT"}, 6),
        ("/api/v3/openOrders", {}, 80),
        ("/api/v3/myTrades", {"symbol": "BTCUSDT"}, 20),
        ("/api/v3/myTrades", {"symbol": "BTCUSDT", "orderId": 1}, 5),
        ("/api/v3/allOrders", {"symbol": "BTCUSDT"}, 20),
    ],
)
async def test_private_requests_weigh_what_is_documented(
    wire: Wire, path: str, params: dict[str, Any], weight: int
) -> None:
    _, _, headers = await wire.signed("GET", path, **params)
    assert headers["X-MBX-USED-WEIGHT-1M"] == str(weight)


@pytest.fixture
def limit(lab: Lab) -> Callable[[Limits], None]:
    """The minute is stopped half-way, so that no count starts anew under a test."""
    lab.clock.offset_ms = 30_000 - lab.clock.now_ms() % 60_000

    def set_limits(limits: Limits) -> None:
        vars(lab.house().dialect.limits).update(vars(limits))

    return set_limits


async def test_too_much_weight_is_refused_and_whoever_goes_on_is_banned(
    lab: Lab, wire: Wire, limit: Callable[[Limits], None]
) -> None:
    limit(Limits(weight=20, patience=2))
    assert (await wire.public("/api/v3/exchangeInfo"))[0] == 200
    for _ in range(2):
        status, answer, headers = await wire.public("/api/v3/ping")
        assert (status, answer["code"]) == (429, -1003)
        assert 1 <= int(headers["Retry-After"]) <= 60
    status, answer, headers = await wire.public("/api/v3/ping")
    assert (status, headers["Retry-After"]) == (418, "120")
    assert "IP banned until" in answer["msg"]
    lab.clock.offset_ms += 121_000
    assert (await wire.public("/api/v3/ping"))[0] == 200


async def test_unfilled_orders_are_limited_per_account(wire: Wire, limit: Callable[[Limits], None]) -> None:
    limit(Limits(orders_10s=2))
    for _ in range(2):
        assert (await wire.signed("POST", "/api/v3/order", **ORDER, **SMALL))[0] == 200
    status, answer, headers = await wire.signed("POST", "/api/v3/order", **ORDER, **SMALL)
    assert (status, answer["code"]) == (429, -1015)
    assert 1 <= int(headers["Retry-After"]) <= 10
