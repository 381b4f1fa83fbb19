"""The routes, their weights and their parameters; every request comes in and goes out here."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.lab.accounts import KeyRing, Login
from tests.lab.binance import account, market_data, outages, trading
from tests.lab.binance.call import Call
from tests.lab.binance.errors import BinanceError
from tests.lab.binance.limits import Limits
from tests.lab.binance.security import Security, authenticate
from tests.lab.binance.streams import Streams
from tests.lab.binance.venue import BinanceVenue
from tests.lab.exchange import Exchange
from tests.lab.hosts import HOSTS
from tests.lab.orders import Fill, Order
from tests.lab.wire import WireAnswer, WireRequest

JSON = "application/json;charset=UTF-8"
SIGNED_PARAMETERS = frozenset(("timestamp", "recvWindow", "signature"))
DEPTH_WEIGHTS = ((100, 5), (500, 25), (1000, 50))
DEEPEST_WEIGHT = 250

Endpoint = Callable[[BinanceVenue, Call], object]
Weight = Callable[[Call], int]


@dataclass(frozen=True)
class Route:
    """parameters: all that the lab reads, without those of signing: nothing that is sent is passed over.

    None where Binance does not care.
    """

    endpoint: Endpoint
    weight: Weight
    security: Security = Security.NONE
    parameters: frozenset[str] | None = frozenset()


def _always(weight: int) -> Weight:
    return lambda call: weight


def _depth_weight(call: Call) -> int:
    limit = call.integer("limit") or 100
    return next((weight for most, weight in DEPTH_WEIGHTS if limit <= most), DEEPEST_WEIGHT)


def _day_weight(call: Call) -> int:
    names = call.symbols()
    if names is None or len(names) > 100:
        return 80
    return 2 if len(names) <= 20 else 40


def _by_symbol(one: int, otherwise: int) -> Weight:
    return lambda call: one if call.has("symbol") else otherwise


def _trades_weight(call: Call) -> int:
    return 5 if call.has("orderId") else 20


def _route(
    endpoint: Endpoint, weight: int | Weight, parameters: str = "", security: Security = Security.NONE
) -> Route:
    weigh = _always(weight) if isinstance(weight, int) else weight
    return Route(endpoint, weigh, security, frozenset(parameters.split()))


_ORDER = (
    "symbol side type timeInForce quantity quoteOrderQty price newClientOrderId newOrderRespType "
    "selfTradePreventionMode"
)
_CANCEL = "symbol orderId origClientOrderId newClientOrderId cancelRestrictions"
_HISTORY = "symbol orderId startTime endTime limit"
_TICKER = "symbol symbols"
_READ, _TRADE = Security.USER_DATA, Security.TRADE

ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/api/v3/ping"): _route(market_data.ping, 1),
    ("GET", "/api/v3/time"): _route(market_data.server_time, 1),
    ("GET", "/api/v3/exchangeInfo"): _route(
        market_data.exchange_info, 20, "symbol symbols permissions showPermissionSets symbolStatus"
    ),
    ("GET", "/api/v3/depth"): _route(market_data.depth, _depth_weight, "symbol limit"),
    ("GET", "/api/v3/trades"): _route(market_data.trades, 25, "symbol limit"),
    ("GET", "/api/v3/aggTrades"): _route(market_data.agg_trades, 4, "symbol fromId startTime endTime limit"),
    ("GET", "/api/v3/ticker/24hr"): _route(market_data.ticker_24hr, _day_weight, _TICKER + " type"),
    ("GET", "/api/v3/ticker/price"): _route(market_data.ticker_price, _by_symbol(2, 4), _TICKER),
    ("GET", "/api/v3/ticker/bookTicker"): _route(market_data.book_ticker, _by_symbol(2, 4), _TICKER),
    ("POST", "/api/v3/order"): _route(trading.place, 1, _ORDER, _TRADE),
    ("DELETE", "/api/v3/order"): _route(trading.cancel, 1, _CANCEL, _TRADE),
    ("DELETE", "/api/v3/openOrders"): _route(trading.cancel_all, 1, "symbol", _TRADE),
    ("GET", "/api/v3/order"): _route(trading.get_order, 4, "symbol orderId origClientOrderId", _READ),
    ("GET", "/api/v3/openOrders"): _route(trading.open_orders, _by_symbol(6, 80), "symbol", _READ),
    ("GET", "/api/v3/allOrders"): _route(trading.all_orders, 20, _HISTORY, _READ),
    ("GET", "/api/v3/myTrades"): _route(account.my_trades, _trades_weight, _HISTORY + " fromId", _READ),
    ("GET", "/api/v3/account"): _route(account.account, 20, "omitZeroBalances", _READ),
    ("GET", "/sapi/v1/account/apiRestrictions"): Route(
        account.api_restrictions, _always(1), Security.USER_DATA, None
    ),
}


class BinanceDialect:
    venue = "binance"
    hosts = HOSTS["binance"]
    outages = outages

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.keys = KeyRing()
        self.limits = Limits()
        self.binance = BinanceVenue(exchange, self.keys, self.limits)
        self.views, self.races = self.binance.views, self.binance.races
        self.streams = Streams(self.binance)

    def new_login(self, number: int) -> Login:
        return Login(f"LabKey{number}".ljust(64, "k"), f"LabSecret{number}".ljust(64, "s"))

    def order_name(self, order: Order) -> str:
        return str(order.id)

    def trade_name(self, fill: Fill) -> str:
        return str(fill.trade_id)

    def key_of(self, request: WireRequest) -> str | None:
        return request.headers.get("x-mbx-apikey")

    def answer_again(self, request: WireRequest) -> WireAnswer:
        """A request that was delivered a second time on its way: a client id is good only once."""
        self.exchange.refuses_used_ids = True
        try:
            return self.answer(request)
        finally:
            self.exchange.refuses_used_ids = False

    def answer(self, request: WireRequest) -> WireAnswer:
        route = ROUTES.get((request.method, request.path))
        if route is None:
            return WireAnswer(status=404, headers={"Content-Type": "text/html"}, body=b"<html>404</html>")
        headers: dict[str, str] = {"Content-Type": JSON}
        try:
            content = self._answer(route, request, headers)
        except BinanceError as error:
            headers |= error.headers
            return WireAnswer(
                status=error.status, headers=headers, body=_dump({"code": error.code, "msg": error.text})
            )
        return WireAnswer(headers=headers, body=_dump(content))

    def _answer(self, route: Route, request: WireRequest, headers: dict[str, str]) -> object:
        """Headers grow on the way, so that a refused request tells its weight too."""
        family = request.path.split("/")[1]
        call = Call(request)
        headers |= self.binance.weights.charge(request.address, family, route.weight(call))
        _check_names(route, call)
        call.key = authenticate(call, route.security, self.keys, self.exchange.clock)
        content = route.endpoint(self.binance, call)
        if call.key is not None and (request.method, request.path) == ("POST", "/api/v3/order"):
            headers |= self.binance.order_counts.headers(call.key.account)
        return content


def _check_names(route: Route, call: Call) -> None:
    if route.parameters is None:
        return
    allowed = route.parameters | (SIGNED_PARAMETERS if route.security is not Security.NONE else frozenset())
    sent = call.names()
    if not allowed and sent:
        raise BinanceError(-1101, f"Too many parameters; expected '0' and received '{len(sent)}'.")
    if not sent <= allowed:
        read = f"read '{len(sent & allowed)}' parameter(s) but was sent '{len(sent)}'."
        raise BinanceError(-1104, f"Not all sent parameters were read; {read}")


def _dump(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
