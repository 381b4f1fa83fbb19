"""Kraken's WebSockets, version 2: ws.kraken.com tells what everybody sees, ws-auth.kraken.com one's own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any

from tests.lab.accounts import ApiKey
from tests.lab.conversation import Conversation, HangUp
from tests.lab.exchange import Exchange
from tests.lab.kraken.channels import (
    SNAPSHOT_TRADES,
    BookTeller,
    execution_rows,
    fill_row,
    order_row,
    stamp,
    ticker_row,
    trade_row,
    written,
)
from tests.lab.kraken.errors import KrakenError
from tests.lab.kraken.payloads import Json
from tests.lab.kraken.venue import KrakenVenue
from tests.lab.market import LabMarket
from tests.lab.news import BookChanged, Item, OrderChanged
from tests.lab.orders import PublicTrade
from tests.lab.wire import Socket, WireRequest

PATH = "/v2"
PRIVATE_HOST = "ws-auth.kraken.com"
PUBLIC_CHANNELS, PRIVATE_CHANNELS = ("book", "trade", "ticker"), ("executions",)
EXECUTIONS = ("executions", "")
DEPTHS = (10, 25, 100, 500, 1000)
HEARTBEAT_SECONDS = 1.0


class Streams:
    """heartbeat_seconds: how often a listener is told that the connection lives."""

    def __init__(self, venue: KrakenVenue) -> None:
        self._venue = venue
        self.heartbeat_seconds = HEARTBEAT_SECONDS

    def __call__(self, request: WireRequest, socket: Socket) -> Coroutine[Any, Any, None]:
        return KrakenConversation(self._venue, request, socket, self.heartbeat_seconds).run()


class KrakenConversation(Conversation):
    def __init__(self, venue: KrakenVenue, request: WireRequest, socket: Socket, heartbeat: float) -> None:
        super().__init__(venue.exchange, socket)
        self._venue = venue
        self._request = request
        self._heartbeat_seconds = heartbeat
        self._owner: ApiKey | None = None
        self._sequence = 0
        # By channel and symbol: what is asked for, with the options it was asked for with.
        self._topics: dict[tuple[str, str], Json] = {}
        self._books: dict[str, BookTeller] = {}

    async def run(self) -> None:
        if self._request.path != PATH:
            return
        self._put("status", "update", {"system": "online", "api_version": "v2", "version": "2.0.10"})
        beating = asyncio.create_task(self._beat())
        try:
            await super().run()
        finally:
            beating.cancel()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat_seconds)
            if self._topics:
                self.outbox.put('{"channel":"heartbeat"}')

    # --- What the client asks for

    def hear(self, text: str) -> None:
        known = {"ping": self._ping, "subscribe": self._subscribe, "unsubscribe": self._unsubscribe}
        try:
            message = json.loads(text)
            carry_out, given = known[message["method"]], dict(message.get("params") or {})
        except (ValueError, KeyError, TypeError, AttributeError):
            self._say({"error": "Malformed request", "success": False})
            return
        named = {name: message[name] for name in ("method", "req_id") if name in message}
        symbols = given.get("symbol")
        for symbol in symbols if isinstance(symbols, list) else [""]:
            self._answer(carry_out, given | {"symbol": str(symbol)}, named)

    def _answer(self, carry_out: Callable[[Json], Json], given: Json, named: Json) -> None:
        """Each symbol is answered for itself; what it is told first follows."""
        try:
            self._say(named | carry_out(given))
        except KrakenError as error:
            about = {"symbol": given["symbol"]} if given["symbol"] else {}
            self._say(named | {"error": error.text, "success": False} | about)
            return
        if named["method"] == "subscribe":
            self._begin(self._topic(given), given)

    def _ping(self, given: Json) -> Json:
        return {"method": "pong"}

    def _subscribe(self, given: Json) -> Json:
        topic = self._topic(given)
        if topic in self._topics:
            raise KrakenError(f"Already subscribed to {' '.join(filter(None, topic))}")
        if topic[0] == "book" and given.get("depth", DEPTHS[0]) not in DEPTHS:
            raise KrakenError("Subscription depth not supported")
        self._topics[topic] = {name: given[name] for name in given if name not in ("token", "symbol")}
        symbol = {"symbol": topic[1]} if topic[1] else {}
        return {"result": self._topics[topic] | symbol, "success": True}

    def _unsubscribe(self, given: Json) -> Json:
        topic = self._topic(given)
        if self._topics.pop(topic, None) is None:
            raise KrakenError("Subscription Not Found")
        if topic[0] == "book":
            del self._books[topic[1]]
        return {"result": {"channel": topic[0]}, "success": True}

    def _topic(self, given: Json) -> tuple[str, str]:
        """Channel and symbol; an account's channels have none."""
        channel, symbol = str(given.get("channel", "")), str(given.get("symbol", ""))
        is_private = self._request.host == PRIVATE_HOST
        if channel not in (PRIVATE_CHANNELS if is_private else PUBLIC_CHANNELS):
            raise KrakenError(f"Channel {channel} not supported here")
        if is_private:
            self._owner = self._venue.tokens.owner(str(given.get("token", "")))
            return channel, ""
        if symbol not in self._venue.exchange.markets:
            raise KrakenError(f"Currency pair not supported {symbol}")
        return channel, symbol

    # --- What it is told first

    def _begin(self, topic: tuple[str, str], given: Json) -> None:
        begin = {"book": self._start_book, "ticker": self._start_ticker, "trade": self._start_trades}
        begin.get(topic[0], self._start_executions)(topic, given)

    def _start_book(self, topic: tuple[str, str], given: Json) -> None:
        depth = int(str(given.get("depth", DEPTHS[0])))
        self._books[topic[1]] = BookTeller(self._venue, self._market(topic), depth)
        self.outbox.mark(topic, partial(self._book_texts, topic[1]))

    def _start_ticker(self, topic: tuple[str, str], given: Json) -> None:
        self._put("ticker", "snapshot", ticker_row(self._market(topic), self._venue.now_ms()))

    def _start_trades(self, topic: tuple[str, str], given: Json) -> None:
        market = self._market(topic)
        if given.get("snapshot") is True:
            self._put(
                "trade", "snapshot", *(trade_row(market.rules, t) for t in market.trades[-SNAPSHOT_TRADES:])
            )

    def _start_executions(self, topic: tuple[str, str], given: Json) -> None:
        rows: list[Json] = []
        if self._owner is not None and given.get("snap_trades") is True:
            rows += self._latest_fills(self._venue.exchange, self._owner.account)
        if self._owner is not None and given.get("snap_orders", True) is True:
            open_orders = self._venue.exchange.open_orders(self._owner.account)
            rows += [order_row(self._venue, order) for order in open_orders]
        self._put_execution("snapshot", *rows)

    def _latest_fills(self, exchange: Exchange, account: str) -> list[Json]:
        fills = exchange.fills(account)[-SNAPSHOT_TRADES:]
        orders = [exchange.market(fill.symbol).orders[fill.order_id] for fill in fills]
        return [fill_row(self._venue, order, fill) for order, fill in zip(orders, fills, strict=True)]

    # --- What it is told then

    def listen(self, item: Item) -> None:
        if isinstance(item, OrderChanged):
            self._hear_of_order(item)
        elif isinstance(item, BookChanged):
            if item.symbol in self._books:
                self.outbox.mark(("book", item.symbol), partial(self._book_texts, item.symbol))
            if self._topics.get(("ticker", item.symbol), {}).get("event_trigger") == "bbo":
                self._mark_ticker(item.symbol)
        else:
            self._hear_of_trade(item)

    def _hear_of_trade(self, trade: PublicTrade) -> None:
        if ("trade", trade.symbol) in self._topics:
            rules = self._venue.exchange.market(trade.symbol).rules
            self._put("trade", "update", trade_row(rules, trade))
        if ("ticker", trade.symbol) in self._topics:
            self._mark_ticker(trade.symbol)

    def _mark_ticker(self, symbol: str) -> None:
        self.outbox.mark(("ticker", symbol), partial(self._ticker_texts, symbol))

    def _hear_of_order(self, change: OrderChanged) -> None:
        if self._owner is None or EXECUTIONS not in self._topics:
            return
        if change.order.account != self._owner.account:
            return
        if self._owner.is_revoked:
            raise HangUp
        for row in execution_rows(self._venue, change.order, change.event, change.trade):
            self._put_execution("update", row)

    def _book_texts(self, symbol: str) -> Iterator[str]:
        teller = self._books.get(symbol)
        news = teller.news() if teller is not None else None
        if news is not None:
            kind, data = news
            yield written({"channel": "book", "type": kind, "data": [data]})

    def _ticker_texts(self, symbol: str) -> Iterator[str]:
        if ("ticker", symbol) in self._topics:
            row = ticker_row(self._venue.exchange.market(symbol), self._venue.now_ms())
            yield written({"channel": "ticker", "type": "update", "data": [row]})

    def _market(self, topic: tuple[str, str]) -> LabMarket:
        return self._venue.exchange.market(topic[1])

    def _put_execution(self, kind: str, *rows: Json) -> None:
        self._sequence += 1
        message = {"channel": "executions", "type": kind, "data": list(rows), "sequence": self._sequence}
        self.outbox.put(written(message))

    def _put(self, channel: str, kind: str, *rows: Json) -> None:
        self.outbox.put(written({"channel": channel, "type": kind, "data": list(rows)}))

    def _say(self, message: Json) -> None:
        now = stamp(self._venue.now_ms())
        self.outbox.put(written(message | {"time_in": now, "time_out": now}))
