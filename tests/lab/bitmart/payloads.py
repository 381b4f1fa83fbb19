"""How BitMart prints markets, orders and trades: all amounts and ids as strings, times in milliseconds."""

from __future__ import annotations

from decimal import Decimal

from tests.lab.bitmart.venue import BitmartVenue, symbol_id
from tests.lab.orders import ZERO, Fill, Kind, Order, State, TimeInForce
from tests.lab.rules import MarketRules

Json = dict[str, object]

TYPES = {Kind.LIMIT: "limit", Kind.POST_ONLY: "limit_maker", Kind.MARKET: "market"}


def plain(value: Decimal) -> str:
    return f"{value:.8f}"


def market(rules: MarketRules, number: int) -> Json:
    return {
        "symbol": symbol_id(rules.symbol),
        "symbol_id": number,
        "base_currency": rules.base,
        "quote_currency": rules.quote,
        "quote_increment": f"{rules.amount_step}",
        "base_min_size": f"{rules.min_amount:.30f}",
        "base_max_size": f"{rules.max_amount:.30f}",
        "price_min_precision": -1,
        "price_max_precision": -int(rules.price_step.normalize().as_tuple().exponent),
        "expiration": "NA",
        "min_buy_amount": f"{rules.min_cost:.30f}",
        "min_sell_amount": f"{rules.min_cost:.30f}",
        "trade_status": "trading" if rules.is_trading else "pre-trade",
    }


def order(venue: BitmartVenue, shown: Order) -> Json:
    ticket = shown.ticket
    number = venue.number(shown.symbol, shown.id)
    is_ioc = ticket.kind is Kind.LIMIT and ticket.time_in_force is not TimeInForce.GTC
    return {
        "orderId": number,
        "clientOrderId": shown.client_id if ticket.client_id else number,
        "symbol": symbol_id(shown.symbol),
        "side": shown.side.value,
        "orderMode": "spot",
        "type": "ioc" if is_ioc else TYPES[ticket.kind],
        "state": _state(shown),
        "price": plain(shown.price or ZERO),
        "priceAvg": plain(shown.cost / shown.filled if shown.filled else ZERO),
        "size": plain(shown.amount),
        "filledSize": plain(shown.filled),
        "notional": plain((shown.price or ZERO) * shown.amount),
        "filledNotional": plain(shown.cost),
        "createTime": shown.time_ms,
        "updateTime": shown.update_ms,
    }


def _state(shown: Order) -> str:
    if shown.is_open:
        return "partially_filled" if shown.filled else "new"
    if shown.state is State.FILLED:
        return "filled"
    return "partially_canceled" if shown.filled else "canceled"


def fill(venue: BitmartVenue, own: Fill, of: Order) -> Json:
    number = venue.number(own.symbol, own.order_id)
    return {
        "tradeId": venue.number(own.symbol, own.trade_id),
        "orderId": number,
        "clientOrderId": own.client_id if of.ticket.client_id else number,
        "symbol": symbol_id(own.symbol),
        "side": own.side.value,
        "orderMode": "spot",
        "type": TYPES[of.ticket.kind],
        "price": plain(own.price),
        "size": plain(own.amount),
        "notional": plain(own.cost),
        "fee": plain(own.fee),
        "feeCoinName": own.fee_currency,
        "tradeRole": "maker" if own.is_maker else "taker",
        "createTime": own.time_ms,
        "updateTime": own.time_ms,
    }
