"""BitMart's dialect, asked by hand over TLS: keyed and signed requests, and orders of the past."""

from __future__ import annotations

import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from tests.lab.accounts import ApiKey
from tests.lab.bitmart.dialect import BitmartDialect
from tests.lab.house import House
from tests.lab.lab import Lab
from tests.lab.orders import Kind, Order, Side, Ticket

BASE = "https://api-cloud.bitmart.com"
OPEN = "/spot/v4/query/open-orders"


class Wire:
    """Signs by hand; says (status, parsed answer)."""

    def __init__(self, house: House, session: aiohttp.ClientSession, key: ApiKey) -> None:
        self.house = house
        self.key = key
        self._session = session

    async def keyed(self, path: str) -> tuple[int, Any]:
        return await self._send("GET", path, "", {"X-BM-KEY": self.key.key})

    async def signed(
        self, path: str, memo: str | None = None, late_ms: int = 0, **body: Any
    ) -> tuple[int, Any]:
        text = json.dumps(body)
        time = str(self.house.clock.now_ms() - late_ms)
        payload = f"{time}#{self.key.passphrase if memo is None else memo}#{text}"
        sign = hmac.new(self.key.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
        headers = {"X-BM-KEY": self.key.key, "X-BM-TIMESTAMP": time, "X-BM-SIGN": sign}
        return await self._send("POST", path, text, headers)

    async def _send(self, method: str, path: str, body: str, headers: dict[str, str]) -> tuple[int, Any]:
        async with self._session.request(method, BASE + path, data=body or None, headers=headers) as response:
            return response.status, await response.json()

    def order(self, side: str, amount: str, price: str, account: str = "trader") -> Order:
        """Of the time when there was trading."""
        ticket = Ticket(
            account=account,
            symbol="BTC/USDT",
            side=Side(side),
            kind=Kind.LIMIT,
            amount=Decimal(amount),
            price=Decimal(price),
            client_id=f"client{price}" if account == "trader" else "",
        )
        return self.house.exchange.place(ticket)


@pytest.fixture
def wire(lab: Lab, lab_session: aiohttp.ClientSession) -> Wire:
    house = lab.house("bitmart")
    balances = {"USDT": Decimal(100_000), "BTC": Decimal(1)}
    house.exchange.open_account("other")
    house.exchange.ledger.deposit("other", "BTC", Decimal(10))
    key = house.open_account("trader", **house.dialect.new_login(1)._asdict(), balances=balances)
    return Wire(house, lab_session, key)


async def test_the_wallet_needs_the_key_alone(wire: Wire) -> None:
    status, answer = await wire.keyed("/spot/v1/wallet")
    assert (status, answer["code"]) == (200, 1000)
    assert answer["data"]["wallet"][1] == {
        "id": "USDT",
        "name": "USDT",
        "available": "100000.00000000",
        "frozen": "0.00000000",
    }


async def test_orders_need_a_signature_with_the_memo(wire: Wire) -> None:
    assert (await wire.signed(OPEN))[0] == 200
    status, answer = await wire.signed(OPEN, memo="another")
    assert (status, answer["code"]) == (401, 30005)
    assert (await wire.signed(OPEN, late_ms=61_000))[1]["code"] == 30007
    assert (await wire.signed(OPEN, late_ms=59_000))[1]["code"] == 1000


async def test_a_key_is_refused_when_it_is_revoked_elsewhere_or_lacks_the_right(wire: Wire) -> None:
    wire.key.reading = False
    assert (await wire.keyed("/spot/v1/wallet"))[1]["code"] == 30012
    wire.key.allowed_ips = frozenset(("203.0.113.7",))
    status, answer = await wire.keyed("/spot/v1/wallet")
    assert (status, answer["code"]) == (403, 30010)
    wire.key.is_revoked = True
    assert (await wire.keyed("/spot/v1/wallet"))[1]["code"] == 30002


async def test_no_order_is_taken_any_more(wire: Wire) -> None:
    order: Any = {"symbol": "BTC_USDT", "side": "buy", "type": "limit", "size": "0.1", "price": "40000"}
    status, answer = await wire.signed("/spot/v2/submit_order", **order)
    assert (status, answer["code"]) == (400, 50040)
    assert wire.house.exchange.orders("trader") == []


async def test_an_order_of_the_past_is_found_by_either_name_and_in_its_list(wire: Wire) -> None:
    wire.order("sell", "0.1", "40000", "other")
    wire.order("buy", "0.3", "40000")
    gone = wire.order("buy", "0.1", "39000")
    wire.house.exchange.cancel(gone)
    (resting,) = (await wire.signed(OPEN, symbol="BTC_USDT"))[1]["data"]
    (ended,) = (await wire.signed("/spot/v4/query/history-orders", symbol="BTC_USDT"))[1]["data"]
    assert (resting["state"], resting["filledSize"], resting["priceAvg"]) == (
        "partially_filled",
        "0.10000000",
        "40000.00000000",
    )
    assert (ended["state"], ended["clientOrderId"]) == ("canceled", "client39000")
    by_number = await wire.signed("/spot/v4/query/order", orderId=resting["orderId"])
    assert by_number[1]["data"] == resting
    by_client_id = await wire.signed("/spot/v4/query/client-order", clientOrderId="client39000")
    assert by_client_id[1]["data"] == ended
    assert (await wire.signed("/spot/v4/query/order", orderId="1"))[1]["code"] == 50005


async def test_trades_are_newest_first_within_a_span(wire: Wire) -> None:
    for step in range(3):
        wire.order("sell", "0.1", f"{40_000 + step}", "other")
        wire.order("buy", "0.1", f"{40_000 + step}")
        wire.house.clock.skip(1000)
    trades = (await wire.signed("/spot/v4/query/trades", symbol="BTC_USDT"))[1]["data"]
    assert [row["price"] for row in trades] == ["40002.00000000", "40001.00000000", "40000.00000000"]
    assert (trades[0]["fee"], trades[0]["feeCoinName"], trades[0]["tradeRole"]) == (
        "0.00010000",
        "BTC",
        "taker",
    )
    span = {"startTime": trades[1]["createTime"], "endTime": trades[1]["createTime"]}
    assert (await wire.signed("/spot/v4/query/trades", **span))[1]["data"] == [trades[1]]
    of_one = await wire.signed("/spot/v4/query/order-trades", orderId=trades[2]["orderId"])
    assert of_one[1]["data"] == [trades[2]]
    assert (await wire.signed("/spot/v4/query/trades", limit=201))[1]["code"] == 50000


async def test_a_key_asks_for_few_lists_at_a_time(wire: Wire) -> None:
    assert isinstance(wire.house.dialect, BitmartDialect)
    wire.house.dialect.limits.lists_per_key = 2
    answers = [(await wire.signed(OPEN))[1]["code"] for _ in range(3)]
    assert answers == [1000, 1000, 30013]
    wire.house.clock.skip(2001)
    assert (await wire.signed(OPEN))[1]["code"] == 1000
