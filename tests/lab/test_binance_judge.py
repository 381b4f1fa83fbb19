"""python-binance trades on the lab's Binance: a client that shares nothing with ccxt, at production URLs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from binance.client import Client
from binance.exceptions import BinanceAPIException

from tests.lab.accounts import ApiKey
from tests.lab.connect_proxy import ConnectProxy
from tests.lab.crowd import Crowd
from tests.lab.lab import Lab

SYMBOL = "BTCUSDT"


class Judge:
    """Each call of the client, in a thread: `await judge("get_order", symbol=…)`."""

    def __init__(self, key: ApiKey, proxy: str, ca_file: str) -> None:
        way = {"proxies": {"https": proxy}, "verify": ca_file, "timeout": 10}
        self._client = Client(key.key, key.secret, requests_params=way, ping=False)

    async def __call__(self, method: str, **named: Any) -> Any:
        return await asyncio.to_thread(getattr(self._client, method), **named)

    def close(self) -> None:
        self._client.close_connection()


@pytest_asyncio.fixture
async def judge(lab: Lab, trader: ApiKey, crowd: Crowd) -> AsyncIterator[Judge]:
    """Its requests for api.binance.com go through a tunnel to the lab, whose certificate it trusts."""
    async with ConnectProxy(lab.port, "judge", "fair") as proxy:
        url = proxy.url.replace("http://", "http://judge:fair@")
        judge = Judge(trader, url, str(lab.ca_file))
        yield judge
        judge.close()


async def test_it_places_looks_up_lists_and_cancels(judge: Judge, lab: Lab) -> None:
    placed = await judge(
        "order_limit_buy", symbol=SYMBOL, quantity="0.001", price="49000", newClientOrderId="mine"
    )

    found = await judge("get_order", symbol=SYMBOL, origClientOrderId="mine")
    (listed,) = await judge("get_open_orders", symbol=SYMBOL)
    assert found == listed
    assert (found["orderId"], found["status"], found["price"]) == (placed["orderId"], "NEW", "49000.00000000")

    cancelled = await judge("cancel_order", symbol=SYMBOL, orderId=placed["orderId"])
    assert (cancelled["status"], cancelled["origClientOrderId"]) == ("CANCELED", "mine")
    assert await judge("get_open_orders") == []
    (ended,) = await judge("get_all_orders", symbol=SYMBOL)
    assert ended["status"] == "CANCELED"
    assert lab.exchange.open_orders("trader") == []


async def test_it_sees_its_fills_and_balances_as_the_ledger_has_them(judge: Judge, lab: Lab) -> None:
    placed = await judge("order_market_sell", symbol=SYMBOL, quantity="0.05")

    rows = await judge("get_my_trades", symbol=SYMBOL)
    account = await judge("get_account")

    fills = lab.exchange.fills("trader")
    assert len(fills) > 1
    told = [(row["price"], row["qty"], row["commission"], row["commissionAsset"]) for row in rows]
    assert told == [
        (f"{fill.price:.8f}", f"{fill.amount:.8f}", f"{fill.fee:.8f}", fill.fee_currency) for fill in fills
    ]
    assert told == [
        (part["price"], part["qty"], part["commission"], part["commissionAsset"]) for part in placed["fills"]
    ]
    shown = {row["asset"]: (Decimal(row["free"]), Decimal(row["locked"])) for row in account["balances"]}
    assert {name: shown[name] for name in ("BTC", "USDT")} == lab.exchange.ledger.holdings("trader")


@pytest.mark.parametrize(
    ("changed", "code"),
    [({"quantity": "1"}, -2010), ({"price": "49000.001"}, -1013), ({"quantity": "0.00001"}, -1013)],
)
async def test_it_is_told_why_an_order_is_refused(judge: Judge, changed: dict[str, str], code: int) -> None:
    order = {"symbol": SYMBOL, "quantity": "0.001", "price": "49000"} | changed

    with pytest.raises(BinanceAPIException) as caught:
        await judge("order_limit_buy", **order)

    assert caught.value.code == code


async def test_it_reads_markets_books_and_trades(judge: Judge, crowd: Crowd) -> None:
    crowd.hit_bid(Decimal("0.001"))

    info = await judge("get_symbol_info", symbol=SYMBOL)
    book = await judge("get_order_book", symbol=SYMBOL, limit=5)
    (trade,) = await judge("get_recent_trades", symbol=SYMBOL)
    ticker = await judge("get_ticker", symbol=SYMBOL)

    assert (info["baseAsset"], info["status"]) == ("BTC", "TRADING")
    assert (len(book["bids"]), book["bids"][0][0]) == (5, ticker["bidPrice"])
    assert (trade["isBuyerMaker"], trade["qty"], trade["price"]) == (True, "0.00100000", ticker["lastPrice"])


async def test_it_is_told_the_venues_time(judge: Judge, lab: Lab) -> None:
    assert abs((await judge("get_server_time"))["serverTime"] - lab.clock.now_ms()) < 5000
