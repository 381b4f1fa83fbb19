"""alpaca-py trades on the lab's Alpaca: the venue's own client, over its production URLs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from alpaca.common.exceptions import APIError
from alpaca.data.historical import CryptoHistoricalDataClient, StockHistoricalDataClient
from alpaca.data.requests import (
    CryptoBarsRequest,
    CryptoLatestOrderbookRequest,
    CryptoSnapshotRequest,
    CryptoTradesRequest,
    StockLatestQuoteRequest,
    StockSnapshotRequest,
)
from alpaca.data.timeframe import TimeFrame
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import (
    AssetClass,
    AssetStatus,
    OrderSide,
    OrderStatus,
    QueryOrderStatus,
    TimeInForce,
)
from alpaca.trading.requests import (
    GetAssetsRequest,
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
)

from tests.lab.accounts import Login
from tests.lab.alpaca import AlpacaDialect
from tests.lab.connect_proxy import ConnectProxy
from tests.lab.crowd import Crowd
from tests.lab.house import House
from tests.lab.lab import Lab

D = Decimal


class Judge:
    """Each call of a client, in a thread: `await judge(judge.trading.get_account)`."""

    def __init__(self, login: Login, proxy: str, ca_file: str) -> None:
        self.trading = TradingClient(login.key, login.secret, paper=False)
        self.coins = CryptoHistoricalDataClient()
        self.stocks = StockHistoricalDataClient(login.key, login.secret)
        self._clients = (self.trading, self.coins, self.stocks)
        for client in self._clients:
            client._session.trust_env = False
            client._session.proxies = {"https": proxy}
            client._session.verify = ca_file

    async def __call__(self, ask: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.to_thread(ask, *args)

    async def buy(self, symbol: str, qty: str, price: str, **more: Any) -> Any:
        order = LimitOrderRequest(
            symbol=symbol,
            qty=float(qty),
            limit_price=float(price),
            side=OrderSide.BUY,
            **{"time_in_force": TimeInForce.GTC, **more},
        )
        return await self(self.trading.submit_order, order)

    def close(self) -> None:
        for client in self._clients:
            client._session.close()


@pytest.fixture
def house(lab: Lab) -> House:
    return lab.house("alpaca")


@pytest.fixture
def dialect(house: House) -> AlpacaDialect:
    assert isinstance(house.dialect, AlpacaDialect)
    return house.dialect


@pytest.fixture
def coins(house: House) -> Crowd:
    return house.gather_crowd("BTC/USD", D(50_000))


@pytest.fixture
def stocks(house: House) -> Crowd:
    return house.gather_crowd("AAPL/USD", D(200))


@pytest_asyncio.fixture
async def judge(
    lab: Lab, house: House, dialect: AlpacaDialect, coins: Crowd, stocks: Crowd
) -> AsyncIterator[Judge]:
    """Its requests go through a tunnel that leads to the lab, whose certificate it trusts."""
    login = dialect.new_login(1)
    balances = {"USD": D(100_000), "BTC": D(1)}
    house.open_account("trader", key=login.key, secret=login.secret, balances=balances)
    async with ConnectProxy(lab.port, "judge", "fair") as proxy:
        opened = Judge(login, proxy.url.replace("://", "://judge:fair@"), str(lab.ca_file))
        yield opened
        opened.close()


async def test_it_places_finds_and_cancels_an_order(judge: Judge) -> None:
    client_id = uuid4().hex

    placed = await judge.buy("BTC/USD", "0.01", "40000", client_order_id=client_id)
    found = await judge(judge.trading.get_order_by_client_id, client_id)
    await judge(judge.trading.cancel_order_by_id, placed.id)
    ended = await judge(judge.trading.get_order_by_id, placed.id)

    assert (placed.status, found.status, ended.status) == (
        OrderStatus.PENDING_NEW,
        OrderStatus.NEW,
        OrderStatus.CANCELED,
    )
    assert (found.id, found.qty, found.limit_price, found.asset_class) == (
        placed.id,
        "0.01",
        "40000",
        AssetClass.CRYPTO,
    )
    assert ended.canceled_at is not None


async def test_it_lists_orders_by_status_and_symbol(judge: Judge) -> None:
    bid = await judge.buy("BTC/USD", "0.01", "40000")
    await judge.buy("AAPL", "2", "150")
    done = await judge.buy("BTC/USD", "0.001", "50050")

    async def listed(status: QueryOrderStatus) -> list[Any]:
        ask = GetOrdersRequest(status=status, symbols=["BTC/USD"], limit=500, nested=False)
        return [order.id for order in await judge(judge.trading.get_orders, ask)]

    assert await listed(QueryOrderStatus.OPEN) == [bid.id]
    assert await listed(QueryOrderStatus.CLOSED) == [done.id]


async def test_it_sells_at_the_market_and_reads_the_fill(judge: Judge) -> None:
    sale = MarketOrderRequest(symbol="BTC/USD", qty=0.001, side=OrderSide.SELL, time_in_force=TimeInForce.IOC)

    placed = await judge(judge.trading.submit_order, sale)
    order = await judge(judge.trading.get_order_by_id, placed.id)
    (fill,) = await judge(judge.trading.get, "/account/activities/FILL", {"page_size": 100})

    assert (order.status, order.filled_qty, order.filled_avg_price) == (OrderStatus.FILLED, "0.001", "49950")
    assert (fill["order_id"], fill["side"], fill["price"]) == (str(placed.id), "sell", "49950")


async def test_it_reads_account_positions_and_assets(judge: Judge, house: House) -> None:
    await judge.buy("AAPL", "1.5", "150", time_in_force=TimeInForce.DAY)

    account = await judge(judge.trading.get_account)
    positions = await judge(judge.trading.get_all_positions)
    assets = await judge(
        judge.trading.get_all_assets,
        GetAssetsRequest(asset_class=AssetClass.CRYPTO, status=AssetStatus.ACTIVE),
    )

    assert (account.cash, account.equity) == ("99775", "149950")
    assert [(row.symbol, row.qty, row.qty_available) for row in positions] == [("BTCUSD", "1", "1")]
    assert {asset.symbol: asset.min_trade_increment for asset in assets}["BTC/USD"] == 0.000001


async def test_it_reads_the_market_clock(judge: Judge, dialect: AlpacaDialect) -> None:
    dialect.alpaca.close_stock_market()

    clock = await judge(judge.trading.get_clock)

    assert clock.is_open is False
    assert clock.timestamp < clock.next_open


async def test_it_reads_books_quotes_and_trades(judge: Judge, coins: Crowd, stocks: Crowd) -> None:
    coins.lift_ask(D("0.001"))
    stocks.hit_bid(D(1))
    pair, ticker = "BTC/USD", "AAPL"

    books = await judge(
        judge.coins.get_crypto_latest_orderbook, CryptoLatestOrderbookRequest(symbol_or_symbols=pair)
    )
    coin = await judge(judge.coins.get_crypto_snapshot, CryptoSnapshotRequest(symbol_or_symbols=pair))
    trades = await judge(judge.coins.get_crypto_trades, CryptoTradesRequest(symbol_or_symbols=pair))
    quotes = await judge(
        judge.stocks.get_stock_latest_quote, StockLatestQuoteRequest(symbol_or_symbols=ticker)
    )
    stock = await judge(judge.stocks.get_stock_snapshot, StockSnapshotRequest(symbol_or_symbols=ticker))

    assert (books[pair].bids[0].price, books[pair].asks[0].price) == (49950.0, 50050.0)
    assert coin[pair].latest_trade.price == trades[pair][0].price == 50050.0
    assert (quotes[ticker].bid_price, quotes[ticker].ask_price) == (199.8, 200.2)
    assert stock[ticker].latest_trade.price == 199.8


async def test_it_reads_bars_of_an_hour(judge: Judge, coins: Crowd) -> None:
    coins.lift_ask(D("0.001"))

    asked = CryptoBarsRequest(symbol_or_symbols="BTC/USD", timeframe=TimeFrame.Hour)
    (bar,) = (await judge(judge.coins.get_crypto_bars, asked))["BTC/USD"]

    assert (bar.volume, bar.vwap, bar.trade_count) == (0.001, 50050.0, 1)
    assert (bar.timestamp.minute, bar.timestamp.second) == (0, 0)


async def test_what_is_refused_reads_as_alpacas_error(judge: Judge) -> None:
    with pytest.raises(APIError) as caught:
        await judge.buy("BTC/USD", "100", "40000")

    assert (caught.value.status_code, caught.value.code) == (403, 40310000)
    assert caught.value.message.startswith("insufficient balance for USD")


async def test_a_wrong_secret_is_forbidden(judge: Judge) -> None:
    judge.trading._secret_key = "x" * 40

    with pytest.raises(APIError) as caught:
        await judge(judge.trading.get_account)

    assert caught.value.status_code == 403
