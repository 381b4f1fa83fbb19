"""What Coinbase is asked, and what its answers mean: markets, orders, states, a search by client id."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import pytest

from exchanges.errors import (
    MalformedAnswerError,
    OrderNotFoundError,
    OutcomeUnknownError,
)
from exchanges.types import OrderRef, OrderType, TimeInForce, VenueOrderStatus
from exchanges.venues.coinbase.dialect import configuration_of
from exchanges.venues.coinbase.facts import VENUE
from tests.exchanges.venues.coinbase_desk import (
    BATCH,
    CANCEL,
    ORDERS,
    ROOT,
    SYMBOL,
    D,
    Desk,
    ref_of,
    request_of,
)
from tests.lab.coinbase.logins import ecdsa_login

# --- What is sent


async def test_loading_markets_asks_for_the_spot_list_only_and_nothing_private(coinbase: Desk) -> None:
    markets = await coinbase.gateway.load_markets()

    assert coinbase.server.requests.counts() == {("coinbase", None, "GET", f"{ROOT}/market/products"): 1}
    assert coinbase.asked(f"{ROOT}/market/products") == [{"product_type": ["SPOT"]}]
    btc = markets[SYMBOL]
    assert (btc.price_step, btc.amount_step, btc.min_cost) == (D("0.01"), D("0.000001"), D(1))
    assert (btc.maker_fee, btc.taker_fee) == (VENUE.maker_fee, VENUE.taker_fee)


@pytest.mark.parametrize("flag", ["is_disabled", "trading_disabled", "cancel_only", "auction_mode"])
async def test_a_market_that_takes_no_orders_is_not_active(coinbase: Desk, flag: str) -> None:
    product = {
        "product_id": "BTC-USD",
        "product_type": "SPOT",
        "status": "online",
        "base_currency_id": "BTC",
        "quote_currency_id": "USD",
        "base_increment": "0.000001",
        "price_increment": "0.01",
    }
    coinbase.answers(f"{ROOT}/market/products", {"products": [product | {flag: True}], "num_products": 1})

    assert not (await coinbase.gateway.load_markets())[SYMBOL].active


async def test_public_answers_are_asked_for_fresh(coinbase: Desk) -> None:
    await coinbase.gateway.fetch_book(SYMBOL)

    (seen,) = coinbase.server.requests.select(path=f"{ROOT}/market/product_book")
    assert seen.headers["cache-control"] == "no-cache"
    assert parse_qs(seen.query)["limit"] == ["100"]


CONFIGURATIONS = [
    (
        {"post_only": True},
        {"limit_limit_gtc": {"base_size": "0.01", "limit_price": "40000", "post_only": True}},
    ),
    (
        {"price": D("1E+3"), "amount": D("1E-6")},
        {"limit_limit_gtc": {"base_size": "0.000001", "limit_price": "1000", "post_only": False}},
    ),
    (
        {"time_in_force": TimeInForce.IOC},
        {"sor_limit_ioc": {"base_size": "0.01", "limit_price": "40000"}},
    ),
    ({"type": OrderType.MARKET, "price": None}, {"market_market_ioc": {"base_size": "0.01"}}),
]


@pytest.mark.parametrize(("changes", "configuration"), CONFIGURATIONS)
async def test_an_order_is_sent_digit_by_digit_in_coinbases_words(
    coinbase: Desk, changes: dict[str, Any], configuration: dict[str, Any]
) -> None:
    coinbase.place("crowd", "sell", "50000", "1")
    request = request_of(**changes)
    assert configuration_of(request) == configuration

    report = await coinbase.gateway.place(replace(request, amount=max(request.amount, D("0.001"))))

    (seen,) = coinbase.server.requests.select(path=ORDERS)
    body = json.loads(seen.body)
    assert (body["client_order_id"], set(body["order_configuration"])) == (
        request.client_id,
        set(configuration),
    )
    assert set(body) == {"client_order_id", "product_id", "side", "order_configuration"}
    assert (report.status, report.client_id) == (VenueOrderStatus.SUBMITTED, request.client_id)


# --- Looking an order up


async def test_an_order_is_found_by_client_id_on_a_later_page(coinbase: Desk) -> None:
    coinbase.house.dialect.limits.page_size = 2
    order = coinbase.place("desk", "buy", "40000")
    for _ in range(4):
        coinbase.place("desk", "buy", "40001")

    report = await coinbase.gateway.fetch_order(ref_of(order))

    assert (report.client_id, report.price) == (order.client_id, D(40_000))
    assert len(coinbase.asked(BATCH)) == 3


async def test_a_search_goes_back_no_further_than_the_order_can_be(coinbase: Desk) -> None:
    coinbase.house.dialect.limits.page_size = 1
    coinbase.house.clock.offset_ms = -3_600_000
    for _ in range(5):
        coinbase.place("desk", "buy", "40000")
    coinbase.house.clock.offset_ms = 0
    coinbase.place("desk", "buy", "40001")
    ref = OrderRef(client_id=uuid4().hex, symbol=SYMBOL, not_before=datetime.now(UTC))

    with pytest.raises(OrderNotFoundError, match="no order with this client id"):
        await coinbase.gateway.fetch_order(ref)

    assert len(coinbase.asked(BATCH)) == 1


async def test_an_order_whose_answer_was_lost_is_found_by_its_client_id(coinbase: Desk) -> None:
    coinbase.answers(ORDERS, {"error": "INTERNAL", "message": "Something went wrong"}, status=500)
    request = request_of()

    with pytest.raises(OutcomeUnknownError):
        await coinbase.gateway.place(request)

    ref = OrderRef(client_id=request.client_id, symbol=SYMBOL, not_before=datetime.now(UTC))
    assert (await coinbase.gateway.fetch_order(ref)).status is VenueOrderStatus.OPEN


async def test_an_order_that_is_known_by_its_client_id_only_is_cancelled_by_its_number(
    coinbase: Desk,
) -> None:
    order = coinbase.place("desk", "buy", "40000")

    assert await coinbase.gateway.cancel(ref_of(order)) is None

    assert not order.is_open
    (seen,) = coinbase.server.requests.select(path=CANCEL)
    assert len(json.loads(seen.body)["order_ids"]) == 1


STATES = [
    ("QUEUED", VenueOrderStatus.SUBMITTED),
    ("PENDING", VenueOrderStatus.SUBMITTED),
    ("OPEN", VenueOrderStatus.OPEN),
    ("EDIT_QUEUED", VenueOrderStatus.OPEN),
    ("CANCEL_QUEUED", VenueOrderStatus.OPEN),
    ("CANCELLED", VenueOrderStatus.CANCELED),
    ("EXPIRED", VenueOrderStatus.EXPIRED),
    ("FAILED", VenueOrderStatus.REJECTED),
]


@pytest.mark.parametrize(("state", "status"), STATES)
async def test_each_state_of_an_order_has_its_meaning(
    coinbase: Desk, state: str, status: VenueOrderStatus
) -> None:
    order = coinbase.place("desk", "buy", "40000")
    listed = await coinbase.listed()
    coinbase.answers(f"{ROOT}/orders/historical/{listed['order_id']}", {"order": listed | {"status": state}})

    assert (await coinbase.gateway.fetch_order(ref_of(order, venue_id=listed["order_id"]))).status is status


async def test_a_state_that_nobody_knows_is_not_believed(coinbase: Desk) -> None:
    order = coinbase.place("desk", "buy", "40000")
    listed = await coinbase.listed()
    state = {"status": "UNKNOWN_ORDER_STATUS"}
    coinbase.answers(f"{ROOT}/orders/historical/{listed['order_id']}", {"order": listed | state})

    with pytest.raises(MalformedAnswerError):
        await coinbase.gateway.fetch_order(ref_of(order, venue_id=listed["order_id"]))


async def test_another_order_than_the_one_asked_for_is_not_believed(coinbase: Desk) -> None:
    order = coinbase.place("desk", "buy", "40000")
    listed = await coinbase.listed()
    coinbase.answers(
        f"{ROOT}/orders/historical/{listed['order_id']}", {"order": listed | {"order_id": str(uuid4())}}
    )

    with pytest.raises(MalformedAnswerError, match="another order"):
        await coinbase.gateway.fetch_order(ref_of(order, venue_id=listed["order_id"]))


# --- Permissions


@pytest.mark.parametrize(
    ("rights", "can_trade", "can_withdraw"),
    [({}, True, False), ({"trading": False}, False, False), ({"withdrawals": True}, True, True)],
)
async def test_a_keys_rights_are_told(
    coinbase: Desk, rights: dict[str, bool], *, can_trade: bool, can_withdraw: bool
) -> None:
    key = coinbase.house.dialect.keys[ecdsa_login(1).key]
    for name, right in rights.items():
        setattr(key, name, right)

    permissions = await coinbase.gateway.fetch_permissions()

    assert (permissions.can_trade, permissions.can_withdraw) == (can_trade, can_withdraw)


@pytest.mark.parametrize("bend", [{"can_trade": None}, {"can_transfer": "false"}])
async def test_rights_that_cannot_be_read_are_none(coinbase: Desk, bend: dict[str, Any]) -> None:
    rights = {"can_view": True, "can_trade": True, "can_transfer": False} | bend
    coinbase.answers(f"{ROOT}/key_permissions", rights)

    with pytest.raises(MalformedAnswerError):
        await coinbase.gateway.fetch_permissions()
