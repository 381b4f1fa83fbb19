"""Coinstore's dialect, asked by hand over TLS: raw signed requests, as its document describes them."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.lab.accounts import ApiKey
from tests.lab.coinstore.dialect import CoinstoreDialect
from tests.lab.crowd import Crowd
from tests.lab.house import House
from tests.lab.lab import Lab

BASE = "https://api.coinstore.com/api"
BUY = {"symbol": "BTCUSDT", "side": "BUY", "ordType": "LIMIT", "ordPrice": "49000", "ordQty": "0.01"}
FAILED = {"message": "signature-failed", "code": 401}
UNAUTHORIZED = {"message": "Unauthorized", "code": 1401}


class Wire:
    """Signs by hand; says (status, parsed answer, content type)."""

    def __init__(self, house: House, session: aiohttp.ClientSession, key: ApiKey) -> None:
        self.house = house
        self.key = key
        self._session = session

    @property
    def dialect(self) -> CoinstoreDialect:
        assert isinstance(self.house.dialect, CoinstoreDialect)
        return self.house.dialect

    def sign(self, payload: str, expires: int) -> str:
        bucket = str(expires // 30_000)
        key = hmac.new(self.key.secret.encode(), bucket.encode(), hashlib.sha256).hexdigest()
        return hmac.new(key.encode(), payload.encode(), hashlib.sha256).hexdigest()

    async def ask(self, path: str, query: str = "", **changed: Any) -> tuple[int, Any, str]:
        return await self._send("GET", path, query, "", changed)

    async def tell(
        self, path: str, body: Any = None, query: str = "", **changed: Any
    ) -> tuple[int, Any, str]:
        text = body if isinstance(body, str) else json.dumps(body or {})
        return await self._send("POST", path, query, text, changed)

    async def place(self, **changed: Any) -> tuple[int, Any, str]:
        return await self.tell("/trade/order/place", {**BUY, "timestamp": 1_642_407_805_168, **changed})

    async def _send(
        self, method: str, path: str, query: str, body: str, changed: dict[str, Any]
    ) -> tuple[int, Any, str]:
        """changed: headers, as X_CS_SIGN="…"; expires: the time that is signed."""
        expires = changed.pop("expires", self.house.clock.now_ms())
        headers = {
            "X-CS-APIKEY": self.key.key,
            "X-CS-EXPIRES": str(expires),
            "X-CS-SIGN": self.sign(query + body, expires),
            "Content-Type": "application/json",
        } | {name.replace("_", "-"): value for name, value in changed.items()}
        url = f"{BASE}{path}" + (f"?{query}" if query else "")
        async with self._session.request(method, url, data=body or None, headers=headers) as response:
            return response.status, json.loads(await response.text()), response.content_type


@pytest_asyncio.fixture
async def house(lab: Lab) -> AsyncIterator[House]:
    yield lab.house("coinstore")
    assert lab.house("coinstore").conserves_balances()


@pytest.fixture
def crowd(house: House) -> Crowd:
    return house.gather_crowd("BTC/USDT", Decimal(50_000))


@pytest.fixture
def wire(house: House, crowd: Crowd, lab_session: aiohttp.ClientSession) -> Wire:
    balances = {"USDT": Decimal(10_000), "BTC": Decimal(1)}
    key = house.open_account("trader", **house.dialect.new_login(1)._asdict(), balances=balances)
    wire = Wire(house, lab_session, key)
    wire.dialect.limits.accept_ms = 0
    return wire


# --- The gate


async def test_query_and_body_are_signed_as_they_are_sent(wire: Wire) -> None:
    spaced = '{ "symbol" : "BTCUSDT" }'
    assert (await wire.tell("/trade/order/cancelAll", spaced, "b=2&a=1"))[1] == {"code": 0}
    other = wire.sign("a=1&b=2" + spaced, wire.house.clock.now_ms())
    assert (await wire.tell("/trade/order/cancelAll", spaced, "b=2&a=1", X_CS_SIGN=other))[1] == FAILED


@pytest.mark.parametrize(
    "changed",
    [{"X_CS_APIKEY": "0" * 32}, {"X_CS_SIGN": ""}, {"X_CS_EXPIRES": "1629291143"}, {"X_CS_EXPIRES": "soon"}],
    ids=["unknown key", "no signature", "seconds", "no time"],
)
async def test_a_request_that_is_not_signed_right_fails_with_http_200_and_no_json_type(
    wire: Wire, changed: dict[str, str]
) -> None:
    assert await wire.tell("/spot/accountList", **changed) == (200, FAILED, "text/plain")


async def test_the_key_of_the_second_hash_is_the_first_in_its_letters(wire: Wire) -> None:
    expires = wire.house.clock.now_ms()
    first = hmac.new(wire.key.secret.encode(), str(expires // 30_000).encode(), hashlib.sha256)
    raw = hmac.new(first.digest(), b"{}", hashlib.sha256).hexdigest()
    assert (await wire.tell("/spot/accountList", expires=expires, X_CS_SIGN=raw))[1] == FAILED


@pytest.mark.parametrize(
    ("late_ms", "is_refused"), [(0, False), (25_000, False), (90_000, True), (-90_000, True)]
)
async def test_a_signature_is_good_in_its_span_of_time_and_the_next(
    wire: Wire, late_ms: int, is_refused: bool
) -> None:
    _, answer, _ = await wire.tell("/spot/accountList", expires=wire.house.clock.now_ms() - late_ms)
    assert (answer == FAILED) is is_refused


async def test_a_revoked_key_is_unknown(wire: Wire) -> None:
    wire.key.is_revoked = True
    assert (await wire.tell("/spot/accountList"))[1] == FAILED


async def test_an_address_that_is_not_bound_to_the_key_is_unauthorized(wire: Wire) -> None:
    wire.key.allowed_ips = frozenset(("203.0.113.7",))
    assert await wire.tell("/spot/accountList") == (200, UNAUTHORIZED, "text/plain")


async def test_a_key_may_trade_and_not_read_or_read_and_not_trade(wire: Wire) -> None:
    wire.key.reading = False
    assert (await wire.tell("/spot/accountList"))[1] == UNAUTHORIZED
    assert (await wire.place())[1]["code"] == 0
    wire.key.reading, wire.key.trading = True, False
    assert (await wire.tell("/spot/accountList"))[1]["code"] == 0
    assert (await wire.place())[1] == UNAUTHORIZED


async def test_a_path_that_is_not_served_is_404(wire: Wire) -> None:
    assert await wire.ask("/v3/trade/order/active") == (
        404,
        {"message": "service not found", "code": 404},
        "application/json",
    )


async def test_a_body_that_is_no_object_is_a_bad_request(wire: Wire) -> None:
    assert (await wire.tell("/trade/order/cancelAll", "[]"))[:1] == (400,)
    assert (await wire.tell("/trade/order/cancelAll", "{"))[:1] == (400,)


@pytest.mark.parametrize("limit", ["requests_per_address", "requests_per_user"])
async def test_too_many_visits_in_three_seconds_are_refused_and_then_let_in_again(
    wire: Wire, limit: str
) -> None:
    setattr(wire.dialect.limits, limit, 2)
    answers = [(await wire.tell("/spot/accountList"))[0] for _ in range(3)]
    assert answers == [200, 200, 429]
    wire.house.clock.skip(3001)
    assert (await wire.tell("/spot/accountList"))[0] == 200


# --- Orders


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"symbol": "NOSUCH"}, 200, 3011),
        ({"symbol": ""}, 400, 400),
        ({"timestamp": None}, 400, 400),
        ({"side": "HOLD"}, 400, 400),
        ({"ordType": "STOP"}, 400, 400),
        ({"timeInForce": "GTX"}, 400, 400),
        ({"ordPrice": None}, 400, 400),
        ({"ordQty": "much"}, 400, 400),
        ({"ordQty": "-1"}, 400, 400),
        ({"clOrdId": "x" * 33}, 400, 400),
        ({"ordQty": "0.0100001"}, 200, 3104),
        ({"ordQty": "0.000001"}, 200, 3104),
        ({"ordQty": "0.00001"}, 200, 3014),
        ({"ordPrice": "49000.001"}, 200, 3106),
        ({"ordPrice": "1000001"}, 200, 3106),
        ({"ordQty": "1"}, 200, 3113),
        ({"ordType": "MARKET", "ordPrice": None}, 400, 400),
    ],
)
async def test_a_bad_order_is_refused_by_number(
    wire: Wire, changed: dict[str, Any], status: int, code: int
) -> None:
    told, answer, _ = await wire.place(**changed)
    assert (told, answer["code"]) == (status, code)
    assert wire.house.exchange.orders("trader") == []


async def test_prices_and_amounts_are_numbers_or_text_and_symbols_in_either_case(wire: Wire) -> None:
    for price, symbol in ((49_000, "btcusdt"), (49_000.5, "BTCUSDT"), ("49000.5", "btcUSDT")):
        assert (await wire.place(ordPrice=price, symbol=symbol))[1]["code"] == 0
    prices = [order.price for order in wire.house.exchange.open_orders("trader")]
    assert prices == [Decimal(49_000), Decimal("49000.5"), Decimal("49000.5")]


async def test_a_client_id_is_good_for_one_open_order(wire: Wire) -> None:
    assert (await wire.place(clOrdId="a" * 32))[1]["code"] == 0
    assert (await wire.place(clOrdId="a" * 32))[1]["code"] == 3111


async def test_a_user_has_fifty_open_orders_over_all_markets(wire: Wire) -> None:
    wire.dialect.limits.active_orders = 1
    assert (await wire.place())[1]["code"] == 0
    eth = {"symbol": "ETHUSDT", "ordPrice": "2000", "ordQty": "0.1"}
    assert (await wire.place(**eth))[1]["code"] == 3015


async def test_a_market_buy_spends_money(wire: Wire) -> None:
    order = {"ordType": "MARKET", "ordPrice": None, "ordQty": None, "ordAmt": "100.1"}
    number = (await wire.place(**order))[1]["data"]["ordId"]
    (found,) = (await wire.ask("/v2/trade/order/orderInfo", f"ordId={number}"))[1]["data"]
    assert (found["ordStatus"], found["cumQty"]) == ("FILLED", "0.002")


async def test_an_order_is_submitting_with_nothing_filled_for_a_moment(wire: Wire) -> None:
    wire.dialect.limits.accept_ms = 60_000
    await wire.place(side="SELL", ordPrice="49000", ordQty="0.004", clOrdId="c" * 32)
    info = "/v2/trade/order/orderInfo"
    early = (await wire.ask(info, f"clOrdId={'c' * 32}"))[1]["data"]
    wire.dialect.limits.accept_ms = 0
    late = (await wire.ask(info, f"clOrdId={'c' * 32}"))[1]["data"]
    assert (early["ordStatus"], early["cumQty"]) == ("SUBMITTING", "0")
    assert (late["ordStatus"], late["cumQty"], late["leavesQty"]) == ("FILLED", "0.004", "0")


async def test_a_post_only_order_that_would_take_is_taken_in_and_rejected(wire: Wire) -> None:
    answer = (await wire.place(ordType="POST_ONLY", ordPrice="50050"))[1]
    assert answer["code"] == 0
    v1 = (await wire.ask("/trade/order/orderInfo", f"ordId={answer['data']['ordId']}"))[1]["data"]
    assert (v1["ordState"], v1["ordType"], v1["cumQty"]) == ("REJECTED", "POST_ONLY", "0")


async def test_a_cancel_tells_the_client_id_and_a_second_one_finds_nothing(wire: Wire) -> None:
    number = (await wire.place(clOrdId="d" * 32))[1]["data"]["ordId"]
    cancel = {"symbol": "BTCUSDT", "ordId": number}
    _, first, _ = await wire.tell("/trade/order/cancel", cancel)
    assert first["data"] == {"clientOrderId": "d" * 32, "state": "CANCELED", "ordId": number}
    assert (await wire.tell("/trade/order/cancel", cancel))[1]["code"] == 3103
    assert (await wire.tell("/trade/order/cancel", {"symbol": "BTCUSDT"}))[0] == 400


async def test_another_accounts_order_is_not_found(wire: Wire) -> None:
    other = wire.house.exchange.open_orders()[0]
    number = wire.dialect.coinstore.order_id(other.symbol, other.id)
    assert (await wire.ask("/v2/trade/order/orderInfo", f"ordId={number}"))[1]["code"] == 3103
    cancel = {"symbol": "BTCUSDT", "ordId": number}
    assert (await wire.tell("/trade/order/cancel", cancel))[1]["code"] == 3103


async def test_an_order_of_no_such_client_id_is_an_empty_list(wire: Wire) -> None:
    assert (await wire.ask("/v2/trade/order/orderInfo", "clOrdId=none"))[1] == {"data": [], "code": 0}


async def test_cancelling_all_spares_other_markets(wire: Wire) -> None:
    await wire.place()
    await wire.place(symbol="ETHUSDT", ordPrice="2000", ordQty="0.1")
    assert (await wire.tell("/trade/order/cancelAll", {"symbol": "BTCUSDT"}))[1] == {"code": 0}
    assert [order.symbol for order in wire.house.exchange.open_orders("trader")] == ["ETH/USDT"]


# --- Trades


async def test_matches_are_newest_first_in_pages_and_by_side_and_order(wire: Wire) -> None:
    for side in ("SELL", "BUY", "SELL"):
        price = "49000" if side == "SELL" else "51000"
        await wire.place(side=side, ordPrice=price, ordQty="0.001", timeInForce="IOC")

    async def rows(query: str) -> list[Any]:
        answer = (await wire.ask("/trade/match/accountMatches", f"symbol=BTCUSDT&{query}"))[1]["data"]
        assert isinstance(answer, list)
        return answer

    everything = await rows("pageSize=100")
    assert [row["side"] for row in everything] == [-1, 1, -1]
    assert [await rows(f"pageSize=1&pageNum={page}") for page in (1, 2, 3, 4)] == [
        *([row] for row in everything),
        [],
    ]
    assert await rows("side=1") == everything[1:2]
    assert await rows(f"ordId={everything[0]['orderId']}") == everything[:1]
    assert (await wire.ask("/trade/match/accountMatches", "symbol=BTCUSDT&pageSize=101"))[0] == 400
    assert (await wire.ask("/trade/match/accountMatches"))[0] == 400


async def test_amounts_of_matches_are_numbers_with_eighteen_decimals(
    wire: Wire, lab_session: aiohttp.ClientSession
) -> None:
    await wire.place(side="SELL", ordQty="0.001", timeInForce="IOC")
    expires, query = wire.house.clock.now_ms(), "symbol=BTCUSDT"
    headers = {
        "X-CS-APIKEY": wire.key.key,
        "X-CS-EXPIRES": str(expires),
        "X-CS-SIGN": wire.sign(query, expires),
    }
    url = f"{BASE}/trade/match/accountMatches?{query}"
    async with lab_session.get(url, headers=headers) as response:
        text = await response.text()
    assert '"execQty":0.001000000000000000,' in text
    assert '"selfDealingQty":0E-18,' in text
