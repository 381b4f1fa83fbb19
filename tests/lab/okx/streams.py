"""OKX's WebSockets: /ws/v5/public tells what everybody sees, /ws/v5/private an account's own affairs."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any

from tests.lab.accounts import ApiKey
from tests.lab.conversation import Conversation
from tests.lab.news import BookChanged, Item, OrderChanged
from tests.lab.okx.channels import (
    DEPTHS,
    BookTeller,
    account_news,
    order_news,
    ticker_news,
    trade_news,
)
from tests.lab.okx.errors import OkxError
from tests.lab.okx.payloads import Json, instrument_id
from tests.lab.okx.security import WINDOW_MS, sign
from tests.lab.okx.venue import OkxVenue
from tests.lab.orders import PublicTrade
from tests.lab.wire import Socket, WireRequest

PUBLIC, PRIVATE = "/ws/v5/public", "/ws/v5/private"
PUBLIC_CHANNELS = frozenset((*DEPTHS, "trades", "tickers"))
PRIVATE_CHANNELS = frozenset(("orders", "account"))
LOGIN_TARGET = "GET/users/self/verify"
SILENCE_SECONDS = 30.0


class Streams:
    """silence_seconds: after so long without a word from either side, the venue hangs up."""

    def __init__(self, venue: OkxVenue) -> None:
        self._venue = venue
        self.silence_seconds = SILENCE_SECONDS

    def __call__(self, request: WireRequest, socket: Socket) -> Coroutine[Any, Any, None]:
        return OkxConversation(self._venue, request, socket, self.silence_seconds).run()


class OkxConversation(Conversation):
    def __init__(self, venue: OkxVenue, request: WireRequest, socket: Socket, silence_seconds: float) -> None:
        super().__init__(venue.exchange, socket, silence_seconds)
        self._venue = venue
        self._request = request
        self._key: ApiKey | None = None
        self._topics: dict[tuple[str, str], Json] = {}
        self._books: dict[tuple[str, str], BookTeller] = {}

    def hear(self, text: str) -> None:
        if text == "ping":
            self.outbox.put("pong")
            return
        try:
            for carry_out, argument in self._requests(text):
                carry_out(argument)
        except OkxError as error:
            self._say({"event": "error", "code": error.code, "msg": error.text})

    # --- What the client asks for

    def _requests(self, text: str) -> list[tuple[Callable[[Json], None], Json]]:
        known = {"login": self._login, "subscribe": self._subscribe, "unsubscribe": self._unsubscribe}
        try:
            message = json.loads(text)
            return [(known[message["op"]], dict(argument)) for argument in message["args"]]
        except (ValueError, KeyError, TypeError):
            raise OkxError("60012", f"Illegal request: {text}") from None

    def _login(self, argument: Json) -> None:
        key = self._venue.keys.find(str(argument.get("apiKey", "")))
        written = str(argument.get("timestamp", ""))
        if not written.isdecimal():
            raise OkxError("60004", "Invalid timestamp")
        if key is None or key.is_revoked or not key.admits(self._request.address):
            raise OkxError("60005", "Invalid apiKey")
        if abs(self._venue.now_ms() - int(written) * 1000) > WINDOW_MS:
            raise OkxError("60006", "Timestamp request expired")
        if argument.get("sign") != sign(key.secret, written + LOGIN_TARGET):
            raise OkxError("60007", "Invalid sign")
        if argument.get("passphrase") != key.passphrase:
            raise OkxError("60024", "Wrong passphrase")
        self._key = key
        self._say({"event": "login", "code": "0", "msg": ""})

    def _subscribe(self, argument: Json) -> None:
        topic = self._topic(argument)
        self._topics[topic] = argument
        self._say({"event": "subscribe", "arg": argument})
        channel, instrument = topic
        if channel in DEPTHS:
            market = self._venue.named(instrument)
            self._books[topic] = BookTeller(self._venue, market, channel)
            self.outbox.mark(topic, partial(self._book_texts, topic))
        elif channel == "tickers":
            self.outbox.mark(topic, partial(self._ticker_texts, topic))
        elif channel == "account":
            self.outbox.mark(topic, partial(self._account_texts, "snapshot"))

    def _unsubscribe(self, argument: Json) -> None:
        topic = self._topic(argument)
        self._topics.pop(topic, None)
        self._books.pop(topic, None)
        self._say({"event": "unsubscribe", "arg": argument})

    def _topic(self, argument: Json) -> tuple[str, str]:
        """Channel and instrument; an account's channels have none."""
        channel, instrument = str(argument.get("channel", "")), str(argument.get("instId", ""))
        here = {PUBLIC: PUBLIC_CHANNELS, PRIVATE: PRIVATE_CHANNELS}.get(self._request.path, frozenset())
        try:
            if channel not in here:
                raise OkxError("60018", "")
            if instrument:
                self._venue.named(instrument)
        except OkxError:
            what = f"channel:{channel},instId:{instrument}"
            raise OkxError(
                "60018", f"Wrong URL or {what} doesn't exist. Please use the correct URL."
            ) from None
        if channel in PRIVATE_CHANNELS and self._key is None:
            raise OkxError("60011", "Please log in")
        return channel, "" if channel in PRIVATE_CHANNELS else instrument

    # --- What it is told

    def listen(self, item: Item) -> None:
        if isinstance(item, OrderChanged):
            self._hear_of_order(item)
        elif isinstance(item, BookChanged):
            name = instrument_id(item.symbol)
            for topic in [topic for topic in self._books if topic[1] == name]:
                self.outbox.mark(topic, partial(self._book_texts, topic))
            self._hear_of_ticker(name)
        else:
            self._hear_of_trade(item)

    def _hear_of_trade(self, trade: PublicTrade) -> None:
        topic = ("trades", instrument_id(trade.symbol))
        if topic in self._topics:
            self.outbox.put(self._pushed(topic, trade_news(trade)))

    def _hear_of_ticker(self, name: str) -> None:
        topic = ("tickers", name)
        if topic in self._topics:
            self.outbox.mark(topic, partial(self._ticker_texts, topic))

    def _hear_of_order(self, change: OrderChanged) -> None:
        if self._key is None or change.order.account != self._key.account:
            return
        if ("orders", "") in self._topics:
            market = self._venue.exchange.market(change.order.symbol)
            row = order_news(market, change.order, change.trade)
            self.outbox.put(self._pushed(("orders", ""), row))
        if ("account", "") in self._topics:
            self.outbox.mark(("account", ""), partial(self._account_texts, "event_update"))

    def _book_texts(self, topic: tuple[str, str]) -> Iterator[str]:
        teller = self._books.get(topic)
        news = teller.news() if teller is not None else None
        if news is not None:
            action, data = news
            yield self._pushed(topic, data, **({"action": action} if topic[0] == "books" else {}))

    def _ticker_texts(self, topic: tuple[str, str]) -> Iterator[str]:
        if topic in self._topics:
            yield self._pushed(topic, ticker_news(self._venue.named(topic[1]), self._venue.now_ms()))

    def _account_texts(self, event: str) -> Iterator[str]:
        if self._key is not None and ("account", "") in self._topics:
            row = account_news(self._venue, self._key)
            yield self._pushed(("account", ""), row, eventType=event, curPage=1, lastPage=True)

    def _pushed(self, topic: tuple[str, str], row: Json, **more: object) -> str:
        return json.dumps({"arg": self._topics[topic], **more, "data": [row]}, separators=(",", ":"))

    def _say(self, message: Json) -> None:
        self.outbox.put(json.dumps(message | {"connId": f"{id(self) & 0xFFFFFFFF:08x}"}))
