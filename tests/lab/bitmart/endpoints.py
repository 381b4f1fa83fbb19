"""What can be asked: markets, prices, and an account's balances, orders and trades."""

from __future__ import annotations

from tests.lab.bitmart.call import Call
from tests.lab.bitmart.errors import bad_request, trading_ended, unknown_order
from tests.lab.bitmart.payloads import Json, fill, market, order, plain
from tests.lab.bitmart.venue import BitmartVenue, symbol_id
from tests.lab.orders import ZERO, Order

LIST_LIMIT = 200


def system_time(venue: BitmartVenue, call: Call) -> Json:
    return {"server_time": venue.exchange.clock.now_ms()}


def symbols(venue: BitmartVenue, call: Call) -> Json:
    markets = venue.exchange.markets.values()
    return {"symbols": [market(listed.rules, number) for number, listed in enumerate(markets, 53)]}


def ticker(venue: BitmartVenue, call: Call) -> Json:
    asked = venue.market(call.required("symbol"))
    book = asked.display.shown(asked.update_id)
    bid, bid_amount = book.bids[0] if book.bids else (ZERO, ZERO)
    ask, ask_amount = book.asks[0] if book.asks else (ZERO, ZERO)
    last = plain(asked.last_price or ZERO)
    return {
        "symbol": symbol_id(asked.rules.symbol),
        "last": last,
        "v_24h": plain(ZERO),
        "qv_24h": plain(ZERO),
        "open_24h": last,
        "high_24h": last,
        "low_24h": last,
        "fluctuation": "0.00000",
        "bid_px": plain(bid),
        "bid_sz": plain(bid_amount),
        "ask_px": plain(ask),
        "ask_sz": plain(ask_amount),
        "ts": str(venue.exchange.clock.now_ms()),
    }


def books(venue: BitmartVenue, call: Call) -> Json:
    asked = venue.market(call.required("symbol"))
    limit = call.limit(default=35, maximum=50)
    book = asked.display.shown(asked.update_id)
    return {
        "ts": str(venue.exchange.clock.now_ms()),
        "symbol": symbol_id(asked.rules.symbol),
        "asks": [[plain(price), plain(amount)] for price, amount in book.asks[:limit]],
        "bids": [[plain(price), plain(amount)] for price, amount in book.bids[:limit]],
    }


def wallet(venue: BitmartVenue, call: Call) -> Json:
    held = venue.views.of(call.owner).holdings()
    return {
        "wallet": [
            {"id": name, "name": name, "available": plain(holding.free), "frozen": plain(holding.used)}
            for name, holding in held.items()
        ]
    }


def open_orders(venue: BitmartVenue, call: Call) -> list[Json]:
    """Newest first."""
    name = call.text("symbol")
    symbol = venue.market(name).rules.symbol if name else None
    limit = call.limit(default=LIST_LIMIT, maximum=LIST_LIMIT)
    mine = venue.views.of(call.owner).open_orders(symbol)
    return [order(venue, shown) for shown in reversed(mine) if call.includes(shown.time_ms)][:limit]


def history_orders(venue: BitmartVenue, call: Call) -> list[Json]:
    """Those that have ended, newest first."""
    limit = call.limit(default=LIST_LIMIT, maximum=LIST_LIMIT)
    view = venue.views.of(call.owner)
    mine = [shown for listed in venue.chosen(call.text("symbol")) for shown in view.orders(listed)]
    ended = [shown for shown in mine if not shown.is_open and call.includes(shown.time_ms)]
    newest = sorted(ended, key=lambda shown: shown.sequence, reverse=True)
    return [order(venue, shown) for shown in newest[:limit]]


def order_by_number(venue: BitmartVenue, call: Call) -> Json:
    number = call.integer("orderId")
    if number is None:
        raise bad_request("orderId is empty")
    return _as_shown(venue, call, venue.order(number, call.owner.account))


def order_by_client_id(venue: BitmartVenue, call: Call) -> Json:
    client_id = call.required("clientOrderId")
    return _as_shown(venue, call, venue.order_by_client_id(client_id, call.owner.account))


def _as_shown(venue: BitmartVenue, call: Call, found: Order | None) -> Json:
    shown = None if found is None else venue.views.of(call.owner).order(found)
    if shown is None:
        raise unknown_order()
    return order(venue, shown)


def my_trades(venue: BitmartVenue, call: Call) -> list[Json]:
    """Newest first."""
    limit = call.limit(default=LIST_LIMIT, maximum=LIST_LIMIT)
    rows = [
        fill(venue, own, listed.orders[own.order_id])
        for listed in venue.chosen(call.text("symbol"))
        for own in venue.views.of(call.owner).fills(listed)
        if call.includes(own.time_ms)
    ]
    return sorted(rows, key=lambda row: str(row["tradeId"]), reverse=True)[:limit]


def order_trades(venue: BitmartVenue, call: Call) -> list[Json]:
    number = call.required("orderId")
    rows = [
        fill(venue, own, listed.orders[own.order_id])
        for listed in venue.exchange.markets.values()
        for own in venue.views.of(call.owner).fills(listed)
    ]
    return [row for row in rows if row["orderId"] == number]


def no_more_orders(venue: BitmartVenue, call: Call) -> Json:
    raise trading_ended()
