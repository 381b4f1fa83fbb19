"""Balances, orders and trades of an account, and the rights of a key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from itertools import groupby
from typing import TypeVar

from tests.lab.kraken.call import Call
from tests.lab.kraken.errors import KrakenError, invalid_argument
from tests.lab.kraken.names import asset, find_order, is_order_id, trade_id
from tests.lab.kraken.payloads import Json, money, named_order, named_trade
from tests.lab.kraken.security import rights_of
from tests.lab.kraken.tokens import TOKEN_SECONDS
from tests.lab.kraken.venue import KrakenVenue
from tests.lab.orders import ZERO, Fill, Order

PAGE = 50
MOST_ORDERS_ASKED = 50
MOST_TRADES_ASKED = 20

Row = TypeVar("Row")


def balance(venue: KrakenVenue, call: Call) -> Json:
    held = venue.view(call).holdings()
    return {asset(name): money(holding.free + holding.used) for name, holding in held.items()}


def balance_ex(venue: KrakenVenue, call: Call) -> Json:
    return {
        asset(name): {"balance": money(holding.free + holding.used), "hold_trade": money(holding.used)}
        for name, holding in venue.view(call).holdings().items()
    }


def open_orders(venue: KrakenVenue, call: Call) -> Json:
    orders = [order for order in venue.view(call).open_orders() if _is_asked_for(call, order)]
    return {"open": _named(venue, call, reversed(orders))}


def closed_orders(venue: KrakenVenue, call: Call) -> Json:
    """Newest first. `closetime` is not told apart: start and end are of the end of an order."""
    ended = [order for order in _orders(venue, call) if not order.is_open and _is_asked_for(call, order)]
    chosen = _within(call, ended, lambda order: order.update_ms)
    chosen.sort(key=lambda order: (order.update_ms, order.sequence), reverse=True)
    return {"closed": _named(venue, call, _page(call, chosen)), "count": len(chosen)}


def query_orders(venue: KrakenVenue, call: Call) -> Json:
    """What is not known is left out."""
    names = call.names("txid", most=MOST_ORDERS_ASKED)
    if not all(is_order_id(name) for name in names):
        raise KrakenError("EOrder:Invalid order")
    view, account = venue.view(call), call.owner.account
    found = (find_order(venue.exchange, account, name) for name in names)
    return _named(venue, call, [s for o in found if o is not None and (s := view.order(o)) is not None])


def trades_history(venue: KrakenVenue, call: Call) -> Json:
    """Of all pairs, newest first."""
    fills = _within(call, _fills(venue, call), lambda fill: fill.time_ms)
    fills.reverse()
    page = dict(named_trade(venue.exchange, fill) for fill in _page(call, fills))
    return {"trades": page} | ({} if call.flag("without_count") else {"count": len(fills)})


def query_trades(venue: KrakenVenue, call: Call) -> Json:
    names = set(call.names("txid", most=MOST_TRADES_ASKED))
    found = [fill for fill in _fills(venue, call) if trade_id(venue.exchange, fill) in names]
    return dict(named_trade(venue.exchange, fill) for fill in found)


def api_key_info(venue: KrakenVenue, call: Call) -> Json:
    key = call.owner
    return {
        "apiKeyName": key.account,
        "apiKey": key.key,
        "nonce": str(venue.gatekeeper.last_nonce(key)),
        "nonceWindow": venue.limits.nonce_window,
        "permissions": [str(right) for right in rights_of(key)],
        "iban": "AA00 N00G 0000 0000",
        "validUntil": "0",
        "queryFrom": "0",
        "queryTo": "0",
        "createdTime": str(key.created_ms // 1000),
        "modifiedTime": str(key.created_ms // 1000),
        "ipAllowlist": sorted(key.allowed_ips),
        "lastUsed": str(venue.now_ms() // 1000),
    }


def websockets_token(venue: KrakenVenue, call: Call) -> Json:
    return {"token": venue.tokens.give(call.owner), "expires": TOKEN_SECONDS}


def _orders(venue: KrakenVenue, call: Call) -> list[Order]:
    view = venue.view(call)
    return [order for market in venue.exchange.markets.values() for order in view.orders(market)]


def _fills(venue: KrakenVenue, call: Call) -> list[Fill]:
    """Oldest first. A taker's fills at one moment are one row, unless they are asked for one by one."""
    view = venue.view(call)
    fills = [fill for market in venue.exchange.markets.values() for fill in view.fills(market)]
    fills.sort(key=lambda fill: (fill.time_ms, fill.symbol, fill.trade_id))
    return _consolidated(fills) if call.flag("consolidate_taker", default=True) else fills


def _consolidated(fills: list[Fill]) -> list[Fill]:
    def moment(fill: Fill) -> tuple[str, int, int, int]:
        apart = fill.trade_id if fill.is_maker else 0
        return fill.symbol, fill.order_id, fill.time_ms, apart

    rows: list[Fill] = []
    for _, group in groupby(fills, key=moment):
        rows.append(_sum(list(group)))
    return rows


def _sum(fills: list[Fill]) -> Fill:
    if len(fills) == 1:
        return fills[0]
    amount = sum((fill.amount for fill in fills), ZERO)
    cost = sum((fill.cost for fill in fills), ZERO)
    fee = sum((fill.fee for fill in fills), ZERO)
    return Fill(**(vars(fills[0]) | {"amount": amount, "cost": cost, "fee": fee, "price": cost / amount}))


def _named(venue: KrakenVenue, call: Call, orders: Iterable[Order]) -> Json:
    fills = _fills(venue, call) if call.flag("trades") else []
    return dict(
        named_order(
            venue.exchange,
            order,
            [fill for fill in fills if (fill.symbol, fill.order_id) == (order.symbol, order.id)],
        )
        for order in orders
    )


def _is_asked_for(call: Call, order: Order) -> bool:
    """Nothing here has a `userref`."""
    return call.text("userref") is None and call.text("cl_ord_id") in (None, order.ticket.client_id)


def _within(call: Call, rows: Sequence[Row], time_of: Callable[[Row], int]) -> list[Row]:
    """start is exclusive, end is inclusive."""
    start, end = call.moment_ms("start"), call.moment_ms("end")
    return [
        row
        for row in rows
        if (start is None or time_of(row) > start) and (end is None or time_of(row) <= Decimal(end))
    ]


def _page(call: Call, rows: list[Row]) -> list[Row]:
    offset = call.integer("ofs", default=0)
    if offset and offset > len(rows):
        raise invalid_argument("ofs")
    return rows[offset : offset + PAGE]
