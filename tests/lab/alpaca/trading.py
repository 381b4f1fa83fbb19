"""Orders: place, cancel, look up, list ("Orders at Alpaca", "User Protection", the reference)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from tests.lab.alpaca.call import Call
from tests.lab.alpaca.errors import AlpacaError, invalid, malformed, no_order, refused
from tests.lab.alpaca.markets import STOCKS, asset_symbol, is_stock
from tests.lab.alpaca.payloads import Json, acknowledged, order_json, plain
from tests.lab.alpaca.venue import AlpacaVenue
from tests.lab.ledger import ZERO
from tests.lab.market import LabMarket
from tests.lab.matching import OrderBook
from tests.lab.orders import Kind, Order, Reason, RefusedError, Side, State, Ticket, TimeInForce
from tests.lab.rules import MarketRules

LONGEST_CLIENT_ID = 128
COIN_DURATIONS, STOCK_DURATIONS = ("gtc", "ioc"), ("day", "gtc", "ioc", "fok")
DOLLAR = Decimal(1)
TRUTHS = ("true", "false", "True", "False")  # alpaca-py writes them as Python does


def place(venue: AlpacaVenue, call: Call) -> Json:
    market = _market(venue, call)
    duration = _duration(call, market.rules)
    ticket = _ticket(call, market.rules, duration)
    _check_client_id(venue, ticket)
    if not call.owner.trading:
        raise refused("new orders are rejected by user request")
    _check_wash_trade(venue, market, ticket)
    try:
        order = venue.exchange.place(ticket)
    except RefusedError as refusal:
        raise _in_words(venue, market.rules, ticket, refusal) from refusal
    if duration == "day":
        venue.day_orders.add((order.symbol, order.id))
    return acknowledged(venue, order)


def cancel(venue: AlpacaVenue, call: Call) -> None:
    """A cancelled order may be cancelled again; a filled one may not."""
    order = venue.find_order(call.named, call.owner.account)
    if order is None:
        raise no_order(call.named)
    venue.races.strike(order, call.owner.key)
    if order.state is State.CANCELED:
        return
    if not order.is_open:
        raise invalid(f'order is already in "{order_json(venue, order)["status"]}" state')
    venue.exchange.cancel(order)


def cancel_all(venue: AlpacaVenue, call: Call) -> list[Json]:
    """Of the whole account."""
    orders = venue.exchange.open_orders(call.owner.account)
    for order in orders:
        venue.exchange.cancel(order)
    return [{"id": venue.order_id(order), "status": 200} for order in orders]


def get_order(venue: AlpacaVenue, call: Call) -> Json:
    return _shown(venue, call, venue.find_order(call.named, call.owner.account), call.named)


def get_order_by_client_id(venue: AlpacaVenue, call: Call) -> Json:
    client_id = call.text("client_order_id")
    if not client_id:
        raise malformed("client_order_id is required")
    return _shown(venue, call, _by_client_id(venue, call.owner.account, client_id), client_id)


def list_orders(venue: AlpacaVenue, call: Call) -> list[Json]:
    status = call.choice("status", ("open", "closed", "all"), "open")
    limit = call.integer("limit", default=50, most=500)
    after, until = call.moment_ms("after"), call.moment_ms("until")
    oldest_first = call.choice("direction", ("asc", "desc"), "desc") == "asc"
    side = call.choice("side", ("", "buy", "sell"), "")
    call.choice("nested", ("", *TRUTHS), "")
    named = {asset_symbol(venue.market(name).rules) for name in call.names("symbols")}
    found = [
        order
        for order in _shown_orders(venue, call)
        if status in ("all", "open" if order.is_open else "closed")
        and (after is None or order.time_ms > after)
        and (until is None or order.time_ms < until)
        and side in ("", order.side)
        and (not named or asset_symbol(venue.exchange.market(order.symbol).rules) in named)
    ]
    rows = found if oldest_first else found[::-1]
    return [order_json(venue, order) for order in rows[:limit]]


def _shown_orders(venue: AlpacaVenue, call: Call) -> list[Order]:
    view = venue.views.of(call.owner)
    orders = (order for market in venue.exchange.markets.values() for order in view.orders(market))
    return sorted(orders, key=lambda order: order.sequence)


def _shown(venue: AlpacaVenue, call: Call, order: Order | None, named: str) -> Json:
    shown = None if order is None else venue.views.of(call.owner).order(order)
    if shown is None:
        raise no_order(named)
    return order_json(venue, shown)


# --- What is sent


def _market(venue: AlpacaVenue, call: Call) -> LabMarket:
    name = call.text("symbol")
    if not name:
        raise malformed("symbol is required")
    return venue.market(name)


def _duration(call: Call, rules: MarketRules) -> str:
    duration = call.text("time_in_force")
    if not is_stock(rules):
        if duration not in COIN_DURATIONS:
            raise invalid("invalid crypto time_in_force")
    elif duration not in STOCK_DURATIONS:
        raise malformed("invalid time_in_force")
    return duration


def _ticket(call: Call, rules: MarketRules, duration: str) -> Ticket:
    kind = {"limit": Kind.LIMIT, "market": Kind.MARKET}.get(call.text("type"))
    if kind is None:
        raise malformed("invalid order type for crypto order" if not is_stock(rules) else "invalid type")
    if call.text("order_class") not in ("", "simple") or call.number("notional") is not None:
        raise AlpacaError(501, None, "the lab knows simple orders by qty only")
    return Ticket(
        account=call.owner.account,
        key=call.owner.key,
        symbol=rules.symbol,
        side=Side(call.choice("side", ("buy", "sell"))),
        kind=kind,
        amount=_amount(call, rules, duration),
        price=_price(call, rules, kind),
        time_in_force=TimeInForce.GTC if duration == "day" else TimeInForce(duration),
        client_id=call.text("client_order_id"),
    )


def _amount(call: Call, rules: MarketRules, duration: str) -> Decimal:
    amount = call.number("qty")
    if amount is None:
        raise malformed("qty or notional is required")
    if amount <= 0:
        raise invalid("qty must be > 0")
    if not is_stock(rules):
        return amount - amount % rules.amount_step  # what is finer is dropped without a word
    if amount % 1 == 0:
        return amount
    if not STOCKS[rules.base].is_fractionable:
        raise refused(f'asset "{rules.base}" is not fractionable')
    if duration != "day":
        raise invalid("fractional orders must be DAY orders")
    return amount


def _price(call: Call, rules: MarketRules, kind: Kind) -> Decimal | None:
    price = call.number("limit_price")
    if kind is Kind.MARKET:
        if price is not None:
            raise invalid("market orders require no limit price")
        return None
    if price is None:
        raise invalid("limit orders require limit price")
    if price <= 0:
        raise invalid("limit price must be > 0")
    if is_stock(rules) and price >= DOLLAR and price % Decimal("0.01"):
        reason = "sub-penny increment does not fulfill minimum pricing criteria"
        raise invalid(f"invalid limit_price {plain(price)}. {reason}")
    return price


# --- Whether it may be


def _check_client_id(venue: AlpacaVenue, ticket: Ticket) -> None:
    """It may be used once, for whatever symbol."""
    if len(ticket.client_id) > LONGEST_CLIENT_ID:
        raise malformed(f"client_order_id must be no more than {LONGEST_CLIENT_ID} characters")
    if ticket.client_id and _by_client_id(venue, ticket.account, ticket.client_id):
        raise malformed("client_order_id must be unique")


def _check_wash_trade(venue: AlpacaVenue, market: LabMarket, ticket: Ticket) -> None:
    """An order that could meet the account's own on the other side."""
    other = Side.SELL if ticket.side is Side.BUY else Side.BUY
    for order in market.open_orders(ticket.account):
        if order.side is other and _would_meet(ticket, order):
            raise refused(
                "potential wash trade detected. use complex orders",
                existing_order_id=venue.order_id(order),
                reject_reason="opposite side limit order exists",
            )


def _would_meet(ticket: Ticket, resting: Order) -> bool:
    if ticket.price is None or resting.price is None:
        return True
    return ticket.price >= resting.price if ticket.side is Side.BUY else ticket.price <= resting.price


def _in_words(venue: AlpacaVenue, rules: MarketRules, ticket: Ticket, refusal: RefusedError) -> AlpacaError:
    amount = ticket.amount or ZERO
    if refusal.reason is Reason.INSUFFICIENT_FUNDS:
        return _no_funds(venue, rules, ticket, amount)
    if refusal.reason is Reason.NOTIONAL:
        return refused(f"cost basis must be >= minimal amount of order {plain(rules.min_cost)}")
    if refusal.reason in (Reason.LOT_SIZE, Reason.MARKET_LOT_SIZE):
        least, step = plain(rules.min_amount), plain(rules.amount_step)
        return invalid(f"qty must be >= {least} with trade increment of {step}")
    if refusal.reason is Reason.PRICE_FILTER:
        return invalid(f"limit price increment must be {plain(rules.price_step)}")
    if refusal.reason is Reason.ACCOUNT_DISABLED:
        return refused("account is not allowed to trade")
    if refusal.reason is Reason.MARKET_CLOSED:
        return invalid(f'asset "{asset_symbol(rules)}" is not tradable')
    raise refusal


def _no_funds(venue: AlpacaVenue, rules: MarketRules, ticket: Ticket, amount: Decimal) -> AlpacaError:
    """In three kinds of words: for stocks bought, stocks sold, and coins either way."""
    buys = ticket.side is Side.BUY
    needed = amount * _asked_price(venue, rules, ticket) if buys else amount
    currency = rules.quote if buys else rules.base
    holding = venue.exchange.ledger.holding(ticket.account, currency)
    if not is_stock(rules):
        return refused(
            f"insufficient balance for {currency} (requested: {plain(needed)}, "
            f"available: {plain(holding.free)})",
            symbol=currency,
            balance=plain(holding.free + holding.used),
            available=plain(holding.free),
        )
    if buys:
        return refused(
            "insufficient buying power", buying_power=plain(holding.free), cost_basis=plain(needed)
        )
    return refused(
        f"insufficient qty available for order (requested: {plain(needed)}, "
        f"available: {plain(holding.free)})",
        symbol=rules.base,
        existing_qty=plain(holding.free + holding.used),
        held_for_orders=plain(holding.used),
        available=plain(holding.free),
        related_orders=_selling(venue.exchange.market(rules.symbol), ticket.account, venue),
    )


def _asked_price(venue: AlpacaVenue, rules: MarketRules, ticket: Ticket) -> Decimal:
    book: OrderBook = venue.exchange.market(rules.symbol).book
    return ticket.price or book.asks.best_price or ZERO


def _selling(market: LabMarket, account: str, venue: AlpacaVenue) -> list[str]:
    orders: Iterable[Order] = market.open_orders(account)
    return [venue.order_id(order) for order in orders if order.side is Side.SELL]


def _by_client_id(venue: AlpacaVenue, account: str, client_id: str) -> Order | None:
    found = (market.by_client_id(account, client_id) for market in venue.exchange.markets.values())
    return next((order for order in found if order is not None), None)
