"""coinbase-advanced-py trades on the lab's Coinbase: Coinbase's own client, over its production URL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from coinbase.rest import RESTClient
from requests.exceptions import HTTPError

from tests.lab.accounts import FeeSchedule, Login
from tests.lab.coinbase.logins import ed25519_login
from tests.lab.connect_proxy import ConnectProxy
from tests.lab.crowd import Crowd
from tests.lab.house import House
from tests.lab.lab import Lab

D = Decimal
PRODUCT = "BTC-USD"
USER, PASSWORD = "judge", "fair"


class Judge:
    """The client, in a thread: `await judge("get_order", order_id=…)`; its answers as dictionaries."""

    def __init__(self, login: Login, proxy: str, ca_file: str) -> None:
        self._client = RESTClient(api_key=login.key, api_secret=login.secret, timeout=10)
        self._client.session.trust_env = False
        self._client.session.proxies = {"https": proxy}
        self._client.session.verify = ca_file

    async def __call__(self, name: str, **named: Any) -> Any:
        answer = await asyncio.to_thread(getattr(self._client, name), **named)
        return answer.to_dict()

    def close(self) -> None:
        self._client.session.close()


@pytest.fixture
def house(lab: Lab) -> House:
    return lab.house("coinbase")


@pytest.fixture
def crowd(house: House) -> Crowd:
    return house.gather_crowd("BTC/USD", D(50_000))


@pytest_asyncio.fixture(params=["ecdsa", "ed25519"])
async def judge(lab: Lab, house: House, crowd: Crowd, request: pytest.FixtureRequest) -> AsyncIterator[Judge]:
    """Its requests go through a tunnel that leads to the lab, whose certificate it trusts."""
    login = house.dialect.new_login(1) if request.param == "ecdsa" else ed25519_login(1)
    house.open_account(
        "trader",
        **login._asdict(),
        balances={"USD": D(10_000), "BTC": D(1)},
        fees=FeeSchedule(maker=D("0.004"), taker=D("0.006")),
    )
    async with ConnectProxy(lab.port, USER, PASSWORD) as proxy:
        judge = Judge(login, proxy.url.replace("http://", f"http://{USER}:{PASSWORD}@"), str(lab.ca_file))
        yield judge
        judge.close()


async def test_it_places_looks_up_lists_and_cancels(judge: Judge, house: House) -> None:
    house.dialect.limits.pending_ms = 60_000
    client_id = uuid4().hex
    placed = await judge(
        "limit_order_gtc_buy",
        client_order_id=client_id, product_id=PRODUCT, base_size="0.01", limit_price="49000", post_only=True,
    )  # fmt: skip
    assert placed["success"] is True
    order_id = placed["success_response"]["order_id"]

    found = (await judge("get_order", order_id=order_id))["order"]
    assert (found["client_order_id"], found["status"]) == (client_id, "PENDING")
    house.clock.skip(60_000)
    listed = await judge("list_orders", product_ids=[PRODUCT], order_status=["OPEN"])
    assert [order["order_id"] for order in listed["orders"]] == [order_id]

    cancelled = await judge("cancel_orders", order_ids=[order_id, "no-such-order"])
    assert [(row["success"], row["failure_reason"]) for row in cancelled["results"]] == [
        (True, "UNKNOWN_CANCEL_FAILURE_REASON"),
        (False, "UNKNOWN_CANCEL_ORDER"),
    ]
    assert (await judge("get_order", order_id=order_id))["order"]["status"] == "CANCELLED"
    assert house.exchange.open_orders("trader") == []


async def test_its_fills_are_the_ledgers(judge: Judge, house: House, crowd: Crowd) -> None:
    await judge(
        "limit_order_ioc_buy",
        client_order_id=uuid4().hex, product_id=PRODUCT, base_size="0.005", limit_price="50050",
    )  # fmt: skip
    house.clock.skip(10)
    await judge("market_order_sell", client_order_id=uuid4().hex, product_id=PRODUCT, base_size="0.003")

    told = (await judge("get_fills", product_ids=[PRODUCT]))["fills"]

    kept = house.exchange.fills("trader")
    assert [(D(fill["price"]), D(fill["size"]), D(fill["commission"])) for fill in reversed(told)] == [
        (fill.price, fill.amount, fill.fee) for fill in kept
    ]
    assert {fill["side"] for fill in told} == {"BUY", "SELL"}


async def test_its_balances_are_the_ledgers(judge: Judge, house: House) -> None:
    await judge(
        "limit_order_gtc_buy",
        client_order_id=uuid4().hex, product_id=PRODUCT, base_size="0.1", limit_price="40000",
    )  # fmt: skip

    accounts = (await judge("get_accounts", limit=250))["accounts"]

    told = {
        row["currency"]: (D(row["available_balance"]["value"]), D(row["hold"]["value"])) for row in accounts
    }
    assert told["USD"] == (D(5976), D(4024)) == house.exchange.ledger.holding("trader", "USD")
    assert told["BTC"] == (D(1), D(0))


async def test_it_walks_all_pages_of_orders(judge: Judge, house: House) -> None:
    house.dialect.limits.page_size = 2
    for price in range(40_000, 40_005):
        await judge(
            "limit_order_gtc_buy",
            client_order_id=uuid4().hex, product_id=PRODUCT, base_size="0.001", limit_price=str(price),
        )  # fmt: skip
    house.clock.skip(1000)

    prices, cursor, has_next = [], None, True
    while has_next:
        page = await judge("list_orders", order_status=["OPEN"], cursor=cursor)
        configured = (order["order_configuration"]["limit_limit_gtc"] for order in page["orders"])
        prices += [values["limit_price"] for values in configured]
        cursor, has_next = page["cursor"], page["has_next"]

    assert prices == ["40004", "40003", "40002", "40001", "40000"]


async def test_it_reads_a_refusal_inside_an_http_200(judge: Judge) -> None:
    refused = await judge(
        "limit_order_gtc_buy",
        client_order_id=uuid4().hex, product_id=PRODUCT, base_size="1", limit_price="49000",
    )  # fmt: skip
    assert refused["success"] is False
    assert refused["error_response"]["preview_failure_reason"] == "PREVIEW_INSUFFICIENT_FUND"


async def test_it_reads_products_books_trades_and_the_clock(judge: Judge, house: House, crowd: Crowd) -> None:
    crowd.hit_bid(D("0.002"))
    product = await judge("get_public_product", product_id=PRODUCT)
    assert (product["price_increment"], product["quote_min_size"]) == ("0.01", "1")
    book = (await judge("get_public_product_book", product_id=PRODUCT, limit=2))["pricebook"]
    assert [len(book["bids"]), len(book["asks"])] == [2, 2]
    trades = (await judge("get_public_market_trades", product_id=PRODUCT, limit=5))["trades"]
    assert [(trade["size"], trade["side"]) for trade in trades] == [("0.002", "SELL")]
    best = (await judge("get_best_bid_ask", product_ids=[PRODUCT]))["pricebooks"][0]
    assert best["bids"][0]["price"] < best["asks"][0]["price"]
    told_ms = int((await judge("get_unix_time"))["epoch_millis"])
    assert abs(told_ms - house.clock.now_ms()) < 5000


async def test_it_is_told_what_its_key_may_do_and_kept_from_the_rest(judge: Judge, house: House) -> None:
    rights = await judge("get_api_key_permissions")
    assert (rights["can_view"], rights["can_trade"], rights["can_transfer"]) == (True, True, False)
    assert (await judge("get_transaction_summary"))["fee_tier"]["maker_fee_rate"] == "0.004"
    for key in house.dialect.keys._keys.values():
        key.trading = False
    with pytest.raises(HTTPError, match="Missing Required Scopes"):
        await judge("cancel_orders", order_ids=["any"])
    for key in house.dialect.keys._keys.values():
        key.is_revoked = True
    with pytest.raises(HTTPError, match="401 Client Error: Unauthorized"):
        await judge("get_accounts")
