"""python-kraken-sdk trades on the lab's Kraken: a client that shares nothing with ccxt, over its own URL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from kraken.exceptions import (
    KrakenInsufficientFundsError,
    KrakenInvalidNonceError,
    KrakenInvalidSignatureError,
    KrakenPermissionDeniedError,
    KrakenUnknownOrderError,
)
from kraken.spot import Market, Trade, User

from tests.lab.accounts import ApiKey
from tests.lab.connect_proxy import ConnectProxy
from tests.lab.crowd import Crowd
from tests.lab.house import House
from tests.lab.lab import Lab


class Judge:
    """Each call of a client, in a thread: `await judge(judge.trade.cancel_order, txid)`."""

    def __init__(self, key: ApiKey, proxy: str) -> None:
        keys = {"key": key.key, "secret": key.secret, "proxy": proxy}
        self.trade, self.user = Trade(**keys), User(**keys)
        self.market = Market(proxy=proxy)

    async def __call__(self, ask: Any, *args: Any, **named: Any) -> Any:
        return await asyncio.to_thread(ask, *args, **named)

    async def place(self, **changes: Any) -> str:
        order = {"ordertype": "limit", "side": "buy", "pair": "XBTUSD", "volume": "0.001", "price": "49000"}
        placed = await self(self.trade.create_order, **(order | changes))
        (txid,) = placed["txid"]
        return str(txid)

    def close(self) -> None:
        for client in (self.trade, self.user, self.market):
            client._SpotClient__session.close()


@pytest.fixture
def house(lab: Lab) -> House:
    return lab.house("kraken")


@pytest.fixture
def crowd(house: House) -> Crowd:
    return house.gather_crowd("BTC/USD", Decimal(50_000))


@pytest.fixture
def key(house: House) -> ApiKey:
    balances = {"USD": Decimal(10_000), "BTC": Decimal(1)}
    return house.open_account("trader", **house.dialect.new_login(1)._asdict(), balances=balances)


@pytest_asyncio.fixture
async def judge(lab: Lab, key: ApiKey, crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Judge]:
    """Its requests go through a tunnel that leads to the lab, whose certificate it trusts."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(lab.ca_file))
    async with ConnectProxy(lab.port, "judge", "fair") as proxy:
        judge = Judge(key, proxy.url.replace("http://", "http://judge:fair@"))
        yield judge
        judge.close()


async def test_it_places_looks_up_lists_and_cancels(judge: Judge, house: House) -> None:
    txid = await judge.place(extra_params={"cl_ord_id": "mine"})

    listed = (await judge(judge.user.get_open_orders))["open"]
    found = await judge(judge.user.get_orders_info, txid=txid)
    assert found == listed
    assert (found[txid]["status"], found[txid]["cl_ord_id"]) == ("open", "mine")
    assert found[txid]["descr"]["order"] == "buy 0.00100000 XBTUSD @ limit 49000.0"

    assert await judge(judge.trade.cancel_order, txid=txid) == {"count": 1}
    assert (await judge(judge.user.get_open_orders))["open"] == {}
    closed = await judge(judge.user.get_closed_orders)
    assert (closed["count"], closed["closed"][txid]["status"]) == (1, "canceled")
    assert house.exchange.open_orders("trader") == []


async def test_it_fills_and_reads_trades_and_balances(judge: Judge, house: House) -> None:
    txid = await judge.place(ordertype="market", side="sell")

    trades = (await judge(judge.user.get_trades_history))["trades"]
    ((trade_id, trade),) = trades.items()
    (fill,) = house.exchange.fills("trader")
    assert (trade["ordertxid"], trade["maker"], trade["type"]) == (txid, False, "sell")
    assert (Decimal(trade["cost"]), Decimal(trade["fee"])) == (fill.cost, fill.fee)
    assert await judge(judge.user.get_trades_info, txid=trade_id) == trades

    held = {name: Decimal(amount) for name, amount in (await judge(judge.user.get_account_balance)).items()}
    assert held == {"XXBT": Decimal("0.999"), "ZUSD": 10_000 + fill.cost - fill.fee}


async def test_it_sees_what_an_order_holds(judge: Judge) -> None:
    await judge.place()

    balance = (await judge(judge.user.get_balances))["ZUSD"]

    assert balance == {"balance": "10000.00000", "hold_trade": "49.04900"}


async def test_it_reads_the_market_and_its_book(judge: Judge) -> None:
    pair = (await judge(judge.market.get_asset_pairs, pair="XBTUSD"))["XXBTZUSD"]
    book = (await judge(judge.market.get_order_book, pair="XBTUSD", count=3))["XXBTZUSD"]
    ticker = (await judge(judge.market.get_ticker, pair="XBTUSD"))["XXBTZUSD"]

    assert (pair["wsname"], pair["tick_size"], pair["status"]) == ("XBT/USD", "0.1", "online")
    assert (book["bids"][0][0], book["asks"][0][0]) == ("49950.0", "50050.0")
    assert (ticker["b"][0], ticker["a"][0]) == ("49950.0", "50050.0")


async def test_its_own_errors_are_raised(judge: Judge, key: ApiKey, house: House) -> None:
    with pytest.raises(KrakenInsufficientFundsError):
        await judge.place(volume="1")
    with pytest.raises(KrakenUnknownOrderError):
        await judge(judge.trade.cancel_order, txid="OQCLML-BW3P3-BUCMWZ")

    key.trading = False
    with pytest.raises(KrakenPermissionDeniedError):
        await judge.place()
    key.secret = house.dialect.new_login(2).secret
    with pytest.raises(KrakenInvalidSignatureError):
        await judge.place()


async def test_a_nonce_that_does_not_grow_is_an_error_of_its_own(judge: Judge) -> None:
    await judge(judge.user.get_account_balance)
    judge.user.get_nonce = lambda: "1700000000000"

    with pytest.raises(KrakenInvalidNonceError):
        await judge(judge.user.get_account_balance)
