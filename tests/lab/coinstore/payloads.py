"""How Coinstore prints orders, trades and markets: strings or numbers, seconds or milliseconds."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal

from tests.lab.coinstore.venue import CoinstoreVenue, symbol_id
from tests.lab.market import LabMarket
from tests.lab.orders import ZERO, Fill, Kind, Order, PublicTrade, Side, State

Json = dict[str, object]

TYPES = {Kind.LIMIT: "LIMIT", Kind.POST_ONLY: "POST_ONLY", Kind.MARKET: "MARKET"}
_STATES = {
    State.FILLED: "FILLED",
    State.CANCELED: "CANCELED",
    State.EXPIRED: "EXPIRED",
    State.SELF_TRADE: "CANCELED",
}
SIDES = {Side.BUY: 1, Side.SELL: -1}
_EIGHTEEN = Decimal("1e-18")
_NUMBER = re.compile(r'"number:([^"]*)"')


def plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def dump(content: object) -> bytes:
    """Amounts of trades are JSON numbers with eighteen decimals, and as Java writes them: 0E-18 is zero."""
    text = json.dumps(content, separators=(",", ":"), default=lambda value: f"number:{value}")
    return _NUMBER.sub(r"\1", text).encode()


def as_number(value: Decimal) -> Decimal:
    return value.quantize(_EIGHTEEN)


def shown(venue: CoinstoreVenue, order: Order) -> Order:
    """For a moment after it was taken in, nothing has happened to it yet."""
    if not venue.is_fresh(order):
        return order
    return replace(order, state=State.OPEN, filled=ZERO, cost=ZERO, update_ms=order.time_ms)


def status_of(venue: CoinstoreVenue, order: Order) -> str:
    if venue.is_fresh(order):
        return "SUBMITTING"
    if order.is_open:
        return "PARTIAL_FILLED" if order.filled else "SUBMITTED"
    if order.state is State.EXPIRED and order.ticket.kind is Kind.POST_ONLY:
        return "REJECTED"  # the gate took it in, the matching engine found that it crosses
    return _STATES[order.state]


def order_v2(venue: CoinstoreVenue, order: Order) -> Json:
    return _order(venue, shown(venue, order)) | {
        "ordStatus": status_of(venue, order),
        "avgPrice": plain(_average(shown(venue, order))),
        "orderUpdateTime": order.update_ms,
    }


def active_v1(venue: CoinstoreVenue, order: Order) -> Json:
    """Here the order's number is a string, and its price a number."""
    body = _order(venue, shown(venue, order)) | {"ordStatus": status_of(venue, order), "ordAmt": "0"}
    return body | {"ordId": str(body["ordId"]), "ordPrice": as_number(order.price or ZERO).normalize()}


def info_v1(venue: CoinstoreVenue, order: Order) -> Json:
    ticket = order.ticket
    budget = ticket.budget if ticket.budget is not None else (order.price or ZERO) * order.amount
    rules = venue.exchange.market(order.symbol).rules
    return _order(venue, shown(venue, order)) | {
        "ordState": status_of(venue, order),
        "ordAmt": plain(budget),
        "avgPrice": plain(_average(shown(venue, order))),
        "feeCurrency": rules.base if order.side is Side.BUY else rules.quote,
    }


def _order(venue: CoinstoreVenue, order: Order) -> Json:
    rules = venue.exchange.market(order.symbol).rules
    return {
        "baseCurrency": rules.base,
        "quoteCurrency": rules.quote,
        "side": order.side.upper(),
        "cumQty": plain(order.filled),
        "ordId": venue.order_id(order.symbol, order.id),
        "clOrdId": order.client_id if order.ticket.client_id else "0",
        "ordType": TYPES[order.ticket.kind],
        "ordQty": plain(order.amount),
        "cumAmt": plain(order.cost),
        "accountId": venue.exchange.accounts[order.account].uid,
        "timeInForce": order.ticket.time_in_force.upper(),
        "ordPrice": plain(order.price or ZERO),
        "leavesQty": plain(order.remaining) if order.is_open else "0",
        "symbol": rules.base + rules.quote,
        "timestamp": order.time_ms,
    }


def _average(order: Order) -> Decimal:
    """Rounded to the tick's digits and some more, as it cannot be told exactly."""
    return (order.cost / order.filled).quantize(Decimal("1e-8")) if order.filled else ZERO


def match(venue: CoinstoreVenue, market: LabMarket, fill: Fill, order: Order) -> Json:
    role = -1 if fill.is_maker else 1
    fees = venue.exchange.accounts[fill.account].fees
    return {
        "id": venue.match_id(fill),
        "remainingQty": as_number(order.remaining),
        "matchRole": role,
        "feeCurrencyId": venue.currency_id(fill.fee_currency),
        "acturalFeeRate": as_number(fees.rate(is_maker=fill.is_maker)),
        "role": role,
        "accountId": venue.exchange.accounts[fill.account].uid,
        "instrumentId": venue.instrument_id(market),
        "baseCurrencyId": venue.currency_id(market.rules.base),
        "quoteCurrencyId": venue.currency_id(market.rules.quote),
        "execQty": as_number(fill.amount),
        "orderState": 50,
        "matchId": 258_000_000 + fill.trade_id,
        "orderId": venue.order_id(fill.symbol, fill.order_id),
        "side": SIDES[fill.side],
        "execAmt": as_number(fill.cost),
        "selfDealingQty": as_number(ZERO),
        "tradeId": fill.trade_id,
        "fee": as_number(fill.fee),
        "matchTime": fill.time_ms // 1000,
        "seq": None,
    }


def public_trade(venue: CoinstoreVenue, market: LabMarket, trade: PublicTrade) -> Json:
    instrument = venue.instrument_id(market)
    return {
        "channel": f"{instrument}@trade",
        "time": trade.time_ms // 1000,
        "volume": plain(trade.amount),
        "price": plain(trade.price),
        "tradeId": trade.id,
        "takerSide": trade.taker_side.upper(),
        "seq": trade.id,
        "ts": trade.time_ms,
        "symbol": symbol_id(market),
        "instrumentId": instrument,
    }


def described(venue: CoinstoreVenue, market: LabMarket) -> Json:
    """Steps are numbers of decimals; the code is written in either case, or in both at once."""
    rules, instrument = market.rules, venue.instrument_id(market)
    base = rules.base if instrument % 2 else rules.base.lower()
    return {
        "symbolId": instrument,
        "symbolCode": base + rules.quote,
        "tradeCurrencyCode": rules.base.lower(),
        "quoteCurrencyCode": rules.quote.lower(),
        "openTrade": rules.is_trading,
        "onLineTime": 1_609_813_531_019,
        "tickSz": _decimals(rules.price_step),
        "lotSz": _decimals(rules.amount_step),
        "minLmtPr": plain(rules.min_price),
        "minLmtSz": plain(rules.min_amount),
        "minMktVa": plain(rules.min_cost),
        "minMktSz": plain(rules.min_amount),
        "makerFee": "0.002",
        "takerFee": "0.002",
    }


def _decimals(step: Decimal) -> int:
    return max(0, -int(step.normalize().as_tuple().exponent))
