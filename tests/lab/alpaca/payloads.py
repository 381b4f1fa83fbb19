"""Alpaca's structures: the trading API prints amounts and prices as strings, market data as numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from tests.lab.alpaca.hours import NEW_YORK
from tests.lab.alpaca.markets import Listing, asset_symbol, is_stock
from tests.lab.alpaca.venue import AlpacaVenue
from tests.lab.orders import Fill, Kind, Order, PublicTrade, Side, State
from tests.lab.rules import MarketRules

Json = dict[str, object]

_TYPES = {Kind.LIMIT: "limit", Kind.MARKET: "market"}
_ENDED = {State.FILLED: "filled", State.CANCELED: "canceled"}


def plain(value: Decimal) -> str:
    return f"{value.normalize():f}" if value else "0"


def stamp(ms: int) -> str:
    """RFC 3339 with the microseconds that Alpaca has, in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def class_of(rules: MarketRules) -> str:
    return "us_equity" if is_stock(rules) else "crypto"


# --- Orders


def acknowledged(venue: AlpacaVenue, order: Order) -> Json:
    """The answer to a create: before anything has become of the order."""
    status = "accepted" if is_stock(venue.exchange.market(order.symbol).rules) else "pending_new"
    unfilled = {"filled_qty": "0", "filled_avg_price": None, "filled_at": None, "canceled_at": None}
    return order_json(venue, order) | unfilled | {"expired_at": None, "status": status}


def order_json(venue: AlpacaVenue, order: Order) -> Json:
    rules = venue.exchange.market(order.symbol).rules
    status = _status(venue, order)
    average = order.cost / order.filled if order.filled else None
    return {
        "id": venue.order_id(order),
        "client_order_id": order.client_id,
        "created_at": stamp(order.time_ms),
        "updated_at": stamp(order.update_ms),
        "submitted_at": stamp(order.time_ms),
        "filled_at": stamp(order.update_ms) if status == "filled" else None,
        "expired_at": stamp(order.update_ms) if status == "expired" else None,
        "canceled_at": stamp(order.update_ms) if status == "canceled" else None,
        "failed_at": None,
        "replaced_at": None,
        "replaced_by": None,
        "replaces": None,
        "asset_id": venue.asset_id(order.symbol),
        "symbol": asset_symbol(rules),
        "asset_class": class_of(rules),
        "notional": None,
        "qty": plain(order.amount),
        "filled_qty": plain(order.filled),
        "filled_avg_price": None if average is None else plain(round(average, 9)),
        "order_class": "",
        "order_type": _TYPES[order.ticket.kind],
        "type": _TYPES[order.ticket.kind],
        "side": str(order.side),
        "time_in_force": "day" if venue.is_for_the_day(order) else str(order.ticket.time_in_force),
        "limit_price": None if order.price is None else plain(order.price),
        "stop_price": None,
        "status": status,
        "extended_hours": False,
        "legs": None,
        "trail_percent": None,
        "trail_price": None,
        "hwm": None,
        "subtag": None,
        "source": "access_key",
    }


def _status(venue: AlpacaVenue, order: Order) -> str:
    if order.is_open:
        waits = venue.exchange.market(order.symbol).is_halted
        return "partially_filled" if order.filled else "accepted" if waits else "new"
    if order.state is State.EXPIRED and venue.is_for_the_day(order):
        return "expired"
    return _ENDED.get(order.state, "canceled")  # what an IOC order leaves is canceled


# --- Fills


def activity_id(venue: AlpacaVenue, fill: Fill) -> str:
    local = datetime.fromtimestamp(fill.time_ms / 1000, NEW_YORK)
    return f"{local:%Y%m%d%H%M%S}{fill.time_ms % 1000:03}::{venue.trade_uuid(fill)}"


def fill_json(venue: AlpacaVenue, fill: Fill, filled: Decimal, amount: Decimal) -> Json:
    """No commission: what a coin costs is taken from what is received, and told at the end of the day."""
    is_whole = filled >= amount
    return {
        "id": activity_id(venue, fill),
        "activity_type": "FILL",
        "transaction_time": stamp(fill.time_ms),
        "type": "fill" if is_whole else "partial_fill",
        "price": plain(fill.price),
        "qty": plain(fill.amount),
        "side": str(fill.side),
        "symbol": asset_symbol(venue.exchange.market(fill.symbol).rules),
        "leaves_qty": plain(amount - filled),
        "order_id": venue.order_uuid(fill.symbol, fill.order_id),
        "cum_qty": plain(filled),
        "order_status": "filled" if is_whole else "partially_filled",
    }


# --- Market data


def coin_trade(trade: PublicTrade) -> Json:
    return {
        "t": stamp(trade.time_ms),
        "p": float(trade.price),
        "s": float(trade.amount),
        "tks": "B" if trade.taker_side is Side.BUY else "S",
        "i": trade.id,
    }


def stock_trade(trade: PublicTrade) -> Json:
    """It does not tell who took."""
    return {
        "t": stamp(trade.time_ms),
        "x": "V",
        "p": float(trade.price),
        "s": float(trade.amount),
        "c": ["@"],
        "i": trade.id,
        "z": "C",
    }


# --- Assets


def coin_json(venue: AlpacaVenue, rules: MarketRules) -> Json:
    return {
        "id": venue.asset_id(rules.symbol),
        "class": "crypto",
        "exchange": "CRYPTO",
        "symbol": rules.symbol,
        "name": f"{rules.base} / {rules.quote}",
        "status": "active",
        "tradable": rules.is_trading,
        "marginable": False,
        "maintenance_margin_requirement": 100,
        "shortable": False,
        "easy_to_borrow": False,
        "fractionable": True,
        "attributes": [],
        "min_order_size": plain(rules.min_amount),
        "min_trade_increment": plain(rules.amount_step),
        "price_increment": plain(rules.price_step),
    }


def stock_json(venue: AlpacaVenue, listing: Listing, *, is_tradable: bool) -> Json:
    return {
        "id": venue.asset_id(f"{listing.symbol}/USD"),
        "class": "us_equity",
        "exchange": listing.exchange,
        "symbol": listing.symbol,
        "name": listing.name,
        "status": "active",
        "tradable": is_tradable,
        "marginable": is_tradable,
        "maintenance_margin_requirement": 30,
        "margin_requirement_long": "30",
        "margin_requirement_short": "30",
        "shortable": is_tradable,
        "easy_to_borrow": is_tradable,
        "fractionable": listing.is_fractionable,
        "attributes": [],
    }
