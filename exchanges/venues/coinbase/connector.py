"""ccxt's Coinbase, with all pages of every list, all states of an order, and spot markets only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import ccxt.async_support as ccxt

from exchanges.errors import OrderNotFoundError
from exchanges.venues.ccxt_answers import malformed, milliseconds
from exchanges.venues.coinbase.fills import believed
from exchanges.venues.coinbase.keys import signing_secret
from exchanges.venues.credentials import tidied

Row = dict[str, Any]
Ask = Callable[[Row], Awaitable[Row]]

PAGE_SIZE = 250
TRADES_PAGE_SIZE = 1000
BOOK_LEVELS = 100
DATED_BACK_SECONDS = 30
# Ours and the venue's clock may differ by so much where an order is searched by the time of its intent.
CLOCK_TOLERANCE = timedelta(minutes=5)
# Live, but not OPEN, which cannot be asked for together with other states.
ON_THE_WAY = ["PENDING", "QUEUED", "CANCEL_QUEUED", "EDIT_QUEUED"]
STATUSES = {
    "PENDING": "pending",
    "QUEUED": "pending",
    "OPEN": "open",
    "EDIT_QUEUED": "open",
    "CANCEL_QUEUED": "canceling",
    "FILLED": "closed",
    "CANCELLED": "canceled",
    "EXPIRED": "expired",
    "FAILED": "rejected",
}


class CoinbaseClient(ccxt.coinbase):  # type: ignore[misc]
    secret: str
    has_read_key = False

    def describe(self) -> Any:
        """Public answers are a second old unless one asks for fresh ones."""
        fresh = {"headers": {"Cache-Control": "no-cache"}}
        return self.deep_extend(super().describe(), fresh)

    def sign(self, path: str, api: Any = (), *rest: Any, **options: Any) -> Any:
        if "private" in api and not self.has_read_key:
            self.secret = signing_secret(self.apiKey, tidied(self.secret))
            self.has_read_key = True
        return super().sign(path, api, *rest, **options)

    def create_auth_token(self, seconds: int, *rest: Any, **options: Any) -> Any:
        """A token is good for two minutes; dated back, it forgives a clock of ours that is ahead as well."""
        return super().create_auth_token(seconds - DATED_BACK_SECONDS, *rest, **options)

    # --- What everybody sees

    async def fetch_markets(self, params: Any = {}) -> list[Any]:  # noqa: B006 - ccxt's signature
        answer = await self.v3PublicGetBrokerageMarketProducts({"product_type": "SPOT", **params})
        found = [(self.parse_spot_market(product, {}), product) for product in answer["products"]]
        return [{**market, "active": _is_open(product)} for market, product in found if market is not None]

    async def fetch_time(self, params: Any = {}) -> int:  # noqa: B006 - ccxt's signature
        return int((await self.v3PublicGetBrokerageTime(params))["epochMillis"])

    async def fetch_tickers(self, symbols: Any = None, params: Any = {}) -> Any:  # noqa: B006 - ccxt's signature
        """One list has spot markets and futures of one name."""
        return await super().fetch_tickers(symbols, {"product_type": "SPOT", **params})

    async def fetch_order_book(self, symbol: str, limit: int | None = None, params: Any = {}) -> Any:  # noqa: B006 - ccxt's signature
        return await super().fetch_order_book(symbol, limit or BOOK_LEVELS, params)

    async def fetch_trades(
        self,
        symbol: str,
        since: int | None = None,
        limit: int | None = None,
        params: Any = {},  # noqa: B006 - ccxt's signature
    ) -> list[Any]:
        """All of them from `since` on. Coinbase shows the newest of a span of whole seconds."""
        market = self.market(symbol)
        start = (since or 0) // 1000
        end = self.seconds() + int(CLOCK_TOLERANCE.total_seconds())
        request = {"product_id": market["id"], "limit": TRADES_PAGE_SIZE, "start": str(start)}
        trades: dict[str, Row] = {}
        while True:
            answer = await self.v3PublicGetBrokerageMarketProductsProductIdTicker(
                {**request, "end": str(end)}
            )
            rows = answer["trades"]
            # Some markets are shown under the name of the one whose book they share.
            trades |= {row["trade_id"]: {**row, "product_id": market["id"]} for row in rows}
            if len(rows) < TRADES_PAGE_SIZE:
                return list(self.parse_trades(list(trades.values()), market, since))
            older_end = min(self.parse8601(row["time"]) for row in rows) // 1000 + 1
            if older_end >= end:
                raise malformed("more trades in one second than it shows at once")
            end = older_end

    # --- What the account's owner sees

    async def fetch_rights(self) -> list[bool]:
        """Of the key: to view, to trade, to transfer."""
        answer = await self.v3PrivateGetBrokerageKeyPermissions()
        rights = [answer[f"can_{what}"] for what in ("view", "trade", "transfer")]
        if not all(isinstance(right, bool) for right in rights):
            raise malformed("what the key may do")
        return rights

    async def fetch_balance(self, params: Any = {}) -> Any:  # noqa: B006 - ccxt's signature
        accounts = await self._all("accounts", self.v3PrivateGetBrokerageAccounts, {})
        return self.parse_custom_balance({"accounts": accounts})

    async def fetch_open_orders(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Any = {},  # noqa: B006 - ccxt's signature
    ) -> list[Any]:
        """Those on their way are asked for first, so that none is missed that gets there meanwhile.

        Orders that are sized in quote are nobody's here, and have no amount to be told.
        """
        market = self.market(symbol) if symbol else None
        only: Row = {"product_ids": [market["id"]]} if market else {}
        rows: dict[str, Row] = {}
        for states in (ON_THE_WAY, ["OPEN"]):
            listed = await self._all("orders", self._list_orders, {**only, "order_status": states})
            rows |= {row["order_id"]: row for row in listed}
        orders = self.parse_orders(list(rows.values()), market)
        return [order for order in orders if order["amount"] is not None]

    async def fetch_order(self, id: str, symbol: str | None = None, params: Any = {}) -> Any:  # noqa: A002, B006 - ccxt's signature
        order = await super().fetch_order(id, symbol, params)
        if order["id"] != id:
            raise malformed("another order than the one that was asked for")
        return order

    async def fetch_order_of(self, client_id: str, symbol: str, not_before: datetime | None) -> Any:
        """By the client id: the list is walked back to the time before which it was not sent."""
        market = self.market(symbol)
        request: Row = {"product_ids": [market["id"]]}
        if not_before is not None:
            request["start_date"] = self.iso8601(milliseconds(not_before - CLOCK_TOLERANCE))
        async for rows in self._pages("orders", self._list_orders, request):
            for row in rows:
                if row["client_order_id"] == client_id:
                    return self.parse_order(row, market)
        raise OrderNotFoundError("Coinbase Advanced lists no order with this client id.")

    async def fetch_my_trades(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Any = {},  # noqa: B006 - ccxt's signature
    ) -> list[Any]:
        market = self.market(symbol) if symbol else None
        request: Row = {"product_ids": [market["id"]]} if market else {}
        if since is not None:
            request["start_sequence_timestamp"] = self.iso8601(since - 1)  # after it, not at it
        return await self._fills(request, market, since)

    async def fetch_order_trades(
        self,
        id: str,  # noqa: A002 - ccxt's signature
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Any = {},  # noqa: B006 - ccxt's signature
    ) -> list[Any]:
        return await self._fills({"order_ids": [id]}, self.market(symbol) if symbol else None, since)

    async def _fills(self, request: Row, market: Any, since: int | None) -> list[Any]:
        rows = await self._all("fills", self.v3PrivateGetBrokerageOrdersHistoricalFills, request)
        return list(self.parse_trades(believed(rows, market and market["id"]), market, since))

    # --- Reading

    def parse_order(self, order: Any, market: Any = None) -> Any:
        """ccxt reads the amount of some kinds of orders only."""
        parsed = super().parse_order(order, market)
        if parsed["amount"] is None:
            kinds = (order.get("order_configuration") or {}).values()
            parsed["amount"] = next((kind["base_size"] for kind in kinds if kind.get("base_size")), None)
        return parsed

    def parse_order_status(self, status: Any) -> Any:
        return STATUSES.get(status, status)

    # --- Pages

    async def _list_orders(self, request: Row) -> Any:
        return await self.v3PrivateGetBrokerageOrdersHistoricalBatch(request)

    async def _all(self, name: str, ask: Ask, request: Row) -> list[Row]:
        return [row async for rows in self._pages(name, ask, request) for row in rows]

    async def _pages(self, name: str, ask: Ask, request: Row) -> AsyncIterator[list[Row]]:
        """Until the venue names no further page. Raises MalformedAnswerError."""
        request = {"limit": PAGE_SIZE, **request}
        seen = {""}
        while True:
            page = await ask(request)
            rows, cursor = page[name], page["cursor"]
            if not isinstance(rows, list) or not isinstance(cursor, str):
                raise malformed(f"a page of {name} has the wrong form")
            yield rows
            if not cursor or page.get("has_next") is False:
                return
            if cursor in seen:
                raise malformed(f"the pages of {name} go round in a circle")
            seen.add(cursor)
            request["cursor"] = cursor


def _is_open(product: Mapping[str, Any]) -> bool:
    shut = ("is_disabled", "trading_disabled", "cancel_only", "auction_mode", "view_only")
    return product.get("status") == "online" and not any(product.get(name) for name in shut)
