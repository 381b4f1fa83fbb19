"""The methods, what they cost and which right they need; every request comes in and goes out here."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.lab.accounts import Login
from tests.lab.exchange import Exchange
from tests.lab.hosts import HOSTS
from tests.lab.kraken import account, market_data, trading
from tests.lab.kraken.call import Call
from tests.lab.kraken.errors import KrakenError
from tests.lab.kraken.names import order_id, trade_id
from tests.lab.kraken.outages import JSON, KrakenOutages, refusal
from tests.lab.kraken.security import Right
from tests.lab.kraken.streams import Streams
from tests.lab.kraken.venue import KrakenVenue
from tests.lab.orders import Fill, Order
from tests.lab.wire import WireAnswer, WireRequest

Endpoint = Callable[[KrakenVenue, Call], object]
PUBLIC, PRIVATE = "/0/public/", "/0/private/"


@dataclass(frozen=True)
class Method:
    """cost: of the key's counter; placing and cancelling have counters of their own."""

    endpoint: Endpoint
    right: Right
    cost: float = 1


PUBLIC_METHODS: dict[str, Endpoint] = {
    "Time": market_data.server_time,
    "SystemStatus": market_data.system_status,
    "Assets": market_data.assets,
    "AssetPairs": market_data.asset_pairs,
    "Ticker": market_data.ticker,
    "Depth": market_data.depth,
    "Trades": market_data.trades,
}
PRIVATE_METHODS = {
    "Balance": Method(account.balance, Right.FUNDS),
    "BalanceEx": Method(account.balance_ex, Right.FUNDS),
    "OpenOrders": Method(account.open_orders, Right.OPEN),
    "ClosedOrders": Method(account.closed_orders, Right.CLOSED),
    "QueryOrders": Method(account.query_orders, Right.OPEN),
    "TradesHistory": Method(account.trades_history, Right.CLOSED, cost=2),
    "QueryTrades": Method(account.query_trades, Right.CLOSED),
    "GetApiKeyInfo": Method(account.api_key_info, Right.NONE),
    "GetWebSocketsToken": Method(account.websockets_token, Right.STREAMS),
    "AddOrder": Method(trading.add_order, Right.MODIFY, cost=0),
    "CancelOrder": Method(trading.cancel_order, Right.CLOSE, cost=0),
}


class KrakenDialect:
    venue = "kraken"
    hosts = HOSTS["kraken"]

    def __init__(self, exchange: Exchange) -> None:
        exchange.fees_in_quote = True
        self.exchange = exchange
        self.kraken = KrakenVenue(exchange)
        self.keys, self.limits = self.kraken.keys, self.kraken.limits
        self.views, self.races = self.kraken.views, self.kraken.races
        self.outages = KrakenOutages()
        self.streams = Streams(self.kraken)

    def new_login(self, number: int) -> Login:
        """A key of 56 characters and a secret of 88, both base64."""
        seed = hashlib.sha512(f"lab key {number}".encode()).digest()
        key = base64.b64encode(seed[:42]).decode()
        return Login(key, base64.b64encode(hashlib.sha512(seed).digest()).decode())

    def order_name(self, order: Order) -> str:
        return order_id(self.exchange, order)

    def trade_name(self, fill: Fill) -> str:
        return trade_id(self.exchange, fill)

    def key_of(self, request: WireRequest) -> str | None:
        return request.headers.get("api-key")

    def answer_again(self, request: WireRequest) -> WireAnswer:
        """A nonce is good only once."""
        return self.answer(request)

    def answer(self, request: WireRequest) -> WireAnswer:
        try:
            content = self._answer(request)
        except KrakenError as error:
            return refusal(error.text)
        body = json.dumps({"error": [], "result": content}, separators=(",", ":"))
        return WireAnswer(headers={"Content-Type": JSON}, body=body.encode())

    def _answer(self, request: WireRequest) -> object:
        call = Call(request)
        if request.path.startswith(PUBLIC):
            return self._answer_anybody(call, request.path.removeprefix(PUBLIC))
        method = PRIVATE_METHODS.get(request.path.removeprefix(PRIVATE))
        if method is None or request.method != "POST":
            raise KrakenError("EGeneral:Unknown method")
        call.key = self.kraken.gatekeeper.admit(call, method.right)
        if method.cost:
            self.kraken.counters.count_private(call.key.key, method.cost)
        return method.endpoint(self.kraken, call)

    def _answer_anybody(self, call: Call, name: str) -> object:
        endpoint = PUBLIC_METHODS.get(name)
        if endpoint is None:
            raise KrakenError("EGeneral:Unknown method")
        self.kraken.counters.count_public(call.request.address, f"{name} {call.text('pair')}")
        return endpoint(self.kraken, call)
