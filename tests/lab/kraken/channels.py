"""What Kraken's channels tell: books as a snapshot and what changed since, trades, tickers, executions.

Source: "Spot WebSocket v2" and "Book checksum (WebSocket v2)" of its documentation.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from tests.lab.display import ShownBook
from tests.lab.journal import Event
from tests.lab.kraken.names import order_id, trade_id
from tests.lab.kraken.payloads import Json, decimals
from tests.lab.kraken.venue import KrakenVenue
from tests.lab.market import LabMarket
from tests.lab.orders import ZERO, Fill, Kind, Order, PublicTrade
from tests.lab.rules import MarketRules

CHECKED = 10
DAY_MS = 86_400_000
SNAPSHOT_TRADES = 50

Levels = Sequence[tuple[Decimal, Decimal]]


def written(value: object) -> str:
    """JSON with numbers to their last digit: Kraken writes prices and amounts with all their places."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{written(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return json.dumps(value)


def stamp(time_ms: int) -> str:
    """RFC 3339, to the microsecond."""
    moment = datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{moment}.{time_ms % 1000:03}000Z"


def price_of(rules: MarketRules, price: Decimal) -> Decimal:
    return round(price, decimals(rules.price_step))


def amount_of(rules: MarketRules, amount: Decimal) -> Decimal:
    return round(amount, decimals(rules.amount_step))


# --- Books


class BookTeller:
    """Of one market to one listener, down to a depth."""

    def __init__(self, venue: KrakenVenue, market: LabMarket, depth: int) -> None:
        self._venue = venue
        self._market = market
        self._depth = depth
        self._told: ShownBook | None = None

    def news(self) -> tuple[str, Json] | None:
        """The type and its data; None where the book is as it was told last."""
        whole = self._market.display.shown(self._market.update_id)
        book = ShownBook(whole.update_id, whole.bids[: self._depth], whole.asks[: self._depth])
        told, self._told = self._told, book
        if told is None:
            return "snapshot", self._data(book, book)
        bids = _changes(told.bids, book.bids, whole.bids)
        asks = _changes(told.asks, book.asks, whole.asks)
        if not bids and not asks:
            return None
        return "update", self._data(ShownBook(book.update_id, bids, asks), book)

    def _data(self, told: ShownBook, book: ShownBook) -> Json:
        rules = self._market.rules
        return {
            "symbol": rules.symbol,
            "bids": _rows(rules, told.bids),
            "asks": _rows(rules, told.asks),
            "checksum": checksum(rules, book),
            "timestamp": stamp(self._venue.now_ms()),
        }


def _rows(rules: MarketRules, levels: Levels) -> list[Json]:
    return [{"price": price_of(rules, price), "qty": amount_of(rules, amount)} for price, amount in levels]


def _changes(before: Levels, after: Levels, whole: Levels) -> list[tuple[Decimal, Decimal]]:
    """New amounts by price; zero for a level that is gone. One that only fell out of the depth is not told:
    who keeps the book cuts it off."""
    old, new, still = dict(before), dict(after), dict(whole)
    gone = [(price, ZERO) for price in old if price not in still]
    return gone + [(price, amount) for price, amount in new.items() if old.get(price) != amount]


def checksum(rules: MarketRules, book: ShownBook) -> int:
    """CRC32 of the best ten asks, then bids: each price and amount without its point and leading zeros."""
    return zlib.crc32("".join([*_digits(rules, book.asks), *_digits(rules, book.bids)]).encode())


def _digits(rules: MarketRules, levels: Levels) -> Iterable[str]:
    for price, amount in levels[:CHECKED]:
        for value in (price_of(rules, price), amount_of(rules, amount)):
            yield f"{value:f}".replace(".", "").lstrip("0")


# --- Trades and tickers


def trade_row(rules: MarketRules, trade: PublicTrade) -> Json:
    return {
        "symbol": rules.symbol,
        "side": str(trade.taker_side),
        "price": price_of(rules, trade.price),
        "qty": amount_of(rules, trade.amount),
        "ord_type": "limit",
        "trade_id": trade.id,
        "timestamp": stamp(trade.time_ms),
    }


def ticker_row(market: LabMarket, now_ms: int) -> Json:
    rules, window = market.rules, market.trades_since(now_ms - DAY_MS)
    shown = market.display.shown(market.update_id)
    (bid, bid_amount), (ask, ask_amount) = (
        side[0] if side else (ZERO, ZERO) for side in (shown.bids, shown.asks)
    )
    prices = [trade.price for trade in window] or [market.last_price or ZERO]
    volume = sum((trade.amount for trade in window), ZERO)
    average = sum((trade.cost for trade in window), ZERO) / volume if volume else ZERO
    change = prices[-1] - prices[0]
    return {
        "symbol": rules.symbol,
        "bid": price_of(rules, bid),
        "bid_qty": amount_of(rules, bid_amount),
        "ask": price_of(rules, ask),
        "ask_qty": amount_of(rules, ask_amount),
        "last": price_of(rules, prices[-1]),
        "volume": amount_of(rules, volume),
        "vwap": price_of(rules, average),
        "low": price_of(rules, min(prices)),
        "high": price_of(rules, max(prices)),
        "change": price_of(rules, change),
        "change_pct": round(change / prices[0] * 100, 2) if prices[0] else Decimal("0.00"),
    }


# --- Executions


def execution_rows(venue: KrakenVenue, order: Order, event: Event, trade: PublicTrade | None) -> list[Json]:
    """One for each step that an order makes: an acceptance is two, and so is the fill that completes it."""
    if event is Event.ACCEPTED:
        return [order_row(venue, order, "pending_new"), order_row(venue, order, "new")]
    if trade is None:
        return [_step(venue, order, "canceled") | {"reason": "User requested"}]
    rows = [fill_row(venue, order, _fill_of(venue, order, trade))]
    return rows if order.remaining else [*rows, _step(venue, order, "filled")]


def order_row(venue: KrakenVenue, order: Order, status: str = "") -> Json:
    """All that is known of an order that is open."""
    rules, ticket = venue.exchange.market(order.symbol).rules, order.ticket
    row = _step(venue, order, status or ("partially_filled" if order.filled else "new")) | {
        "exec_type": status or "new",
        "symbol": rules.symbol,
        "side": str(order.side),
        "order_type": "market" if ticket.kind is Kind.MARKET else "limit",
        "order_qty": amount_of(rules, order.amount),
        "time_in_force": ticket.time_in_force.upper(),
        "post_only": ticket.kind is Kind.POST_ONLY,
        "order_userref": 0,
        "fee_ccy_pref": "fciq",
        "fee_usd_equiv": Decimal(0),
    }
    if ticket.price is not None:
        row |= {"limit_price": price_of(rules, ticket.price), "limit_price_type": "static"}
    return row


def fill_row(venue: KrakenVenue, order: Order, fill: Fill) -> Json:
    rules = venue.exchange.market(order.symbol).rules
    return _step(venue, order, "trade") | {
        "order_status": "partially_filled",
        "exec_id": trade_id(venue.exchange, fill),
        "trade_id": fill.trade_id,
        "symbol": rules.symbol,
        "side": str(fill.side),
        "order_type": "market" if order.ticket.kind is Kind.MARKET else "limit",
        "last_qty": amount_of(rules, fill.amount),
        "last_price": price_of(rules, fill.price),
        "liquidity_ind": "m" if fill.is_maker else "t",
        "cost": fill.cost,
        "fees": [{"asset": fill.fee_currency, "qty": fill.fee}],
        "timestamp": stamp(fill.time_ms),
    }


def _step(venue: KrakenVenue, order: Order, event: str) -> Json:
    rules = venue.exchange.market(order.symbol).rules
    row: Json = {
        "exec_type": event,
        "order_id": order_id(venue.exchange, order),
        "order_status": event,
        "cum_qty": amount_of(rules, order.filled),
        "cum_cost": order.cost,
        "avg_price": price_of(rules, order.cost / order.filled if order.filled else ZERO),
        "timestamp": stamp(order.update_ms),
    }
    return row | ({"cl_ord_id": order.ticket.client_id} if order.ticket.client_id else {})


def _fill_of(venue: KrakenVenue, order: Order, trade: PublicTrade) -> Fill:
    fills = venue.exchange.market(order.symbol).fills_of(order.account)
    return next(f for f in reversed(fills) if (f.trade_id, f.order_id) == (trade.id, order.id))
