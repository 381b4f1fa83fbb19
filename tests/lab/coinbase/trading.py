"""Orders that are there: cancel, look up, list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from tests.lab.coinbase.call import Call, write_cursor
from tests.lab.coinbase.errors import bad_argument, no_such_order
from tests.lab.coinbase.names import find_order, order_id, product_id
from tests.lab.coinbase.payloads import Json, order_json, status_of
from tests.lab.coinbase.venue import CoinbaseVenue
from tests.lab.market import LabMarket
from tests.lab.orders import Fill, Kind, Order, State

MOST_CANCELS = 100
STATUSES = frozenset(
    (
        "PENDING",
        "OPEN",
        "FILLED",
        "CANCELLED",
        "EXPIRED",
        "FAILED",
        "UNKNOWN_ORDER_STATUS",
        "QUEUED",
        "CANCEL_QUEUED",
        "EDIT_QUEUED",
    )
)


def batch_cancel(venue: CoinbaseVenue, call: Call) -> Json:
    names = call.body.get("order_ids")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise bad_argument("order_ids is required")
    if len(names) > MOST_CANCELS:
        raise bad_argument(f"at most {MOST_CANCELS} order_ids")
    return {"results": [_cancel(venue, call, name) for name in names]}


def get_order(venue: CoinbaseVenue, call: Call) -> Json:
    order = _mine(venue, call, call.rest)
    shown = None if order is None else venue.views.of(call.owner).order(order)
    if shown is None:
        raise no_such_order()
    market = venue.exchange.market(shown.symbol)
    return {"order": _json(venue, shown, _fills_by_order(market, call.owner.account), market)}


def list_orders(venue: CoinbaseVenue, call: Call) -> Json:
    """Newest first."""
    wanted = set(call.texts("order_status"))
    if not wanted <= STATUSES:
        raise bad_argument(f"unknown order_status {min(wanted - STATUSES)}")
    if "OPEN" in wanted and len(wanted) > 1:
        raise bad_argument("cannot pair open orders with other order types")
    after = call.cursor()
    limit = call.limit(default=venue.limits.page_size, most=venue.limits.page_size)
    rows = [row for row in _listed(venue, call, wanted) if after is None or row[0].sequence < after[0]]
    rows.sort(key=lambda row: -row[0].sequence)
    page, has_next = rows[:limit], len(rows) > limit
    fills = {market: _fills_by_order(market, call.owner.account) for _, market in page}
    return {
        "orders": [_json(venue, order, fills[market], market) for order, market in page],
        "sequence": "0",
        "has_next": has_next,
        "cursor": write_cursor(page[-1][0].sequence) if has_next else "",
    }


def _listed(venue: CoinbaseVenue, call: Call, wanted: set[str]) -> list[tuple[Order, LabMarket]]:
    """Times are those of the creation, and open orders are shown whatever their time."""
    products, ids = call.texts("product_ids", "product_id"), call.texts("order_ids")
    start, end, side = call.time_ms("start_date"), call.time_ms("end_date"), call.text("order_side")
    if wanted == {"OPEN"}:
        start = end = None
    view = venue.views.of(call.owner)
    return [
        (order, market)
        for market in venue.markets
        if not products or product_id(market.rules) in products
        for order in view.orders(market)
        if (not ids or order_id(order) in ids)
        and (not wanted or status_of(order, is_pending=venue.is_pending(order)) in wanted)
        and side in (None, order.side.upper())
        and (start is None or order.time_ms >= start)
        and (end is None or order.time_ms < end)
    ]


def _json(venue: CoinbaseVenue, order: Order, fills: Mapping[int, list[Fill]], market: LabMarket) -> Json:
    configuration = venue.configurations.get((order.symbol, order.id)) or _usual_configuration(order)
    status = status_of(order, is_pending=venue.is_pending(order))
    return order_json(order, fills.get(order.id, []), configuration, status=status, market=market)


def _usual_configuration(order: Order) -> Json:
    """Of an order that came to the exchange past this dialect."""
    limit: Json = {"base_size": f"{order.amount:f}", "limit_price": f"{order.price or 0:f}"}
    if order.ticket.kind is Kind.MARKET:
        return {"market_market_ioc": {"base_size": f"{order.amount:f}"}}
    return {"limit_limit_gtc": limit | {"post_only": order.ticket.kind is Kind.POST_ONLY}}


def _fills_by_order(market: LabMarket, account: str) -> Mapping[int, list[Fill]]:
    found: defaultdict[int, list[Fill]] = defaultdict(list)
    for fill in market.fills_of(account):
        found[fill.order_id].append(fill)
    return found


def _mine(venue: CoinbaseVenue, call: Call, name: str) -> Order | None:
    order = find_order(venue.markets, name)
    return order if order is not None and order.account == call.owner.account else None


def _cancel(venue: CoinbaseVenue, call: Call, name: str) -> Json:
    order = _mine(venue, call, name)
    if order is not None:
        venue.races.strike(order, call.owner.key)
    reason = "UNKNOWN_CANCEL_FAILURE_REASON"
    if order is None or not order.is_open:
        filled = order is not None and order.state is State.FILLED
        reason = "ORDER_IS_FULLY_FILLED" if filled else "UNKNOWN_CANCEL_ORDER"
        return {"success": False, "failure_reason": reason, "order_id": name}
    venue.exchange.cancel(order)
    return {"success": True, "failure_reason": reason, "order_id": name}
