"""Orders: place, cancel, look up, list. A single order's error stands inside an answer of HTTP 200."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from tests.lab.accounts import ApiKey
from tests.lab.market import LabMarket
from tests.lab.okx.call import CLIENT_ID_PATTERN, Call, Fields
from tests.lab.okx.errors import OkxError, bad_parameter, from_refusal, no_order, not_cancelable
from tests.lab.okx.payloads import SELF_TRADE_NAMES, Json, order_number, placed, queried
from tests.lab.okx.venue import OkxVenue, owner
from tests.lab.orders import Fill, Kind, Order, RefusedError, Side, Ticket, TimeInForce

KINDS = {
    "limit": (Kind.LIMIT, TimeInForce.GTC),
    "post_only": (Kind.POST_ONLY, TimeInForce.GTC),
    "ioc": (Kind.LIMIT, TimeInForce.IOC),
    "fok": (Kind.LIMIT, TimeInForce.FOK),
    "market": (Kind.MARKET, TimeInForce.GTC),
}
TARGETS = ("base_ccy", "quote_ccy")
TYPES = ("SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION")
STATES = ("canceled", "filled")
WEEK_MS = 7 * 86_400_000
QUARTER_MS = 90 * 86_400_000
FORGOTTEN_MS = 2 * 3_600_000
ENDINGS = {0: ("0", ""), 1: ("2", "Bulk operation partially succeeded"), 2: ("1", "All operations failed")}


def place(venue: OkxVenue, call: Call) -> Json:
    return _each(venue, [call.body()], owner(call), _place)


def place_batch(venue: OkxVenue, call: Call) -> Json:
    return _each(venue, call.batch(), owner(call), _place)


def cancel(venue: OkxVenue, call: Call) -> Json:
    return _each(venue, [call.body()], owner(call), _cancel)


def cancel_batch(venue: OkxVenue, call: Call) -> Json:
    return _each(venue, call.batch(), owner(call), _cancel)


def get_order(venue: OkxVenue, call: Call) -> list[Json]:
    market, key = venue.market(call.query), owner(call)
    order = venue.find(market, call.query, key)
    shown = None if order is None else venue.views.of(key).order(order)
    if shown is None or _is_forgotten(shown, venue.now_ms()):
        raise no_order()
    return [_described(market, shown)]


def pending(venue: OkxVenue, call: Call) -> list[Json]:
    query = call.query
    if query.choice("instType", TYPES, default="SPOT") != "SPOT":
        return []
    symbol = venue.market(query).rules.symbol if query.text("instId") else None
    shown = venue.views.of(owner(call)).open_orders(symbol)
    return _page(venue, query, shown)


def history(venue: OkxVenue, call: Call) -> list[Json]:
    return _ended(venue, call, WEEK_MS)


def history_archive(venue: OkxVenue, call: Call) -> list[Json]:
    return _ended(venue, call, QUARTER_MS)


def _ended(venue: OkxVenue, call: Call, reach_ms: int) -> list[Json]:
    query, now = call.query, venue.now_ms()
    if query.choice("instType", TYPES) != "SPOT":
        return []
    wanted = (query.choice("state", STATES),) if query.text("state") else STATES
    begin, end = query.integer("begin") or 0, query.integer("end") or now
    markets = [venue.market(query)] if query.text("instId") else list(venue.exchange.markets.values())
    view = venue.views.of(owner(call))
    shown = [
        order
        for market in markets
        for order in view.orders(market)
        if not order.is_open
        and now - order.update_ms <= reach_ms
        and begin <= order.time_ms <= end
        and not _is_forgotten(order, now)
    ]
    page = _page(venue, query, sorted(shown, key=lambda order: order.sequence))
    return [row for row in page if row["state"] in wanted]


def _page(venue: OkxVenue, query: Fields, orders: Iterable[Order]) -> list[Json]:
    """Newest first. after, before: ids of orders, themselves left out."""
    limit, after, before = query.limit(), query.integer("after"), query.integer("before")
    rows = [
        order
        for order in orders
        if (after is None or order_number(order) < after) and (before is None or order_number(order) > before)
    ]
    newest = rows[::-1][:limit] if before is None else rows[:limit][::-1]
    return [_described(venue.exchange.market(order.symbol), order) for order in newest]


def _is_forgotten(order: Order, now_ms: int) -> bool:
    """What was cancelled unfilled is kept for two hours."""
    return not order.is_open and not order.filled and now_ms - order.update_ms > FORGOTTEN_MS


def _described(market: LabMarket, order: Order) -> Json:
    return queried(order, _fills_of(market, order), market.rules)


def _fills_of(market: LabMarket, order: Order) -> list[Fill]:
    """As many as the order is shown to be filled by."""
    fills: list[Fill] = []
    shown = Decimal(0)
    for fill in market.fills_of(order.account) if order.filled else ():
        if fill.order_id == order.id and shown < order.filled:
            fills.append(fill)
            shown += fill.amount
    return fills


def _each(
    venue: OkxVenue,
    orders: list[Fields],
    key: ApiKey,
    carry_out: Callable[[OkxVenue, Fields, ApiKey], Order],
) -> Json:
    """The whole answer: a row for each order, and a code for how many of them went well."""
    started, rows = venue.now_ms(), []
    for fields in orders:
        try:
            rows.append(placed(carry_out(venue, fields, key), venue.now_ms()))
        except OkxError as error:
            rows.append(_failed(fields, error, venue.now_ms()))
    failed = sum(row["sCode"] != "0" for row in rows)
    code, text = ENDINGS[(failed > 0) + (failed == len(rows))]
    times = {"inTime": f"{started}000", "outTime": f"{venue.now_ms()}999"}
    return {"code": code, "data": rows, "msg": text, **times}


def _failed(fields: Fields, error: OkxError, now_ms: int) -> Json:
    return {
        "clOrdId": fields.text("clOrdId") or "",
        "ordId": "",
        "tag": "",
        "ts": str(now_ms),
        "sCode": error.code,
        "sMsg": error.text,
    }


def _place(venue: OkxVenue, fields: Fields, key: ApiKey) -> Order:
    market = venue.market(fields)
    venue.meter.charge_orders(key.account, 1)
    ticket = _ticket(fields, market, key)
    try:
        return venue.exchange.place(ticket)
    except RefusedError as refusal:
        raise from_refusal(refusal, ticket, market.rules) from refusal


def _cancel(venue: OkxVenue, fields: Fields, key: ApiKey) -> Order:
    order = venue.find(venue.market(fields), fields, key)
    if order is not None:
        venue.races.strike(order, key.key)
    if order is None or not order.is_open:
        raise not_cancelable()
    venue.exchange.cancel(order)
    return order


def _ticket(fields: Fields, market: LabMarket, key: ApiKey) -> Ticket:
    if fields.choice("tdMode", ("cash", "cross", "isolated")) != "cash":
        raise OkxError("51010", "You can't complete this request under your current account mode.")
    side = Side(fields.choice("side", ("buy", "sell")))
    kind, time_in_force = KINDS[fields.choice("ordType", KINDS)]
    size = fields.number("sz")
    # Without a word from the client, a market buy is by cost.
    target = fields.choice("tgtCcy", TARGETS, default="quote_ccy" if side is Side.BUY else "base_ccy")
    by_cost = kind is Kind.MARKET and target == "quote_ccy"
    return Ticket(
        account=key.account,
        key=key.key,
        symbol=market.rules.symbol,
        side=side,
        kind=kind,
        amount=None if by_cost else size,
        budget=size if by_cost else None,
        price=_price(fields, kind),
        time_in_force=time_in_force,
        client_id=fields.matching("clOrdId", CLIENT_ID_PATTERN) or "",
        self_trade=SELF_TRADE_NAMES[
            fields.choice("stpMode", SELF_TRADE_NAMES, default=next(iter(SELF_TRADE_NAMES)))
        ],
    )


def _price(fields: Fields, kind: Kind) -> Decimal | None:
    if kind is not Kind.MARKET:
        if fields.text("px") is None:
            raise OkxError("51204", "The price for the limit order cannot be empty.")
        return fields.number("px")
    if fields.text("px") is not None:
        raise bad_parameter("px")
    return None
