"""An unmodified ccxt client trades on the lab through Binance's production URLs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from uuid import uuid4

import aiohttp
import ccxt.async_support as ccxt
import pytest
import pytest_asyncio

from tests.lab.accounts import ApiKey
from tests.lab.crowd import Crowd
from tests.lab.faults import drop_after_accept, hang_after_accept, server_error, too_many_requests
from tests.lab.lab import Lab

SYMBOL = "BTC/USDT"
ORDER_PATH = "/api/v3/order"


@pytest.fixture
def crowd(lab: Lab) -> Crowd:
    return lab.gather_crowd(SYMBOL, Decimal(50_000))


@pytest_asyncio.fixture
async def client(
    lab_session: aiohttp.ClientSession, trader: ApiKey, crowd: Crowd
) -> AsyncIterator[ccxt.binance]:
    options = {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False, "fetchMargins": False}
    binance = ccxt.binance(
        {
            "apiKey": trader.key,
            "secret": trader.secret,
            "session": lab_session,
            "enableRateLimit": False,
            "timeout": 3000,
            "options": options,
        }
    )
    yield binance
    await binance.close()


async def test_it_loads_the_markets_with_their_rules(client: ccxt.binance) -> None:
    markets = await client.load_markets()
    market = markets[SYMBOL]
    assert market["active"]
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 0.00001)
    assert (market["limits"]["cost"]["min"], market["limits"]["amount"]["min"]) == (5, 0.00001)


async def test_it_reads_the_book(client: ccxt.binance) -> None:
    book = await client.fetch_order_book(SYMBOL, 5)
    assert len(book["bids"]) == len(book["asks"]) == 5
    assert book["bids"][0][0] < 50_000 < book["asks"][0][0]


async def test_it_reads_tickers_trades_and_the_clock(lab: Lab, client: ccxt.binance, crowd: Crowd) -> None:
    crowd.hit_bid(Decimal("0.002"))
    ticker = await client.fetch_ticker(SYMBOL)
    assert ticker["last"] == ticker["close"] == 49_950
    assert ticker["bid"] == 49_950
    assert (await client.fetch_bids_asks([SYMBOL]))[SYMBOL]["ask"] == 50_050
    trade = (await client.fetch_trades(SYMBOL))[0]
    assert (trade["price"], trade["amount"], trade["side"]) == (49_950, 0.002, "sell")
    assert abs(await client.fetch_time() - lab.clock.now_ms()) < 1000


async def test_it_reads_the_balance(client: ccxt.binance) -> None:
    balance = await client.fetch_balance()
    assert balance["USDT"] == {"free": 10_000, "used": 0, "total": 10_000}
    assert balance["BTC"]["free"] == 1


async def test_an_order_rests_is_found_and_is_cancelled(client: ccxt.binance) -> None:
    client_id = uuid4().hex
    params = {"clientOrderId": client_id, "postOnly": True}
    placed = await client.create_order(SYMBOL, "limit", "buy", 0.01, 49_999.99, params)
    assert (await client.fetch_balance())["USDT"]["used"] == pytest.approx(499.9999)
    found = await client.fetch_order("", SYMBOL, {"clientOrderId": client_id})
    assert (found["id"], found["status"], found["price"]) == (placed["id"], "open", 49_999.99)
    assert [order["clientOrderId"] for order in await client.fetch_open_orders(SYMBOL)] == [client_id]
    cancelled = await client.cancel_order("", SYMBOL, {"clientOrderId": client_id})
    assert cancelled["status"] == "canceled"
    assert await client.fetch_open_orders(SYMBOL) == []
    assert (await client.fetch_balance())["USDT"]["used"] == 0


async def test_fills_come_back_with_their_fees(client: ccxt.binance, crowd: Crowd) -> None:
    placed = await client.create_order(SYMBOL, "limit", "buy", 0.01, 49_960)
    crowd.hit_bid(Decimal("0.004"))
    partly = await client.fetch_order(placed["id"], SYMBOL)
    assert (partly["status"], partly["filled"], partly["remaining"]) == ("open", 0.004, 0.006)
    crowd.hit_bid(Decimal("0.006"))
    assert (await client.fetch_order(placed["id"], SYMBOL))["status"] == "closed"
    trades = await client.fetch_order_trades(placed["id"], SYMBOL)
    assert [trade["amount"] for trade in trades] == [0.004, 0.006]
    assert [trade["takerOrMaker"] for trade in trades] == ["maker", "maker"]
    assert trades[0]["fee"] == {"cost": 0.000004, "currency": "BTC"}


async def test_a_market_order_takes_from_the_book(client: ccxt.binance) -> None:
    order = await client.create_order(SYMBOL, "market", "sell", 0.001)
    assert (order["status"], order["filled"], order["average"]) == ("closed", 0.001, 49_950)
    assert order["fees"] == [{"cost": 0.04995, "currency": "USDT"}]


async def test_a_market_buy_spends_a_budget(client: ccxt.binance) -> None:
    order = await client.create_order(SYMBOL, "market", "buy", 0, None, {"quoteOrderQty": 100})
    assert order["status"] == "closed"
    assert 99 < order["cost"] <= 100


async def test_trades_are_listed_from_a_time_on(lab: Lab, client: ccxt.binance) -> None:
    for _ in range(3):
        await client.create_order(SYMBOL, "market", "sell", 0.001)
    trades = await client.fetch_my_trades(SYMBOL)
    assert [trade["id"] for trade in trades] == ["1", "2", "3"]
    since = lab.clock.now_ms() + 1
    assert await client.fetch_my_trades(SYMBOL, since) == []
    assert len(await client.fetch_my_trades(SYMBOL, trades[0]["timestamp"])) == 3


async def test_a_post_only_order_that_crosses_is_refused(client: ccxt.binance) -> None:
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        await client.create_order(SYMBOL, "limit", "buy", 0.01, 51_000, {"postOnly": True})


async def test_an_order_beyond_the_balance_is_refused(client: ccxt.binance) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        await client.create_order(SYMBOL, "limit", "buy", 1, 49_000)


async def test_an_order_under_the_minimum_cost_is_refused(client: ccxt.binance) -> None:
    with pytest.raises(ccxt.BadRequest, match="NOTIONAL"):
        await client.create_order(SYMBOL, "limit", "buy", 0.0001, 49_000)


async def test_a_wrong_secret_is_a_bad_signature(client: ccxt.binance) -> None:
    client.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError, match="-1022"):
        await client.fetch_balance()


async def test_an_unknown_key_is_refused(client: ccxt.binance) -> None:
    client.apiKey = "x" * 64
    with pytest.raises(ccxt.AuthenticationError, match="-2015"):
        await client.fetch_balance()


async def test_a_revoked_key_is_refused_as_binance_does(client: ccxt.binance, trader: ApiKey) -> None:
    await client.fetch_balance()
    trader.is_revoked = True
    with pytest.raises(ccxt.DDoSProtection, match="-2015"):  # ccxt's own reading after a good call
        await client.fetch_balance()


async def test_a_key_without_the_right_to_trade_reads_but_does_not_trade(
    client: ccxt.binance, trader: ApiKey
) -> None:
    await client.load_markets()
    trader.trading = False
    with pytest.raises(ccxt.AuthenticationError, match="-2015"):
        await client.create_order(SYMBOL, "limit", "buy", 0.001, 49_000)
    assert (await client.fetch_balance())["USDT"]["free"] == 10_000
    rights = await client.sapiGetAccountApiRestrictions()
    assert (rights["enableReading"], rights["enableSpotAndMarginTrading"]) == (True, False)


async def test_an_address_that_is_not_allowed_is_refused(client: ccxt.binance, trader: ApiKey) -> None:
    trader.allowed_ips = frozenset({"203.0.113.7"})
    with pytest.raises(ccxt.AuthenticationError, match="-2015"):
        await client.fetch_balance()


@pytest.mark.parametrize("offset_ms", [-5_000, 20_000])
async def test_a_clock_that_is_off_is_refused(lab: Lab, client: ccxt.binance, offset_ms: int) -> None:
    lab.clock.offset_ms = offset_ms
    with pytest.raises(ccxt.InvalidNonce, match="-1021"):
        await client.fetch_balance()


async def test_a_client_id_is_taken_while_its_order_is_open(client: ccxt.binance) -> None:
    params = {"clientOrderId": uuid4().hex}
    await client.create_order(SYMBOL, "limit", "buy", 0.001, 49_000, params)
    with pytest.raises(ccxt.InvalidOrder, match="Duplicate order sent"):
        await client.create_order(SYMBOL, "limit", "buy", 0.001, 49_000, params)
    await client.cancel_order("", SYMBOL, params)
    assert (await client.create_order(SYMBOL, "limit", "buy", 0.001, 49_000, params))["status"] == "open"


async def test_an_unknown_order_is_not_found(client: ccxt.binance) -> None:
    with pytest.raises(ccxt.OrderNotFound, match="-2013"):
        await client.fetch_order("4711", SYMBOL)
    with pytest.raises(ccxt.OrderNotFound, match="-2011"):
        await client.cancel_order("4711", SYMBOL)


async def test_an_unknown_host_is_not_contacted(lab_session: aiohttp.ClientSession) -> None:
    with pytest.raises(aiohttp.ClientConnectorError):
        await lab_session.get("https://example.com/")
    with pytest.raises(aiohttp.ClientConnectorError):
        await lab_session.get("https://203.0.113.7/")


async def test_a_lost_answer_leaves_the_order_in_the_book(lab: Lab, client: ccxt.binance) -> None:
    await client.load_markets()
    lab.faults.add(drop_after_accept(path=ORDER_PATH, method="POST"))
    with pytest.raises(ccxt.ExchangeNotAvailable):
        await client.create_order(SYMBOL, "limit", "buy", 0.001, 49_000)
    assert len(lab.exchange.open_orders("trader")) == 1


async def test_a_hanging_answer_leaves_the_order_in_the_book(lab: Lab, client: ccxt.binance) -> None:
    await client.load_markets()
    client.timeout = 300
    lab.faults.add(hang_after_accept(path=ORDER_PATH, method="POST"))
    with pytest.raises(ccxt.RequestTimeout):
        await client.create_order(SYMBOL, "limit", "buy", 0.001, 49_000)
    assert len(lab.exchange.open_orders("trader")) == 1


async def test_a_server_error_before_acceptance_leaves_nothing(lab: Lab, client: ccxt.binance) -> None:
    await client.load_markets()
    lab.faults.add(server_error(502, path=ORDER_PATH))
    with pytest.raises(ccxt.ExchangeNotAvailable):
        await client.create_order(SYMBOL, "limit", "buy", 0.001, 49_000)
    assert lab.exchange.open_orders("trader") == []


async def test_a_429_tells_when_to_come_back(lab: Lab, client: ccxt.binance) -> None:
    lab.faults.add(too_many_requests(7, path="/api/v3/time"))
    with pytest.raises(ccxt.DDoSProtection):
        await client.fetch_time()
    assert client.last_response_headers["Retry-After"] == "7"
    await client.fetch_time()


async def test_requests_are_counted_with_their_headers(
    lab: Lab, client: ccxt.binance, trader: ApiKey
) -> None:
    await client.load_markets()
    await client.fetch_balance()
    assert lab.requests.counts()["binance", trader.key, "GET", "/api/v3/account"] == 1
    seen = lab.requests.select(path="/api/v3/account")[0]
    assert seen.headers["x-mbx-apikey"] == trader.key
