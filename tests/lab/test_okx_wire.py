"""OKX's dialect, asked without ccxt: raw signed requests, as its documentation describes them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from yarl import URL

from tests.lab.accounts import ApiKey
from tests.lab.crowd import Crowd
from tests.lab.house import House
from tests.lab.lab import Lab
from tests.lab.okx.limits import Limits
from tests.lab.views import Lag

BASE = "https://www.okx.com"
BID = {
    "instId": "BTC-USDT",
    "tdMode": "cash",
    "side": "buy",
    "ordType": "limit",
    "sz": "0.001",
    "px": "49000",
}
BALANCE, ORDER, BATCH = "/api/v5/account/balance", "/api/v5/trade/order", "/api/v5/trade/batch-orders"


class Wire:
    """Signs by hand; says (status, parsed answer)."""

    def __init__(self, house: House, session: aiohttp.ClientSession, key: ApiKey) -> None:
        self.house = house
        self.key = key
        self._session = session

    async def get(self, path: str, **params: Any) -> tuple[int, Any]:
        return await self.send("GET", f"{path}?{urlencode(params)}" if params else path)

    async def post(self, path: str, content: object) -> tuple[int, Any]:
        return await self.send("POST", path, json.dumps(content))

    async def public(self, path: str, **params: Any) -> tuple[int, Any]:
        async with self._session.get(BASE + path, params=params) as response:
            return response.status, await response.json()

    async def send(
        self,
        method: str,
        target: str,
        body: str = "",
        *,
        late_ms: int = 0,
        changed: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        """changed: headers; empty ones are left out."""
        moment = datetime.fromtimestamp((self.house.clock.now_ms() - late_ms) / 1000, UTC)
        time = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        signature = hmac.new(
            self.key.secret.encode(), (time + method + target + body).encode(), hashlib.sha256
        )
        headers = {
            "OK-ACCESS-KEY": self.key.key,
            "OK-ACCESS-SIGN": base64.b64encode(signature.digest()).decode(),
            "OK-ACCESS-TIMESTAMP": time,
            "OK-ACCESS-PASSPHRASE": self.key.passphrase,
            "Content-Type": "application/json",
        }
        headers = {name: value for name, value in (headers | (changed or {})).items() if value}
        async with self._session.request(
            method, URL(BASE + target, encoded=True), data=body or None, headers=headers
        ) as response:
            return response.status, await response.json()


@pytest.fixture
def house(lab: Lab) -> House:
    return lab.house("okx")


@pytest.fixture
def crowd(house: House) -> Crowd:
    return house.gather_crowd("BTC/USDT", Decimal(50_000))


@pytest.fixture
def wire(house: House, crowd: Crowd, lab_session: aiohttp.ClientSession) -> Wire:
    login = house.dialect.new_login(1)
    balances = {"USDT": Decimal(10_000), "BTC": Decimal(1)}
    return Wire(house, lab_session, house.open_account("trader", **login._asdict(), balances=balances))


def row(answer: Any) -> Any:
    """The only one."""
    (found,) = answer["data"]
    return found


# --- Answers


async def test_an_order_is_acknowledged_and_no_more(wire: Wire) -> None:
    status, answer = await wire.post(ORDER, BID | {"clOrdId": "mine"})

    assert (status, answer["code"], answer["msg"]) == (200, "0", "")
    assert row(answer)["sCode"] == "0"
    assert row(answer)["clOrdId"] == "mine"
    assert row(answer)["ordId"].isdecimal()
    assert "state" not in row(answer)


async def test_a_queried_order_is_all_strings(wire: Wire, crowd: Crowd) -> None:
    await wire.post(ORDER, BID | {"px": "49960", "clOrdId": "mine"})
    crowd.hit_bid(Decimal("0.0004"))

    _, answer = await wire.get(ORDER, instId="BTC-USDT", clOrdId="mine")

    order = row(answer)
    assert (order["state"], order["accFillSz"], order["avgPx"]) == ("partially_filled", "0.0004", "49960")
    assert (order["px"], order["sz"], order["ordType"]) == ("49960", "0.001", "limit")
    assert (order["fee"], order["feeCcy"]) == ("-0.0000004", "BTC")
    assert {type(value) for name, value in order.items() if name != "attachAlgoOrds"} == {str}


async def test_an_order_without_a_client_id_gets_none(wire: Wire) -> None:
    _, answer = await wire.post(ORDER, BID)

    assert row(answer)["clOrdId"] == ""
    assert row((await wire.get(ORDER, instId="BTC-USDT", ordId=row(answer)["ordId"]))[1])["clOrdId"] == ""


async def test_ids_of_orders_grow_over_all_markets(wire: Wire) -> None:
    wire.house.gather_crowd("ETH/USDT", Decimal(2500))
    ether = BID | {"instId": "ETH-USDT", "px": "2400", "sz": "0.01"}

    ids = [int(row((await wire.post(ORDER, order))[1])["ordId"]) for order in (BID, ether, BID, ether)]

    assert ids == sorted(set(ids))


async def test_a_batch_that_fails_in_part_says_so(wire: Wire) -> None:
    _, answer = await wire.post(BATCH, [BID, BID | {"sz": "1"}])

    assert (answer["code"], answer["msg"]) == ("2", "Bulk operation partially succeeded")
    assert [item["sCode"] for item in answer["data"]] == ["0", "51008"]


async def test_a_post_only_order_that_would_take_is_accepted_and_cancelled(wire: Wire) -> None:
    _, answer = await wire.post(ORDER, BID | {"ordType": "post_only", "px": "50100"})
    assert row(answer)["sCode"] == "0"

    _, looked_up = await wire.get(ORDER, instId="BTC-USDT", ordId=row(answer)["ordId"])

    order = row(looked_up)
    assert (order["state"], order["accFillSz"], order["cancelSource"]) == ("canceled", "0", "31")


async def test_an_ioc_order_is_cancelled_for_what_it_does_not_find(wire: Wire) -> None:
    asks = sum(amount for price, amount in wire.house.exchange.market("BTC/USDT").book.asks.levels()[:1])
    ioc = BID | {"ordType": "ioc", "px": "50050", "sz": str(asks + Decimal("0.001"))}

    _, answer = await wire.post(ORDER, ioc)

    _, looked_up = await wire.get(ORDER, instId="BTC-USDT", ordId=row(answer)["ordId"])
    assert (row(looked_up)["state"], row(looked_up)["cancelSource"]) == ("canceled", "14")
    assert Decimal(row(looked_up)["accFillSz"]) == asks


async def test_a_market_buy_is_by_cost_where_nothing_is_said(wire: Wire) -> None:
    market = {name: BID[name] for name in ("instId", "tdMode", "side")} | {"ordType": "market", "sz": "100"}

    _, answer = await wire.post(ORDER, market)

    _, looked_up = await wire.get(ORDER, instId="BTC-USDT", ordId=row(answer)["ordId"])
    order = row(looked_up)
    assert (order["tgtCcy"], order["sz"], order["state"]) == ("quote_ccy", "100", "filled")
    assert Decimal(order["accFillSz"]) * Decimal(order["avgPx"]) <= 100


async def test_balances_are_those_of_an_account_in_spot_mode(wire: Wire) -> None:
    await wire.post(ORDER, BID)

    _, answer = await wire.get(BALANCE, ccy="USDT")

    (usdt,) = row(answer)["details"]
    assert (usdt["availBal"], usdt["frozenBal"], usdt["cashBal"]) == ("9951", "49", "10000")
    assert usdt["availEq"] == ""


async def test_a_key_is_told_its_rights_and_its_addresses(wire: Wire) -> None:
    wire.key.allowed_ips = frozenset({"127.0.0.1"})
    wire.key.withdrawals = True

    _, answer = await wire.get("/api/v5/account/config")

    assert (row(answer)["perm"], row(answer)["ip"]) == ("read_only,withdraw,trade", "127.0.0.1")


async def test_public_data_asks_for_no_key(wire: Wire) -> None:
    _, book = await wire.public("/api/v5/market/books", instId="BTC-USDT", sz="2")
    _, listed = await wire.public("/api/v5/public/instruments", instType="SPOT")
    _, swaps = await wire.public("/api/v5/public/instruments", instType="SWAP")

    price, amount = wire.house.exchange.market("BTC/USDT").book.bids.levels()[0]
    assert row(book)["bids"][0] == [f"{price.normalize():f}", str(amount), "0", "1"]
    assert len(row(book)["bids"]) == 2
    assert [item["instId"] for item in listed["data"]] == ["BTC-USDT", "ETH-USDT", "OKB-USDT"]
    assert (listed["data"][0]["tickSz"], listed["data"][0]["minSz"]) == ("0.1", "0.00001")
    assert swaps["data"] == []


# --- Who asks


@pytest.mark.parametrize(
    ("changed", "code", "text"),
    [
        ({"OK-ACCESS-KEY": ""}, "50103", 'Request header "OK-ACCESS-KEY" cannot be empty.'),
        ({"OK-ACCESS-PASSPHRASE": ""}, "50104", 'Request header "OK-ACCESS-PASSPHRASE" cannot be empty.'),
        ({"OK-ACCESS-PASSPHRASE": "guess"}, "50105", 'Request header "OK-ACCESS-PASSPHRASE" incorrect.'),
        ({"OK-ACCESS-SIGN": ""}, "50106", 'Request header "OK-ACCESS-SIGN" cannot be empty.'),
        ({"OK-ACCESS-SIGN": "bm8="}, "50113", "Invalid Sign"),
        ({"OK-ACCESS-TIMESTAMP": ""}, "50107", 'Request header "OK-ACCESS-TIMESTAMP" cannot be empty.'),
        ({"OK-ACCESS-TIMESTAMP": "1795204998000"}, "50112", "Invalid OK-ACCESS-TIMESTAMP"),
        ({"OK-ACCESS-KEY": "k" * 64}, "50111", "Invalid OK-ACCESS-KEY"),
        ({"OK-ACCESS-KEY": "0a1b2c3d-0000-4000-8000-00000000ffff"}, "50119", "API key doesn't exist"),
        ({"x-simulated-trading": "1"}, "50101", "APIKey does not match current environment."),
    ],
)
async def test_a_request_that_is_not_properly_signed_is_refused(
    wire: Wire, changed: dict[str, str], code: str, text: str
) -> None:
    status, answer = await wire.send("GET", BALANCE, changed=changed)

    assert (status, answer) == (401, {"code": code, "msg": text})


@pytest.mark.parametrize(("late_ms", "is_refused"), [(29_000, False), (31_000, True), (-31_000, True)])
async def test_a_request_is_good_for_thirty_seconds(wire: Wire, late_ms: int, *, is_refused: bool) -> None:
    _, answer = await wire.send("GET", BALANCE, late_ms=late_ms)

    assert answer["code"] == ("50102" if is_refused else "0")


async def test_the_signature_covers_the_body_and_the_query_to_the_byte(wire: Wire) -> None:
    body = json.dumps(BID, indent=1)
    assert (await wire.send("POST", ORDER, body))[1]["code"] == "0"
    assert (await wire.send("GET", f"{BALANCE}?ccy=BTC%2CUSDT"))[1]["code"] == "0"


async def test_an_order_is_not_carried_out_after_its_deadline(wire: Wire) -> None:
    now = wire.house.clock.now_ms()

    _, late = await wire.send("POST", ORDER, json.dumps(BID), changed={"expTime": str(now - 1)})
    _, in_time = await wire.send("POST", ORDER, json.dumps(BID), changed={"expTime": str(now + 8000)})

    assert (late["code"], in_time["code"]) == ("50036", "0")
    assert len(wire.house.exchange.orders("trader")) == 1


async def test_an_address_that_is_not_listed_is_named(wire: Wire) -> None:
    wire.key.allowed_ips = frozenset({"203.0.113.7"})

    status, answer = await wire.get(BALANCE)

    assert (status, answer["code"]) == (401, "50110")
    assert "Your IP 127.0.0.1 is not included" in answer["msg"]


async def test_a_key_without_a_right_may_not_use_it(wire: Wire) -> None:
    wire.key.trading = False

    assert (await wire.get(BALANCE))[1]["code"] == "0"
    assert (await wire.post(ORDER, BID))[1]["code"] == "50120"


# --- Errors


@pytest.mark.parametrize(
    ("changed", "code", "text"),
    [
        ({"instId": "BTC-DOGE"}, "51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist."),
        ({"px": ""}, "51204", "The price for the limit order cannot be empty."),
        ({"px": "49000.05"}, "51000", "Parameter px error"),
        ({"px": "150000"}, "51137", "The highest price limit for buy orders is exceeded."),
        ({"sz": ""}, "50014", "Parameter sz cannot be empty"),
        ({"sz": "1e-3"}, "51000", "Parameter sz error"),
        ({"sz": 0.001}, "51000", "Parameter sz error"),
        ({"sz": "0.000001"}, "51020", "Your order should meet or exceed the minimum order amount."),
        (
            {"sz": "0.00001", "px": "0.1"},
            "51020",
            "Your order should meet or exceed the minimum order amount.",
        ),
        ({"sz": "0.00100005"}, "51121", "Order quantity must be a multiple of the lot size."),
        ({"sz": "9001"}, "51005", "Your order amount exceeds the max order amount."),
        ({"sz": "1"}, "51008", "Order failed. Insufficient USDT balance in account."),
        ({"side": "hold"}, "51000", "Parameter side error"),
        ({"ordType": "trigger"}, "51000", "Parameter ordType error"),
        ({"tdMode": "cross"}, "51010", "You can't complete this request under your current account mode."),
        ({"clOrdId": "no-dashes"}, "51000", "Parameter clOrdId error"),
        ({"clOrdId": "x" * 33}, "51000", "Parameter clOrdId error"),
    ],
)
async def test_a_bad_order_is_refused_inside_an_answer_of_200(
    wire: Wire, crowd: Crowd, changed: dict[str, Any], code: str, text: str
) -> None:
    crowd.hit_bid(Decimal("0.001"))

    status, answer = await wire.post(BATCH, [BID | changed])

    assert (status, answer["code"], answer["msg"]) == (200, "1", "All operations failed")
    assert (row(answer)["sCode"], row(answer)["sMsg"], row(answer)["ordId"]) == (code, text, "")
    assert wire.house.exchange.orders("trader") == []


async def test_a_client_id_is_taken_while_its_order_is_open(wire: Wire) -> None:
    _, first = await wire.post(ORDER, BID | {"clOrdId": "mine"})
    _, second = await wire.post(ORDER, BID | {"clOrdId": "mine"})
    await wire.post("/api/v5/trade/cancel-order", {"instId": "BTC-USDT", "ordId": row(first)["ordId"]})
    _, third = await wire.post(ORDER, BID | {"clOrdId": "mine"})

    assert [row(answer)["sCode"] for answer in (first, second, third)] == ["0", "51016", "0"]


async def test_what_is_not_open_cannot_be_cancelled(wire: Wire) -> None:
    _, placed = await wire.post(ORDER, BID)
    named = {"instId": "BTC-USDT", "ordId": row(placed)["ordId"]}
    assert row((await wire.post("/api/v5/trade/cancel-order", named))[1])["sCode"] == "0"

    for gone in (named, {"instId": "BTC-USDT", "clOrdId": "nobody"}):
        status, answer = await wire.post("/api/v5/trade/cancel-order", gone)
        assert (status, answer["code"], row(answer)["sCode"]) == (200, "1", "51400")


@pytest.mark.parametrize("names", [{"ordId": "1"}, {"ordId": "x"}, {"clOrdId": "nobody"}])
async def test_an_order_that_never_was_is_not_found(wire: Wire, names: dict[str, str]) -> None:
    status, answer = await wire.get(ORDER, instId="BTC-USDT", **names)

    assert (status, answer) == (200, {"code": "51603", "data": [], "msg": "Order does not exist"})


async def test_another_accounts_order_is_not_found(wire: Wire) -> None:
    other = wire.house.exchange.open_orders()[0]
    order_id = str(10**18 + other.sequence * 10**8 + other.id)

    assert (await wire.get(ORDER, instId="BTC-USDT", ordId=order_id))[1]["code"] == "51603"


async def test_an_order_that_was_cancelled_unfilled_is_forgotten_after_two_hours(wire: Wire) -> None:
    _, placed = await wire.post(ORDER, BID)
    named = {"instId": "BTC-USDT", "ordId": row(placed)["ordId"]}
    await wire.post("/api/v5/trade/cancel-order", named)
    assert row((await wire.get(ORDER, **named))[1])["state"] == "canceled"

    wire.house.clock.skip(2 * 3_600_000 + 1)

    assert (await wire.get(ORDER, **named))[1]["code"] == "51603"


async def test_a_body_that_is_no_json_is_refused(wire: Wire) -> None:
    assert (await wire.send("POST", ORDER, "{"))[1]["code"] == "50002"
    assert (await wire.send("POST", ORDER))[1]["code"] == "50000"
    assert (await wire.send("POST", ORDER, "{}", changed={"Content-Type": "text/plain"}))[1][
        "code"
    ] == "50006"


async def test_the_wrong_method_is_refused(wire: Wire) -> None:
    assert await wire.send("POST", BALANCE, "{}") == (
        405,
        {"code": "50115", "msg": "Invalid request method."},
    )


# --- Pages


async def test_open_orders_come_in_pages_newest_first(wire: Wire) -> None:
    placed = [row((await wire.post(ORDER, BID))[1])["ordId"] for _ in range(5)]

    async def ids(**ask: Any) -> list[str]:
        _, answer = await wire.get("/api/v5/trade/orders-pending", instType="SPOT", **ask)
        return [item["ordId"] for item in answer["data"]]

    assert await ids(limit=2) == placed[:2:-1]
    assert await ids(limit=2, after=placed[3]) == placed[2:0:-1]
    assert await ids(limit=2, before=placed[1]) == placed[3:1:-1]
    _, answer = await wire.get("/api/v5/trade/orders-pending", limit=101)
    assert answer["code"] == "51000"


async def test_fills_come_in_pages_newest_first_and_within_a_span(wire: Wire) -> None:
    sell = BID | {"side": "sell", "ordType": "market", "px": ""}
    for _ in range(5):
        await wire.post(ORDER, sell)
        wire.house.clock.skip(10)

    async def fills(**ask: Any) -> list[Any]:
        _, answer = await wire.get("/api/v5/trade/fills-history", instType="SPOT", instId="BTC-USDT", **ask)
        found: list[Any] = answer["data"]
        return found

    newest = await fills()
    assert [fill["tradeId"] for fill in newest] == ["5", "4", "3", "2", "1"]
    assert (newest[0]["execType"], newest[0]["feeCcy"], newest[0]["feeRate"]) == ("T", "USDT", "-0.001")
    assert [fill["tradeId"] for fill in await fills(limit=2, after=newest[1]["billId"])] == ["3", "2"]
    assert [fill["tradeId"] for fill in await fills(begin=newest[1]["ts"])] == ["5", "4"]
    assert [fill["tradeId"] for fill in await fills(end=newest[3]["ts"])] == ["2", "1"]
    assert [fill["tradeId"] for fill in await fills(ordId=newest[2]["ordId"])] == ["3"]


async def test_everybodys_trades_can_be_paged_back(wire: Wire, crowd: Crowd) -> None:
    for _ in range(5):
        crowd.hit_bid(Decimal("0.001"))

    async def ids(**ask: Any) -> list[str]:
        _, answer = await wire.public("/api/v5/market/history-trades", instId="BTC-USDT", **ask)
        return [item["tradeId"] for item in answer["data"]]

    assert await ids(limit="2") == ["5", "4"]
    assert await ids(limit="2", after="4") == ["3", "2"]


async def test_ended_orders_are_listed_by_how_they_ended(wire: Wire) -> None:
    _, placed = await wire.post(ORDER, BID)
    await wire.post("/api/v5/trade/cancel-order", {"instId": "BTC-USDT", "ordId": row(placed)["ordId"]})
    await wire.post(ORDER, BID | {"side": "sell", "ordType": "market", "px": ""})
    await wire.post(ORDER, BID)

    async def states(**ask: Any) -> list[str]:
        _, answer = await wire.get("/api/v5/trade/orders-history", instType="SPOT", **ask)
        return [item["state"] for item in answer["data"]]

    assert await states() == ["filled", "canceled"]
    assert await states(state="canceled") == ["canceled"]


async def test_lists_lag_behind_answers(wire: Wire) -> None:
    wire.house.dialect.views.set_lag(Lag(orders_ms=60_000))

    _, placed = await wire.post(ORDER, BID)

    assert (await wire.get("/api/v5/trade/orders-pending"))[1]["data"] == []
    named = {"instId": "BTC-USDT", "ordId": row(placed)["ordId"]}
    assert (await wire.get(ORDER, **named))[1]["code"] == "51603"


# --- Budgets


@pytest.fixture
def limit(house: House) -> Callable[[Limits], None]:
    """The two seconds are stopped, so that no count starts anew under a test."""
    house.clock.offset_ms = 1000 - house.clock.now_ms() % 2000
    frozen = house.clock.now_ms()
    house.clock._source = lambda: frozen
    house.clock.offset_ms = 0
    return lambda limits: vars(house.dialect.limits).update(vars(limits))


async def test_more_than_the_budget_of_an_endpoint_is_refused(
    wire: Wire, limit: Callable[[Limits], None]
) -> None:
    limit(Limits(balance=2))

    answers = [await wire.get(BALANCE) for _ in range(3)]

    assert [status for status, _ in answers] == [200, 200, 429]
    assert answers[-1][1] == {"code": "50011", "msg": "Too Many Requests"}
    assert (await wire.get("/api/v5/account/config"))[0] == 200
    wire.house.clock.skip(2000)
    assert (await wire.get(BALANCE))[0] == 200


async def test_the_orders_of_a_batch_count_one_by_one_for_each_market(
    wire: Wire, limit: Callable[[Limits], None]
) -> None:
    wire.house.gather_crowd("ETH/USDT", Decimal(2500))
    limit(Limits(batch_orders=3))

    assert (await wire.post(BATCH, [BID] * 2))[0] == 200
    assert (await wire.post(BATCH, [BID] * 2))[0] == 429
    assert (await wire.post(BATCH, [BID | {"instId": "ETH-USDT", "px": "2400", "sz": "0.01"}]))[0] == 200


async def test_an_account_may_place_so_many_orders_at_all(
    wire: Wire, limit: Callable[[Limits], None]
) -> None:
    limit(Limits(account_orders=1))

    _, answer = await wire.post(BATCH, [BID, BID])

    assert [item["sCode"] for item in answer["data"]] == ["0", "50061"]
