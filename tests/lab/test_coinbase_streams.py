"""Coinbase's WebSockets in the lab: heard by an unmodified ccxt.pro, and word for word."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import aiohttp
import ccxt.pro as ccxtpro
import pytest
import pytest_asyncio
from coinbase.jwt_generator import build_rest_jwt, build_ws_jwt

from tests.lab.accounts import ApiKey
from tests.lab.coinbase.logins import ecdsa_login
from tests.lab.coinbase.streams import Streams
from tests.lab.crowd import Crowd
from tests.lab.house import House
from tests.lab.lab import Lab

SYMBOL, PRODUCT = "BTC/USD", "BTC-USD"
MARKETS, USER = "wss://advanced-trade-ws.coinbase.com", "wss://advanced-trade-ws-user.coinbase.com"
PATIENCE_SECONDS = 10
D = Decimal


@pytest.fixture
def house(lab: Lab) -> House:
    house = lab.house("coinbase")
    house.dialect.limits.public_per_second = 1000
    house.dialect.limits.private_per_second = 1000
    return house


@pytest.fixture
def manners(house: House) -> Streams:
    streams = house.dialect.streams
    assert isinstance(streams, Streams)
    return streams


@pytest.fixture
def crowd(house: House) -> Crowd:
    return house.gather_crowd(SYMBOL, D(50_000))


@pytest.fixture
def key(house: House) -> ApiKey:
    return house.open_account("trader", **ecdsa_login(1)._asdict(), balances={"USD": D(10_000), "BTC": D(1)})


@pytest_asyncio.fixture
async def client(
    lab_session: aiohttp.ClientSession, key: ApiKey, crowd: Crowd
) -> AsyncIterator[ccxtpro.coinbase]:
    coinbase = ccxtpro.coinbase(
        {
            "apiKey": key.key,
            "secret": key.secret,
            "session": lab_session,
            "enableRateLimit": False,
            "has": {"fetchCurrencies": False},
        }
    )
    await coinbase.load_markets()
    yield coinbase
    await coinbase.close()


async def soon(heard: Any) -> Any:
    return await asyncio.wait_for(heard, PATIENCE_SECONDS)


class Listener:
    """Reads one connection word for word."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def subscribe(self, channel: str, *names: str, **more: str) -> Any:
        return await self.ask("subscribe", channel, *names, **more)

    async def ask(self, kind: str, channel: str, *names: str, **more: str) -> Any:
        await self.socket.send_json({"type": kind, "channel": channel, "product_ids": list(names), **more})
        return await self.hear()

    async def hear(self) -> Any:
        """None when the venue has hung up."""
        message = await soon(self.socket.receive())
        return message.json() if message.type is aiohttp.WSMsgType.TEXT else None


@pytest_asyncio.fixture
async def listener(lab_session: aiohttp.ClientSession, crowd: Crowd) -> AsyncIterator[Listener]:
    async with lab_session.ws_connect(MARKETS) as socket:
        yield Listener(socket)


@pytest_asyncio.fixture
async def owner(lab_session: aiohttp.ClientSession, crowd: Crowd) -> AsyncIterator[Listener]:
    async with lab_session.ws_connect(USER) as socket:
        yield Listener(socket)


def events(message: Any, channel: str) -> Any:
    assert message["channel"] == channel, message
    return message["events"]


# --- As ccxt.pro hears it


async def test_a_book_that_is_kept_by_its_changes_is_the_venues_book(
    client: ccxtpro.coinbase, house: House, crowd: Crowd
) -> None:
    await soon(client.watch_order_book(SYMBOL))
    for _ in range(20):
        crowd.step(3)
        heard = await soon(client.watch_order_book(SYMBOL))

    book = house.exchange.market(SYMBOL).book
    for side, true in (("bids", book.bids.levels()), ("asks", book.asks.levels())):
        assert [(D(str(price)), D(str(amount))) for price, amount in heard[side]] == true


async def test_everybodys_trades_and_the_last_price_are_told(client: ccxtpro.coinbase, crowd: Crowd) -> None:
    crowd.lift_ask(D("0.002"))
    first = await soon(client.watch_trades(SYMBOL))
    assert [trade["amount"] for trade in first] == [0.002]
    ticker = await soon(client.watch_ticker(SYMBOL))
    assert (ticker["last"], ticker["bid"]) == (50_050, 49_950)
    trades = asyncio.ensure_future(client.watch_trades(SYMBOL))
    next_ticker = asyncio.ensure_future(client.watch_ticker(SYMBOL))
    await asyncio.sleep(0)

    crowd.hit_bid(D("0.001"))

    assert [(trade["side"], trade["price"]) for trade in await soon(trades)][-1] == ("sell", 49_950)
    assert (await soon(next_ticker))["last"] == 49_950


async def test_an_order_is_told_from_its_acceptance_to_its_end(
    client: ccxtpro.coinbase, crowd: Crowd
) -> None:
    async def next_order(status: str) -> Any:
        while True:
            order = (await soon(client.watch_orders(SYMBOL)))[-1]
            if order["status"] == status and order["filled"] > heard:
                return order

    heard = -1.0
    first = asyncio.ensure_future(next_order("open"))
    await asyncio.sleep(0.2)  # until it has subscribed
    params = {"client_order_id": "mine"}
    placed = await client.create_order(SYMBOL, "limit", "buy", 0.001, 49960, params)
    told = await soon(first)
    assert (told["id"], told["clientOrderId"], told["remaining"]) == (placed["id"], "mine", 0.001)

    crowd.hit_bid(D("0.0004"))
    heard = 0.0
    told = await next_order("open")
    assert (told["filled"], told["remaining"]) == (0.0004, 0.0006)

    crowd.hit_bid(D("0.0006"))
    heard = 0.0005
    told = await next_order("closed")
    assert (told["filled"], told["average"]) == (0.001, 49960)


# --- Word for word


async def test_every_message_of_a_connection_is_numbered_in_one_sequence(
    listener: Listener, crowd: Crowd
) -> None:
    messages = [await listener.subscribe("level2", PRODUCT), await listener.hear()]
    messages += [await listener.subscribe("market_trades", PRODUCT), await listener.hear()]
    for _ in range(3):
        crowd.hit_bid(D("0.001"))
        messages += [await listener.hear(), await listener.hear()]

    assert [message["sequence_num"] for message in messages] == list(range(10))
    assert {message["channel"] for message in messages} == {"subscriptions", "l2_data", "market_trades"}


async def test_a_book_begins_with_a_snapshot_and_goes_on_with_changes(
    listener: Listener, crowd: Crowd
) -> None:
    await listener.subscribe("level2", PRODUCT)
    (snapshot,) = events(await listener.hear(), "l2_data")
    assert (snapshot["type"], snapshot["product_id"], len(snapshot["updates"])) == ("snapshot", PRODUCT, 20)
    assert {update["side"] for update in snapshot["updates"]} == {"bid", "offer"}
    best = next(update for update in snapshot["updates"] if update["side"] == "bid")

    crowd.hit_bid(D(best["new_quantity"]))

    (change,) = events(await listener.hear(), "l2_data")
    assert [(row["side"], row["price_level"], row["new_quantity"]) for row in change["updates"]] == [
        ("bid", best["price_level"], "0")
    ]


async def test_subscriptions_are_told_as_they_are_now(listener: Listener) -> None:
    await listener.subscribe("ticker", PRODUCT)
    await listener.hear()
    both = await listener.subscribe("heartbeats")
    assert events(both, "subscriptions") == [
        {"subscriptions": {"ticker": [PRODUCT], "heartbeats": ["heartbeats"]}}
    ]
    left = await listener.ask("unsubscribe", "ticker", PRODUCT)
    assert events(left, "subscriptions") == [{"subscriptions": {"heartbeats": ["heartbeats"]}}]


async def test_what_is_unsubscribed_is_told_no_more(
    listener: Listener, crowd: Crowd, manners: Streams
) -> None:
    manners.heartbeat_seconds = 0.1
    await listener.subscribe("market_trades", PRODUCT)
    await listener.hear()
    await listener.ask("unsubscribe", "market_trades", PRODUCT)
    crowd.hit_bid(D("0.001"))

    assert events(await listener.subscribe("heartbeats"), "subscriptions")


async def test_a_heart_beats_and_is_counted(
    lab_session: aiohttp.ClientSession, crowd: Crowd, manners: Streams
) -> None:
    manners.heartbeat_seconds = 0.05
    async with lab_session.ws_connect(MARKETS) as socket:
        listener = Listener(socket)
        await listener.subscribe("heartbeats")
        beats = [events(await listener.hear(), "heartbeats")[0]["heartbeat_counter"] for _ in range(3)]

    assert beats == [1, 2, 3]


async def test_open_orders_come_first_and_then_what_becomes_of_them(
    owner: Listener, house: House, key: ApiKey, client: ccxtpro.coinbase, crowd: Crowd
) -> None:
    house.dialect.limits.pending_ms = 0
    placed = await client.create_order(SYMBOL, "limit", "buy", 0.001, 49960)
    await owner.subscribe("user", jwt=build_ws_jwt(key.key, key.secret))
    (snapshot,) = events(await owner.hear(), "user")
    assert snapshot["type"] == "snapshot"
    assert [(row["order_id"], row["status"], row["leaves_quantity"]) for row in snapshot["orders"]] == [
        (placed["id"], "OPEN", "0.001")
    ]

    await client.cancel_order(placed["id"], SYMBOL)

    (update,) = events(await owner.hear(), "user")
    (row,) = update["orders"]
    assert (update["type"], row["status"], row["cancel_reason"]) == (
        "update",
        "CANCELLED",
        "User requested cancel",
    )


async def test_an_order_is_pending_before_it_is_open(
    owner: Listener, house: House, key: ApiKey, client: ccxtpro.coinbase
) -> None:
    house.dialect.limits.pending_ms = 200
    await owner.subscribe("user", PRODUCT, jwt=build_ws_jwt(key.key, key.secret))
    await owner.hear()

    await client.create_order(SYMBOL, "limit", "buy", 0.001, 49960)

    states = [events(await owner.hear(), "user")[0]["orders"][0]["status"] for _ in range(2)]
    assert states == ["PENDING", "OPEN"]


async def test_another_accounts_orders_are_not_told(
    owner: Listener, house: House, key: ApiKey, client: ccxtpro.coinbase, manners: Streams
) -> None:
    stranger = house.open_account("stranger", **ecdsa_login(2)._asdict())
    await owner.subscribe("user", jwt=build_ws_jwt(stranger.key, stranger.secret))
    assert events(await owner.hear(), "user")[0]["orders"] == []

    await client.create_order(SYMBOL, "limit", "buy", 0.001, 49960)

    assert events(await owner.subscribe("heartbeats"), "subscriptions")


async def test_an_account_is_told_to_the_owner_of_a_good_token_only(owner: Listener, key: ApiKey) -> None:
    other = ecdsa_login(5)
    for token in ("", "x.y.z", build_ws_jwt(key.key, other.secret), build_ws_jwt(other.key, other.secret)):
        assert await owner.subscribe("user", jwt=token) == {
            "type": "error",
            "message": "authentication failure",
        }
    good = build_rest_jwt("GET anything", key.key, key.secret)
    assert events(await owner.subscribe("user", jwt=good), "subscriptions")


@pytest.mark.parametrize(
    ("channel", "names", "says"),
    [
        ("level2", ["BTC-DOGE"], "BTC-DOGE is not a valid product"),
        ("gossip", [PRODUCT], "channel gossip is not supported"),
        ("level2", [], "no product_ids were given"),
    ],
)
async def test_what_cannot_be_told_is_refused(
    listener: Listener, channel: str, names: list[str], says: str
) -> None:
    assert await listener.subscribe(channel, *names) == {"type": "error", "message": says}


async def test_the_users_socket_has_no_market_data(owner: Listener) -> None:
    assert (await owner.subscribe("level2", PRODUCT))["type"] == "error"


@pytest.mark.parametrize("text", ["hello", "[]", '{"type": "shout"}', '{"type": "subscribe"}'])
async def test_who_cannot_be_understood_is_hung_up_on(listener: Listener, text: str) -> None:
    await listener.socket.send_str(text)

    assert (await listener.hear())["type"] == "error"
    assert await listener.hear() is None


async def test_who_subscribes_to_nothing_is_hung_up_on(
    lab_session: aiohttp.ClientSession, crowd: Crowd, manners: Streams
) -> None:
    manners.patience_seconds = 0.2
    async with lab_session.ws_connect(MARKETS) as idle, lab_session.ws_connect(MARKETS) as busy:
        await Listener(busy).subscribe("heartbeats")
        started = time.monotonic()
        assert await Listener(idle).hear() is None
        assert time.monotonic() - started < PATIENCE_SECONDS / 2
        assert events(await Listener(busy).hear(), "heartbeats")


async def test_who_leaves_is_forgotten(listener: Listener, house: House) -> None:
    await listener.subscribe("level2", PRODUCT)
    await listener.socket.close()
    for _ in range(100):
        if not house.exchange.news._listeners:
            break
        await asyncio.sleep(0.01)

    assert house.exchange.news._listeners == []
