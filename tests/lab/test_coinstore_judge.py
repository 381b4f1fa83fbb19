"""The lab's Coinstore against what others printed: signatures by another client, answers by the document.

Sources: signing vectors of StockSharp's tests; the examples of the API document of 2024-08-31, restated.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from tests.lab.accounts import Login
from tests.lab.coinstore.dialect import CoinstoreDialect
from tests.lab.coinstore.security import BUCKET_MS, sign
from tests.lab.house import House
from tests.lab.lab import Lab
from tests.lab.wire import WireRequest

EXPIRES = 1_629_291_143_107
VECTORS = [
    (
        b'{"symbol":"BTCUSDT","side":"BUY"}',
        "a27a05e9c182ca3fd7facd4dfc78a767f79eace381d4dee66db6c83729c6d088",
    ),
    (b"", "c8274c6824053e872e24f58c746819f22f4b5480da1a208a52813753a9de054b"),
]
ORDER_V2 = {
    "baseCurrency": "A123",
    "quoteCurrency": "USDT",
    "side": "BUY",
    "cumQty": "0",
    "ordId": 1758065956225025,
    "clOrdId": "tLCGVA4g19zuEBwsITXi9g3U624Al0Bw",
    "ordType": "LIMIT",
    "ordQty": "10",
    "cumAmt": "0",
    "accountId": 1134912,
    "timeInForce": "GTC",
    "ordPrice": "100",
    "leavesQty": "10",
    "avgPrice": "0",
    "ordStatus": "SUBMITTED",
    "symbol": "A123USDT",
    "orderUpdateTime": 1676622290389,
    "timestamp": 1676622290389,
}
ORDER_V1 = {
    "baseCurrency": "LUFFY",
    "quoteCurrency": "USDT",
    "symbol": "LUFFYUSDT",
    "timestamp": 1642574848089,
    "side": "BUY",
    "accountId": 1138204,
    "ordId": 1722364585836586,
    "clOrdId": "d0344830639d4f6d94be4110bf98c759",
    "ordType": "LIMIT",
    "ordState": "CANCELED",
    "ordPrice": "0.00000000092",
    "ordQty": "1",
    "ordAmt": "0.00000000092",
    "cumAmt": "0",
    "cumQty": "0",
    "leavesQty": "0",
    "avgPrice": "0",
    "feeCurrency": "LUFFY",
    "timeInForce": "GTC",
}
ACTIVE_V1 = {
    "symbol": "LUFFYUSDT",
    "baseCurrency": "LUFFY",
    "quoteCurrency": "USDT",
    "timestamp": 1642402062196,
    "side": "BUY",
    "timeInForce": "GTC",
    "accountId": 1138204,
    "ordPrice": 9.1e-10,
    "cumAmt": "0",
    "cumQty": "0",
    "leavesQty": "0",
    "clOrdId": "b1b2ea5e00a84b888d419cb73f8eb203",
    "ordAmt": "0",
    "ordQty": "1",
    "ordId": "1722183748419690",
    "ordStatus": "SUBMITTED",
    "ordType": "LIMIT",
}
MATCH = {
    "id": 3984987,
    "remainingQty": 0.0,
    "matchRole": 1,
    "feeCurrencyId": 44,
    "acturalFeeRate": 0.002,
    "role": 1,
    "accountId": 1138204,
    "instrumentId": 15,
    "baseCurrencyId": 44,
    "quoteCurrencyId": 30,
    "execQty": 40.9,
    "orderState": 50,
    "matchId": 258338866,
    "orderId": 1717384395096065,
    "side": 1,
    "execAmt": 8.887161,
    "selfDealingQty": 0.0,
    "tradeId": 11523732,
    "fee": 0.0818,
    "matchTime": 1637825389,
    "seq": None,
}
BALANCE = {
    "uid": 315,
    "accountId": 1134971,
    "currency": "USDT",
    "balance": "0.05001",
    "type": 4,
    "typeName": "FROZEN",
}
SYMBOL = {
    "symbolId": 1,
    "symbolCode": "BTCUSDT",
    "tradeCurrencyCode": "btc",
    "quoteCurrencyCode": "usdt",
    "openTrade": True,
    "onLineTime": 1609813531019,
    "tickSz": 0,
    "lotSz": 4,
    "minLmtPr": "0.0002",
    "minLmtSz": "0.2",
    "minMktVa": "0.1",
    "minMktSz": "0.1",
    "makerFee": "0.006",
    "takerFee": "0.003",
}
TICKER = {
    "channel": "ticker",
    "bidSize": "454.2",
    "askSize": "542.6",
    "count": 41723,
    "volume": "24121351.85",
    "amount": "1693799.10798965",
    "close": "0.067998",
    "open": "0.071842",
    "high": "0.072453",
    "low": "0.067985",
    "bid": "0.0679",
    "ask": "0.0681",
    "symbol": "TRXUSDT",
    "instrumentId": 2,
}
DEPTH = {
    "channel": "4@depth@5",
    "level": 5,
    "a": [["41995", "0.018144", -1]],
    "b": [["41991.5", "0.548567", 1]],
    "symbol": "BTCUSDT",
    "instrumentId": 4,
}
TRADE = {
    "channel": "4@trade",
    "time": 1642495112,
    "volume": "0.011102",
    "price": "41732.3305",
    "tradeId": 14867136,
    "takerSide": "BUY",
    "seq": 14867136,
    "ts": 1642495112000,
    "symbol": "BTCUSDT",
    "instrumentId": 4,
}
CANDLE = {
    "endTime": 1641744059,
    "amount": "98630624.103511453",
    "interval": "week_1",
    "startTime": 1641744000,
    "firstTradeId": 14547884,
    "lastTradeId": 14799534,
    "volume": "2307.742209",
    "close": "43196.0002",
    "open": "41628.2582",
    "high": "52250.3884",
    "low": "39654.039",
}
CURRENCY = {
    "name": "eth",
    "code": "eth",
    "showPrecision": 6,
    "chainDataList": [
        {
            "currencyCode": "eth",
            "chainName": "eth",
            "contractAddress": "23412374127384ghgdwq",
            "depositOpen": 0,
            "withdrawOpen": 1,
            "withdrawFee": "100.00000000",
            "withdrawMin": "1.00000000",
            "withdrawMax": "0.00000000",
            "depositMin": "1.00000000",
            "withdrawFeePlatform": "0.00000000",
            "burningState": 0,
            "withdrawFeeOnChain": "0.00000000",
            "tagType": 0,
            "withdrawFeeMin": "0.00000000",
        }
    ],
}
CANCELED = {
    "clientOrderId": "b1b2ea5e00a84b888d419cb73f8eb203",
    "state": "CANCELED",
    "ordId": 1722183748419690,
}
BUY = {"symbol": "BTCUSDT", "side": "BUY", "ordType": "LIMIT", "ordPrice": "49000", "ordQty": "0.01"}


class Desk:
    """Asks the dialect itself, signed, as a client would over the network."""

    def __init__(self, house: House, login: Login) -> None:
        self._dialect = house.dialect
        self._login = login
        self._now_ms = house.clock.now_ms

    def ask(self, method: str, path: str, query: str = "", **body: Any) -> Any:
        sent = json.dumps(body).encode() if method == "POST" else b""
        expires = self._now_ms()
        headers = {
            "content-type": "application/json",
            "x-cs-apikey": self._login.key,
            "x-cs-expires": str(expires),
            "x-cs-sign": sign(self._login.secret, expires // BUCKET_MS, query.encode() + sent),
        }
        answer = self._dialect.answer(
            WireRequest(
                method=method,
                host="api.coinstore.com",
                path=path,
                query=query,
                body=sent,
                headers=headers,
                address="127.0.0.1",
            )
        )
        return json.loads(answer.body)["data"]

    def place(self, **changed: str) -> int:
        order = BUY | changed
        answer = self.ask("POST", "/api/trade/order/place", **order, timestamp=self._now_ms())
        number = answer["ordId"]
        assert isinstance(number, int)
        return number


@pytest.fixture
def house(lab: Lab) -> House:
    house = lab.house("coinstore")
    house.gather_crowd("BTC/USDT", Decimal(50_000))
    return house


@pytest_asyncio.fixture
async def desk(house: House) -> Desk:
    assert isinstance(house.dialect, CoinstoreDialect)
    house.dialect.limits.accept_ms = 0
    login = house.dialect.new_login(1)
    house.open_account(
        "trader", key=login.key, secret=login.secret, balances={"USDT": Decimal(10_000), "BTC": Decimal(1)}
    )
    return Desk(house, login)


def shape(value: Any) -> Any:
    """What it is made of: names, and strings, numbers or nothing; of a list of rows, its first row."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in sorted(value.items())}
    if isinstance(value, list):
        rows = value[:1] if isinstance(value[0], dict | list) else value
        return [shape(part) for part in rows]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return type(value).__name__


@pytest.mark.parametrize(("payload", "signature"), VECTORS)
def test_another_clients_signatures_are_ours(payload: bytes, signature: str) -> None:
    assert sign("secret", EXPIRES // BUCKET_MS, payload) == signature


def test_orders_have_the_printed_form(desk: Desk) -> None:
    number = desk.place(clOrdId="a" * 32)
    (by_number,) = desk.ask("GET", "/api/v2/trade/order/orderInfo", f"ordId={number}")
    assert shape(by_number) == shape(ORDER_V2)
    assert shape(desk.ask("GET", "/api/v2/trade/order/orderInfo", f"clOrdId={'a' * 32}")) == shape(ORDER_V2)
    assert shape(desk.ask("GET", "/api/trade/order/orderInfo", f"ordId={number}")) == shape(ORDER_V1)
    assert shape(desk.ask("GET", "/api/trade/order/active")) == [shape(ACTIVE_V1)]
    assert shape(desk.ask("GET", "/api/v2/trade/order/active", "symbol=BTCUSDT")) == [shape(ORDER_V2)]
    assert shape(desk.ask("GET", "/api/trade/order/historyOrders")["list"]) == [shape(ORDER_V1)]
    assert shape(desk.ask("POST", "/api/trade/order/cancel", symbol="BTCUSDT", ordId=number)) == shape(
        CANCELED
    )


def test_matches_and_balances_have_the_printed_form(desk: Desk) -> None:
    desk.place(ordType="MARKET", side="SELL", ordQty="0.005")
    assert shape(desk.ask("GET", "/api/trade/match/accountMatches", "symbol=BTCUSDT")) == [shape(MATCH)]
    assert all(shape(row) == shape(BALANCE) for row in desk.ask("POST", "/api/spot/accountList"))


def test_market_data_has_the_printed_form(desk: Desk) -> None:
    desk.place(ordType="MARKET", side="SELL", ordQty="0.005")
    assert shape(desk.ask("GET", "/api/v1/market/depth/BTCUSDT", "depth=5")) == shape(DEPTH)
    assert shape(desk.ask("GET", "/api/v1/market/trade/BTCUSDT")) == [shape(TRADE)]
    assert shape(desk.ask("GET", "/api/v1/market/tickers")[0]) == shape(TICKER)
    assert shape(desk.ask("POST", "/api/v2/public/config/spot/symbols")[0]) == shape(SYMBOL)
    assert desk.ask("GET", "/api/v1/ticker/price;symbol=BTCUSDT") == [
        {"id": 1, "symbol": "btcusdt", "price": "49950"}
    ]
    assert shape(desk.ask("GET", "/api/fi/v1/common/currency", "currencyCode=ETH")) == shape(CURRENCY)
    (candle,) = desk.ask("GET", "/api/v1/market/kline/BTCUSDT", "period=1week")["item"]
    assert shape(candle) == shape(CANDLE)
    assert (candle["close"], candle["volume"], candle["amount"]) == ("49950", "0.005", "249.75")


def test_a_batch_has_a_result_for_each(desk: Desk) -> None:
    fine = {"side": "BUY", "ordType": "LIMIT", "ordPrice": "49000", "ordQty": "0.001", "clOrdId": "b" * 32}
    placed = desk.ask(
        "POST", "/api/trade/order/placeBatch", symbol="BTCUSDT", orders=[fine, fine], timestamp=1
    )
    assert [set(row) for row in placed] == [{"ordId", "clOrdId"}, {"errno", "errMsg", "clOrdId"}]
    number = placed[0]["ordId"]
    ended = desk.ask("POST", "/api/trade/order/cancelBatch", symbol="BTCUSDT", orderIds=[number, number])
    assert ended == {"success": [number], "reject": [number]}
