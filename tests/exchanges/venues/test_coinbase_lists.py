"""Coinbase's lists: all pages by its cursors, what is on its way, and what is nobody's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from exchanges.errors import (
    MalformedAnswerError,
)
from exchanges.types import Fee, VenueOrderStatus
from exchanges.venues.coinbase.connector import ON_THE_WAY, PAGE_SIZE
from tests.exchanges.venues.coinbase_desk import (
    ACCOUNTS,
    BATCH,
    FILLS,
    LONG_AGO,
    SYMBOL,
    TICKER,
    D,
    Desk,
    ref_of,
    request_of,
)
from tests.lab.orders import TimeInForce as LabTimeInForce

# --- Lists


async def test_open_orders_include_those_on_their_way(coinbase: Desk) -> None:
    coinbase.house.dialect.limits.pending_ms = 60_000
    resting = coinbase.place("desk", "buy", "40000")
    await coinbase.gateway.place(request := request_of())

    reports = await coinbase.gateway.fetch_open_orders([SYMBOL])

    assert {report.client_id: report.status for report in reports} == {
        resting.client_id: VenueOrderStatus.OPEN,
        request.client_id: VenueOrderStatus.SUBMITTED,
    }
    assert [asked["order_status"] for asked in coinbase.asked(BATCH)] == [ON_THE_WAY, ["OPEN"]]


async def test_an_order_that_opens_between_the_two_lists_is_told_once(coinbase: Desk) -> None:
    order = coinbase.place("desk", "buy", "40000")
    listed = await coinbase.listed()
    coinbase.answers(BATCH, {"orders": [listed], "has_next": False, "cursor": ""})

    reports = await coinbase.gateway.fetch_open_orders([SYMBOL])

    assert [report.client_id for report in reports] == [order.client_id]


async def test_an_order_that_is_sized_in_quote_is_left_out_of_the_open_ones(coinbase: Desk) -> None:
    order = coinbase.place("desk", "buy", "40000")
    listed = await coinbase.listed()
    foreign = listed | {
        "order_id": str(uuid4()),
        "order_configuration": {"limit_limit_gtc": {"quote_size": "10", "limit_price": "40000"}},
    }
    coinbase.answers(BATCH, {"orders": [foreign], "has_next": False, "cursor": ""})

    assert [report.client_id for report in await coinbase.gateway.fetch_open_orders([SYMBOL])] == [
        order.client_id
    ]


@pytest.mark.parametrize("kind", ["limit_limit_fok", "trigger_bracket_gtc", "twap_limit_gtd"])
async def test_a_foreign_order_of_a_kind_that_ccxt_does_not_know_has_its_amount(
    coinbase: Desk, kind: str
) -> None:
    coinbase.place("desk", "buy", "40000")
    listed = await coinbase.listed()
    values = {"base_size": "0.5", "limit_price": "40000"}
    coinbase.answers(
        BATCH,
        {
            "orders": [listed | {"order_configuration": {kind: values}}],
            "has_next": False,
            "cursor": "",
        },
        times=2,
    )

    (report,) = await coinbase.gateway.fetch_open_orders([SYMBOL])

    assert report.amount == D("0.5")


async def test_trades_are_collected_over_all_cursors(coinbase: Desk) -> None:
    coinbase.house.dialect.limits.page_size = 3
    coinbase.house.clock.offset_ms = -60_000
    coinbase.trade(10, apart_ms=1)
    coinbase.house.clock.offset_ms = 0
    since = datetime.now(UTC) - LONG_AGO

    trades = await coinbase.gateway.fetch_trades(SYMBOL, since=since)

    assert len({trade.id for trade in trades}) == len(trades) == 10
    asked = coinbase.asked(FILLS)
    assert len(asked) == 4
    assert {tuple(page["limit"]) for page in asked} == {(str(PAGE_SIZE),)}


async def test_the_trades_of_an_order_take_one_request(coinbase: Desk) -> None:
    coinbase.trade(3)
    order = coinbase.place("desk", "buy", "50001")
    coinbase.place("crowd", "sell", "50001", "0.01")
    venue_id = (await coinbase.gateway.fetch_order(ref_of(order))).venue_id
    before = len(coinbase.server.requests.select())

    (trade,) = await coinbase.gateway.fetch_order_trades(ref_of(order, venue_id=venue_id))

    assert (trade.price, trade.order_venue_id) == (D(50001), venue_id)
    assert trade.fees == (Fee(currency="USD", amount=D("0.50001")),)
    assert len(coinbase.server.requests.select()) == before + 1
    assert coinbase.asked(FILLS)[-1]["order_ids"] == [venue_id]


@pytest.mark.parametrize("other", [{"trade_type": "REVERSAL"}, {"size_in_quote": True}])
async def test_what_is_no_fill_of_ours_is_no_trade(coinbase: Desk, other: dict[str, Any]) -> None:
    fill = await one_fill(coinbase)
    rows = [fill, fill | {"trade_id": str(uuid4())} | other]
    coinbase.answers(FILLS, {"fills": rows, "cursor": ""})

    assert len(await coinbase.gateway.fetch_trades(SYMBOL, since=datetime.now(UTC) - LONG_AGO)) == 1


BENT = [
    {"trade_type": "HALTED"},
    {"liquidity_indicator": None},
    {"size_in_quote": "true"},
    {"commission": None},
    {"commission": "-1"},
    {"product_id": "ETH-USD"},
    {"order_id": "three"},
    {"trade_id": 7},
    {"price": "0"},
]


@pytest.mark.parametrize("bend", BENT)
async def test_a_fill_that_cannot_be_is_not_believed(coinbase: Desk, bend: dict[str, Any]) -> None:
    coinbase.answers(FILLS, {"fills": [await one_fill(coinbase) | bend], "cursor": ""})

    with pytest.raises(MalformedAnswerError):
        await coinbase.gateway.fetch_trades(SYMBOL, since=datetime.now(UTC) - LONG_AGO)


async def one_fill(coinbase: Desk) -> dict[str, Any]:
    """As Coinbase prints it."""
    coinbase.trade(1)
    await coinbase.gateway.load_markets()
    (trade,) = await coinbase.gateway._client.fetch_my_trades(SYMBOL)
    return dict(trade["info"])


async def test_pages_that_go_round_in_a_circle_are_not_believed(coinbase: Desk) -> None:
    coinbase.answers(FILLS, {"fills": [], "cursor": "again"}, times=None)

    with pytest.raises(MalformedAnswerError, match="circle"):
        await coinbase.gateway.fetch_trades(SYMBOL, since=datetime.now(UTC) - LONG_AGO)


async def test_balances_are_collected_over_all_pages(coinbase: Desk) -> None:
    coinbase.house.dialect.limits.page_size = 1
    coinbase.place("desk", "sell", "60000", "1")

    balances = await coinbase.gateway.fetch_balances()

    assert {name: (held.free, held.used) for name, held in balances.items()} == {
        "BTC": (D(999), D(1)),
        "ETH": (D(1000), D(0)),
        "USD": (D(10**8), D(0)),
    }


HALF_PAGES = [
    {},
    {"accounts": []},
    {"accounts": [{"currency": "BTC"}], "cursor": "", "has_next": False},
    {"accounts": [{"type": "ACCOUNT_TYPE_CRYPTO", "hold": {}}], "cursor": "", "has_next": False},
    {"accounts": "none", "cursor": "", "has_next": False},
]


@pytest.mark.parametrize("page", HALF_PAGES)
async def test_half_a_list_of_balances_is_no_account(coinbase: Desk, page: dict[str, Any]) -> None:
    await coinbase.gateway.load_markets()
    coinbase.answers(ACCOUNTS, page)

    with pytest.raises(MalformedAnswerError):
        await coinbase.gateway.fetch_balances()


async def test_public_trades_are_walked_back_second_by_second(coinbase: Desk) -> None:
    coinbase.house.clock.offset_ms = -60_000
    start = datetime.now(UTC) - timedelta(minutes=5)
    coinbase.place("crowd", "sell", "50000", "2.5")
    for number in range(2500):
        if number % 500 == 0:
            coinbase.house.clock.offset_ms += 1_000
        ioc = LabTimeInForce.IOC
        coinbase.place("desk", "buy", "50000", "0.001", time_in_force=ioc)

    trades = await coinbase.gateway.fetch_public_trades(SYMBOL, since=start)

    assert [trade.id for trade in trades] == [str(number) for number in range(1, 2501)]
    assert len(coinbase.asked(TICKER)) < 10


async def test_more_public_trades_in_a_second_than_it_shows_are_not_made_less(coinbase: Desk) -> None:
    row = {"product_id": "BTC-USD", "price": "1", "size": "1", "side": "BUY"}
    now = datetime.now(UTC).isoformat()
    coinbase.answers(
        TICKER,
        {"trades": [row | {"trade_id": str(n), "time": now} for n in range(1000)]},
        times=None,
    )

    with pytest.raises(MalformedAnswerError, match="one second"):
        await coinbase.gateway.fetch_public_trades(SYMBOL, since=datetime.now(UTC) - LONG_AGO)
