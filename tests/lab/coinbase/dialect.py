"""The routes and their parameters; every request comes in and goes out here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.lab.accounts import KeyRing, Login
from tests.lab.coinbase import account, market_data, outages, placing, trading
from tests.lab.coinbase.call import Call
from tests.lab.coinbase.errors import JSON, CoinbaseError, dump
from tests.lab.coinbase.limits import Limits, Meter
from tests.lab.coinbase.logins import ecdsa_login
from tests.lab.coinbase.names import order_id, trade_id
from tests.lab.coinbase.streams import Streams
from tests.lab.coinbase.tokens import authenticate, named_key
from tests.lab.coinbase.venue import CoinbaseVenue
from tests.lab.exchange import Exchange
from tests.lab.hosts import HOSTS
from tests.lab.orders import Fill, Order
from tests.lab.wire import WireAnswer, WireRequest

Endpoint = Callable[[CoinbaseVenue, Call], object]


@dataclass(frozen=True)
class Route:
    """path: with one group for what it leaves open; parameters: all that the lab reads.

    trades: it needs the right to trade, and not only that to look.
    """

    method: str
    path: re.Pattern[str]
    endpoint: Endpoint
    parameters: frozenset[str]
    is_private: bool = True
    trades: bool = False


def _private(
    method: str, path: str, endpoint: Endpoint, parameters: str = "", *, trades: bool = False
) -> Route:
    whole = re.compile(f"/api/v3/brokerage/{path}")
    return Route(method, whole, endpoint, frozenset(parameters.split()), trades=trades)


def _public(path: str, endpoint: Endpoint, parameters: str = "") -> Route:
    return Route("GET", re.compile(path), endpoint, frozenset(parameters.split()), is_private=False)


_PRODUCTS, _BOOK, _TICKER = "product_type product_ids", "product_id limit", "limit start end"
_ORDER = "client_order_id product_id side order_configuration"
_ORDERS = (
    "order_ids product_ids product_id order_status order_side start_date end_date limit cursor product_type"
)
_FILLS = (
    "order_ids order_id trade_ids product_ids product_id start_sequence_timestamp end_sequence_timestamp "
    "limit cursor"
)
_MARKET = "/api/v3/brokerage/market"
_NAME = "([A-Z0-9-]+)"

ROUTES = (
    _public("/v2/time", market_data.v2_time),
    _public("/api/v3/brokerage/time", market_data.server_time),
    _public(f"{_MARKET}/products", market_data.products, _PRODUCTS),
    _public(f"{_MARKET}/products/{_NAME}", market_data.one_product),
    _public(f"{_MARKET}/products/{_NAME}/ticker", market_data.ticker, _TICKER),
    _public(f"{_MARKET}/product_book", market_data.product_book, _BOOK),
    _private("GET", "products", market_data.products, _PRODUCTS),
    _private("GET", f"products/{_NAME}", market_data.one_product),
    _private("GET", f"products/{_NAME}/ticker", market_data.ticker, _TICKER),
    _private("GET", "product_book", market_data.product_book, _BOOK),
    _private("GET", "best_bid_ask", market_data.best_bid_ask, "product_ids"),
    _private("GET", "accounts", account.accounts, "limit cursor"),
    _private("GET", "key_permissions", account.key_permissions),
    _private("GET", "transaction_summary", account.transaction_summary),
    _private("POST", "orders", placing.create, _ORDER, trades=True),
    _private("POST", "orders/batch_cancel", trading.batch_cancel, "order_ids", trades=True),
    _private("GET", "orders/historical/batch", trading.list_orders, _ORDERS),
    _private("GET", "orders/historical/fills", account.fills, _FILLS),
    _private("GET", "orders/historical/([0-9A-Za-z-]+)", trading.get_order),
)


class CoinbaseDialect:
    venue = "coinbase"
    hosts = HOSTS["coinbase"]
    outages = outages

    def __init__(self, exchange: Exchange) -> None:
        exchange.fees_in_quote = True
        self.exchange = exchange
        self.keys = KeyRing()
        self.limits = Limits()
        self.coinbase = CoinbaseVenue(exchange, self.keys, self.limits)
        self.views, self.races = self.coinbase.views, self.coinbase.races
        self.streams = Streams(self.coinbase)
        self._meter = Meter(exchange.clock)

    def new_login(self, number: int) -> Login:
        return ecdsa_login(number)

    def order_name(self, order: Order) -> str:
        return order_id(order)

    def trade_name(self, fill: Fill) -> str:
        return trade_id(fill.symbol, fill.trade_id)

    def key_of(self, request: WireRequest) -> str | None:
        return named_key(request)

    def answer_again(self, request: WireRequest) -> WireAnswer:
        """A client id leads to its first order, however often it comes."""
        return self.answer(request)

    def answer(self, request: WireRequest) -> WireAnswer:
        headers: dict[str, str] = {}
        try:
            content = self._answer(request, headers)
        except CoinbaseError as error:
            return error.answer(headers)
        return WireAnswer(headers={"Content-Type": JSON, **headers}, body=dump(content))

    def _answer(self, request: WireRequest, headers: dict[str, str]) -> object:
        """Headers grow on the way, so that a refused request tells what is left too."""
        route, rest = _find(request)
        call = Call(request, rest)
        if route.is_private:
            now = self.coinbase.now_ms() // 1000
            call.key = authenticate(request, self.keys, now, trades=route.trades)
            headers |= self._meter.charge("user", call.key.account, self.limits.private_per_second)
        else:
            headers |= self._meter.charge("address", request.address, self.limits.public_per_second)
        call.check_names(route.parameters)
        return route.endpoint(self.coinbase, call)


def _find(request: WireRequest) -> tuple[Route, str]:
    for route in ROUTES:
        found = route.path.fullmatch(request.path)
        if found is not None and route.method == request.method:
            return route, "".join(found.groups())
    raise CoinbaseError(404, "NOT_FOUND", "Not Found")
