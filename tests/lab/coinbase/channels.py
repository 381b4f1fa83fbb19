"""What Coinbase's channels tell: books as a snapshot and what changed since, trades, tickers, orders."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tests.lab.coinbase.names import order_id, product_id, user_id
from tests.lab.coinbase.payloads import Json, moment, plain, status_of
from tests.lab.coinbase.venue import CoinbaseVenue
from tests.lab.display import ShownBook
from tests.lab.ledger import ZERO
from tests.lab.market import LabMarket
from tests.lab.orders import Kind, Order, PublicTrade, State

DAY_MS = 86_400_000
LATEST_TRADES = 100
AT_THE_BEGINNING = "1970-01-01T00:00:00Z"
_TIMES_IN_FORCE = {"gtc": "GOOD_UNTIL_CANCELLED", "ioc": "IMMEDIATE_OR_CANCEL", "fok": "FILL_OR_KILL"}

Levels = Sequence[tuple[Decimal, Decimal]]


class BookTeller:
    """Of one market to one listener: all of it first, then what changed; what is gone has no amount."""

    def __init__(self, venue: CoinbaseVenue, market: LabMarket) -> None:
        self._venue = venue
        self._market = market
        self._told: ShownBook | None = None

    def news(self) -> Json | None:
        """None where the book is as it was told last."""
        book = self._market.display.shown(self._market.update_id)
        told, self._told = self._told, book
        if told is None:
            return self._event("snapshot", AT_THE_BEGINNING, book.bids, book.asks)
        bids, asks = _changes(told.bids, book.bids), _changes(told.asks, book.asks)
        return self._event("update", moment(self._venue.now_ms()), bids, asks) if bids or asks else None

    def _event(self, kind: str, time: str, bids: Levels, asks: Levels) -> Json:
        updates = [_update("bid", time, level) for level in bids]
        updates += [_update("offer", time, level) for level in asks]
        return {"type": kind, "product_id": product_id(self._market.rules), "updates": updates}


def _update(side: str, time: str, level: tuple[Decimal, Decimal]) -> Json:
    price, amount = level
    return {"side": side, "event_time": time, "price_level": plain(price), "new_quantity": plain(amount)}


def _changes(before: Levels, after: Levels) -> list[tuple[Decimal, Decimal]]:
    """New amounts by price; zero for a level that is gone."""
    old, new = dict(before), dict(after)
    changed = [(price, amount) for price, amount in new.items() if old.get(price) != amount]
    return changed + [(price, ZERO) for price in old if price not in new]


def latest_trades(market: LabMarket) -> Json:
    """Newest first."""
    latest = market.trades[-LATEST_TRADES:]
    return {"type": "snapshot", "trades": [trade_news(trade, market) for trade in reversed(latest)]}


def trade_news(trade: PublicTrade, market: LabMarket) -> Json:
    return {
        "trade_id": str(trade.id),
        "product_id": product_id(market.rules),
        "price": plain(trade.price),
        "size": plain(trade.amount),
        "side": trade.taker_side.upper(),
        "time": moment(trade.time_ms),
    }


def ticker_news(market: LabMarket, now_ms: int) -> Json:
    window = market.trades_since(now_ms - DAY_MS)
    prices = [trade.price for trade in window] or [market.last_price or ZERO]
    book = market.display.shown(market.update_id)
    bid, ask = next(iter(book.bids), (ZERO, ZERO)), next(iter(book.asks), (ZERO, ZERO))
    change = (prices[-1] - prices[0]) / prices[0] * 100 if prices[0] else ZERO
    return {
        "type": "ticker",
        "product_id": product_id(market.rules),
        "price": plain(prices[-1]),
        "volume_24_h": plain(sum((trade.amount for trade in window), ZERO)),
        "low_24_h": plain(min(prices)),
        "high_24_h": plain(max(prices)),
        "low_52_w": plain(min(prices)),
        "high_52_w": plain(max(prices)),
        "price_percent_chg_24_h": f"{change:.6f}",
        "best_bid": plain(bid[0]),
        "best_bid_quantity": plain(bid[1]),
        "best_ask": plain(ask[0]),
        "best_ask_quantity": plain(ask[1]),
    }


def order_news(venue: CoinbaseVenue, order: Order) -> Json:
    """What it came to so far; single fills are not told."""
    market = venue.exchange.market(order.symbol)
    fees = sum((fill.fee for fill in market.fills_of(order.account) if fill.order_id == order.id), ZERO)
    is_market = order.ticket.kind is Kind.MARKET
    return {
        "avg_price": plain((order.cost / order.filled).quantize(Decimal("1e-16")) if order.filled else ZERO),
        "cancel_reason": "User requested cancel" if order.state is State.CANCELED else "",
        "client_order_id": order.client_id,
        "completion_percentage": plain((order.filled / order.amount * 100).quantize(Decimal("0.01"))),
        "contract_expiry_type": "UNKNOWN_CONTRACT_EXPIRY_TYPE",
        "cumulative_quantity": plain(order.filled),
        "filled_value": plain(order.cost),
        "leaves_quantity": plain(order.remaining if order.is_open else ZERO),
        "limit_price": "0" if is_market else plain(order.limit_price),
        "order_id": order_id(order),
        "order_side": order.side.upper(),
        "order_type": "Market" if is_market else "Limit",
        "outstanding_hold_amount": plain(order.held),
        "post_only": str(order.ticket.kind is Kind.POST_ONLY).lower(),
        "product_id": product_id(market.rules),
        "product_type": "SPOT",
        "reject_reason": "",
        "retail_portfolio_id": user_id(order.account),
        "risk_managed_by": "UNKNOWN_RISK_MANAGEMENT_TYPE",
        "status": status_of(order, is_pending=venue.is_pending(order)),
        "stop_price": "",
        "time_in_force": "IMMEDIATE_OR_CANCEL" if is_market else _TIMES_IN_FORCE[order.ticket.time_in_force],
        "total_fees": plain(fees),
        "total_value_after_fees": plain(order.cost + fees if order.side == "buy" else order.cost - fees),
        "trigger_status": "INVALID_ORDER_TYPE",
        "creation_time": moment(order.time_ms),
        "end_time": "0001-01-01T00:00:00Z",
        "start_time": "0001-01-01T00:00:00Z",
        "number_of_fills": str(sum(fill.order_id == order.id for fill in market.fills_of(order.account))),
    }
