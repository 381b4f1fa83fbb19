"""Orders: place, cancel, look up, list ("Order Related")."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tests.lab.coinstore.call import Call
from tests.lab.coinstore.errors import (
    CoinstoreError,
    bad_request,
    from_refusal,
    too_many_open,
    unknown_order,
)
from tests.lab.coinstore.payloads import TYPES, Json, active_v1, info_v1, order_v2
from tests.lab.coinstore.venue import CoinstoreVenue
from tests.lab.market import LabMarket
from tests.lab.orders import Kind, Order, RefusedError, Side, Ticket, TimeInForce

KINDS = {name: kind for kind, name in TYPES.items()}
LONGEST_CLIENT_ID = 32


def place(venue: CoinstoreVenue, call: Call) -> Json:
    """Only the number: whether the order came to rest is to be asked."""
    call.required("timestamp")
    order = _place(venue, call, venue.market(call.required("symbol")))
    return {"ordId": venue.order_id(order.symbol, order.id)}


def place_batch(venue: CoinstoreVenue, call: Call) -> list[Json]:
    """Each order has a result of its own."""
    call.required("timestamp")
    market = venue.market(call.required("symbol"))
    return [_place_one(venue, call.within(entry), market) for entry in call.items("orders")]


def _place_one(venue: CoinstoreVenue, call: Call, market: LabMarket) -> Json:
    try:
        order = _place(venue, call, market)
    except CoinstoreError as error:
        return {"errno": error.code, "errMsg": error.text, "clOrdId": call.text("clOrdId")}
    return {"ordId": venue.order_id(order.symbol, order.id), "clOrdId": order.client_id}


def _place(venue: CoinstoreVenue, call: Call, market: LabMarket) -> Order:
    ticket = _ticket(call, market)
    if len(venue.exchange.open_orders(ticket.account)) >= venue.limits.active_orders:
        raise too_many_open()
    try:
        order = venue.exchange.place(ticket)
    except RefusedError as refusal:
        raise from_refusal(refusal) from refusal
    venue.take_in(order)
    return order


def cancel(venue: CoinstoreVenue, call: Call) -> Json:
    venue.market(call.required("symbol"))
    order = _order_to_cancel(venue, call, call.integer("ordId"))
    venue.exchange.cancel(order)
    return {
        "clientOrderId": order.client_id,
        "state": "CANCELED",
        "ordId": venue.order_id(order.symbol, order.id),
    }


def cancel_batch(venue: CoinstoreVenue, call: Call) -> Json:
    venue.market(call.required("symbol"))
    success: list[int] = []
    reject: list[int] = []
    for number in call.items("orderIds"):
        try:
            venue.exchange.cancel(_order_to_cancel(venue, call, number))
        except CoinstoreError:
            reject.append(number)
        else:
            success.append(number)
    return {"success": success, "reject": reject}


def cancel_all(venue: CoinstoreVenue, call: Call) -> None:
    market = venue.market(call.required("symbol"))
    for order in market.open_orders(call.owner.account):
        venue.exchange.cancel(order)


def _order_to_cancel(venue: CoinstoreVenue, call: Call, number: int | None) -> Order:
    if number is None:
        raise bad_request("ordId is required")
    order = venue.order(number, call.owner.account)
    if order is not None:
        venue.races.strike(order, call.owner.key)
    if order is None or not order.is_open:
        raise unknown_order()
    return order


def active_orders_v1(venue: CoinstoreVenue, call: Call) -> list[Json]:
    return [active_v1(venue, order) for order in _active(venue, call)]


def active_orders_v2(venue: CoinstoreVenue, call: Call) -> list[Json]:
    return [order_v2(venue, order) for order in _active(venue, call)]


def _active(venue: CoinstoreVenue, call: Call) -> Sequence[Order]:
    name = call.text("symbol")
    symbol = venue.market(name).rules.symbol if name else None
    number, client_id = call.integer("ordId"), call.text("clOrdId")
    return [
        order
        for order in venue.views.of(call.owner).open_orders(symbol)
        if number in (None, venue.order_id(order.symbol, order.id)) and client_id in (None, order.client_id)
    ]


def order_info_v1(venue: CoinstoreVenue, call: Call) -> Json:
    number = call.integer("ordId")
    order = None if number is None else venue.order(number, call.owner.account)
    return info_v1(venue, _as_shown(venue, call, order))


def order_info_v2(venue: CoinstoreVenue, call: Call) -> object:
    """Printed as a list and seen as an object: here the one by number, and the other by client id."""
    number, client_id = call.integer("ordId"), call.text("clOrdId")
    account = call.owner.account
    if number is not None:
        return [order_v2(venue, _as_shown(venue, call, venue.order(number, account)))]
    if client_id is None:
        raise bad_request("ordId or clOrdId is required")
    try:
        return order_v2(venue, _as_shown(venue, call, venue.order_by_client_id(client_id, account)))
    except CoinstoreError:
        return []


def _as_shown(venue: CoinstoreVenue, call: Call, order: Order | None) -> Order:
    """Raises 3103 for an order that its owner cannot see yet."""
    if order is not None:
        order = venue.views.of(call.owner).order(order)
    if order is None:
        raise unknown_order()
    return order


def history(venue: CoinstoreVenue, call: Call) -> Json:
    """Not in the document. Open and ended, newest first."""
    name = call.text("symbol")
    markets = [venue.market(name)] if name else list(venue.exchange.markets.values())
    start, size = call.integer("startTime") or 0, call.between("size", 1, 100, default=20)
    view = venue.views.of(call.owner)
    found = [order for market in markets for order in view.orders(market) if order.time_ms >= start]
    newest = sorted(found, key=lambda order: order.sequence, reverse=True)[:size]
    return {"list": [info_v1(venue, order) for order in newest]}


def _ticket(call: Call, market: LabMarket) -> Ticket:
    kind = KINDS[call.choice("ordType", KINDS)]
    side = Side(call.choice("side", ("BUY", "SELL")).lower())
    client_id = call.text("clOrdId") or ""
    if len(client_id) > LONGEST_CLIENT_ID:
        raise bad_request("clOrdId is too long")
    amount, budget = _size(call, kind, side)
    return Ticket(
        account=call.owner.account,
        key=call.owner.key,
        symbol=market.rules.symbol,
        side=side,
        kind=kind,
        amount=amount,
        budget=budget,
        price=None if kind is Kind.MARKET else _required_number(call, "ordPrice"),
        time_in_force=TimeInForce(call.choice("timeInForce", ("GTC", "IOC", "FOK"), default="GTC").lower()),
        client_id=client_id,
    )


def _size(call: Call, kind: Kind, side: Side) -> tuple[Decimal | None, Decimal | None]:
    """A market buy says what it spends, every other order what it trades."""
    if kind is Kind.MARKET and side is Side.BUY:
        return None, _required_number(call, "ordAmt")
    return _required_number(call, "ordQty"), None


def _required_number(call: Call, name: str) -> Decimal:
    value = call.number(name)
    if value is None:
        raise bad_request(f"{name} is required")
    return value
