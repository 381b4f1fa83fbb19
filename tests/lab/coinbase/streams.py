"""Coinbase's WebSockets: one for what everybody sees, one for an account's orders, which the first tells too.

Source: "Advanced Trade WebSocket" of docs.cdp.coinbase.com: every message of a connection is numbered, in
one sequence over all its channels.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any

from tests.lab.accounts import ApiKey
from tests.lab.coinbase.channels import BookTeller, latest_trades, order_news, ticker_news, trade_news
from tests.lab.coinbase.errors import UnauthorizedError
from tests.lab.coinbase.names import product_id
from tests.lab.coinbase.payloads import Json, moment
from tests.lab.coinbase.tokens import genuine, read
from tests.lab.coinbase.venue import CoinbaseVenue
from tests.lab.conversation import Conversation, HangUp
from tests.lab.journal import Event
from tests.lab.market import LabMarket
from tests.lab.news import BookChanged, Item, OrderChanged
from tests.lab.orders import Order
from tests.lab.wire import Socket, WireRequest

USER_HOST = "advanced-trade-ws-user.coinbase.com"
OF_MARKETS = frozenset(("level2", "market_trades", "ticker"))
CHANNELS = OF_MARKETS | {"heartbeats", "user"}
USER_CHANNELS = frozenset(("heartbeats", "user"))
SPOKEN_AS = {"level2": "l2_data"}
PATIENCE_SECONDS = 5.0
HEARTBEAT_SECONDS = 1.0
ORDERS_AT_ONCE = 50

Events = Callable[[], list[Json]]


class RefusedError(Exception):
    """What the client asked for cannot be."""


class Streams:
    """patience_seconds: who has subscribed to nothing by then is hung up on."""

    def __init__(self, venue: CoinbaseVenue) -> None:
        self._venue = venue
        self.patience_seconds = PATIENCE_SECONDS
        self.heartbeat_seconds = HEARTBEAT_SECONDS

    def __call__(self, request: WireRequest, socket: Socket) -> Coroutine[Any, Any, None]:
        return CoinbaseConversation(self._venue, request, socket, self).run()


class CoinbaseConversation(Conversation):
    def __init__(self, venue: CoinbaseVenue, request: WireRequest, socket: Socket, manners: Streams) -> None:
        super().__init__(venue.exchange, socket, manners.patience_seconds)
        self._venue = venue
        self._request = request
        self._manners = manners
        self._sequence = 0
        self._beats = 0
        self._topics: dict[str, set[str]] = {}
        self._books: dict[str, BookTeller] = {}
        self._key: ApiKey | None = None

    async def run(self) -> None:
        beating = asyncio.create_task(self._beat())
        try:
            await super().run()
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._manners.heartbeat_seconds)
            if "heartbeats" in self._topics:
                self._beats += 1
                beat: Json = {
                    "current_time": moment(self._venue.now_ms()),
                    "heartbeat_counter": self._beats,
                }
                self._tell("heartbeats", lambda beat=beat: [beat])  # type: ignore[misc]

    # --- What the client asks for

    def hear(self, text: str) -> None:
        try:
            message = json.loads(text)
            carry_out = {"subscribe": self._subscribe, "unsubscribe": self._unsubscribe}[message["type"]]
            carry_out(message)
        except RefusedError as refusal:
            self.outbox.put(json.dumps({"type": "error", "message": str(refusal)}))
        except (ValueError, KeyError, TypeError):
            self.outbox.put(json.dumps({"type": "error", "message": "failure to parse message"}))
            raise HangUp from None

    def _subscribe(self, message: Json) -> None:
        channel, names = self._named(message)
        if channel == "user":
            self._key = self._owner(message)
        self._silence_seconds = None  # who has subscribed is not hung up on
        self._patience.reschedule(None)
        fresh = names - self._topics.get(channel, set())
        self._topics.setdefault(channel, set()).update(names)
        self._tell("subscriptions", self._subscriptions)
        if channel == "user":
            self._tell_open_orders()
        for name in sorted(fresh if channel in OF_MARKETS else ()):
            self._begin(channel, self._venue.market(name))

    def _begin(self, channel: str, market: LabMarket) -> None:
        name = product_id(market.rules)
        if channel == "level2":
            self._books[name] = BookTeller(self._venue, market)
            self._tell_book(name)
        elif channel == "market_trades":
            self._tell(channel, lambda: [latest_trades(market)])
        else:
            self._tell_ticker(market, "snapshot")

    def _unsubscribe(self, message: Json) -> None:
        channel, names = self._named(message)
        left = self._topics.get(channel, set()) - names
        if left and names:
            self._topics[channel] = left
        else:
            self._topics.pop(channel, None)
        if channel == "level2":
            self._books = {name: book for name, book in self._books.items() if name in left and names}
        self._tell("subscriptions", self._subscriptions)

    def _named(self, message: Json) -> tuple[str, set[str]]:
        channel, names = message["channel"], set(map(str, _listed(message.get("product_ids"))))
        known = USER_CHANNELS if self._request.host == USER_HOST else CHANNELS
        if channel not in known:
            raise RefusedError(f"channel {channel} is not supported")
        unknown = {name for name in names if self._venue.find_market(name) is None}
        if unknown:
            raise RefusedError(f"{min(unknown)} is not a valid product")
        if channel in OF_MARKETS and not names and message["type"] == "subscribe":
            raise RefusedError("no product_ids were given")
        return str(channel), names

    def _owner(self, message: Json) -> ApiKey:
        try:
            token = read(str(message.get("jwt", "")))
            now = self._venue.now_ms() // 1000
            key = genuine(token, self._venue.keys, now, self._request.address)
        except UnauthorizedError:
            raise RefusedError("authentication failure") from None
        if not key.reading:
            raise RefusedError("authentication failure")
        return key

    # --- What it is told

    def listen(self, item: Item) -> None:
        if isinstance(item, OrderChanged):
            self._hear_of_order(item)
        elif isinstance(item, BookChanged):
            self._tell_book(product_id(self._venue.exchange.market(item.symbol).rules))
        else:
            market = self._venue.exchange.market(item.symbol)
            if self._follows("market_trades", market):
                trade = trade_news(item, market)
                self._tell("market_trades", lambda: [{"type": "update", "trades": [trade]}])
            self._tell_ticker(market, "update")

    def _follows(self, channel: str, market: LabMarket) -> bool:
        return product_id(market.rules) in self._topics.get(channel, ())

    def _tell_book(self, name: str) -> None:
        teller = self._books.get(name)
        if teller is not None:
            self._tell("level2", lambda: _some(teller.news()), once=("level2", name))

    def _tell_ticker(self, market: LabMarket, kind: str) -> None:
        if self._follows("ticker", market):
            news: Events = lambda: [  # noqa: E731 - it is told as it is when its turn comes
                {"type": kind, "tickers": [ticker_news(market, self._venue.now_ms())]}
            ]
            self._tell("ticker", news, once=("ticker", market.rules.symbol))

    def _hear_of_order(self, change: OrderChanged) -> None:
        order, names = change.order, self._topics.get("user")
        if names is None or self._key is None or order.account != self._key.account:
            return
        market = self._venue.exchange.market(order.symbol)
        if names and product_id(market.rules) not in names:
            return
        self._tell_order(order)
        if change.event is Event.ACCEPTED:
            later = self._venue.limits.pending_ms / 1000
            asyncio.get_running_loop().call_later(later, self._tell_order, order)

    def _tell_order(self, order: Order) -> None:
        """Its state now; it is PENDING first, and told again when that is over."""
        self._tell(
            "user",
            lambda: [{"type": "update", "orders": [order_news(self._venue, order)]}],
            once=("user", order.symbol, order.id),
        )

    def _tell_open_orders(self) -> None:
        """In batches, of which the last is not a full one."""
        assert self._key is not None  # it was just found
        orders = self._venue.exchange.open_orders(self._key.account)
        for start in range(0, len(orders) + 1, ORDERS_AT_ONCE):
            rows = [order_news(self._venue, order) for order in orders[start : start + ORDERS_AT_ONCE]]
            self._tell("user", lambda rows=rows: [{"type": "snapshot", "orders": rows}])  # type: ignore[misc]

    def _subscriptions(self) -> list[Json]:
        told = {channel: sorted(names) or [channel] for channel, names in self._topics.items()}
        return [{"subscriptions": told}]

    def _tell(self, channel: str, events: Events, once: object = None) -> None:
        """Numbered as it leaves. once: what is told once, however often it changed by then."""
        self.outbox.mark(once or object(), lambda: self._messages(channel, events()))

    def _messages(self, channel: str, events: list[Json]) -> Iterator[str]:
        if not events:
            return
        envelope = {
            "channel": SPOKEN_AS.get(channel, channel),
            "client_id": "",
            "timestamp": moment(self._venue.now_ms()),
            "sequence_num": self._sequence,
            "events": events,
        }
        self._sequence += 1
        yield json.dumps(envelope, separators=(",", ":"))


def _some(event: Json | None) -> list[Json]:
    return [] if event is None else [event]


def _listed(names: object) -> list[object]:
    return names if isinstance(names, list) else []
