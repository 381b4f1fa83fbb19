"""The routes of Alpaca's two hosts; every request comes in and goes out here."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.lab.accounts import KeyRing, Login
from tests.lab.alpaca import account, market_data, outages, trading
from tests.lab.alpaca.call import Call
from tests.lab.alpaca.errors import AlpacaError, forbidden, no_endpoint
from tests.lab.alpaca.limits import Limits
from tests.lab.alpaca.payloads import activity_id
from tests.lab.alpaca.security import KEY_HEADER, authenticate
from tests.lab.alpaca.venue import AlpacaVenue
from tests.lab.exchange import Exchange
from tests.lab.hosts import HOSTS
from tests.lab.orders import Fill, Order
from tests.lab.wire import WireAnswer, WireRequest

JSON = "application/json; charset=UTF-8"
TRADING_HOST, DATA_HOST = "api.alpaca.markets", "data.alpaca.markets"
ORDERS, FILLS = "/v2/orders/", "/v2/account/activities/FILL"

Endpoint = Callable[[AlpacaVenue, Call], object]


@dataclass(frozen=True)
class Route:
    """is_open: it is answered without a key too."""

    endpoint: Endpoint
    parameters: frozenset[str]
    is_open: bool = False


def _route(endpoint: Endpoint, parameters: str = "", *, is_open: bool = False) -> Route:
    return Route(endpoint, frozenset(parameters.split()), is_open)


_ORDER = (
    "symbol qty notional side type time_in_force limit_price client_order_id extended_hours order_class "
    "position_intent"
)
_LIST = "status limit after until direction nested symbols side"
_TRADES = "symbols start end limit page_token sort"

ROUTES: dict[tuple[str, str, str], Route] = {
    (TRADING_HOST, "GET", "/v2/account"): _route(account.account),
    (TRADING_HOST, "GET", "/v2/positions"): _route(account.positions),
    (TRADING_HOST, "GET", FILLS): _route(account.fills, "after until date direction page_size page_token"),
    (TRADING_HOST, "GET", "/v2/assets"): _route(account.assets, "status asset_class exchange attributes"),
    (TRADING_HOST, "GET", "/v2/clock"): _route(account.clock),
    (TRADING_HOST, "POST", "/v2/orders"): _route(trading.place, _ORDER),
    (TRADING_HOST, "GET", "/v2/orders"): _route(trading.list_orders, _LIST),
    (TRADING_HOST, "DELETE", "/v2/orders"): _route(trading.cancel_all),
    (TRADING_HOST, "GET", ORDERS): _route(trading.get_order, "nested"),
    (TRADING_HOST, "DELETE", ORDERS): _route(trading.cancel),
    (TRADING_HOST, "GET", "/v2/orders:by_client_order_id"): _route(
        trading.get_order_by_client_id, "client_order_id"
    ),
    (DATA_HOST, "GET", "/v1beta3/crypto/us/latest/orderbooks"): _route(
        market_data.coin_books, "symbols", is_open=True
    ),
    (DATA_HOST, "GET", "/v1beta3/crypto/us/snapshots"): _route(
        market_data.coin_snapshots, "symbols", is_open=True
    ),
    (DATA_HOST, "GET", "/v1beta3/crypto/us/trades"): _route(market_data.coin_trades, _TRADES, is_open=True),
    (DATA_HOST, "GET", "/v1beta3/crypto/us/bars"): _route(
        market_data.coin_bars, f"{_TRADES} timeframe", is_open=True
    ),
    (DATA_HOST, "GET", "/v2/stocks/quotes/latest"): _route(market_data.stock_quotes, "symbols feed currency"),
    (DATA_HOST, "GET", "/v2/stocks/snapshots"): _route(market_data.stock_snapshots, "symbols feed currency"),
    (DATA_HOST, "GET", "/v2/stocks/trades"): _route(
        market_data.stock_trades, f"{_TRADES} feed currency asof"
    ),
}


class AlpacaDialect:
    venue = "alpaca"
    hosts = HOSTS["alpaca"]
    outages = outages
    streams = None

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.keys = KeyRing()
        self.limits = Limits()
        self.alpaca = AlpacaVenue(exchange, self.keys, self.limits)
        self.views, self.races = self.alpaca.views, self.alpaca.races

    def new_login(self, number: int) -> Login:
        return Login(f"AKLAB{number}".ljust(20, "X"), f"LabSecret{number}".ljust(40, "s"))

    def order_name(self, order: Order) -> str:
        return self.alpaca.order_id(order)

    def trade_name(self, fill: Fill) -> str:
        return activity_id(self.alpaca, fill)

    def key_of(self, request: WireRequest) -> str | None:
        return request.headers.get(KEY_HEADER)

    def answer_again(self, request: WireRequest) -> WireAnswer:
        """A client id is good only once anyway."""
        return self.answer(request)

    def answer(self, request: WireRequest) -> WireAnswer:
        headers = {"Content-Type": JSON}
        try:
            content = self._answer(request, headers)
        except AlpacaError as error:
            return WireAnswer(status=error.status, headers=headers, body=_dump(error.body))
        if content is None:
            return WireAnswer(status=204)
        return WireAnswer(status=200, headers=headers, body=_dump(content))

    def _answer(self, request: WireRequest, headers: dict[str, str]) -> object:
        """Headers grow on the way, so that a refused request tells its budget too."""
        route, named = _find(request)
        call = Call(request, named)
        if not route.is_open or self.key_of(request):
            call.key = authenticate(request, self.keys)
        family = "data" if request.host == DATA_HOST else "trading"
        self.alpaca.meter.charge(family, _payer(call, family), headers)
        call.check_names(route.parameters)
        return route.endpoint(self.alpaca, call)


def _find(request: WireRequest) -> tuple[Route, str]:
    """The route, and the order that the path names."""
    if request.host not in (TRADING_HOST, DATA_HOST):
        raise forbidden()  # the hosts of paper accounts and of brokers have keys of their own
    path, named = request.path, ""
    if path.startswith(ORDERS) and "/" not in path.removeprefix(ORDERS):
        path, named = ORDERS, path.removeprefix(ORDERS)
    route = ROUTES.get((request.host, request.method, path))
    if route is None:
        raise no_endpoint()
    return route, named


def _payer(call: Call, family: str) -> str:
    """Whose budget it is."""
    if call.key is None:
        return call.request.address
    return call.key.account if family == "trading" else call.key.key


def _dump(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
