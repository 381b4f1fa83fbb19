"""Kraken's WebSockets in the lab: heard by an unmodified ccxt.pro, by another client, and word for word."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import aiohttp
import ccxt.pro as ccxtpro
import pytest
import pytest_asyncio
from kraken.spot import Market, SpotOrderBookClient

from tests.lab.accounts import ApiKey
from tests.lab.connect_proxy import ConnectProxy
from tests.lab.crowd import Crowd
from tests.lab.house import House
from tests.lab.lab import Lab

SYMBOL = "BTC/USD"
PUBLIC, PRIVATE = "wss://ws.kraken.com/v2", "wss://ws-auth.kraken.com/v2"
PATIENCE_SECONDS = 10


@pytest.fixture
def house(lab: Lab) -> House:
    house = lab.house("kraken")
    house.dialect.limits.calls = house.dialect.limits.public = 1000
    return house


@pytest.fixture
def crowd(house: House) -> Crowd:
    return house.gather_crowd(SYMBOL, Decimal(50_000))


@pytest.fixture
def key(house: House) -> ApiKey:
    balances = {"USD": Decimal(10_000), "BTC": Decimal(1)}
    return house.open_account("trader", **house.dialect.new_login(1)._asdict(), balances=balances)


@pytest_asyncio.fixture
async def client(
    lab_session: aiohttp.ClientSession, key: ApiKey, crowd: Crowd
) -> AsyncIterator[ccxtpro.kraken]:
    login = {"apiKey": key.key, "secret": key.secret}
    kraken = ccxtpro.kraken({**login, "session": lab_session, "enableRateLimit": False})
    await kraken.load_markets()
    yield kraken
    await kraken.close()


async def soon(heard: Any) -> Any:
    return await asyncio.wait_for(heard, PATIENCE_SECONDS)


class Listener:
    """Reads one connection word for word, but for heartbeats. Numbers keep all their digits."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def ask(self, method: str, **params: Any) -> Any:
        await self._socket.send_json({"method": method, "params": params, "req_id": 7})
        return await self.hear()

    async def hear(self) -> Any:
        while True:
            message = await soon(self._socket.receive())
            if message.type is not aiohttp.WSMsgType.TEXT:
                return None
            told = json.loads(message.data, parse_float=Decimal)
            if told.get("channel") != "heartbeat":
                return told

    async def hear_executions(self, count: int) -> list[Any]:
        return [(await self.hear())["data"][0] for _ in range(count)]


@pytest_asyncio.fixture
async def public(lab_session: aiohttp.ClientSession, crowd: Crowd) -> AsyncIterator[Listener]:
    async with lab_session.ws_connect(PUBLIC) as socket:
        listener = Listener(socket)
        assert (await listener.hear())["channel"] == "status"
        yield listener


@pytest_asyncio.fixture
async def private(
    lab_session: aiohttp.ClientSession, client: ccxtpro.kraken, house: House
) -> AsyncIterator[Listener]:
    """Subscribed to the trader's executions."""
    token = (await client.private_post_getwebsocketstoken())["result"]["token"]
    async with lab_session.ws_connect(PRIVATE) as socket:
        listener = Listener(socket)
        await listener.hear()
        answer = await listener.ask("subscribe", channel="executions", token=token)
        assert answer["success"]
        assert (await listener.hear())["data"] == []
        yield listener


# --- As ccxt.pro hears it


async def test_a_book_that_is_kept_by_its_changes_is_the_venues_book(
    client: ccxtpro.kraken, house: House, crowd: Crowd
) -> None:
    await soon(client.watch_order_book(SYMBOL))
    for _ in range(20):
        crowd.step(3)
        heard = await soon(client.watch_order_book(SYMBOL))

    book = house.exchange.market(SYMBOL).book
    for side, levels in (("bids", book.bids.levels()), ("asks", book.asks.levels())):
        assert heard[side] == [[float(price), float(amount)] for price, amount in levels[:10]]


async def test_trades_and_tickers_are_told_as_they_happen(client: ccxtpro.kraken, crowd: Crowd) -> None:
    ticker = await soon(client.watch_ticker(SYMBOL))
    assert (ticker["bid"], ticker["ask"]) == (49_950, 50_050)
    hearing = asyncio.gather(client.watch_trades(SYMBOL), client.watch_ticker(SYMBOL))
    await asyncio.sleep(0.2)

    crowd.hit_bid(Decimal("0.002"))

    (trade,), ticker = await soon(hearing)
    assert (trade["price"], trade["amount"], trade["side"]) == (49_950, 0.002, "sell")
    assert ticker["last"] == 49_950


async def test_an_account_hears_of_its_orders_and_fills(client: ccxtpro.kraken, crowd: Crowd) -> None:
    hearing = asyncio.create_task(client.watch_orders(SYMBOL))
    await asyncio.sleep(0.3)
    placed = await client.create_order(SYMBOL, "limit", "buy", 0.01, 49_960, {"clientOrderId": "mine"})
    (heard,) = await soon(hearing)
    assert (heard["id"], heard["status"], heard["info"]["cl_ord_id"]) == (placed["id"], "open", "mine")

    hearing = asyncio.create_task(client.watch_my_trades(SYMBOL))
    await asyncio.sleep(0.1)
    crowd.hit_bid(Decimal("0.004"))

    (fill,) = await soon(hearing)
    assert (fill["order"], fill["amount"], fill["takerOrMaker"]) == (placed["id"], 0.004, "maker")
    assert fill["fee"] == {"cost": 0.19984, "currency": "USD"}


# --- As another client checks it


async def test_the_checksum_is_what_another_client_makes_of_its_book(
    lab: Lab, public: Listener, crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(lab.ca_file))
    keeper = SpotOrderBookClient(depth=10, callback=lambda pair, message: None)
    async with ConnectProxy(lab.port, "judge", "fair") as proxy:
        market = Market(proxy=proxy.url.replace("http://", "http://judge:fair@"))
        keeper._SpotOrderBookClient__market = market
        await public.ask("subscribe", channel="book", symbol=[SYMBOL])
        for step in range(10):
            message = await public.hear()
            await asyncio.to_thread(asyncio.run, keeper.on_message(_with_floats(message)))
            assert keeper.get(SYMBOL)["valid"], f"not after step {step}: {message}"
            crowd.step(3)
        market._SpotClient__session.close()
    await keeper.async_close()


def _with_floats(message: Any) -> Any:
    return json.loads(json.dumps(message, default=float))


# --- Word for word


async def test_a_book_has_all_places_and_a_checksum_over_ten_levels(public: Listener, house: House) -> None:
    answer = await public.ask("subscribe", channel="book", symbol=[SYMBOL], depth=25)
    told = await public.hear()

    assert answer["result"] == {"channel": "book", "depth": 25, "symbol": SYMBOL}
    assert (answer["method"], answer["req_id"], told["type"]) == ("subscribe", 7, "snapshot")
    (data,) = told["data"]
    digits = ""
    for row in (*data["asks"][:10], *data["bids"][:10]):
        assert (row["price"].as_tuple().exponent, row["qty"].as_tuple().exponent) == (-1, -7)
        digits += "".join(str(row[name]).replace(".", "").lstrip("0") for name in ("price", "qty"))
    assert data["checksum"] == zlib.crc32(digits.encode())


async def test_only_levels_within_the_depth_are_told(
    public: Listener, house: House, client: ccxtpro.kraken
) -> None:
    await public.ask("subscribe", channel="book", symbol=[SYMBOL])
    (whole,) = (await public.hear())["data"]
    lowest = whole["bids"][-1]

    placed = await client.create_order(SYMBOL, "limit", "buy", 0.001, 49_990)
    (better,) = (await public.hear())["data"]
    await client.cancel_order(placed["id"])
    (again,) = (await public.hear())["data"]

    own = {"price": Decimal("49990.0"), "qty": Decimal("0.0010000")}
    assert len(whole["bids"]) == 10
    assert better["bids"] == [own]
    assert again["bids"] == [own | {"qty": Decimal("0E-7")}, lowest]
    assert again["checksum"] == whole["checksum"]


async def test_the_end_of_one_channel_leaves_the_others(public: Listener, crowd: Crowd) -> None:
    for channel in ("ticker", "book"):
        await public.ask("subscribe", channel=channel, symbol=[SYMBOL])
        await public.hear()
    assert (await public.ask("unsubscribe", channel="ticker", symbol=[SYMBOL]))["success"]

    crowd.hit_bid(Decimal("0.002"))

    assert (await public.hear())["channel"] == "book"


@pytest.mark.parametrize("text", ["{", "[]", '{"method":"dance"}', '{"method":"subscribe","params":[1]}'])
async def test_what_cannot_be_read_is_called_malformed(public: Listener, text: str) -> None:
    await public._socket.send_str(text)

    assert (await public.hear())["error"] == "Malformed request"


async def test_an_order_is_told_step_by_step_until_it_is_filled(
    private: Listener, client: ccxtpro.kraken, crowd: Crowd
) -> None:
    placed = await client.create_order(SYMBOL, "limit", "buy", 0.01, 49_960, {"clientOrderId": "mine"})
    steps = await private.hear_executions(2)
    crowd.hit_bid(Decimal("0.004"))
    steps += await private.hear_executions(1)
    crowd.hit_bid(Decimal("0.006"))
    steps += await private.hear_executions(2)

    assert [step["exec_type"] for step in steps] == ["pending_new", "new", "trade", "trade", "filled"]
    assert {(step["order_id"], step["cl_ord_id"]) for step in steps} == {(placed["id"], "mine")}
    assert [step["cum_qty"] for step in steps[1:]] == [0, Decimal("0.004"), Decimal("0.01"), Decimal("0.01")]
    assert steps[2]["fees"] == [{"asset": "USD", "qty": Decimal("0.19984000")}]


async def test_a_cancel_is_told_with_its_reason(private: Listener, client: ccxtpro.kraken) -> None:
    placed = await client.create_order(SYMBOL, "limit", "buy", 0.01, 49_000)
    await private.hear_executions(2)
    await client.cancel_order(placed["id"])

    (told,) = await private.hear_executions(1)
    assert (told["exec_type"], told["reason"], told["order_id"]) == (
        "canceled",
        "User requested",
        placed["id"],
    )


async def test_a_new_listener_is_told_the_open_orders_first(
    lab_session: aiohttp.ClientSession, client: ccxtpro.kraken
) -> None:
    await client.create_order(SYMBOL, "limit", "buy", 0.01, 49_000)
    token = (await client.private_post_getwebsocketstoken())["result"]["token"]
    async with lab_session.ws_connect(PRIVATE) as socket:
        listener = Listener(socket)
        await listener.hear()
        await listener.ask("subscribe", channel="executions", token=token)
        told = await listener.hear()

    assert (told["type"], told["sequence"]) == ("snapshot", 1)
    assert [(row["order_status"], row["limit_price"]) for row in told["data"]] == [
        ("new", Decimal("49000.0"))
    ]


async def test_nobody_hears_of_another_accounts_orders(private: Listener, house: House, crowd: Crowd) -> None:
    crowd.hit_bid(Decimal("0.002"))

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(private._socket.receive(), 0.3)


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"channel": "book", "symbol": ["NO/SUCH"]}, "Currency pair not supported NO/SUCH"),
        ({"channel": "book", "symbol": [SYMBOL], "depth": 7}, "Subscription depth not supported"),
        ({"channel": "executions", "token": "x"}, "Channel executions not supported here"),
    ],
)
async def test_what_cannot_be_subscribed_is_refused(
    public: Listener, params: dict[str, Any], error: str
) -> None:
    answer = await public.ask("subscribe", **params)

    assert (answer["success"], answer["error"], answer["req_id"]) == (False, error, 7)


async def test_a_subscription_is_made_once_and_ended_once(public: Listener) -> None:
    ask = {"channel": "trade", "symbol": [SYMBOL]}
    assert (await public.ask("subscribe", **ask))["success"]
    assert (await public.ask("subscribe", **ask))["error"] == f"Already subscribed to trade {SYMBOL}"
    assert (await public.ask("unsubscribe", **ask))["success"]
    assert (await public.ask("unsubscribe", **ask))["error"] == "Subscription Not Found"
    assert (await public.ask("ping"))["method"] == "pong"


@pytest.mark.parametrize("spoil", ["wrong", "old", "revoked"])
async def test_a_token_that_is_not_good_opens_nothing(
    lab_session: aiohttp.ClientSession, client: ccxtpro.kraken, house: House, key: ApiKey, spoil: str
) -> None:
    token = (await client.private_post_getwebsocketstoken())["result"]["token"]
    if spoil == "old":
        house.clock.skip(901_000)
    key.is_revoked = spoil == "revoked"
    async with lab_session.ws_connect(PRIVATE) as socket:
        listener = Listener(socket)
        await listener.hear()
        answer = await listener.ask(
            "subscribe", channel="executions", token=token[1:] if spoil == "wrong" else token
        )

    assert answer["error"] == "ESession:Invalid session"


async def test_a_listener_is_told_that_the_connection_lives(
    lab_session: aiohttp.ClientSession, house: House, crowd: Crowd
) -> None:
    house.dialect.streams.heartbeat_seconds = 0.05  # type: ignore[union-attr]
    async with lab_session.ws_connect(PUBLIC) as socket:
        await Listener(socket).ask("subscribe", channel="trade", symbol=[SYMBOL])
        await soon(socket.receive())
        heard = await soon(socket.receive())

    assert json.loads(heard.data) == {"channel": "heartbeat"}
