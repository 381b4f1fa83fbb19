"""What Binance's streams tell: changes of books, trades, tickers, and what happens to an account's orders.

Source: web-socket-streams.md and user-data-stream.md of github.com/binance/binance-spot-api-docs.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping

from tests.lab.binance.market_data import day_of, touch_of
from tests.lab.binance.payloads import ORDER_TYPES, Json, fixed, status_of, symbol_id
from tests.lab.display import Levels, ShownBook, changes_between
from tests.lab.journal import Event
from tests.lab.ledger import Holding
from tests.lab.market import LabMarket
from tests.lab.news import OrderChanged
from tests.lab.orders import ZERO, Fill, Order, PublicTrade, Side, State

NO_TRADE = -1
_EXECUTIONS = {
    Event.ACCEPTED: "NEW",
    Event.FILLED: "TRADE",
    Event.CANCELED: "CANCELED",
    Event.EXPIRED: "EXPIRED",
}
# The letters of a ticker's event, and what REST calls the same.
_TICKER = {
    "p": "priceChange", "P": "priceChangePercent", "w": "weightedAvgPrice", "x": "prevClosePrice",
    "c": "lastPrice", "Q": "lastQty", "b": "bidPrice", "B": "bidQty", "a": "askPrice", "A": "askQty",
    "o": "openPrice", "h": "highPrice", "l": "lowPrice", "v": "volume", "q": "quoteVolume", "O": "openTime",
    "C": "closeTime", "F": "firstId", "L": "lastId", "n": "count",
}  # fmt: skip
_MINI_TICKER = "cohlvq"


class DepthTeller:
    """The changes of one market's book since it was told last; there is no snapshot but that of REST."""

    def __init__(self, market: LabMarket) -> None:
        self._market = market
        self._told = market.display.shown(market.update_id)

    def news(self, now_ms: int) -> Json | None:
        """None where the book is as it was."""
        book = self._market.display.shown(self._market.update_id)
        bids, asks = changes_between(self._told.bids, book.bids), changes_between(self._told.asks, book.asks)
        if not bids and not asks:
            return None
        first, self._told = self._told.update_id + 1, book
        return {
            "e": "depthUpdate",
            "E": now_ms,
            "s": symbol_id(self._market.rules),
            "U": first,
            "u": book.update_id,
            "b": _levels(bids),
            "a": _levels(asks),
        }


def partial_book(book: ShownBook, depth: int) -> Json:
    return {
        "lastUpdateId": book.update_id,
        "bids": _levels(book.bids[:depth]),
        "asks": _levels(book.asks[:depth]),
    }


def trade_event(trade: PublicTrade, name: str, now_ms: int) -> Json:
    """name: the symbol's."""
    return {
        "e": "trade",
        "E": now_ms,
        "s": name,
        "t": trade.id,
        "p": fixed(trade.price),
        "q": fixed(trade.amount),
        "T": trade.time_ms,
        "m": trade.taker_side is Side.SELL,
        "M": True,
    }


def ticker_event(market: LabMarket, now_ms: int, *, is_mini: bool) -> Json:
    day, wanted = day_of(market, now_ms), _MINI_TICKER if is_mini else _TICKER
    letters = {letter: day[_TICKER[letter]] for letter in wanted}
    name = "24hrMiniTicker" if is_mini else "24hrTicker"
    return {"e": name, "E": now_ms, "s": symbol_id(market.rules), **letters}


def touch_event(market: LabMarket) -> Json:
    touch = touch_of(market)
    return {
        "u": market.display.shown(market.update_id).update_id,
        "s": symbol_id(market.rules),
        "b": touch["bidPrice"],
        "B": touch["bidQty"],
        "a": touch["askPrice"],
        "A": touch["askQty"],
    }


def execution_report(change: OrderChanged, market: LabMarket, now_ms: int) -> Json:
    order = change.order
    fill = _last_fill(market, order) if change.trade is not None else None
    is_cancel = change.event is Event.CANCELED
    return {
        "e": "executionReport",
        "E": now_ms,
        "s": symbol_id(market.rules),
        # A cancel has a client id of its own; the order's stands in C then.
        "c": secrets.token_urlsafe(16) if is_cancel else order.client_id,
        "S": order.side.upper(),
        "o": ORDER_TYPES[order.ticket.kind],
        "f": order.ticket.time_in_force.upper(),
        "q": fixed(order.amount),
        "p": fixed(order.price or ZERO),
        "P": "0.00000000",
        "F": "0.00000000",
        "g": -1,
        "C": order.client_id if is_cancel else "",
        "x": _execution(change),
        "X": _status(order),
        "r": "NONE",
        "i": order.id,
        "z": fixed(order.filled),
        "Z": fixed(order.cost),
        "Q": fixed(order.ticket.budget or ZERO),
        "O": order.time_ms,
        "T": order.update_ms,
        "I": order.sequence,
        "w": order.is_open and order.remaining > 0,
        "M": fill is not None,
        "W": order.time_ms,
        "V": order.ticket.self_trade.name,
        **_execution_of(fill),
    }


def account_position(holdings: Mapping[str, Holding], currencies: Iterable[str], now_ms: int) -> Json:
    """Of the currencies that may have changed."""
    nothing = Holding(ZERO, ZERO)
    held = {name: holdings.get(name, nothing) for name in sorted(currencies)}
    return {
        "e": "outboundAccountPosition",
        "E": now_ms,
        "u": now_ms,
        "B": [{"a": name, "f": fixed(of.free), "l": fixed(of.used)} for name, of in held.items()],
    }


def _execution(change: OrderChanged) -> str:
    if change.order.state is State.SELF_TRADE:
        return "TRADE_PREVENTION"
    return _EXECUTIONS[change.event]


def _status(order: Order) -> str:
    if order.is_open and order.filled and order.remaining == 0:
        return "FILLED"  # it will be, as soon as it is off the book
    return status_of(order)


def _execution_of(fill: Fill | None) -> Json:
    if fill is None:
        nothing = "0.00000000"
        return {"l": nothing, "L": nothing, "Y": nothing, "n": "0", "N": None, "t": NO_TRADE, "m": False}
    return {
        "l": fixed(fill.amount),
        "L": fixed(fill.price),
        "Y": fixed(fill.cost),
        "n": fixed(fill.fee),
        "N": fill.fee_currency,
        "t": fill.trade_id,
        "m": fill.is_maker,
    }


def _last_fill(market: LabMarket, order: Order) -> Fill:
    return next(fill for fill in reversed(market.fills_of(order.account)) if fill.order_id == order.id)


def _levels(levels: Levels) -> list[list[str]]:
    return [[fixed(price), fixed(amount)] for price, amount in levels]
