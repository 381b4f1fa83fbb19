"""Coinstore in ccxt's style, which ccxt itself does not know.

Source: the API document of 2024-08-31; "Signature Authentication" for `sign`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import ccxt.async_support as ccxt
from ccxt.base.decimal_to_precision import TICK_SIZE

from exchanges.errors import ClockError
from exchanges.venues.ccxt_answers import dictionary, malformed, milliseconds
from exchanges.venues.coinstore import answers

API = "https://api.coinstore.com/api"
BUCKET_MS = 30_000  # a signature is made for a span of time of this length
LARGEST_CLOCK_DIFFERENCE_MS = 10_000
DEPTH = 100
TRADES_PER_PAGE = 100
# An address may ask 300 times in any 3 s; of a key see `DIALECT.key_budget`.
MILLISECONDS_PER_REQUEST = 27


class Coinstore(ccxt.Exchange):  # type: ignore[misc]
    """What the gateway needs of ccxt's interface. All numbers of an answer are text.

    venue_ms: the venue's clock when it last answered, of its Date header: there is no other.
    """

    venue_ms: int | None = None

    def describe(self) -> Any:
        return self.deep_extend(
            super().describe(),
            {
                "id": "coinstore",
                "name": "Coinstore",
                "rateLimit": MILLISECONDS_PER_REQUEST,
                "precisionMode": TICK_SIZE,
                "requiredCredentials": {"apiKey": True, "secret": True},
                "urls": {"api": API},
                "has": {
                    "fetchCurrencies": False,
                    "fetchMyTrades": True,
                    "fetchOpenOrders": True,
                    "fetchOrder": True,
                    "fetchOrderTrades": True,
                    "fetchTickers": True,
                    "fetchTime": True,
                },
            },
        )

    # --- Requests

    async def _ask(self, path: str, params: Mapping[str, Any] | None = None, *, method: str = "GET") -> Any:
        return await self.request(path, "private", method, dict(params or {}))

    async def _show(self, path: str, params: Mapping[str, Any] | None = None, *, method: str = "GET") -> Any:
        """What everybody may see."""
        return await self.request(path, "public", method, dict(params or {}))

    def sign(
        self, path: str, api: str = "public", method: str = "GET", params: Any = None, headers: Any = None,
        body: Any = None,
    ) -> dict[str, Any]:  # fmt: skip
        """A POST without parameters sends, and signs, an empty object."""
        query = self.urlencode(params) if method == "GET" and params else ""
        body = json.dumps(params or {}, separators=(",", ":")) if method == "POST" else None
        headers = {"Content-Type": "application/json", "exch-language": "en_US"}
        if api == "private":
            self.check_required_credentials()
            now = int(time.time() * 1000)
            headers |= {
                "X-CS-APIKEY": self.apiKey,
                "X-CS-EXPIRES": str(now),
                "X-CS-SIGN": signature(self.secret, now, query + (body or "")),
            }
        url = f"{self.urls['api']}/{path}" + (f"?{query}" if query else "")
        return {"url": url, "method": method, "body": body, "headers": headers}

    def on_rest_response(
        self, code: Any, reason: Any, url: Any, method: Any, response_headers: Any, *rest: Any
    ) -> Any:
        self.venue_ms = _date_ms(response_headers)
        return super().on_rest_response(code, reason, url, method, response_headers, *rest)

    def on_json_response(self, response_body: str) -> Any:
        return json.loads(response_body, parse_float=str, parse_int=str)

    def handle_errors(
        self, status: int, reason: str, url: str, method: str, headers: Any, body: str, response: Any,
        request_headers: Any, request_body: Any,
    ) -> None:  # fmt: skip
        """Errors mostly come with HTTP 200. A signature also fails where the clocks differ."""
        if not isinstance(response, dict) or str(response.get("code")) == "0":
            return
        difference_ms = self._clock_difference_ms(headers)
        if str(response.get("code")) == "401" and difference_ms > LARGEST_CLOCK_DIFFERENCE_MS:
            raise ClockError(
                "Coinstore refuses the signature, and its clock differs from ours by "
                f"{difference_ms // 1000} s: set this machine's clock (NTP) right.",
                code="401",
            )
        raise ccxt.ExchangeError(f"{self.id} {body}")

    def _clock_difference_ms(self, headers: Any) -> int:
        venue_ms = _date_ms(headers)
        return 0 if venue_ms is None else abs(venue_ms - int(time.time() * 1000))

    # --- What everybody sees

    async def fetch_time(self, params: Any = None) -> int:
        """The middle of the second that the answer is dated by."""
        await self._show("v1/ticker/price;symbol=BTCUSDT")
        if self.venue_ms is None:
            raise malformed("it has no date")
        return self.venue_ms + 500

    async def fetch_markets(self, params: Any = None) -> list[dict[str, Any]]:
        answer = await self._show("v2/public/config/spot/symbols", method="POST")
        return [answers.market_of(row) for row in answers.rows_of(answer, "the markets")]

    async def fetch_ticker(self, symbol: str, params: Any = None) -> dict[str, Any]:
        """The last price only. The venue may answer with all markets, named in either case."""
        market_id = self.market(symbol)["id"]
        answer = await self._show(f"v1/ticker/price;symbol={market_id}")
        for row in answers.rows_of(answer, "the prices"):
            if str(row.get("symbol")).upper() == market_id:
                return {"symbol": symbol, "last": row.get("price"), "info": row}
        raise malformed(f"there is no price of {symbol}")

    async def fetch_tickers(self, symbols: Any = None, params: Any = None) -> dict[str, dict[str, Any]]:
        """Of the last 24 hours, of all markets that are listed."""
        rows = answers.rows_of(await self._show("v1/market/tickers"), "the tickers")
        named = ((self.markets_by_id.get(str(row.get("symbol")).upper()), row) for row in rows)
        return {market[0]["symbol"]: answers.ticker_of(row) for market, row in named if market}

    async def fetch_order_book(self, symbol: str, limit: int | None = None, params: Any = None) -> Any:
        """limit: 5, 10, 20, 50 or 100."""
        path = f"v1/market/depth/{self.market(symbol)['id']}"
        book = dictionary(answers.data_of(await self._show(path, {"depth": limit or DEPTH})), "the book")
        return {"symbol": symbol, "bids": book.get("b"), "asks": book.get("a")}

    async def fetch_trades(
        self, symbol: str, since: int | None = None, limit: int | None = None, params: Any = None
    ) -> list[dict[str, Any]]:
        """The last hundred: the venue shows no more."""
        path = f"v1/market/trade/{self.market(symbol)['id']}"
        rows = answers.rows_of(await self._show(path, {"size": TRADES_PER_PAGE}), "the trades")
        return _since(since, [answers.public_trade_of(row, symbol) for row in rows])

    # --- What the account's owner sees

    async def fetch_balance(self, params: Any = None) -> dict[str, Any]:
        return answers.balances_of(await self._ask("spot/accountList", method="POST"))

    async def fetch_open_orders(
        self, symbol: str | None = None, since: int | None = None, limit: int | None = None,
        params: Any = None,
    ) -> list[dict[str, Any]]:  # fmt: skip
        asked = {} if symbol is None else {"symbol": self.market(symbol)["id"]}
        rows = answers.rows_of(await self._ask("v2/trade/order/active", asked), "the open orders")
        return [answers.order_of(row) for row in rows]

    async def fetch_order(self, id: str, symbol: str, params: Any = None) -> dict[str, Any]:  # noqa: A002
        """By the venue's number or, where that is empty, by params' clientOrderId. Printed as a list, seen as
        an object."""
        asked = {"ordId": id} if id else {"clOrdId": params["clientOrderId"]}
        data = answers.data_of(await self._ask("v2/trade/order/orderInfo", asked))
        found = data[0] if data and isinstance(data, list) else data
        if answers.is_no_order(found):
            raise ccxt.OrderNotFound(f"{self.id} has no such order")
        return answers.order_of(dictionary(found, "the order"))

    async def fetch_my_trades(
        self, symbol: str, since: int | None = None, limit: int | None = None, params: Any = None
    ) -> list[dict[str, Any]]:
        """All since then, over all pages. There is no way to ask for a time, so they are read from the newest
        back; were they shown oldest first, to the end."""
        market = self.market(symbol)
        asked = {"symbol": market["id"], "pageSize": TRADES_PER_PAGE, **(params or {})}
        found: dict[str, dict[str, Any]] = {}
        page = 0
        while True:
            page += 1
            answer = await self._ask("trade/match/accountMatches", {**asked, "pageNum": page})
            rows = [answers.trade_of(row, market) for row in answers.rows_of(answer, "the trades")]
            is_new = any(str(row["id"]) not in found for row in rows)
            found |= {str(row["id"]): row for row in rows}
            if len(rows) < TRADES_PER_PAGE or not is_new or _is_past(rows, since):
                return _since(since, list(found.values()))

    async def fetch_order_trades(
        self, id: str, symbol: str, since: int | None = None, limit: int | None = None,  # noqa: A002
        params: Any = None,
    ) -> list[dict[str, Any]]:  # fmt: skip
        return await self.fetch_my_trades(symbol, None, None, {"ordId": id})

    # --- Orders

    async def create_order(
        self, symbol: str, type: str, side: str, amount: Any, price: Any = None, params: Any = None  # noqa: A002
    ) -> dict[str, Any]:  # fmt: skip
        """The answer names the order only: what became of it is to be asked."""
        told = dict(params or {})
        order = {
            "symbol": self.market(symbol)["id"],
            "side": side.upper(),
            "ordType": "POST_ONLY" if told.get("postOnly") else type.upper(),
            "ordQty": _digits(amount),
            "clOrdId": told["clientOrderId"],
            "timestamp": self.milliseconds(),
        }
        if type == "market" and side == "buy":
            raise ccxt.InvalidOrder("a market buy names what it spends here, not what it buys: use a limit")
        if type != "market":
            order["ordPrice"] = _digits(price)
        if "timeInForce" in told:
            order["timeInForce"] = told["timeInForce"]
        answer = await self._ask("trade/order/place", order, method="POST")
        data = dictionary(answers.data_of(answer), "the order")
        return {"id": data.get("ordId") or data.get("order_id"), "info": answer}

    async def cancel_order(self, id: str, symbol: str, params: Any = None) -> dict[str, Any]:  # noqa: A002
        order = {"symbol": self.market(symbol)["id"], "ordId": int(id)}
        return {"id": id, "info": await self._ask("trade/order/cancel", order, method="POST")}


def signature(secret: str, now_ms: int, payload: str) -> str:
    """The hash of the span of time, in its letters, is the key of the payload's."""
    key = hmac.new(secret.encode(), str(now_ms // BUCKET_MS).encode(), hashlib.sha256).hexdigest()
    return hmac.new(key.encode(), payload.encode(), hashlib.sha256).hexdigest()


def _date_ms(headers: Mapping[str, str]) -> int | None:
    """Of an answer that a cache kept for a while, its age is added."""
    named = {name.lower(): value for name, value in headers.items()}
    try:
        made_ms = milliseconds(parsedate_to_datetime(named.get("date", "")))
        return made_ms + 1000 * int(named.get("age", "0"))
    except (TypeError, ValueError):
        return None


def _digits(value: Any) -> str:
    return f"{Decimal(str(value)):f}"


def _since(since: int | None, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Trades are dated by the second, so those of the same second belong to it."""
    return [row for row in rows if since is None or row["timestamp"] >= since - since % 1000]


def _is_past(rows: list[dict[str, Any]], since: int | None) -> bool:
    """The page runs from new to old, and beyond what was asked for."""
    first, last = rows[0]["timestamp"], rows[-1]["timestamp"]
    return since is not None and last < first and last < since - since % 1000
