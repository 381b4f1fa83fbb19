"""OKX's WebSockets in the lab: heard by an unmodified ccxt.pro, and word for word."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
import zlib
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import aiohttp
import ccxt.pro as ccxtpro
import pytest
import pytest_asyncio

from tests.lab.accounts import ApiKey
from tests.lab.crowd import Crowd
from tests.lab.house import House
from tests.lab.lab import Lab

SYMBOL, NAME = "BTC/USDT", "BTC-USDT"
PUBLIC, PRIVATE = "wss://ws.okx.com:8443/ws/v5/public", "wss://ws.okx.com:8443/ws/v5/private"
BOOKS = {"channel": "books", "instId": NAME}
PATIENCE_SECONDS = 10


@pytest.fixture
def house(lab: Lab) -> House:
    return lab.house("okx")


@pytest.fixture
def crowd(house: House) -> Crowd:
    return house.gather_crowd(SYMBOL, Decimal(50_000))


@pytest.fixture
def key(house: House) -> ApiKey:
    balances = {"USDT": Decimal(10_000), "BTC": Decimal(1)}
    return house.open_account("trader", **house.dialect.new_login(1)._asdict(), balances=balances)


@pytest_asyncio.fixture
async def client(lab_session: aiohttp.ClientSession, key: ApiKey, crowd: Crowd) -> AsyncIterator[ccxtpro.okx]:
    okx = ccxtpro.okx(
        {
            "apiKey": key.key,
            "secret": key.secret,
            "password": key.passphrase,
            "session": lab_session,
            "enableRateLimit": False,
            "options": {"fetchMarkets": {"types": ["spot"]}},
        }
    )
    await okx.load_markets()
    yield okx
    await okx.close()


async def soon(heard: Any) -> Any:
    return await asyncio.wait_for(heard, PATIENCE_SECONDS)


class Listener:
    """Reads one connection word for word."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def ask(self, op: str, *args: dict[str, str]) -> Any:
        await self._socket.send_json({"op": op, "args": list(args)})
        return await self.hear()

    async def say(self, text: str) -> None:
        await self._socket.send_str(text)

    async def hear(self) -> Any:
        message = await soon(self._socket.receive())
        if message.type is not aiohttp.WSMsgType.TEXT:
            return None
        return message.data if message.data == "pong" else json.loads(message.data)


@pytest_asyncio.fixture
async def public(lab_session: aiohttp.ClientSession, crowd: Crowd) -> AsyncIterator[Listener]:
    async with lab_session.ws_connect(PUBLIC) as socket:
        yield Listener(socket)


@pytest_asyncio.fixture
async def private(lab_session: aiohttp.ClientSession, crowd: Crowd) -> AsyncIterator[Listener]:
    async with lab_session.ws_connect(PRIVATE) as socket:
        yield Listener(socket)


def login_of(key: ApiKey, changed: dict[str, str] | None = None, *, late_seconds: int = 0) -> dict[str, str]:
    now = str(int(time.time()) - late_seconds)
    digest = hmac.new(key.secret.encode(), f"{now}GET/users/self/verify".encode(), hashlib.sha256).digest()
    signature = base64.b64encode(digest).decode()
    own = {"apiKey": key.key, "passphrase": key.passphrase, "timestamp": now, "sign": signature}
    return own | (changed or {})


# --- As ccxt.pro hears it


async def test_a_book_that_is_kept_by_its_changes_is_the_venues_book(
    client: ccxtpro.okx, house: House, crowd: Crowd
) -> None:
    await soon(client.watch_order_book(SYMBOL))
    for _ in range(20):
        crowd.step(3)
        heard = await soon(client.watch_order_book(SYMBOL))

    book = house.exchange.market(SYMBOL).book
    for side, true in (("bids", book.bids.levels()), ("asks", book.asks.levels())):
        assert [(Decimal(str(price)), Decimal(str(amount))) for price, amount in heard[side]] == true


async def test_everybodys_trades_and_the_last_price_are_told(client: ccxtpro.okx, crowd: Crowd) -> None:
    trades = asyncio.ensure_future(client.watch_trades(SYMBOL))
    ticker = await soon(client.watch_ticker(SYMBOL))
    assert ticker["bid"] == 49950
    next_ticker = asyncio.ensure_future(client.watch_ticker(SYMBOL))
    await asyncio.sleep(0)

    crowd.hit_bid(Decimal("0.001"))

    (trade,) = await soon(trades)
    assert (trade["side"], trade["amount"], trade["price"]) == ("sell", 0.001, 49950)
    assert (await soon(next_ticker))["last"] == 49950


async def test_an_order_is_told_from_its_acceptance_to_its_end(client: ccxtpro.okx, crowd: Crowd) -> None:
    async def next_order() -> Any:
        orders = await soon(client.watch_orders(SYMBOL))
        return orders[-1]

    first = asyncio.ensure_future(next_order())
    await asyncio.sleep(0.2)  # until it has logged in and subscribed
    placed = await client.create_order(SYMBOL, "limit", "buy", 0.001, 49960, {"clientOrderId": "mine"})
    told = await first
    assert (told["id"], told["clientOrderId"], told["status"]) == (placed["id"], "mine", "open")

    crowd.hit_bid(Decimal("0.0004"))
    told = await next_order()
    assert (told["status"], told["filled"]) == ("open", 0.0004)

    crowd.hit_bid(Decimal("0.0006"))
    told = await next_order()
    assert (told["status"], told["filled"], told["average"]) == ("closed", 0.001, 49960)


async def test_own_trades_and_balances_are_told_as_the_ledger_has_them(
    client: ccxtpro.okx, house: House, crowd: Crowd
) -> None:
    balance = await soon(client.watch_balance())
    assert balance["USDT"]["free"] == 10_000
    trades = asyncio.ensure_future(client.watch_my_trades(SYMBOL))
    balances = asyncio.ensure_future(client.watch_balance())
    await asyncio.sleep(0.2)  # until it has subscribed

    await client.create_order(SYMBOL, "limit", "buy", 0.001, 50_100)

    (trade,) = await soon(trades)
    (fill,) = house.exchange.fills("trader")
    assert (trade["id"], Decimal(str(trade["price"]))) == (str(fill.trade_id), fill.price)
    assert (Decimal(str(trade["fee"]["cost"])), trade["fee"]["currency"]) == (-fill.fee, "BTC")
    held = house.exchange.ledger.holding("trader", "USDT")
    assert Decimal(str((await soon(balances))["USDT"]["free"])) == held.free


# --- Word for word


async def test_a_snapshot_is_followed_by_changes_in_unbroken_sequence(
    public: Listener, house: House, crowd: Crowd
) -> None:
    assert (await public.ask("subscribe", BOOKS))["event"] == "subscribe"
    first = await public.hear()
    assert (first["arg"], first["action"]) == (BOOKS, "snapshot")
    (snapshot,) = first["data"]
    assert (snapshot["prevSeqId"], len(snapshot["bids"])) == (-1, 10)

    sequence = snapshot["seqId"]
    for _ in range(5):
        crowd.step()
        told = await public.hear()
        (change,) = told["data"]
        assert (told["action"], change["prevSeqId"]) == ("update", sequence)
        sequence = change["seqId"]
    assert sequence == house.exchange.market(SYMBOL).update_id


async def test_the_checksum_is_that_of_the_best_levels_side_by_side(public: Listener, house: House) -> None:
    await public.ask("subscribe", BOOKS)
    (snapshot,) = (await public.hear())["data"]

    words = []
    for bid, ask in zip(snapshot["bids"], snapshot["asks"], strict=True):
        words += [f"{bid[0]}:{bid[1]}", f"{ask[0]}:{ask[1]}"]
    value = zlib.crc32(":".join(words).encode())

    assert snapshot["checksum"] == (value if value < 2**31 else value - 2**32)


async def test_a_level_that_is_gone_is_told_with_an_amount_of_zero(public: Listener, crowd: Crowd) -> None:
    await public.ask("subscribe", BOOKS)
    (snapshot,) = (await public.hear())["data"]
    best, amount = snapshot["bids"][0][:2]

    crowd.hit_bid(Decimal(amount))

    (change,) = (await public.hear())["data"]
    assert change["bids"] == [[best, "0", "0", "1"]]
    assert change["asks"] == []


async def test_five_levels_are_told_as_a_whole(public: Listener, crowd: Crowd) -> None:
    await public.ask("subscribe", {"channel": "books5", "instId": NAME})
    for _ in range(2):
        told = await public.hear()
        assert "action" not in told
        assert len(told["data"][0]["bids"]) == 5
        crowd.step()


async def test_what_is_unsubscribed_is_told_no_more(public: Listener, crowd: Crowd) -> None:
    trades = {"channel": "trades", "instId": NAME}
    await public.ask("subscribe", trades)
    await public.ask("unsubscribe", trades)
    crowd.hit_bid(Decimal("0.001"))
    await public.say("ping")

    assert await public.hear() == "pong"


async def test_another_accounts_orders_are_not_told(
    private: Listener, house: House, key: ApiKey, lab_session: aiohttp.ClientSession
) -> None:
    stranger = house.open_account("stranger", **house.dialect.new_login(2)._asdict())
    assert (await private.ask("login", login_of(stranger)))["code"] == "0"
    await private.ask("subscribe", {"channel": "orders", "instType": "ANY"})

    house.crowds[SYMBOL].hit_bid(Decimal("0.001"))
    await private.say("ping")

    assert await private.hear() == "pong"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"apiKey": "0a1b2c3d-0000-4000-8000-00000000ffff"}, "60005"),
        ({"passphrase": "guess"}, "60024"),
        ({"sign": "bm8="}, "60007"),
        ({"timestamp": "soon"}, "60004"),
    ],
)
async def test_a_login_that_is_not_right_is_refused(
    private: Listener, key: ApiKey, changed: dict[str, str], code: str
) -> None:
    assert (await private.ask("login", login_of(key, changed)))["code"] == code
    assert (await private.ask("subscribe", {"channel": "account"}))["code"] == "60011"


async def test_a_login_is_good_for_thirty_seconds(private: Listener, key: ApiKey) -> None:
    assert (await private.ask("login", login_of(key, late_seconds=32)))["code"] == "60006"
    assert (await private.ask("login", login_of(key, late_seconds=25)))["code"] == "0"


@pytest.mark.parametrize(
    ("op", "argument", "code"),
    [
        ("subscribe", {"channel": "books", "instId": "BTC-DOGE"}, "60018"),
        ("subscribe", {"channel": "gossip", "instId": NAME}, "60018"),
        ("subscribe", {"channel": "orders", "instType": "ANY"}, "60018"),
        ("shout", BOOKS, "60012"),
    ],
)
async def test_what_is_not_understood_is_refused(
    public: Listener, op: str, argument: dict[str, str], code: str
) -> None:
    answer = await public.ask(op, argument)

    assert (answer["event"], answer["code"]) == ("error", code)


async def test_a_silent_connection_is_ended(
    house: House, lab_session: aiohttp.ClientSession, crowd: Crowd
) -> None:
    house.dialect.streams.silence_seconds = 0.3  # type: ignore[union-attr]
    async with lab_session.ws_connect(PUBLIC) as socket:
        listener = Listener(socket)
        await listener.say("ping")
        assert await listener.hear() == "pong"
        started = time.monotonic()

        assert await listener.hear() is None
        assert time.monotonic() - started > 0.2


async def test_who_leaves_is_forgotten(public: Listener, house: House) -> None:
    await public.ask("subscribe", BOOKS)
    await public._socket.close()
    for _ in range(100):
        if not house.exchange.news._listeners:
            break
        await asyncio.sleep(0.01)

    assert house.exchange.news._listeners == []
