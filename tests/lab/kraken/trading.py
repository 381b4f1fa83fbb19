"""Orders: place and cancel."""

from __future__ import annotations

import re
from decimal import Decimal

from tests.lab.kraken.call import Call
from tests.lab.kraken.errors import KrakenError, from_refusal, invalid_argument, unknown_order
from tests.lab.kraken.names import find_order, order_id, pair_id
from tests.lab.kraken.payloads import Json, decimals, description
from tests.lab.kraken.venue import KrakenVenue
from tests.lab.market import LabMarket
from tests.lab.orders import Kind, Order, RefusedError, SelfTrade, Side, Ticket, TimeInForce

# "Spot Client Order Identifiers": a UUID with or without dashes, or a short free text.
CLIENT_ID = re.compile(
    r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32}|[\x21-\x7e]{1,18}", re.ASCII | re.IGNORECASE
)
SELF_TRADE = {
    "cancel-newest": SelfTrade.EXPIRE_TAKER,
    "cancel-oldest": SelfTrade.EXPIRE_MAKER,
    "cancel-both": SelfTrade.EXPIRE_BOTH,
}
FLAGS = {"post", "fciq", "nompp", "viqc"}  # fcib, a fee in base, is not simulated


def add_order(venue: KrakenVenue, call: Call) -> Json:
    ticket = _ticket(call, venue.market(call))
    venue.counters.count_order(ticket.account, ticket.symbol)
    _check_client_id(venue, ticket)
    try:
        order = venue.exchange.place(ticket)
    except RefusedError as refusal:
        raise from_refusal(refusal) from refusal
    rules = venue.exchange.market(order.symbol).rules
    return {"descr": {"order": description(rules, order)}, "txid": [order_id(venue.exchange, order)]}


def cancel_order(venue: KrakenVenue, call: Call) -> Json:
    order = _named(venue, call)
    if order is not None:
        venue.races.strike(order, call.owner.key)
    if order is None or not order.is_open:
        raise unknown_order()
    venue.counters.count_cancel(order)
    venue.exchange.cancel(order)
    return {"count": 1}


def _named(venue: KrakenVenue, call: Call) -> Order | None:
    client_id = call.text("cl_ord_id")
    if client_id is None:
        return find_order(venue.exchange, call.owner.account, call.required("txid"))
    return _open_by_client_id(venue, call.owner.account, client_id)


def _open_by_client_id(venue: KrakenVenue, account: str, client_id: str) -> Order | None:
    mine = venue.exchange.open_orders(account)
    return next((order for order in mine if order.ticket.client_id == client_id), None)


def _check_client_id(venue: KrakenVenue, ticket: Ticket) -> None:
    """Unique among the open orders of all pairs."""
    if ticket.client_id and _open_by_client_id(venue, ticket.account, ticket.client_id) is not None:
        raise KrakenError("EOrder:Duplicate cl_ord_id")


def _ticket(call: Call, market: LabMarket) -> Ticket:
    flags = set(filter(None, (call.text("oflags") or "").split(",")))
    if flags - FLAGS:
        raise invalid_argument("oflags")
    kind = _kind(call, flags)
    size = _volume(call, market)
    in_quote = "viqc" in flags
    return Ticket(
        account=call.owner.account,
        key=call.owner.key,
        symbol=market.rules.symbol,
        side=Side(call.choice("type", ("buy", "sell"))),
        kind=kind,
        amount=None if in_quote else size,
        budget=size if in_quote else None,
        price=None if kind is Kind.MARKET else _price(call, market),
        time_in_force=_time_in_force(call, kind),
        client_id=_client_id(call),
        self_trade=SELF_TRADE[call.choice("stptype", SELF_TRADE, default="cancel-newest")],
    )


def _kind(call: Call, flags: set[str]) -> Kind:
    kind = Kind(call.choice("ordertype", ("limit", "market")))
    if kind is Kind.LIMIT and "viqc" in flags:
        raise invalid_argument("viqc")
    if "post" not in flags:
        return kind
    if kind is Kind.MARKET:
        raise invalid_argument("oflags")
    return Kind.POST_ONLY


def _volume(call: Call, market: LabMarket) -> Decimal:
    """Places beyond those of a lot are refused."""
    size = call.number("volume")
    if "viqc" not in (call.text("oflags") or "") and size % market.rules.amount_step:
        raise invalid_argument("volume")
    return size


def _price(call: Call, market: LabMarket) -> Decimal:
    price, places = call.number("price"), decimals(market.rules.price_step)
    if price != round(price, places):
        name = pair_id(market.rules)
        text = f"EOrder:Invalid price:{name} price can only be specified up to {places} decimals."
        raise KrakenError(text)
    return price


def _time_in_force(call: Call, kind: Kind) -> TimeInForce:
    value = call.choice("timeinforce", ("GTC", "IOC", "FOK"), default="GTC")
    if kind is Kind.POST_ONLY and value != "GTC":
        raise invalid_argument("timeinforce")
    return TimeInForce(value.lower())


def _client_id(call: Call) -> str:
    client_id = call.text("cl_ord_id")
    if client_id is None:
        return ""
    if call.text("userref") is not None or not CLIENT_ID.fullmatch(client_id):
        raise invalid_argument("cl_ord_id")
    return client_id
