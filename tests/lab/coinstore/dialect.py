"""The routes and what each is allowed to; every request comes in and goes out here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate

from tests.lab.accounts import KeyRing, Login
from tests.lab.coinstore import account, market_data, outages, trading
from tests.lab.coinstore.call import Call
from tests.lab.coinstore.errors import JSON, CoinstoreError, not_found
from tests.lab.coinstore.limits import Limits
from tests.lab.coinstore.payloads import dump
from tests.lab.coinstore.security import Security, authenticate
from tests.lab.coinstore.venue import CoinstoreVenue
from tests.lab.exchange import Exchange
from tests.lab.hosts import HOSTS
from tests.lab.orders import Fill, Order
from tests.lab.wire import WireAnswer, WireRequest

Endpoint = Callable[[CoinstoreVenue, Call], object]


@dataclass(frozen=True)
class Route:
    endpoint: Endpoint
    security: Security = Security.NONE


_READ, _TRADE = Security.READ, Security.TRADE

ROUTES: dict[tuple[str, str], Route] = {
    ("POST", "/api/v2/public/config/spot/symbols"): Route(market_data.symbols),
    ("GET", "/api/fi/v1/common/currency"): Route(market_data.currency),
    ("GET", "/api/v1/market/tickers"): Route(market_data.tickers),
    ("GET", "/api/v1/ticker/price"): Route(market_data.prices),
    ("GET", "/api/v1/market/depth/"): Route(market_data.depth),
    ("GET", "/api/v1/market/trade/"): Route(market_data.trades),
    ("GET", "/api/v1/market/kline/"): Route(market_data.klines),
    ("POST", "/api/spot/accountList"): Route(account.balances, _READ),
    ("GET", "/api/trade/match/accountMatches"): Route(account.matches, _READ),
    ("GET", "/api/trade/order/active"): Route(trading.active_orders_v1, _READ),
    ("GET", "/api/v2/trade/order/active"): Route(trading.active_orders_v2, _READ),
    ("GET", "/api/trade/order/orderInfo"): Route(trading.order_info_v1, _READ),
    ("GET", "/api/v2/trade/order/orderInfo"): Route(trading.order_info_v2, _READ),
    ("GET", "/api/trade/order/historyOrders"): Route(trading.history, _READ),
    ("POST", "/api/trade/order/place"): Route(trading.place, _TRADE),
    ("POST", "/api/trade/order/placeBatch"): Route(trading.place_batch, _TRADE),
    ("POST", "/api/trade/order/cancel"): Route(trading.cancel, _TRADE),
    ("POST", "/api/trade/order/cancelBatch"): Route(trading.cancel_batch, _TRADE),
    ("POST", "/api/trade/order/cancelAll"): Route(trading.cancel_all, _TRADE),
}


class CoinstoreDialect:
    venue = "coinstore"
    hosts = HOSTS["coinstore"]
    outages = outages
    streams = None

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.keys = KeyRing()
        self.limits = Limits()
        self.coinstore = CoinstoreVenue(exchange, self.keys, self.limits)
        self.views, self.races = self.coinstore.views, self.coinstore.races

    def new_login(self, number: int) -> Login:
        """Both are 32 hexadecimal digits."""
        return Login(*(hashlib.md5(f"{what} {number}".encode()).hexdigest() for what in ("key", "secret")))

    def order_name(self, order: Order) -> str:
        return str(self.coinstore.order_id(order.symbol, order.id))

    def trade_name(self, fill: Fill) -> str:
        return str(self.coinstore.match_id(fill))

    def key_of(self, request: WireRequest) -> str | None:
        return request.headers.get("x-cs-apikey")

    def answer_again(self, request: WireRequest) -> WireAnswer:
        """A request that was delivered a second time on its way: a client id is good only once."""
        self.exchange.refuses_used_ids = True
        try:
            return self.answer(request)
        finally:
            self.exchange.refuses_used_ids = False

    def answer(self, request: WireRequest) -> WireAnswer:
        headers = {"Content-Type": JSON, "Date": formatdate(self.exchange.clock.now_ms() / 1000, usegmt=True)}
        try:
            content = self._answer(request)
        except CoinstoreError as error:
            headers["Content-Type"] = error.content_type
            body = dump({"message": error.text, "code": error.code})
            return WireAnswer(status=error.status, headers=headers, body=body)
        return WireAnswer(headers=headers, body=dump(_succeeded(request, content)))

    def _answer(self, request: WireRequest) -> object:
        venue = self.coinstore
        venue.meter.charge_address(request.address)
        route, named = _route(request)
        call = Call(request, named)
        call.key = authenticate(request, route.security, self.keys, self.exchange.clock)
        if call.key is not None:
            venue.meter.charge_user(call.key.account)
        return route.endpoint(venue, call)


def _route(request: WireRequest) -> tuple[Route, str]:
    """The route, and what the path names: of a market, or after a semicolon."""
    path, _, named = request.path.partition(";")
    known = ROUTES.get((request.method, path))
    if known is None:
        folder, _, named = path.rpartition("/")
        known = ROUTES.get((request.method, f"{folder}/"))
    if known is None:
        raise not_found()
    return known, named


def _succeeded(request: WireRequest, content: object) -> dict[str, object]:
    """The code is a string where the document prints one, and a number elsewhere."""
    if content is None:
        return {"code": 0}
    if request.path.startswith(("/api/v2/public", "/api/fi/")):
        return {"code": "0", "message": "Success", "data": content}
    return {"data": content, "code": 0}
