"""Records what ccxt 4.5.66, the last that had BitMart, sends for our calls and makes of the answers.

It runs apart from the project, which has a later ccxt, and writes bitmart_recorded.json beside it:
    pip install --no-deps --target /tmp/old ccxt==4.5.66
    PYTHONPATH=/tmp/old python tests/exchanges/venues/record_bitmart.py
The answers are those that BitMart's documentation prints, shortened.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import ccxt.async_support as ccxt

VERSION = "4.5.66"
NOW_MS = 1_790_000_000_000
KEYS = {"apiKey": "the-key", "secret": "the-secret", "uid": "the memo"}
SYMBOL = "BTC/USDT"

DETAILS = {
    "symbols": [
        {
            "symbol": "BTC_USDT",
            "symbol_id": 53,
            "base_currency": "BTC",
            "quote_currency": "USDT",
            "quote_increment": "0.00001",
            "base_min_size": "0.000010000000000000000000000000",
            "base_max_size": "100000000.000000000000000000000000000000",
            "price_min_precision": -1,
            "price_max_precision": 2,
            "expiration": "NA",
            "min_buy_amount": "5.000000000000000000000000000000",
            "min_sell_amount": "6.000000000000000000000000000000",
            "trade_status": "trading",
        },
        {
            "symbol": "ADA_USDT",
            "symbol_id": 77,
            "base_currency": "ADA",
            "quote_currency": "USDT",
            "quote_increment": "0.01",
            "base_min_size": "0.010000000000000000000000000000",
            "base_max_size": "10000000.000000000000000000000000000000",
            "price_min_precision": -1,
            "price_max_precision": 6,
            "expiration": "NA",
            "min_buy_amount": "5.000000000000000000000000000000",
            "min_sell_amount": "5.000000000000000000000000000000",
            "trade_status": "pre-trade",
        },
    ]
}
TICKER = {
    "symbol": "BTC_USDT",
    "last": "68500.00",
    "v_24h": "10491.65490",
    "qv_24h": "717178990.42",
    "open_24h": "68149.75",
    "high_24h": "69499.99",
    "low_24h": "67132.40",
    "fluctuation": "0.00514",
    "bid_px": "68500",
    "bid_sz": "0.00162",
    "ask_px": "68500.01",
    "ask_sz": "0.01722",
    "ts": "1717131391671",
}
BOOK = {
    "ts": "1695264191808",
    "symbol": "BTC_USDT",
    "asks": [["26942.57", "0.06492"], ["26942.73", "0.05447"]],
    "bids": [["26942.45", "0.00074"], ["26941.53", "0.00371"]],
}
WALLET = {
    "wallet": [
        {"id": "BTC", "name": "Bitcoin", "available": "0.00000062", "frozen": "0.00000000"},
        {"id": "USDT", "name": "Tether", "available": "20.00002277", "frozen": "1.50000000"},
    ]
}
ORDER = {
    "orderId": "183299373022163211",
    "clientOrderId": "183299373022163211",
    "symbol": "BTC_USDT",
    "side": "buy",
    "orderMode": "spot",
    "type": "limit",
    "state": "new",
    "price": "25000.00",
    "priceAvg": "0.00",
    "size": "0.00020",
    "filledSize": "0.00000",
    "notional": "5.00000000",
    "filledNotional": "0.00000000",
    "createTime": 1695703703338,
    "updateTime": 1695703703359,
}
HALF = {"filledSize": "0.00010", "filledNotional": "2.40000000", "priceAvg": "24000.00"}
ORDERS = [
    ORDER,
    ORDER | HALF | {"state": "partially_filled", "type": "limit_maker", "side": "sell"},
    ORDER | HALF | {"state": "partially_canceled", "type": "ioc"},
    ORDER | {"state": "canceled"},
    ORDER | HALF | {"state": "filled", "type": "market", "price": "0.00", "size": "0.00010"},
]
TRADE = {
    "tradeId": "182342999769370687",
    "orderId": "183270218784142990",
    "clientOrderId": "183270218784142990",
    "symbol": "ADA_USDT",
    "side": "buy",
    "orderMode": "spot",
    "type": "market",
    "price": "0.245948",
    "size": "20.71",
    "notional": "5.09358308",
    "fee": "0.00509358",
    "feeCoinName": "USDT",
    "tradeRole": "taker",
    "createTime": 1695658457836,
    "updateTime": 1695658457836,
}
TRADES = [TRADE, TRADE | {"tradeId": "182342999769370688", "tradeRole": "maker", "feeCoinName": "BMX"}]
SPAN = {"until": 1695658999999}

# (call, its arguments, the data of the answer)
CALLS: list[tuple[str, list[Any], Any]] = [
    ("fetch_time", [], {"server_time": 1599843709578}),
    ("fetch_markets", [], DETAILS),
    ("fetch_ticker", [SYMBOL], TICKER),
    ("fetch_order_book", [SYMBOL, 50], BOOK),
    ("fetch_balance", [], WALLET),
    ("fetch_open_orders", [SYMBOL], ORDERS[:2]),
    ("fetch_open_orders", [None], ORDERS),
    ("fetch_open_orders", [SYMBOL, None, None, {"endTime": 1695703703337}], []),
    *(("fetch_order", ["183299373022163211", SYMBOL], order) for order in ORDERS),
    ("fetch_order", ["", SYMBOL, {"clientOrderId": "c09e68b49a724c8a95ef76526bf6bc05"}], ORDER),
    ("fetch_my_trades", ["ADA/USDT", 1695658000000, 200, SPAN], TRADES),
    ("fetch_my_trades", ["ADA/USDT", 1695658000000, 200], TRADES),
    ("fetch_order_trades", ["183270218784142990", "ADA/USDT"], TRADES),
]
KEPT = {
    "fetch_ticker": ("symbol", "bid", "ask", "last"),
    "fetch_order_book": ("symbol", "bids", "asks"),
    "fetch_balance": ("free", "used"),
    "fetch_markets": ("id", "symbol", "base", "quote", "type", "spot", "active", "precision", "limits"),
}
OF_AN_ORDER = (
    "id", "clientOrderId", "symbol", "side", "type", "status", "price", "amount", "filled", "average",
    "timestamp",
)  # fmt: skip
OF_A_TRADE = ("id", "order", "symbol", "side", "takerOrMaker", "price", "amount", "cost", "fee", "timestamp")
ABSENT = {"limits": ("leverage", "price"), "precision": ("cost", "base", "quote")}


def kept(call: str, made: Any) -> Any:
    """Of ccxt's structures, what the desk reads."""
    if isinstance(made, list):
        return [kept(call, entry) for entry in made]
    if not isinstance(made, dict):
        return made
    names = KEPT.get(call) or (OF_A_TRADE if call.endswith("trades") else OF_AN_ORDER)
    return {name: _pruned(name, made.get(name)) for name in names}


def _pruned(name: str, value: Any) -> Any:
    """Without what is never set, and the maximum of costs, of which there is none."""
    if name in ABSENT and isinstance(value, dict):
        value = {part: inner for part, inner in value.items() if part not in ABSENT[name]}
    if isinstance(value, dict):
        return {part: _pruned(part, inner) for part, inner in value.items() if inner is not None}
    return value


async def record() -> list[dict[str, Any]]:
    if ccxt.__version__ != VERSION:
        raise SystemExit(f"This needs ccxt {VERSION}, and here is {ccxt.__version__}.")
    recorded: list[dict[str, Any]] = []

    class Recorder(ccxt.bitmart):  # type: ignore[misc]
        number = str

        def milliseconds(self) -> int:
            return NOW_MS

        async def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
            recorded[-1]["request"] = {"url": url, "method": method, "headers": headers, "body": body}
            return {"code": 1000, "message": "OK", "trace": "x", "data": recorded[-1]["data"]}

    client = Recorder({**KEYS, "enableRateLimit": False, "options": {"fetchMarkets": {"types": ["spot"]}}})
    recorded.append({"data": DETAILS})
    client.set_markets(await client.fetch_spot_markets())
    recorded.clear()
    for call, arguments, data in CALLS:
        recorded.append({"call": call, "arguments": arguments, "data": data})
        name = "fetch_spot_markets" if call == "fetch_markets" else call
        recorded[-1]["made"] = kept(call, await getattr(client, name)(*arguments))
    await client.close()
    return recorded


if __name__ == "__main__":
    file = Path(__file__).with_name("bitmart_recorded.json")
    file.write_text(json.dumps(asyncio.run(record()), indent=1) + "\n")
