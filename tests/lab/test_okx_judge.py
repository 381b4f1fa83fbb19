"""python-okx trades on the lab's OKX: a client that shares nothing with ccxt, over its production URL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from okx.Account import AccountAPI
from okx.MarketData import MarketAPI
from okx.PublicData import PublicAPI
from okx.Trade import TradeAPI

from tests.lab.connect_proxy import ConnectProxy
from tests.lab.crowd import Crowd
from tests.lab.house import House
from tests.lab.lab import Lab

pytestmark = pytest.mark.filterwarnings(
    "ignore:Use 'content=:DeprecationWarning",  # httpx, of how the client hands over a body
    "ignore:datetime.datetime.utcnow:DeprecationWarning",
)
LIVE = "0"


class Judge:
    """Each call of a client, in a thread: `await judge(judge.trade.get_order, instId=…)`."""

    def __init__(self, login: tuple[str, str, str], proxy: str) -> None:
        keys = dict(zip(("api_key", "api_secret_key", "passphrase"), login, strict=True))
        self.trade = TradeAPI(**keys, flag=LIVE, proxy=proxy)
        self.account = AccountAPI(**keys, flag=LIVE, proxy=proxy)
        self.market = MarketAPI(flag=LIVE, proxy=proxy)
        self.public = PublicAPI(flag=LIVE, proxy=proxy)

    async def __call__(self, ask: Any, *args: Any, **named: Any) -> list[dict[str, Any]]:
        """The rows of a good answer."""
        answer = await asyncio.to_thread(ask, *args, **named)
        assert answer["code"] == "0", answer
        rows: list[dict[str, Any]] = answer["data"]
        return rows

    def close(self) -> None:
        for client in (self.trade, self.account, self.market, self.public):
            client.close()


@pytest.fixture
def house(lab: Lab) -> House:
    return lab.house("okx")


@pytest.fixture
def crowd(house: House) -> Crowd:
    return house.gather_crowd("BTC/USDT", Decimal(50_000))


@pytest_asyncio.fixture
async def judge(
    lab: Lab, house: House, crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Judge]:
    """Its requests for www.okx.com go through a tunnel that leads to the lab, whose certificate it trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(lab.ca_file))
    login = house.dialect.new_login(1)
    balances = {"USDT": Decimal(10_000), "BTC": Decimal(1)}
    house.open_account("trader", **login._asdict(), balances=balances)
    async with ConnectProxy(lab.port, "judge", "fair") as proxy:
        judge = Judge(login, proxy.url.replace("http://", "http://judge:fair@"))
        yield judge
        judge.close()


async def test_it_places_looks_up_lists_and_cancels(judge: Judge, house: House) -> None:
    (placed,) = await judge(
        judge.trade.place_order,
        instId="BTC-USDT", tdMode="cash", side="buy", ordType="limit", sz="0.001", px="49000", clOrdId="mine",
    )  # fmt: skip

    (found,) = await judge(judge.trade.get_order, instId="BTC-USDT", clOrdId="mine")
    (listed,) = await judge(judge.trade.get_order_list, instType="SPOT")
    assert found == listed
    assert (found["ordId"], found["state"], found["px"]) == (placed["ordId"], "live", "49000")

    (cancelled,) = await judge(judge.trade.cancel_order, instId="BTC-USDT", ordId=placed["ordId"])
    assert cancelled["sCode"] == "0"
    assert await judge(judge.trade.get_order_list) == []
    (ended,) = await judge(judge.trade.get_orders_history, instType="SPOT")
    assert (ended["state"], ended["cancelSource"]) == ("canceled", "1")
    assert house.exchange.open_orders("trader") == []


async def test_it_sees_its_fills_and_balances_as_the_ledger_has_them(judge: Judge, house: House) -> None:
    order = {
        "instId": "BTC-USDT",
        "tdMode": "cash",
        "side": "buy",
        "ordType": "ioc",
        "sz": "0.01",
        "px": "50100",
    }
    await judge(judge.trade.place_multiple_orders, [order])

    rows = await judge(judge.trade.get_fills_history, instType="SPOT")
    (account,) = await judge(judge.account.get_account_balance)

    fills = house.exchange.fills("trader")
    assert fills
    assert [
        (row["fillPx"], row["fillSz"], row["fee"], row["feeCcy"], row["ts"]) for row in reversed(rows)
    ] == [
        (f"{fill.price.normalize():f}", f"{fill.amount.normalize():f}", f"-{fill.fee.normalize():f}",
         fill.fee_currency, str(fill.time_ms))
        for fill in fills
    ]  # fmt: skip
    shown = {row["ccy"]: (Decimal(row["availBal"]), Decimal(row["frozenBal"])) for row in account["details"]}
    assert shown == house.exchange.ledger.holdings("trader")


async def test_it_is_told_why_an_order_is_refused(judge: Judge) -> None:
    answer = await asyncio.to_thread(
        judge.trade.place_order,
        instId="BTC-USDT", tdMode="cash", side="buy", ordType="limit", sz="1", px="49000",
    )  # fmt: skip

    assert (answer["code"], answer["data"][0]["sCode"]) == ("1", "51008")


async def test_it_reads_markets_books_and_trades(judge: Judge, crowd: Crowd) -> None:
    crowd.hit_bid(Decimal("0.001"))

    listed = await judge(judge.public.get_instruments, instType="SPOT")
    (book,) = await judge(judge.market.get_orderbook, instId="BTC-USDT", sz="5")
    (trade,) = await judge(judge.market.get_trades, instId="BTC-USDT")
    (ticker,) = await judge(judge.market.get_ticker, instId="BTC-USDT")

    assert {item["instId"] for item in listed} == {"BTC-USDT", "ETH-USDT", "OKB-USDT"}
    assert (len(book["bids"]), book["bids"][0][0]) == (5, ticker["bidPx"])
    assert (trade["side"], trade["sz"], trade["px"]) == ("sell", "0.001", ticker["last"])
