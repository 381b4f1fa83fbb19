"""The routes, their budgets and their rights; every request comes in and goes out here."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from tests.lab.accounts import KeyRing, Login
from tests.lab.exchange import Exchange
from tests.lab.hosts import HOSTS
from tests.lab.okx import account, market_data, outages, trading
from tests.lab.okx.call import Call
from tests.lab.okx.errors import OkxError
from tests.lab.okx.limits import Limits, Per
from tests.lab.okx.payloads import order_number
from tests.lab.okx.security import Right, authenticate
from tests.lab.okx.streams import Streams
from tests.lab.okx.venue import OkxVenue, owner
from tests.lab.orders import Fill, Order
from tests.lab.pages import html_page
from tests.lab.wire import WireAnswer, WireRequest

JSON = "application/json"

Endpoint = Callable[[OkxVenue, Call], object]


@dataclass(frozen=True)
class Route:
    """per: who shares the budget. An endpoint that answers with a list has it put into OKX's envelope."""

    endpoint: Endpoint
    right: Right = Right.READ
    per: Per = Per.ACCOUNT


_TRADE, _MARKET, _PUBLIC = Right.TRADE, Per.MARKET, Right.NONE

ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "public/time"): Route(market_data.server_time, _PUBLIC, Per.ADDRESS),
    ("GET", "public/instruments"): Route(market_data.instruments, _PUBLIC, Per.ADDRESS),
    ("GET", "market/books"): Route(market_data.books, _PUBLIC, Per.ADDRESS),
    ("GET", "market/trades"): Route(market_data.trades, _PUBLIC, Per.ADDRESS),
    ("GET", "market/history-trades"): Route(market_data.history_trades, _PUBLIC, Per.ADDRESS),
    ("GET", "market/ticker"): Route(market_data.ticker, _PUBLIC, Per.ADDRESS),
    ("GET", "market/tickers"): Route(market_data.tickers, _PUBLIC, Per.ADDRESS),
    ("POST", "trade/order"): Route(trading.place, _TRADE, _MARKET),
    ("POST", "trade/batch-orders"): Route(trading.place_batch, _TRADE, _MARKET),
    ("POST", "trade/cancel-order"): Route(trading.cancel, _TRADE, _MARKET),
    ("POST", "trade/cancel-batch-orders"): Route(trading.cancel_batch, _TRADE, _MARKET),
    ("GET", "trade/order"): Route(trading.get_order, per=_MARKET),
    ("GET", "trade/orders-pending"): Route(trading.pending),
    ("GET", "trade/orders-history"): Route(trading.history),
    ("GET", "trade/orders-history-archive"): Route(trading.history_archive),
    ("GET", "trade/fills"): Route(account.fills),
    ("GET", "trade/fills-history"): Route(account.fills_history),
    ("GET", "account/balance"): Route(account.balances),
    ("GET", "account/config"): Route(account.config),
    ("GET", "asset/currencies"): Route(account.currencies),
}


class OkxDialect:
    venue = "okx"
    hosts = HOSTS["okx"]
    outages = outages

    def __init__(self, exchange: Exchange) -> None:
        exchange.accepts_crossing_makers = True
        self.exchange = exchange
        self.keys = KeyRing()
        self.limits = Limits()
        self.okx = OkxVenue(exchange, self.keys, self.limits)
        self.views, self.races = self.okx.views, self.okx.races
        self.streams = Streams(self.okx)

    def new_login(self, number: int) -> Login:
        digest = sha256(f"okx {number}".encode()).hexdigest()
        return Login(str(uuid.UUID(digest[:32], version=4)), digest[32:].upper(), f"Pass-{digest[:8]}!")

    def order_name(self, order: Order) -> str:
        return str(order_number(order))

    def trade_name(self, fill: Fill) -> str:
        return str(fill.trade_id)

    def key_of(self, request: WireRequest) -> str | None:
        return request.headers.get("ok-access-key")

    def answer_again(self, request: WireRequest) -> WireAnswer:
        """A request that was delivered a second time on its way: a client id is good only once."""
        self.exchange.refuses_used_ids = True
        try:
            return self.answer(request)
        finally:
            self.exchange.refuses_used_ids = False

    def answer(self, request: WireRequest) -> WireAnswer:
        endpoint = request.path.removeprefix("/api/v5/")
        route = ROUTES.get((request.method, endpoint))
        if route is None:
            page = html_page(404, "Not Found")
            return page if endpoint not in {path for _, path in ROUTES} else _wrong_method()
        try:
            content = self._answer(route, endpoint.partition("/")[2].replace("-", "_"), request)
        except OkxError as error:
            return _refused(error)
        envelope = {"code": "0", "data": content, "msg": ""} if isinstance(content, list) else content
        return WireAnswer(headers={"Content-Type": JSON}, body=_dump(envelope))

    def _answer(self, route: Route, budget: str, request: WireRequest) -> object:
        call = Call(request)
        call.key = authenticate(request, route.right, self.keys, self.exchange.clock)
        sizes = _orders_by_market(call) if route.per is Per.MARKET else {"": 1}
        who = request.address if route.per is Per.ADDRESS else owner(call).account
        for market, size in sizes.items():
            self.okx.meter.charge(budget, f"{who} {market}", size)
        return route.endpoint(self.okx, call)


def _orders_by_market(call: Call) -> dict[str, int]:
    """How many orders a request is about, by market."""
    if call.request.method == "GET":
        return {call.query.text("instId") or "": 1}
    orders = call.batch() if call.request.path.endswith("s") else [call.body()]
    names = [order.text("instId") or "" for order in orders]
    return {name: names.count(name) for name in names}


def _wrong_method() -> WireAnswer:
    return _refused(OkxError("50115", "Invalid request method.", status=405))


def _refused(error: OkxError) -> WireAnswer:
    """Of a request that did not get as far as its endpoint there is no data."""
    data: dict[str, object] = {} if error.status in (401, 405, 429) else {"data": []}
    return WireAnswer(
        status=error.status,
        headers={"Content-Type": JSON},
        body=_dump({"code": error.code, "msg": error.text, **data}),
    )


def _dump(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
