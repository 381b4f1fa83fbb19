"""How Binance prints markets, orders and trades: amounts as strings with eight decimals, times in ms."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from tests.lab.orders import Fill, Kind, Order, PublicTrade, SelfTrade, Side, State
from tests.lab.rules import MarketRules

Json = dict[str, object]

SELF_TRADE_NAMES = {mode.name: mode for mode in SelfTrade}
DEFAULT_SELF_TRADE = SelfTrade.EXPIRE_MAKER.name
ORDER_TYPES = {Kind.LIMIT: "LIMIT", Kind.POST_ONLY: "LIMIT_MAKER", Kind.MARKET: "MARKET"}
_STATES = {
    State.FILLED: "FILLED",
    State.CANCELED: "CANCELED",
    State.EXPIRED: "EXPIRED",
    State.SELF_TRADE: "EXPIRED_IN_MATCH",
}


def fixed(value: Decimal) -> str:
    return f"{value:.8f}"


def symbol_id(rules: MarketRules) -> str:
    return rules.base + rules.quote


def status_of(order: Order) -> str:
    if order.is_open:
        return "PARTIALLY_FILLED" if order.filled else "NEW"
    return _STATES[order.state]


def ack(order: Order) -> Json:
    return {
        "symbol": order.symbol.replace("/", ""),
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": order.client_id,
        "transactTime": order.update_ms,
    }


def result(order: Order) -> Json:
    return ack(order) | _body(order) | {"workingTime": order.time_ms} | _prevented(order)


def full(order: Order, fills: Iterable[Fill]) -> Json:
    return result(order) | {
        "fills": [
            {
                "price": fixed(fill.price),
                "qty": fixed(fill.amount),
                "commission": fixed(fill.fee),
                "commissionAsset": fill.fee_currency,
                "tradeId": fill.trade_id,
            }
            for fill in fills
        ]
    }


def canceled(order: Order, cancel_id: str) -> Json:
    """The client id of the cancel itself takes the place of the order's."""
    return ack(order) | {"origClientOrderId": order.client_id, "clientOrderId": cancel_id} | _body(order)


def queried(order: Order) -> Json:
    return (
        {key: value for key, value in ack(order).items() if key != "transactTime"}
        | _body(order)
        | {
            "stopPrice": "0.00000000",
            "icebergQty": "0.00000000",
            "time": order.time_ms,
            "updateTime": order.update_ms,
            "isWorking": True,
            "workingTime": order.time_ms,
        }
        | _prevented(order)
    )


def my_trade(fill: Fill) -> Json:
    return {
        "symbol": fill.symbol.replace("/", ""),
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "orderListId": -1,
        "price": fixed(fill.price),
        "qty": fixed(fill.amount),
        "quoteQty": fixed(fill.cost),
        "commission": fixed(fill.fee),
        "commissionAsset": fill.fee_currency,
        "time": fill.time_ms,
        "isBuyer": fill.side is Side.BUY,
        "isMaker": fill.is_maker,
        "isBestMatch": True,
    }


def public_trade(trade: PublicTrade) -> Json:
    return {
        "id": trade.id,
        "price": fixed(trade.price),
        "qty": fixed(trade.amount),
        "quoteQty": fixed(trade.cost),
        "time": trade.time_ms,
        "isBuyerMaker": trade.taker_side is Side.SELL,
        "isBestMatch": True,
    }


def market(rules: MarketRules) -> Json:
    return {
        "symbol": symbol_id(rules),
        "status": "TRADING" if rules.is_trading else "BREAK",
        "baseAsset": rules.base,
        "baseAssetPrecision": 8,
        "quoteAsset": rules.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": list(ORDER_TYPES.values()),
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "amendAllowed": False,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _filters(rules),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": DEFAULT_SELF_TRADE,
        "allowedSelfTradePreventionModes": list(SELF_TRADE_NAMES),
    }


def _body(order: Order) -> Json:
    ticket = order.ticket
    return {
        "price": fixed(order.price or Decimal(0)),
        "origQty": fixed(order.amount),
        "executedQty": fixed(order.filled),
        "origQuoteOrderQty": fixed(ticket.budget or Decimal(0)),
        "cummulativeQuoteQty": fixed(order.cost),
        "status": status_of(order),
        "timeInForce": ticket.time_in_force.upper(),
        "type": ORDER_TYPES[ticket.kind],
        "side": order.side.upper(),
        "selfTradePreventionMode": ticket.self_trade.name,
    }


def _prevented(order: Order) -> Json:
    return {"preventedQuantity": fixed(order.prevented)} if order.prevented else {}


def _filters(rules: MarketRules) -> list[Json]:
    bid_down, bid_up = rules.bid_multiplier
    ask_down, ask_up = rules.ask_multiplier
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": fixed(rules.min_price),
            "maxPrice": fixed(rules.max_price),
            "tickSize": fixed(rules.price_step),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": fixed(rules.min_amount),
            "maxQty": fixed(rules.max_amount),
            "stepSize": fixed(rules.amount_step),
        },
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": "0.00000000",
            "maxQty": fixed(rules.max_market_amount),
            "stepSize": "0.00000000",
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": str(bid_up),
            "bidMultiplierDown": str(bid_down),
            "askMultiplierUp": str(ask_up),
            "askMultiplierDown": str(ask_down),
            "avgPriceMins": rules.average_minutes,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": fixed(rules.min_cost),
            "applyMinToMarket": True,
            "maxNotional": fixed(rules.max_cost),
            "applyMaxToMarket": False,
            "avgPriceMins": rules.average_minutes,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": rules.max_open_orders},
    ]
