"""Coinbase's orders, lists, market data and limits, asked without any client."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from tests.lab.accounts import ApiKey
from tests.lab.coinbase.logins import ecdsa_login
from tests.lab.coinbase_by_hand import ORDERS, ROOT, D, Wire, brisk_house, open_trader
from tests.lab.crowd import Crowd
from tests.lab.house import House
from tests.lab.lab import Lab
from tests.lab.races import Odds
from tests.lab.views import Lag

BATCH, FILLS = f"{ROOT}/orders/historical/batch", f"{ROOT}/orders/historical/fills"


@pytest.fixture
def house(lab: Lab) -> House:
    return brisk_house(lab)


@pytest.fixture
def crowd(house: House) -> Crowd:
    return house.gather_crowd("BTC/USD", D(50_000))


@pytest.fixture
def trader(house: House) -> ApiKey:
    return open_trader(house)


@pytest.fixture
def wire(house: House, lab_session: aiohttp.ClientSession, trader: ApiKey, crowd: Crowd) -> Wire:
    return Wire(house, lab_session, ecdsa_login(1))


# --- Orders


async def test_an_order_is_answered_with_its_id_and_nothing_of_its_state(wire: Wire) -> None:
    client_id = uuid4().hex
    answer = await wire.order(client_order_id=client_id)
    assert answer["success"] is True
    assert answer["success_response"] | {"attached_order_id": ""} == {
        "order_id": answer["order_id"],
        "product_id": "BTC-USD",
        "side": "BUY",
        "client_order_id": client_id,
        "attached_order_id": "",
    }
    assert answer["order_configuration"]["limit_limit_gtc"]["limit_price"] == "49000"


async def test_an_order_is_pending_before_it_is_open(house: House, wire: Wire) -> None:
    house.dialect.limits.pending_ms = 60_000
    placed = await wire.order()
    _, answer = await wire.get(f"{ORDERS}/historical/{placed['order_id']}")
    assert answer["order"]["status"] == "PENDING"
    assert (await wire.get(BATCH, order_status="OPEN"))[1]["orders"] == []
    assert len((await wire.get(BATCH, order_status="PENDING"))[1]["orders"]) == 1
    house.clock.skip(60_000)
    _, answer = await wire.get(f"{ORDERS}/historical/{placed['order_id']}")
    assert answer["order"]["status"] == "OPEN"
    assert len((await wire.get(BATCH, order_status="OPEN"))[1]["orders"]) == 1


async def test_a_looked_up_order_prints_all_numbers_as_strings(wire: Wire, crowd: Crowd) -> None:
    placed = await wire.order(price="49960")
    crowd.hit_bid(D("0.004"))
    _, answer = await wire.get(f"{ORDERS}/historical/{placed['order_id']}")
    order = answer["order"]
    assert (order["filled_size"], order["average_filled_price"], order["filled_value"]) == (
        "0.004",
        "49960",
        "199.84",
    )
    assert (order["total_fees"], order["number_of_fills"], order["completion_percentage"]) == (
        "0.79936",
        "1",
        "40",
    )
    assert (order["status"], order["order_type"], order["time_in_force"]) == (
        "OPEN",
        "LIMIT",
        "GOOD_UNTIL_CANCELLED",
    )


async def test_a_client_id_that_was_used_leads_to_its_first_order(house: House, wire: Wire) -> None:
    client_id = uuid4().hex
    first = await wire.order(client_order_id=client_id)
    again = await wire.order(side="SELL", size="0.5", price="60000", client_order_id=client_id)
    assert again["success_response"] == first["success_response"]
    assert len(house.exchange.orders("ann")) == 1


async def test_an_ioc_order_leaves_nothing_and_its_rest_is_cancelled(wire: Wire) -> None:
    values = {"sor_limit_ioc": {"base_size": "0.1", "limit_price": "50050"}}
    _, placed = await wire.post(
        ORDERS, client_order_id="ioc", product_id="BTC-USD", side="BUY", order_configuration=values
    )
    _, answer = await wire.get(f"{ORDERS}/historical/{placed['order_id']}")
    assert answer["order"]["status"] == "CANCELLED"
    assert 0 < D(answer["order"]["filled_size"]) < D("0.1")


async def test_a_market_order_by_quote_spends_its_commission_too(wire: Wire) -> None:
    values = {"market_market_ioc": {"quote_size": "100"}}
    await wire.post(ORDERS, client_order_id="m", product_id="BTC-USD", side="BUY", order_configuration=values)
    (fill,) = (await wire.get(FILLS))[1]["fills"]
    spent = D(fill["price"]) * D(fill["size"]) + D(fill["commission"])
    assert 99 < spent <= 100
    assert fill["liquidity_indicator"] == "TAKER"


REFUSED = [
    ({"size": "0.0000001"}, "INVALID_SIZE_PRECISION", "PREVIEW_INVALID_SIZE_PRECISION"),
    ({"size": "0"}, "UNKNOWN_FAILURE_REASON", "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL"),
    ({"size": "5000"}, "UNKNOWN_FAILURE_REASON", "PREVIEW_INVALID_BASE_SIZE_TOO_LARGE"),
    ({"size": "0.00001"}, "UNKNOWN_FAILURE_REASON", "PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL"),
    ({"price": "49000.001"}, "INVALID_PRICE_PRECISION", "PREVIEW_INVALID_PRICE_PRECISION"),
    ({"price": "51000", "post_only": True}, "INVALID_LIMIT_PRICE_POST_ONLY", None),
    ({"size": "1"}, "INSUFFICIENT_FUND", "PREVIEW_INSUFFICIENT_FUND"),
    ({"side": "UP"}, "INVALID_SIDE", "PREVIEW_INVALID_SIDE"),
    ({"product_id": "DOGE-USD"}, "INVALID_PRODUCT_ID", "PREVIEW_INVALID_PRODUCT_ID"),
]


@pytest.mark.parametrize(("wrong", "error", "preview"), REFUSED)
async def test_what_is_wrong_with_an_order_stands_inside_an_http_200(
    wire: Wire, wrong: dict[str, Any], error: str, preview: str | None
) -> None:
    answer = await wire.order(**wrong)
    assert (answer["success"], answer["order_id"]) == (False, "")
    reasons = answer["error_response"]
    assert (reasons["error"], reasons["new_order_failure_reason"]) == (error, error)
    assert reasons["preview_failure_reason"] == (preview or f"PREVIEW_{error}")


BAD_BODIES = [
    {"client_order_id": "", "product_id": "BTC-USD", "side": "BUY", "order_configuration": {}},
    {"product_id": "BTC-USD", "side": "BUY", "order_configuration": {}},
    {"client_order_id": "x", "product_id": "BTC-USD", "side": "BUY"},
    {"client_order_id": "x", "clientOrderId": "x"},
    {
        "client_order_id": "x",
        "product_id": "BTC-USD",
        "side": "BUY",
        "order_configuration": {"limit_limit_gtc": {"base_size": 0.01, "limit_price": "49000"}},
    },
]


@pytest.mark.parametrize("body", BAD_BODIES)
async def test_a_body_that_cannot_be_read_is_an_invalid_argument(wire: Wire, body: dict[str, Any]) -> None:
    status, answer = await wire.post(ORDERS, **body)
    assert (status, answer["error"]) == (400, "INVALID_ARGUMENT")


async def test_each_cancel_has_its_own_result(wire: Wire, crowd: Crowd) -> None:
    kept, filled = await wire.order(), await wire.order(price="49960")
    crowd.hit_bid(D("0.01"))
    ids = [kept["order_id"], filled["order_id"], kept["order_id"], str(uuid4())]
    _, answer = await wire.post(f"{ORDERS}/batch_cancel", order_ids=ids)
    assert [(row["success"], row["failure_reason"]) for row in answer["results"]] == [
        (True, "UNKNOWN_CANCEL_FAILURE_REASON"),
        (False, "ORDER_IS_FULLY_FILLED"),
        (False, "UNKNOWN_CANCEL_ORDER"),
        (False, "UNKNOWN_CANCEL_ORDER"),
    ]


async def test_anothers_order_is_unknown(
    house: House, lab_session: aiohttp.ClientSession, wire: Wire
) -> None:
    placed = await wire.order()
    login = ecdsa_login(9)
    house.open_account("eve", **login._asdict())
    eve = Wire(house, lab_session, login)
    assert (await eve.get(f"{ORDERS}/historical/{placed['order_id']}"))[0] == 404
    _, answer = await eve.post(f"{ORDERS}/batch_cancel", order_ids=[placed["order_id"]])
    assert answer["results"][0]["failure_reason"] == "UNKNOWN_CANCEL_ORDER"


async def test_an_unknown_order_is_a_404_in_its_own_words(wire: Wire) -> None:
    status, answer = await wire.get(f"{ORDERS}/historical/{uuid4()}")
    assert (status, answer["error"], answer["message"]) == (
        404,
        "NOT_FOUND",
        "order with this orderID was not found",
    )


async def test_a_cancel_may_lose_its_race(house: House, wire: Wire) -> None:
    house.dialect.races.set(Odds(probability=1, whole=1))
    placed = await wire.order()
    _, answer = await wire.post(f"{ORDERS}/batch_cancel", order_ids=[placed["order_id"]])
    assert answer["results"][0]["failure_reason"] == "ORDER_IS_FULLY_FILLED"


# --- Lists


async def test_orders_come_newest_first_in_pages_by_a_cursor(house: House, wire: Wire) -> None:
    placed = [(await wire.order())["order_id"] for _ in range(5)]
    house.dialect.limits.page_size = 2
    listed: list[str] = []
    cursor = ""
    while True:
        _, page = await wire.get(
            BATCH, order_status="OPEN", product_ids="BTC-USD", limit="100", cursor=cursor
        )
        listed += [order["order_id"] for order in page["orders"]]
        cursor = page["cursor"]
        if not page["has_next"]:
            break
    assert (listed, cursor) == (placed[::-1], "")


async def test_open_orders_cannot_be_listed_with_others(wire: Wire) -> None:
    assert (await wire.get(BATCH, order_status=["PENDING", "FILLED"]))[0] == 200
    assert (await wire.get(BATCH, order_status=["OPEN", "FILLED"]))[0] == 400


async def test_fills_come_newest_first_after_a_time_and_in_pages(
    house: House, wire: Wire, crowd: Crowd
) -> None:
    for step in range(3):
        house.clock.skip(10)
        await wire.order(price=str(49_960 + step))
        crowd.hit_bid(D("0.01"))
    _, first = await wire.get(FILLS, limit=2)
    _, rest = await wire.get(FILLS, limit=2, cursor=first["cursor"])
    assert [fill["price"] for fill in first["fills"] + rest["fills"]] == ["49962", "49961", "49960"]
    assert rest["cursor"] == ""
    after = first["fills"][0]["trade_time"]
    assert (await wire.get(FILLS, start_sequence_timestamp=after))[1]["fills"] == []


async def test_a_fill_states_its_commission_in_quote_on_both_sides(wire: Wire) -> None:
    for side, price in (("BUY", "50050"), ("SELL", "49950")):
        await wire.order(side, "0.001", price)
    sold, bought = (await wire.get(FILLS))[1]["fills"]
    assert (bought["side"], bought["commission"]) == ("BUY", "0.3003")
    assert (sold["side"], sold["commission"]) == ("SELL", "0.2997")


async def test_accounts_show_what_is_free_and_what_is_held_in_pages(wire: Wire) -> None:
    await wire.order(size="0.1", price="40000")
    _, first = await wire.get(f"{ROOT}/accounts", limit=2)
    _, rest = await wire.get(f"{ROOT}/accounts", limit=2, cursor=first["cursor"])
    assert (first["has_next"], rest["has_next"], rest["cursor"]) == (True, False, "")
    held = {row["currency"]: row for row in first["accounts"] + rest["accounts"]}
    assert sorted(held) == ["BTC", "ETH", "SOL", "USD"]
    assert (held["USD"]["available_balance"]["value"], held["USD"]["hold"]["value"]) == ("5976", "4024")
    assert (held["USD"]["type"], held["BTC"]["type"]) == ("ACCOUNT_TYPE_FIAT", "ACCOUNT_TYPE_CRYPTO")


async def test_lists_lag_as_they_are_told(house: House, wire: Wire) -> None:
    house.dialect.views.set_lag(Lag(orders_ms=60_000, trades_ms=60_000))
    placed = await wire.order(price="50050", size="0.001")
    assert (await wire.get(BATCH))[1]["orders"] == []
    assert (await wire.get(FILLS))[1]["fills"] == []
    assert (await wire.get(f"{ORDERS}/historical/{placed['order_id']}"))[0] == 404


@pytest.mark.parametrize("params", [{"cursor": "nonsense"}, {"limit": "0"}, {"colour": "red"}])
async def test_a_parameter_that_cannot_be_read_is_an_invalid_argument(
    wire: Wire, params: dict[str, str]
) -> None:
    status, answer = await wire.get(BATCH, **params)
    assert (status, answer["error"]) == (400, "INVALID_ARGUMENT")


# --- What everybody sees


async def test_the_clock_tells_milliseconds_as_strings(house: House, wire: Wire) -> None:
    _, answer = await wire.public(f"{ROOT}/time")
    assert abs(int(answer["epochMillis"]) - house.clock.now_ms()) < 2000
    assert int(answer["epochMillis"]) // 1000 == int(answer["epochSeconds"])


async def test_products_carry_their_steps_and_minimums(wire: Wire) -> None:
    _, answer = await wire.public(f"{ROOT}/market/products", product_type="SPOT")
    first = answer["products"][0]
    assert (first["product_id"], first["price_increment"], first["base_increment"]) == (
        "BTC-USD",
        "0.01",
        "0.000001",
    )
    assert (first["base_min_size"], first["quote_min_size"], first["status"]) == ("0.000001", "1", "online")
    assert (await wire.public(f"{ROOT}/market/products", product_type="FUTURE"))[1]["products"] == []


async def test_a_book_shows_as_many_levels_as_asked_for(wire: Wire) -> None:
    _, answer = await wire.public(f"{ROOT}/market/product_book", product_id="BTC-USD", limit=3)
    book = answer["pricebook"]
    assert (len(book["bids"]), len(book["asks"]), book["bids"][0]["price"]) == (3, 3, "49950")
    assert (await wire.public(f"{ROOT}/market/product_book", product_id="X-Y"))[0] == 404


async def test_trades_come_newest_first_between_whole_seconds(house: House, wire: Wire, crowd: Crowd) -> None:
    crowd.hit_bid(D("0.001"))
    second = house.clock.now_ms() // 1000
    house.clock.skip(3000)
    crowd.lift_ask(D("0.001"))
    path = f"{ROOT}/market/products/BTC-USD/ticker"
    _, answer = await wire.public(path, limit=10)
    assert [(trade["trade_id"], trade["side"]) for trade in answer["trades"]] == [("2", "BUY"), ("1", "SELL")]
    _, older = await wire.public(path, limit=10, start=second - 5, end=second + 1)
    assert [trade["trade_id"] for trade in older["trades"]] == ["1"]


# --- Limits


async def test_who_asks_too_fast_is_refused_until_the_bucket_has_leaked(house: House, wire: Wire) -> None:
    house.dialect.limits.private_per_second = 2
    answers = [await wire.get(f"{ROOT}/accounts") for _ in range(3)]
    assert [status for status, _ in answers] == [200, 200, 429]
    assert answers[2][1] == {"errors": [{"id": "rate_limit_exceeded", "message": "Too many requests"}]}
    assert (await wire.public(f"{ROOT}/time"))[0] == 200
    house.clock.skip(1000)
    assert (await wire.get(f"{ROOT}/accounts"))[0] == 200
