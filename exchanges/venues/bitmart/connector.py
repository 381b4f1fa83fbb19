"""BitMart in ccxt's style, for reading: ccxt itself has dropped it after 4.5.66.

The same calls of ccxt 4.5.66 send the same requests and make the same of the answers, which a test shows;
only the header that names a broker is left out. Source: developer-pro.bitmart.com, spot.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import ccxt.async_support as ccxt
from ccxt.base.decimal_to_precision import TICK_SIZE

from exchanges.errors import VenueClosedError
from exchanges.types import ZERO
from exchanges.venues.bitmart.facts import VENUE
from exchanges.venues.bitmart.rulings import SUCCESS
from exchanges.venues.ccxt_answers import amount_of, dictionary, malformed, number, optional_number

API = "https://api-cloud.bitmart.com"
LIST_LIMIT = 200
DEPTH = 50
MOST_DECIMALS = 18
# An address may ask more often than anybody needs here; of a key see `DIALECT.key_budget`.
MILLISECONDS_PER_REQUEST = 170

_STATES = {
    "new": "open",
    "partially_filled": "open",
    "filled": "closed",
    "canceled": "canceled",
    "partially_canceled": "canceled",
    "failed": "rejected",
}


class Bitmart(ccxt.Exchange):  # type: ignore[misc]
    """All numbers of an answer are text. The memo is ccxt's `uid`."""

    def describe(self) -> Any:
        return self.deep_extend(
            super().describe(),
            {
                "id": "bitmart",
                "name": "BitMart",
                "rateLimit": MILLISECONDS_PER_REQUEST,
                "precisionMode": TICK_SIZE,
                "requiredCredentials": {"apiKey": True, "secret": True, "uid": True},
                "urls": {"api": API},
                "has": {"fetchCurrencies": False, "fetchOrderTrades": True},
            },
        )

    # --- Requests

    async def _show(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """What everybody may see."""
        return _data(await self.request(path, "public", "GET", dict(params or {})))

    async def _read(self, path: str) -> Any:
        return _data(await self.request(path, "private", "GET", {}))

    async def _query(self, what: str, params: Mapping[str, Any]) -> Any:
        return _data(await self.request(f"spot/v4/query/{what}", "private", "POST", dict(params)))

    def sign(
        self, path: str, api: str = "public", method: str = "GET", params: Any = None, headers: Any = None,
        body: Any = None,
    ) -> dict[str, Any]:  # fmt: skip
        query = self.urlencode(params) if method == "GET" and params else ""
        body = self.json(params) if method == "POST" else None
        if api == "private":
            self.check_required_credentials()
            timestamp = str(self.milliseconds())
            payload = f"{timestamp}#{self.uid}#{query or body or ''}"
            headers = {
                "X-BM-KEY": self.apiKey,
                "X-BM-TIMESTAMP": timestamp,
                "X-BM-SIGN": hmac.new(self.secret.encode(), payload.encode(), hashlib.sha256).hexdigest(),
                "Content-Type": "application/json",
            }
        url = f"{self.urls['api']}/{path}" + (f"?{query}" if query else "")
        return {"url": url, "method": method, "body": body, "headers": headers}

    def on_json_response(self, response_body: str) -> Any:
        return json.loads(response_body, parse_float=str, parse_int=str)

    def handle_errors(
        self, status: int, reason: str, url: str, method: str, headers: Any, body: str, response: Any,
        request_headers: Any, request_body: Any,
    ) -> None:  # fmt: skip
        if isinstance(response, dict) and str(response.get("code")) != SUCCESS:
            raise ccxt.ExchangeError(f"{self.id} {body}")

    # --- What everybody sees

    async def fetch_time(self, params: Any = None) -> int:
        data = dictionary(await self._show("system/time"), "the time")
        return int(number(data.get("server_time"), "the time"))

    async def fetch_markets(self, params: Any = None) -> list[dict[str, Any]]:
        data = dictionary(await self._show("spot/v1/symbols/details"), "the markets")
        return [_market(row) for row in data["symbols"]]

    async def fetch_ticker(self, symbol: str, params: Any = None) -> dict[str, Any]:
        asked = {"symbol": self.market(symbol)["id"]}
        row = dictionary(await self._show("spot/quotation/v3/ticker", asked), "the ticker")
        return {
            "symbol": symbol,
            "bid": row.get("bid_px"),
            "ask": row.get("ask_px"),
            "last": row.get("last"),
            "info": row,
        }

    async def fetch_order_book(self, symbol: str, limit: int | None = None, params: Any = None) -> Any:
        asked = {"symbol": self.market(symbol)["id"], "limit": limit or DEPTH}
        book = dictionary(await self._show("spot/quotation/v3/books", asked), "the book")
        return {"symbol": symbol, "bids": book.get("bids"), "asks": book.get("asks")}

    # --- What the account's owner sees

    async def fetch_balance(self, params: Any = None) -> dict[str, Any]:
        data = await self._read("spot/v1/wallet")
        rows = _rows(dictionary(data, "the balances").get("wallet"), "the balances")
        return {
            "free": {row["id"]: amount_of(row["available"], "a free balance") for row in rows},
            "used": {row["id"]: amount_of(row["frozen"], "a used balance") for row in rows},
            "info": data,
        }

    async def fetch_open_orders(
        self, symbol: str | None = None, since: int | None = None, limit: int | None = None,
        params: Any = None,
    ) -> list[dict[str, Any]]:  # fmt: skip
        asked = {} if symbol is None else {"symbol": self.market(symbol)["id"]}
        rows = await self._query("open-orders", {**asked, **(params or {})})
        return [_order(row) for row in _rows(rows, "the open orders")]

    async def fetch_order(self, id: str, symbol: str, params: Any = None) -> dict[str, Any]:  # noqa: A002
        """By the venue's number or, where that is empty, by params' clientOrderId."""
        if id:
            return _order(dictionary(await self._query("order", {"orderId": id}), "the order"))
        asked = {"clientOrderId": params["clientOrderId"]}
        return _order(dictionary(await self._query("client-order", asked), "the order"))

    async def fetch_my_trades(
        self, symbol: str, since: int | None = None, limit: int | None = None, params: Any = None
    ) -> list[dict[str, Any]]:
        """params' until: the end of the span, inclusive."""
        asked = {"symbol": self.market(symbol)["id"], "limit": min(limit or LIST_LIMIT, LIST_LIMIT)}
        until = (params or {}).get("until")
        asked |= {} if since is None else {"startTime": since}
        asked |= {} if until is None else {"endTime": until}
        return [_trade(row) for row in _rows(await self._query("trades", asked), "the trades")]

    async def fetch_order_trades(
        self, id: str, symbol: str, since: int | None = None, limit: int | None = None,  # noqa: A002
        params: Any = None,
    ) -> list[dict[str, Any]]:  # fmt: skip
        return [
            _trade(row) for row in _rows(await self._query("order-trades", {"orderId": id}), "the trades")
        ]

    # --- Orders, which there are none of any more

    async def create_order(
        self, symbol: str, type: str, side: str, amount: Any, price: Any = None, params: Any = None  # noqa: A002
    ) -> dict[str, Any]:  # fmt: skip
        raise VenueClosedError(VENUE.no_orders_because)

    async def cancel_order(self, id: str, symbol: str, params: Any = None) -> dict[str, Any]:  # noqa: A002
        raise VenueClosedError(VENUE.no_orders_because)


def _data(answer: Any) -> Any:
    content = dictionary(answer, "the answer")
    if "data" not in content:
        raise malformed("there is no data in it")
    return content["data"]


def _rows(rows: Any, name: str) -> Sequence[Mapping[str, Any]]:
    if not isinstance(rows, list):
        raise malformed(f"{name} are no list")
    return [dictionary(row, name) for row in rows]


def _symbol(row: Mapping[str, Any]) -> str:
    return str(row.get("symbol")).replace("_", "/")


def _market(row: Mapping[str, Any]) -> dict[str, Any]:
    """The smallest amount is the step of amounts, too, as ccxt has it."""
    base, quote = str(row["base_currency"]), str(row["quote_currency"])
    smallest = Decimal(str(row["base_min_size"])).normalize()
    digits = int(number(row["price_max_precision"], "a count of decimals"))
    if abs(digits) > MOST_DECIMALS:
        raise malformed(f"{digits} decimals")
    costs = [number(row[name], "a smallest cost") for name in ("min_buy_amount", "min_sell_amount")]
    return {
        "id": row["symbol"],
        "symbol": f"{base}/{quote}",
        "base": base,
        "quote": quote,
        "baseId": base,
        "quoteId": quote,
        "type": "spot",
        "spot": True,
        "active": row.get("trade_status") == "trading",
        "precision": {"price": f"{Decimal(1).scaleb(-digits):f}", "amount": f"{smallest:f}"},
        "limits": {
            "amount": {"min": f"{smallest:f}", "max": row.get("base_max_size")},
            "cost": {"min": f"{max(costs).normalize():f}"},
        },
        "info": row,
    }


def _order(row: Mapping[str, Any]) -> dict[str, Any]:
    """A market order has no price but the average, as ccxt has it."""
    filled = amount_of(row.get("filledSize"), "the filled amount")
    average = row.get("priceAvg") if filled > ZERO else None
    price = optional_number(row.get("price"), "the order's price")
    return {
        "id": row.get("orderId"),
        "clientOrderId": row.get("clientOrderId"),
        "symbol": _symbol(row),
        "side": row.get("side"),
        "type": "market" if row.get("type") == "market" else "limit",
        "status": _STATES.get(str(row.get("state"))),
        "price": price or average,
        "amount": row.get("size"),
        "filled": filled,
        "average": average,
        "timestamp": row.get("createTime"),
        "info": row,
    }


def _trade(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row.get("tradeId"),
        "order": row.get("orderId"),
        "clientOrderId": row.get("clientOrderId"),
        "symbol": _symbol(row),
        "side": row.get("side"),
        "takerOrMaker": row.get("tradeRole"),
        "price": row.get("price"),
        "amount": row.get("size"),
        "cost": row.get("notional"),
        "fee": {"cost": row.get("fee"), "currency": row.get("feeCoinName")},
        "timestamp": row.get("createTime"),
        "info": row,
    }
