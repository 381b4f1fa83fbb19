"""Binance's WebSockets in the lab: heard by an unmodified ccxt.pro, and word for word."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import aiohttp
import ccxt.pro as ccxtpro
import pytest
import pytest_asyncio

from tests.lab.accounts import ApiKey
from tests.lab.crowd import Crowd
from tests.lab.lab import Lab

SYMBOL = "BTC/USDT"
STREAMS, API = "wss://stream.binance.com:9443", "wss://ws-api.binance.com:443/ws-api/v3"
PATIENCE_SECONDS = 10


@pytest_asyncio.fixture
async def streamed(
    lab_session: aiohttp.ClientSession, trader: ApiKey, crowd: Crowd
) -> AsyncIterator[ccxtpro.binance]:
    options = {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False, "fetchMargins": False}
    binance = ccxtpro.binance(
        {
            "apiKey": trader.key,
            "secret": trader.secret,
            "session": lab_session,
            "enableRateLimit": False,
            "options": options,
        }
    )
    await binance.load_markets()
    yield binance
    await binance.close()


async def soon(heard: Any) -> Any:
    return await asyncio.wait_for(heard, PATIENCE_SECONDS)


async def hear(socket: aiohttp.ClientWebSocketResponse) -> Any:
    """None where the venue hangs up."""
    message = await soon(socket.receive())
    return json.loads(message.data) if message.type is aiohttp.WSMsgType.TEXT else None


async def ask(socket: aiohttp.ClientWebSocketResponse, method: str, params: Any) -> Any:
    await socket.send_json({"id": 7, "method": method, "params": params})
    return await hear(socket)


def signed(lab: Lab, key: ApiKey, **changed: Any) -> dict[str, Any]:
    """In the order of the names, as the documentation has it."""
    params = {"apiKey": key.key, "timestamp": lab.clock.now_ms()} | changed
    payload = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
    signature = hmac.new(key.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
    return {"signature": signature} | params


# --- As ccxt.pro hears it


async def test_a_book_that_is_kept_by_its_changes_is_the_venues_book(
    streamed: ccxtpro.binance, lab: Lab, crowd: Crowd
) -> None:
    await soon(streamed.watch_order_book(SYMBOL))
    for _ in range(20):
        following = asyncio.ensure_future(streamed.watch_order_book(SYMBOL))
        await asyncio.sleep(0)
        crowd.step(3)
        heard = await soon(following)

    book = lab.exchange.market(SYMBOL).book
    for side, true in (("bids", book.bids.levels()), ("asks", book.asks.levels())):
        assert [(Decimal(str(price)), Decimal(str(amount))) for price, amount in heard[side]] == true


async def test_everybodys_trades_and_the_last_price_are_told(streamed: ccxtpro.binance, crowd: Crowd) -> None:
    trades = asyncio.ensure_future(streamed.watch_trades(SYMBOL))
    ticker = asyncio.ensure_future(streamed.watch_ticker(SYMBOL))
    touch = asyncio.ensure_future(streamed.watch_bids_asks([SYMBOL]))
    await asyncio.sleep(0.3)  # until all are subscribed

    crowd.hit_bid(Decimal("0.001"))

    (trade,) = await soon(trades)
    assert (trade["side"], trade["amount"], trade["price"]) == ("sell", 0.001, 49950)
    assert (await soon(ticker))["last"] == 49950
    assert (await soon(touch))[SYMBOL]["bid"] == 49950


async def test_an_order_is_told_from_its_acceptance_to_its_end(
    streamed: ccxtpro.binance, crowd: Crowd
) -> None:
    async def next_order() -> Any:
        return (await soon(streamed.watch_orders(SYMBOL)))[-1]

    first = asyncio.ensure_future(next_order())
    await asyncio.sleep(0.3)  # until it has subscribed
    placed = await streamed.create_order(SYMBOL, "limit", "buy", 0.001, 49960, {"clientOrderId": "mine"})
    told = await first
    assert (told["id"], told["clientOrderId"], told["status"]) == (placed["id"], "mine", "open")

    crowd.hit_bid(Decimal("0.0004"))
    told = await next_order()
    assert (told["status"], told["filled"]) == ("open", 0.0004)

    await streamed.cancel_order(placed["id"], SYMBOL)
    told = await next_order()
    assert (told["status"], told["filled"], told["clientOrderId"]) == ("canceled", 0.0004, "mine")


async def test_own_trades_and_balances_are_told_as_the_ledger_has_them(
    streamed: ccxtpro.binance, lab: Lab, crowd: Crowd
) -> None:
    trades = asyncio.ensure_future(streamed.watch_my_trades(SYMBOL))
    balances = asyncio.ensure_future(streamed.watch_balance())
    await asyncio.sleep(0.3)

    await streamed.create_order(SYMBOL, "limit", "buy", 0.001, 50_100)

    (trade,) = await soon(trades)
    (fill,) = lab.exchange.fills("trader")
    assert (trade["id"], Decimal(str(trade["price"]))) == (str(fill.trade_id), fill.price)
    assert (Decimal(str(trade["fee"]["cost"])), trade["fee"]["currency"]) == (fill.fee, "BTC")
    held = lab.exchange.ledger.holding("trader", "USDT")
    assert Decimal(str((await soon(balances))["USDT"]["free"])) == held.free


# --- Word for word


async def test_changes_of_a_book_follow_one_another_without_a_gap(
    lab: Lab, lab_session: aiohttp.ClientSession, crowd: Crowd
) -> None:
    async with lab_session.ws_connect(f"{STREAMS}/ws/btcusdt@depth@100ms") as socket:
        assert await ask(socket, "SUBSCRIBE", ["btcusdt@trade"]) == {"result": None, "id": 7}
        last = lab.exchange.market(SYMBOL).update_id
        for _ in range(3):
            crowd.quote()
            change = await hear(socket)
            assert (change["e"], change["U"]) == ("depthUpdate", last + 1)
            last = change["u"]
    assert last == lab.exchange.market(SYMBOL).update_id


async def test_a_level_that_is_gone_is_told_with_an_amount_of_zero(
    lab: Lab, lab_session: aiohttp.ClientSession, crowd: Crowd
) -> None:
    ((best, amount), *_) = lab.exchange.market(SYMBOL).book.bids.levels()
    async with lab_session.ws_connect(f"{STREAMS}/ws/btcusdt@depth") as socket:
        await ask(socket, "SUBSCRIBE", [])
        crowd.hit_bid(amount)
        change = await hear(socket)

    assert (change["b"], change["a"]) == ([[f"{best:.8f}", "0.00000000"]], [])


async def test_combined_streams_carry_their_names(lab_session: aiohttp.ClientSession, crowd: Crowd) -> None:
    url = f"{STREAMS}/stream?streams=btcusdt@trade/btcusdt@bookTicker"
    async with lab_session.ws_connect(url) as socket:
        await ask(socket, "SUBSCRIBE", ["btcusdt@depth5"])
        crowd.hit_bid(Decimal("0.001"))
        heard = {}
        for _ in range(3):
            told = await hear(socket)
            heard[told["stream"]] = told["data"]

    assert heard["btcusdt@trade"]["p"] == "49950.00000000"
    assert heard["btcusdt@bookTicker"]["s"] == "BTCUSDT"
    assert len(heard["btcusdt@depth5"]["bids"]) == 5


async def test_what_is_unsubscribed_is_told_no_more(lab_session: aiohttp.ClientSession, crowd: Crowd) -> None:
    async with lab_session.ws_connect(f"{STREAMS}/ws/btcusdt@trade") as socket:
        await ask(socket, "UNSUBSCRIBE", ["btcusdt@trade"])
        crowd.hit_bid(Decimal("0.001"))

        assert await ask(socket, "SUBSCRIBE", []) == {"result": None, "id": 7}


@pytest.mark.parametrize("params", [["btcusdt@gossip"], ["nosuch@depth"], "btcusdt", [5], None])
async def test_a_stream_that_does_not_exist_is_refused(
    lab_session: aiohttp.ClientSession, crowd: Crowd, params: object
) -> None:
    async with lab_session.ws_connect(f"{STREAMS}/ws") as socket:
        answer = await ask(socket, "SUBSCRIBE", params)

    assert answer == {"error": {"code": 2, "msg": "Invalid request: invalid stream"}, "id": 7}


async def test_who_says_more_than_five_messages_a_second_is_cut_off(
    lab: Lab, lab_session: aiohttp.ClientSession, crowd: Crowd
) -> None:
    frozen = lab.clock.now_ms()
    lab.clock._source = lambda: frozen
    async with lab_session.ws_connect(f"{STREAMS}/ws") as socket:
        for _ in range(5):
            assert (await ask(socket, "SUBSCRIBE", []))["result"] is None
        assert await ask(socket, "SUBSCRIBE", []) is None


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"apiKey": "short"}, -2014),
        ({"apiKey": "AnotherKey123456" * 4}, -2015),
        ({"signature": "0" * 64}, -1022),
        ({"timestamp": 1}, -1021),
    ],
)
async def test_a_subscription_that_is_not_signed_right_is_refused(
    lab: Lab,
    lab_session: aiohttp.ClientSession,
    trader: ApiKey,
    crowd: Crowd,
    changed: dict[str, Any],
    code: int,
) -> None:
    async with lab_session.ws_connect(API) as socket:
        answer = await ask(socket, "userDataStream.subscribe.signature", signed(lab, trader) | changed)

    assert (answer["id"], answer["error"]["code"]) == (7, code)


async def test_a_report_comes_before_the_balances_and_names_a_cancel_apart(
    lab: Lab, lab_session: aiohttp.ClientSession, trader: ApiKey, client: Any
) -> None:
    async with lab_session.ws_connect(API) as socket:
        answer = await ask(socket, "userDataStream.subscribe.signature", signed(lab, trader))
        assert answer == {"id": 7, "status": 200, "result": {"subscriptionId": 0}}

        placed = await client.create_order(SYMBOL, "limit", "buy", 0.001, 40_000, {"clientOrderId": "mine"})
        report, position = (await hear(socket))["event"], (await hear(socket))["event"]
        assert (report["x"], report["X"], report["c"], report["C"]) == ("NEW", "NEW", "mine", "")
        assert position["B"] == [
            {"a": "BTC", "f": "1.00000000", "l": "0.00000000"},
            {"a": "USDT", "f": "9960.00000000", "l": "40.00000000"},
        ]

        await client.cancel_order(placed["id"], SYMBOL)
        report = (await hear(socket))["event"]
        assert (report["x"], report["X"], report["C"]) == ("CANCELED", "CANCELED", "mine")
        assert report["c"] != "mine"


async def test_another_accounts_orders_are_not_told(
    lab: Lab, lab_session: aiohttp.ClientSession, trader: ApiKey, client: Any
) -> None:
    stranger = lab.open_account("stranger", **lab.house().dialect.new_login(2)._asdict())
    async with lab_session.ws_connect(API) as socket:
        await ask(socket, "userDataStream.subscribe.signature", signed(lab, stranger))

        await client.create_order(SYMBOL, "limit", "buy", 0.001, 40_000)

        assert (await ask(socket, "ping", {}))["error"]["code"] == -1020
