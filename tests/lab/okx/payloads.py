"""How OKX prints markets, orders and trades: strings all, amounts without trailing zeros, times in ms."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tests.lab.accounts import FeeSchedule
from tests.lab.ledger import Holding
from tests.lab.orders import ZERO, Fill, Kind, Order, PublicTrade, SelfTrade, Side, State, TimeInForce
from tests.lab.rules import MarketRules

Json = dict[str, object]

ROUNDED = Decimal("1e-16")
FIRST_ORDER = 10**18
ORDERS_PER_MARKET = 10**8
SELF_TRADE_NAMES = {
    "cancel_maker": SelfTrade.EXPIRE_MAKER,
    "cancel_taker": SelfTrade.EXPIRE_TAKER,
    "cancel_both": SelfTrade.EXPIRE_BOTH,
}
_SELF_TRADE = {mode: name for name, mode in SELF_TRADE_NAMES.items()}


def plain(value: Decimal) -> str:
    return f"{value.normalize():f}" if value else "0"


def instrument_id(symbol: str) -> str:
    return symbol.replace("/", "-")


def order_number(order: Order) -> int:
    """Grows with the order of arrival over all markets, and tells the number in its own."""
    return FIRST_ORDER + order.sequence * ORDERS_PER_MARKET + order.id


def number_in_market(order_id: str) -> int:
    return int(order_id) % ORDERS_PER_MARKET if order_id.isdecimal() else 0


def bill_number(fill: Fill, market_index: int) -> int:
    """Of a fill: grows with time over all markets."""
    return fill.time_ms * 10**6 + market_index * 10**4 + fill.trade_id % 10**4


def instrument(rules: MarketRules) -> Json:
    return {
        "instType": "SPOT",
        "instId": instrument_id(rules.symbol),
        "baseCcy": rules.base,
        "quoteCcy": rules.quote,
        "tickSz": plain(rules.price_step),
        "lotSz": plain(rules.amount_step),
        "minSz": plain(rules.min_amount),
        "maxLmtSz": plain(rules.max_amount),
        "maxMktSz": plain(rules.max_market_amount),
        "maxLmtAmt": plain(rules.max_cost),
        "maxMktAmt": plain(rules.max_cost),
        "state": "live" if rules.is_trading else "suspend",
        "listTime": "1606468572000",
        "category": "1",
        "ruleType": "normal",
        "lever": "",
        "uly": "",
        "instFamily": "",
        "settleCcy": "",
        "ctVal": "",
        "ctMult": "",
        "ctValCcy": "",
        "ctType": "",
        "optType": "",
        "stk": "",
        "alias": "",
        "expTime": "",
    }


def state_of(order: Order) -> str:
    if order.is_open:
        return "partially_filled" if order.filled else "live"
    return "filled" if order.state is State.FILLED else "canceled"


def cancel_source(order: Order) -> str:
    """Why it ended, as a number of OKX's list; empty where it did not, or was filled."""
    if order.is_open or order.state is State.FILLED:
        return ""
    if order.state is State.CANCELED:
        return "1"  # by the user
    if order.state is State.SELF_TRADE:
        return "32"  # it would have met the account's own order
    if order.ticket.kind is Kind.POST_ONLY:
        return "31"  # it would have taken
    return "13" if order.ticket.time_in_force is TimeInForce.FOK else "14"  # there was too little to take


def placed(order: Order, now_ms: int) -> Json:
    return {
        "clOrdId": client_id(order),
        "ordId": str(order_number(order)),
        "tag": "",
        "ts": str(now_ms),
        "sCode": "0",
        "sMsg": "",
    }


def client_id(order: Order) -> str:
    """Only what was sent: OKX makes none up."""
    return order.ticket.client_id


def order_type(order: Order) -> str:
    ticket = order.ticket
    if ticket.kind is Kind.LIMIT and ticket.time_in_force is not TimeInForce.GTC:
        return ticket.time_in_force.value
    return ticket.kind.value


def queried(order: Order, fills: Sequence[Fill], rules: MarketRules) -> Json:
    """fills: this order's own, as far as they are shown."""
    ticket = order.ticket
    by_cost = ticket.budget is not None
    last = fills[-1] if fills else None
    fees = sum((fill.fee for fill in fills), ZERO)
    received = rules.base if order.side is Side.BUY else rules.quote
    return {
        "instType": "SPOT",
        "instId": instrument_id(order.symbol),
        "tgtCcy": _target(ticket.kind, by_cost=by_cost),
        "ccy": "",
        "ordId": str(order_number(order)),
        "clOrdId": client_id(order),
        "tag": "",
        "px": plain(order.price) if order.price is not None else "",
        "sz": plain(ticket.budget if ticket.budget is not None else order.amount),
        "pnl": "0",
        "ordType": order_type(order),
        "side": order.side.value,
        "posSide": "net",
        "tdMode": "cash",
        "accFillSz": plain(order.filled),
        "fillPx": plain(last.price) if last else "",
        "tradeId": str(last.trade_id) if last else "",
        "fillSz": plain(last.amount) if last else "0",
        "fillTime": str(last.time_ms) if last else "",
        "avgPx": plain((order.cost / order.filled).quantize(ROUNDED)) if order.filled else "",
        "state": state_of(order),
        "stpId": "",
        "stpMode": _SELF_TRADE[ticket.self_trade],
        "lever": "",
        "attachAlgoOrds": [],
        "feeCcy": last.fee_currency if last else received,
        "fee": plain(-fees),
        "rebateCcy": rules.quote if order.side is Side.BUY else rules.base,
        "rebate": "0",
        "source": "",
        "category": "normal",
        "reduceOnly": "false",
        "cancelSource": cancel_source(order),
        "cancelSourceReason": "",
        "algoClOrdId": "",
        "algoId": "",
        "uTime": str(order.update_ms),
        "cTime": str(order.time_ms),
    }


def my_fill(fill: Fill, order: Order, market_index: int, fees: FeeSchedule) -> Json:
    return {
        "instType": "SPOT",
        "instId": instrument_id(fill.symbol),
        "tradeId": str(fill.trade_id),
        "ordId": str(order_number(order)),
        "clOrdId": client_id(order),
        "billId": str(bill_number(fill, market_index)),
        "subType": "1" if fill.side is Side.BUY else "2",
        "tag": "",
        "fillPx": plain(fill.price),
        "fillSz": plain(fill.amount),
        "fillPnl": "0",
        "side": fill.side.value,
        "posSide": "net",
        "execType": "M" if fill.is_maker else "T",
        "feeCcy": fill.fee_currency,
        "fee": plain(-fill.fee),
        "feeRate": plain(-fees.rate(is_maker=fill.is_maker)),
        "fillTime": str(fill.time_ms),
        "ts": str(fill.time_ms),
    }


def public_trade(trade: PublicTrade) -> Json:
    return {
        "instId": instrument_id(trade.symbol),
        "side": trade.taker_side.value,
        "sz": plain(trade.amount),
        "px": plain(trade.price),
        "tradeId": str(trade.id),
        "ts": str(trade.time_ms),
        "source": "0",
    }


def levels(rows: Sequence[tuple[Decimal, Decimal]]) -> list[list[str]]:
    """Price, amount, a number that means nothing any more, and how many orders."""
    return [[plain(price), plain(amount), "0", "1"] for price, amount in rows]


def balance(currency: str, holding: Holding, now_ms: int) -> Json:
    """Of an account in spot mode, where the fields of margin are empty."""
    total = plain(holding.free + holding.used)
    return {
        "ccy": currency,
        "eq": total,
        "cashBal": total,
        "availBal": plain(holding.free),
        "frozenBal": plain(holding.used),
        "ordFrozen": plain(holding.used),
        "availEq": "",
        "disEq": "0",
        "eqUsd": "",
        "isoEq": "",
        "liab": "",
        "upl": "",
        "interest": "",
        "maxLoan": "",
        "mgnRatio": "",
        "notionalLever": "",
        "rewardBal": "0",
        "spotInUseAmt": "",
        "stgyEq": "0",
        "twap": "0",
        "uTime": str(now_ms),
    }


def _target(kind: Kind, *, by_cost: bool) -> str:
    """Which currency `sz` is in, where that is a choice."""
    if kind is not Kind.MARKET:
        return ""
    return "quote_ccy" if by_cost else "base_ccy"
