"""How Kraken prints markets, orders and trades: amounts as strings, times as seconds with a fraction."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tests.lab.exchange import Exchange
from tests.lab.kraken.names import altname, asset, order_id, order_id_of, pair_id, trade_id, wsname
from tests.lab.orders import ZERO, Fill, Kind, Order, PublicTrade, Side, State
from tests.lab.rules import MarketRules

Json = dict[str, object]

MAKER_PERCENT, TAKER_PERCENT = "0.25", "0.40"
_TYPES = {Kind.LIMIT: "limit", Kind.POST_ONLY: "limit", Kind.MARKET: "market"}
_STATES = {State.OPEN: "open", State.FILLED: "closed"}
_REASONS = {State.CANCELED: "User requested", State.EXPIRED: "Order expired", State.SELF_TRADE: "STP"}


def seconds(time_ms: int) -> float:
    return time_ms / 1000


def decimals(step: Decimal) -> int:
    """How many places the multiples of a step have."""
    return max(0, -int(step.normalize().as_tuple().exponent))


def price_text(rules: MarketRules, price: Decimal) -> str:
    return f"{price:.{decimals(rules.price_step)}f}"


def volume(value: Decimal) -> str:
    return f"{value:.8f}"


def money(value: Decimal) -> str:
    """Five places, or as many as it takes: nothing is rounded."""
    short = f"{value:.5f}"
    return short if Decimal(short) == value else f"{value.normalize():f}"


def asset_pair(rules: MarketRules) -> Json:
    return {
        "altname": altname(rules),
        "wsname": wsname(rules),
        "aclass_base": "currency",
        "base": asset(rules.base),
        "aclass_quote": "currency",
        "quote": asset(rules.quote),
        "lot": "unit",
        "cost_decimals": 8,
        "pair_decimals": decimals(rules.price_step),
        "lot_decimals": decimals(rules.amount_step),
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, float(TAKER_PERCENT)]],
        "fees_maker": [[0, float(MAKER_PERCENT)]],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": f"{rules.min_amount.normalize():f}",
        "costmin": f"{rules.min_cost.normalize():f}",
        "tick_size": f"{rules.price_step.normalize():f}",
        "status": "online" if rules.is_trading else "cancel_only",
    }


def description(rules: MarketRules, order: Order) -> str:
    """As "buy 1.25000000 XBTUSD @ limit 27500.0"."""
    ticket = order.ticket
    size = ticket.budget if ticket.budget is not None else order.amount
    head = f"{order.side} {volume(size)} {altname(rules)} @ {_TYPES[ticket.kind]}"
    return head if ticket.price is None else f"{head} {price_text(rules, ticket.price)}"


def order_row(exchange: Exchange, order: Order, trades: Sequence[Fill] | None = None) -> Json:
    """trades: those to be named, where they were asked for."""
    market = exchange.market(order.symbol)
    rules, ticket = market.rules, order.ticket
    fee = sum((f.fee for f in market.fills_of(order.account) if f.order_id == order.id), ZERO)
    row: Json = {
        "refid": None,
        "userref": None,
        "cl_ord_id": ticket.client_id or None,
        "status": _STATES.get(order.state, "canceled"),
        "opentm": seconds(order.time_ms),
        "starttm": 0,
        "expiretm": 0,
        "descr": {
            "pair": altname(rules),
            "aclass": "forex",
            "type": str(order.side),
            "ordertype": _TYPES[ticket.kind],
            "price": "0" if ticket.price is None else price_text(rules, ticket.price),
            "price2": "0",
            "leverage": "none",
            "order": description(rules, order),
            "close": "",
        },
        "vol": volume(order.amount),
        "vol_exec": volume(order.filled),
        "cost": money(order.cost),
        "fee": money(fee if order.filled else ZERO),
        "price": price_text(rules, order.cost / order.filled) if order.filled else "0.00000",
        "stopprice": "0.00000",
        "limitprice": "0.00000",
        "misc": "",
        "oflags": "fciq,post" if ticket.kind is Kind.POST_ONLY else "fciq",
    }
    if not order.is_open:
        row |= {"reason": _REASONS.get(order.state), "closetm": seconds(order.update_ms)}
    if trades:
        row["trades"] = [trade_id(exchange, fill) for fill in trades]
    return row


def named_order(exchange: Exchange, order: Order, trades: Sequence[Fill] | None = None) -> tuple[str, Json]:
    return order_id(exchange, order), order_row(exchange, order, trades)


def named_trade(exchange: Exchange, fill: Fill) -> tuple[str, Json]:
    market = exchange.market(fill.symbol)
    kind = market.orders[fill.order_id].ticket.kind
    return trade_id(exchange, fill), {
        "ordertxid": order_id_of(exchange, fill),
        "postxid": "TKH2SE-M7IF5-CFI7LT",
        "pair": pair_id(market.rules),
        "aclass": "forex",
        "time": seconds(fill.time_ms),
        "type": str(fill.side),
        "ordertype": _TYPES[kind],
        "price": price_text(market.rules, fill.price),
        "cost": money(fill.cost),
        "fee": money(fill.fee),
        "vol": volume(fill.amount),
        "margin": "0.00000",
        "leverage": "0",
        "misc": "",
        "trade_id": fill.trade_id,
        "maker": fill.is_maker,
    }


def public_trade(rules: MarketRules, trade: PublicTrade) -> list[object]:
    side = "b" if trade.taker_side is Side.BUY else "s"
    time = seconds(trade.time_ms)
    return [price_text(rules, trade.price), volume(trade.amount), time, side, "l", "", trade.id]
