"""Orders: place, cancel, look up, list (rest-api.md, "Trading endpoints" and "Account Endpoints")."""

from __future__ import annotations

import secrets
from decimal import Decimal

from tests.lab.accounts import ApiKey
from tests.lab.binance.call import CLIENT_ID_PATTERN, Call
from tests.lab.binance.errors import (
    BinanceError,
    bad_key,
    either_missing,
    from_refusal,
    invalid_value,
    missing,
    not_required,
)
from tests.lab.binance.payloads import (
    DEFAULT_SELF_TRADE,
    SELF_TRADE_NAMES,
    Json,
    ack,
    canceled,
    full,
    queried,
    result,
)
from tests.lab.binance.venue import BinanceVenue
from tests.lab.market import LabMarket
from tests.lab.orders import Kind, Order, RefusedError, Side, Ticket, TimeInForce

KINDS = {"LIMIT": Kind.LIMIT, "LIMIT_MAKER": Kind.POST_ONLY, "MARKET": Kind.MARKET}
ANSWERS = ("ACK", "RESULT", "FULL")
DAY_MS = 86_400_000


def place(venue: BinanceVenue, call: Call) -> Json:
    market = venue.market(call)
    key = owner(call)
    ticket = _ticket(call, market, key)
    default = "ACK" if ticket.kind is Kind.POST_ONLY else "FULL"
    answer = call.choice("newOrderRespType", ANSWERS, default=default)
    venue.order_counts.check(key.account)
    seen = len(market.fills_of(key.account))
    try:
        order = venue.exchange.place(ticket)
    except RefusedError as refusal:
        raise from_refusal(refusal) from refusal
    if answer == "ACK":
        return ack(order)
    if answer == "RESULT":
        return result(order)
    return full(order, [fill for fill in market.fills_of(key.account)[seen:] if fill.order_id == order.id])


def cancel(venue: BinanceVenue, call: Call) -> Json:
    market = venue.market(call)
    restriction = call.choice("cancelRestrictions", ("", "ONLY_NEW", "ONLY_PARTIALLY_FILLED"), default="")
    cancel_id = call.matching("newClientOrderId", CLIENT_ID_PATTERN) or secrets.token_urlsafe(16)
    order = _find(market, call)
    if order is not None:
        venue.races.strike(order, owner(call).key)
    if order is None or not order.is_open:
        raise BinanceError(-2011, "Unknown order sent.")
    if restriction and (restriction == "ONLY_NEW") is bool(order.filled):
        raise BinanceError(-2011, "Order was not canceled due to cancel restrictions.")
    venue.exchange.cancel(order)
    return canceled(order, cancel_id)


def cancel_all(venue: BinanceVenue, call: Call) -> list[Json]:
    orders = venue.market(call).open_orders(owner(call).account)
    if not orders:
        raise BinanceError(-2011, "Unknown order sent.")
    for order in orders:
        venue.exchange.cancel(order)
    return [canceled(order, secrets.token_urlsafe(16)) for order in orders]


def get_order(venue: BinanceVenue, call: Call) -> Json:
    order = _find(venue.market(call), call)
    shown = None if order is None else venue.views.of(owner(call)).order(order)
    if shown is None:
        raise BinanceError(-2013, "Order does not exist.")
    return queried(shown)


def open_orders(venue: BinanceVenue, call: Call) -> list[Json]:
    symbol = venue.market(call).rules.symbol if call.has("symbol") else None
    return [queried(order) for order in venue.views.of(owner(call)).open_orders(symbol)]


def all_orders(venue: BinanceVenue, call: Call) -> list[Json]:
    market = venue.market(call)
    limit = call.limit(default=500, maximum=1000)
    first, start, end = call.integer("orderId"), call.milliseconds("startTime"), call.milliseconds("endTime")
    check_span(start, end)
    mine = venue.views.of(owner(call)).orders(market)
    if first is not None:
        return [queried(order) for order in mine if order.id >= first][:limit]
    mine = [order for order in mine if within(order.time_ms, start, end)]
    return [queried(order) for order in (mine[:limit] if start is not None else mine[-limit:])]


def check_span(start: int | None, end: int | None) -> None:
    if start is None or end is None:
        return
    if end < start:
        raise invalid_value("endTime")
    if end - start > DAY_MS:
        raise BinanceError(-1127, "More than 24 hours between startTime and endTime.")


def within(time_ms: int, start: int | None, end: int | None) -> bool:
    """Both ends inclusive."""
    return (start is None or time_ms >= start) and (end is None or time_ms <= end)


def owner(call: Call) -> ApiKey:
    if call.key is None:
        raise bad_key()
    return call.key


def _find(market: LabMarket, call: Call) -> Order | None:
    """By orderId, and if both are sent the client id must be that order's."""
    order_id, client_id = call.integer("orderId"), call.matching("origClientOrderId", CLIENT_ID_PATTERN)
    if order_id is None and client_id is None:
        raise either_missing("origClientOrderId", "orderId")
    account = owner(call).account
    if order_id is None:
        return market.by_client_id(account, client_id or "")
    order = market.orders.get(order_id)
    if order is None or order.account != account or client_id not in (None, order.client_id):
        return None
    return order


def _ticket(call: Call, market: LabMarket, key: ApiKey) -> Ticket:
    side = Side(call.choice("side", ("BUY", "SELL")).lower())
    kind = KINDS[call.choice("type", KINDS)]
    amount, budget = _size(call, kind)
    return Ticket(
        account=key.account,
        key=key.key,
        symbol=market.rules.symbol,
        side=side,
        kind=kind,
        amount=amount,
        budget=budget,
        price=_price(call, kind),
        time_in_force=_time_in_force(call, kind),
        client_id=call.matching("newClientOrderId", CLIENT_ID_PATTERN) or "",
        self_trade=SELF_TRADE_NAMES[
            call.choice("selfTradePreventionMode", SELF_TRADE_NAMES, default=DEFAULT_SELF_TRADE)
        ],
    )


def _size(call: Call, kind: Kind) -> tuple[Decimal | None, Decimal | None]:
    if kind is not Kind.MARKET:
        if call.has("quoteOrderQty"):
            raise not_required("quoteOrderQty")
        return call.required_number("quantity"), None
    amount, budget = call.number("quantity"), call.number("quoteOrderQty")
    if amount is not None and budget is not None:
        raise not_required("quoteOrderQty")
    if amount is None and budget is None:
        raise either_missing("quantity", "quoteOrderQty")
    return amount, budget


def _price(call: Call, kind: Kind) -> Decimal | None:
    if kind is Kind.MARKET:
        if call.has("price"):
            raise not_required("price")
        return None
    return call.required_number("price")


def _time_in_force(call: Call, kind: Kind) -> TimeInForce:
    if kind is Kind.LIMIT:
        if not call.has("timeInForce"):
            raise missing("timeInForce")
        return TimeInForce(call.choice("timeInForce", ("GTC", "IOC", "FOK")).lower())
    if call.has("timeInForce"):
        raise not_required("timeInForce")
    return TimeInForce.GTC
