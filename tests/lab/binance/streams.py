"""Binance's WebSockets: market streams at stream.binance.com, and an account's events by the WebSocket API.

Source: web-socket-streams.md, web-socket-api.md and user-data-stream.md of
github.com/binance/binance-spot-api-docs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from tests.lab.accounts import ApiKey
from tests.lab.binance.call import Call
from tests.lab.binance.errors import BinanceError
from tests.lab.binance.events import (
    DepthTeller,
    account_position,
    execution_report,
    partial_book,
    ticker_event,
    touch_event,
    trade_event,
)
from tests.lab.binance.payloads import Json, symbol_id
from tests.lab.binance.security import Security, authenticate
from tests.lab.binance.venue import BinanceVenue
from tests.lab.conversation import Conversation, HangUp
from tests.lab.market import LabMarket
from tests.lab.news import BookChanged, Item, OrderChanged
from tests.lab.wire import Socket, WireRequest

API_PATH = "/ws-api/v3"
STREAM = re.compile(
    r"(?P<symbol>[a-z0-9]+)@(?P<kind>trade|ticker|miniTicker|bookTicker|depth(?P<levels>5|10|20)?)(@100ms)?"
)
MOST_STREAMS = 1024
MESSAGES_PER_SECOND = 5
SUBSCRIBE_METHOD = "userDataStream.subscribe.signature"


class Streams:
    def __init__(self, venue: BinanceVenue) -> None:
        self._venue = venue

    def __call__(self, request: WireRequest, socket: Socket) -> Coroutine[Any, Any, None]:
        speaks = UserStream if request.path == API_PATH else MarketStreams
        return speaks(self._venue, request, socket).run()


class MarketStreams(Conversation):
    """At /ws what happens comes as it is, at /stream with the name of its stream."""

    def __init__(self, venue: BinanceVenue, request: WireRequest, socket: Socket) -> None:
        super().__init__(venue.exchange, socket)
        self._venue = venue
        self._is_combined = request.path.startswith("/stream")
        self._tellers: dict[str, Callable[[], Json | None]] = {}
        self._heard_in: dict[int, int] = {}
        for name in _named_in_url(request):
            self._subscribe(name)

    def hear(self, text: str) -> None:
        self._count_message()
        request: dict[str, Any] = {}
        try:
            request = json.loads(text)
            for name in request["params"]:
                {"SUBSCRIBE": self._subscribe, "UNSUBSCRIBE": self._unsubscribe}[request["method"]](name)
        except (ValueError, KeyError, TypeError, AttributeError):
            error = {"code": 2, "msg": "Invalid request: invalid stream"}
            self._say({"error": error, "id": request.get("id") if isinstance(request, dict) else None})
            return
        self._say({"result": None, "id": request.get("id")})

    def listen(self, item: Item) -> None:
        if isinstance(item, OrderChanged):
            return
        prefix = self._market_name(item.symbol).lower() + "@"
        for name in [name for name in self._tellers if name.startswith(prefix)]:
            is_of_trades = name.endswith("@trade")
            if isinstance(item, BookChanged) and not is_of_trades:
                self.outbox.mark(name, partial(self._texts, name))
            elif not isinstance(item, BookChanged) and is_of_trades:
                event = trade_event(item, self._market_name(item.symbol), self._venue.now_ms())
                self.outbox.put(self._pushed(name, event))

    def _subscribe(self, name: str) -> None:
        """Raises KeyError where there is no such stream."""
        found = STREAM.fullmatch(name)
        if found is None or len(self._tellers) >= MOST_STREAMS:
            raise KeyError(name)
        self._tellers[name] = self._teller(found)

    def _teller(self, found: re.Match[str]) -> Callable[[], Json | None]:
        market = self._market(found["symbol"])
        kind, levels = found["kind"], found["levels"]
        if levels is not None:
            return lambda: partial_book(market.display.shown(market.update_id), int(levels))
        if kind == "depth":
            depth = DepthTeller(market)
            return lambda: depth.news(self._venue.now_ms())
        if kind in ("ticker", "miniTicker"):
            return lambda: ticker_event(market, self._venue.now_ms(), is_mini=kind == "miniTicker")
        return lambda: touch_event(market) if kind == "bookTicker" else None

    def _unsubscribe(self, name: str) -> None:
        self._tellers.pop(name, None)

    def _texts(self, name: str) -> Iterator[str]:
        event = self._tellers[name]() if name in self._tellers else None
        if event is not None:
            yield self._pushed(name, event)

    def _pushed(self, name: str, event: Json) -> str:
        return _dump({"stream": name, "data": event} if self._is_combined else event)

    def _say(self, message: Json) -> None:
        self.outbox.put(_dump(message))

    def _market(self, lower: str) -> LabMarket:
        for market in self._venue.exchange.markets.values():
            if symbol_id(market.rules).lower() == lower:
                return market
        raise KeyError(lower)

    def _market_name(self, symbol: str) -> str:
        return symbol_id(self._venue.exchange.market(symbol).rules)

    def _count_message(self) -> None:
        """Who says more in a second is cut off."""
        second = self._venue.now_ms() // 1000
        self._heard_in = {second: self._heard_in.get(second, 0) + 1}
        if self._heard_in[second] > MESSAGES_PER_SECOND:
            raise HangUp


class UserStream(Conversation):
    """Of the account whose key signed the subscription."""

    def __init__(self, venue: BinanceVenue, request: WireRequest, socket: Socket) -> None:
        super().__init__(venue.exchange, socket)
        self._venue = venue
        self._request = request
        self._key: ApiKey | None = None

    def hear(self, text: str) -> None:
        try:
            message = json.loads(text)
            method, params = message["method"], dict(message.get("params") or {})
        except (ValueError, KeyError, TypeError):
            self._refuse(None, BinanceError(-1135, "Invalid JSON Request"))
            return
        try:
            if method != SUBSCRIBE_METHOD:
                raise BinanceError(-1020, "Unsupported operation.")
            self._key = self._authenticated(params)
        except BinanceError as error:
            self._refuse(message.get("id"), error)
            return
        self._say({"id": message.get("id"), "status": 200, "result": {"subscriptionId": 0}})

    def listen(self, item: Item) -> None:
        if not isinstance(item, OrderChanged) or self._key is None:
            return
        if item.order.account == self._key.account:
            market = self._venue.exchange.market(item.order.symbol)
            self._tell(execution_report(item, market, self._venue.now_ms()))
            self.outbox.mark(item.order.symbol, partial(self._position_texts, market))

    def _authenticated(self, params: Json) -> ApiKey | None:
        """Signed as a REST request whose parameters are in the order of their names."""
        query = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
        headers = {"x-mbx-apikey": str(params.get("apiKey", ""))}
        call = Call(replace(self._request, method="GET", query=query, body=b"", headers=headers))
        return authenticate(call, Security.USER_DATA, self._venue.keys, self._venue.exchange.clock)

    def _position_texts(self, market: LabMarket) -> Iterator[str]:
        """After the order's own event; the currency that pays commissions may be a third one."""
        if self._key is None:
            return
        account = self._venue.exchange.accounts[self._key.account]
        currencies = {market.rules.base, market.rules.quote} | {account.fees.currency or market.rules.base}
        holdings = self._venue.exchange.ledger.holdings(self._key.account)
        event = account_position(holdings, currencies, self._venue.now_ms())
        yield _dump({"subscriptionId": 0, "event": event})

    def _tell(self, event: Json) -> None:
        self.outbox.put(_dump({"subscriptionId": 0, "event": event}))

    def _refuse(self, request_id: object, error: BinanceError) -> None:
        problem = {"code": error.code, "msg": error.text}
        self._say({"id": request_id, "status": error.status, "error": problem})

    def _say(self, message: Json) -> None:
        self.outbox.put(_dump(message))


def _named_in_url(request: WireRequest) -> list[str]:
    """/ws/one, /stream?streams=one/two; a last part without @ names no stream."""
    names = request.path.split("/")[2:]
    if request.query.startswith("streams="):
        names += request.query.removeprefix("streams=").split("/")
    return [name for name in names if STREAM.fullmatch(name)]


def _dump(content: object) -> str:
    return json.dumps(content, separators=(",", ":"))
