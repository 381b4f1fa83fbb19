"""How Coinbase prints products, orders, fills and accounts: numbers as plain strings, times as RFC 3339."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.lab.accounts import ApiKey
from tests.lab.coinbase.names import account_id, order_id, product_id, trade_id, user_id
from tests.lab.ledger import ZERO, Holding
from tests.lab.market import LabMarket
from tests.lab.orders import Fill, Kind, Order, PublicTrade, State, TimeInForce

Json = dict[str, object]

FIAT = frozenset({"USD", "EUR", "GBP"})
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PLACES = Decimal("1e-16")
DAY_MS = 86_400_000
_STATUS = {State.OPEN: "OPEN", State.FILLED: "FILLED"}
_TIMES_IN_FORCE = {
    TimeInForce.GTC: "GOOD_UNTIL_CANCELLED",
    TimeInForce.IOC: "IMMEDIATE_OR_CANCEL",
    TimeInForce.FOK: "FILL_OR_KILL",
}


def plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def moment(time_ms: int) -> str:
    return (EPOCH + timedelta(milliseconds=time_ms)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def status_of(order: Order, *, is_pending: bool) -> str:
    """What ended unfilled is CANCELLED, whoever ended it: an IOC's rest too."""
    return "PENDING" if is_pending else _STATUS.get(order.state, "CANCELLED")


def product(market: LabMarket, now_ms: int) -> Json:
    """The day's volume in quote is in whole cents only."""
    rules, day = market.rules, market.trades_since(now_ms - DAY_MS)
    cost = sum((trade.cost for trade in day), ZERO)
    closed = not rules.is_trading
    return {
        "product_id": product_id(rules),
        "price": plain(market.last_price or ZERO),
        "price_percentage_change_24h": "0",
        "volume_24h": plain(sum((trade.amount for trade in day), ZERO)),
        "volume_percentage_change_24h": "0",
        "base_increment": plain(rules.amount_step),
        "quote_increment": plain(rules.price_step),
        "quote_min_size": plain(rules.min_cost),
        "quote_max_size": plain(rules.max_cost),
        "base_min_size": plain(rules.min_amount),
        "base_max_size": plain(rules.max_amount),
        "base_name": rules.base,
        "quote_name": rules.quote,
        "watched": False,
        "is_disabled": closed,
        "new": False,
        "status": "offline" if closed else "online",
        "cancel_only": False,
        "limit_only": False,
        "post_only": False,
        "trading_disabled": closed,
        "auction_mode": False,
        "product_type": "SPOT",
        "quote_currency_id": rules.quote,
        "base_currency_id": rules.base,
        "fcm_trading_session_details": None,
        "mid_market_price": "",
        "alias": "",
        "alias_to": [],
        "base_display_symbol": rules.base,
        "quote_display_symbol": rules.quote,
        "view_only": False,
        "price_increment": plain(rules.price_step),
        "display_name": product_id(rules),
        "product_venue": "CBE",
        "approximate_quote_24h_volume": plain(round(cost, 2)),
    }


def public_trade(trade: PublicTrade, market: LabMarket) -> Json:
    return {
        "trade_id": str(trade.id),
        "product_id": product_id(market.rules),
        "price": plain(trade.price),
        "size": plain(trade.amount),
        "time": moment(trade.time_ms),
        "side": trade.taker_side.upper(),
        "exchange": "coinbase",
    }


def created(order: Order, market: LabMarket) -> Json:
    return {
        "order_id": order_id(order),
        "product_id": product_id(market.rules),
        "side": order.side.upper(),
        "client_order_id": order.client_id,
        "attached_order_id": "",
    }


def order_json(
    order: Order, fills: Sequence[Fill], configuration: Mapping[str, Any], *, status: str, market: LabMarket
) -> Json:
    """fills: the order's own, oldest first; those that it does not show yet are left out."""
    shown = _shown_fills(order, fills)
    fees = sum((fill.fee for fill in shown), ZERO)
    average = (order.cost / order.filled).quantize(PLACES) if order.filled else ZERO
    is_market = order.ticket.kind is Kind.MARKET
    in_force = TimeInForce.IOC if is_market else order.ticket.time_in_force
    return {
        "order_id": order_id(order),
        "product_id": product_id(market.rules),
        "user_id": user_id(order.account),
        "order_configuration": configuration,
        "side": order.side.upper(),
        "client_order_id": order.client_id,
        "status": status,
        "time_in_force": _TIMES_IN_FORCE[in_force],
        "created_time": moment(order.time_ms),
        "completion_percentage": plain((order.filled / order.amount * 100).quantize(Decimal("0.01"))),
        "filled_size": plain(order.filled),
        "average_filled_price": plain(average),
        "fee": "",
        "number_of_fills": str(len(shown)),
        "filled_value": plain(order.cost),
        "pending_cancel": False,
        "size_in_quote": order.ticket.budget is not None,
        "total_fees": plain(fees),
        "size_inclusive_of_fees": order.ticket.budget is not None,
        "total_value_after_fees": plain(order.cost + fees if order.side == "buy" else order.cost - fees),
        "trigger_status": "INVALID_ORDER_TYPE",
        "order_type": "MARKET" if is_market else "LIMIT",
        "reject_reason": "REJECT_REASON_UNSPECIFIED",
        "settled": status == "FILLED",
        "product_type": "SPOT",
        "reject_message": "",
        "cancel_message": "User requested cancel" if order.state is State.CANCELED else "",
        "order_placement_source": "RETAIL_ADVANCED",
        "outstanding_hold_amount": plain(order.held),
        "is_liquidation": False,
        "last_fill_time": moment(shown[-1].time_ms) if shown else None,
        "edit_history": [],
        "leverage": "",
        "margin_type": "UNKNOWN_MARGIN_TYPE",
        "retail_portfolio_id": user_id(order.account),
    }


def fill_json(fill: Fill, order: Order, market: LabMarket) -> Json:
    number = trade_id(fill.symbol, fill.trade_id)
    return {
        "entry_id": number.replace("-", "") * 2,
        "trade_id": number,
        "order_id": order_id(order),
        "trade_time": moment(fill.time_ms),
        "trade_type": "FILL",
        "price": plain(fill.price),
        "size": plain(fill.amount),
        "commission": plain(fill.fee),
        "product_id": product_id(market.rules),
        "sequence_timestamp": moment(fill.time_ms),
        "liquidity_indicator": "MAKER" if fill.is_maker else "TAKER",
        "size_in_quote": False,
        "user_id": user_id(fill.account),
        "side": fill.side.upper(),
        "retail_portfolio_id": user_id(fill.account),
    }


def account_json(key: ApiKey, currency: str, holding: Holding) -> Json:
    return {
        "uuid": account_id(key.account, currency),
        "name": f"{currency} Wallet",
        "currency": currency,
        "available_balance": {"value": plain(holding.free), "currency": currency},
        "default": True,
        "active": True,
        "created_at": moment(key.created_ms),
        "updated_at": moment(key.created_ms),
        "deleted_at": None,
        "type": "ACCOUNT_TYPE_FIAT" if currency in FIAT else "ACCOUNT_TYPE_CRYPTO",
        "ready": True,
        "hold": {"value": plain(holding.used), "currency": currency},
        "retail_portfolio_id": user_id(key.account),
        "platform": "ACCOUNT_PLATFORM_CONSUMER",
    }


def _shown_fills(order: Order, fills: Sequence[Fill]) -> list[Fill]:
    shown: list[Fill] = []
    counted = ZERO
    for fill in fills:
        counted += fill.amount
        if counted > order.filled:
            break
        shown.append(fill)
    return shown
