"""Coinstore's answers in ccxt's form. Its numbers are read as text, so none was ever a float.

Where the document and the venue differ, both are accepted: see each function.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any

from exchanges.types import ZERO
from exchanges.venues.ccxt_answers import amount_of, dictionary, malformed, number, optional_number, positive

AVAILABLE = "1"
MILLISECONDS_FROM = 10**11  # as seconds this is the year 5138
MOST_DECIMALS = 18
EXACT_DIGITS = 60
SMALLEST = Decimal("1e-18")
ROUNDED = Decimal("0.01")  # so far may rounding take an average price out of the day's range

_STATUS = {
    "SUBMITTING": "pending",
    "SUBMITTED": "open",
    "PARTIAL_FILLED": "open",
    "CANCELING": "canceling",
    "CANCELED": "canceled",
    "STOPPED": "canceled",
    "EXPIRED": "expired",
    "REJECTED": "rejected",
    "FILLED": "closed",
}
_SIDES = {"BUY": "buy", "SELL": "sell", "1": "buy", "-1": "sell"}
_ROLES = {"1": "taker", "TAKER": "taker", "-1": "maker", "MAKER": "maker"}


def data_of(answer: Any) -> Any:
    content = dictionary(answer, "the answer")
    if "data" not in content:
        raise malformed("there is no data in it")
    return content["data"]


def rows_of(answer: Any, name: str) -> Sequence[Mapping[str, Any]]:
    rows = data_of(answer)
    if not isinstance(rows, list):
        raise malformed(f"{name} are no list")
    return [dictionary(row, name) for row in rows]


def market_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Its code may be written in both cases at once (btcUSDT). Steps are counts of decimals."""
    base, quote = str(row["tradeCurrencyCode"]).upper(), str(row["quoteCurrencyCode"]).upper()
    return {
        "id": str(row["symbolCode"]).upper(),
        "symbol": f"{base}/{quote}",
        "base": base,
        "quote": quote,
        "baseId": base,
        "quoteId": quote,
        "type": "spot",
        "spot": True,
        "active": row.get("openTrade") is True,
        "maker": row.get("makerFee"),
        "taker": row.get("takerFee"),
        "precision": {"price": _step(row["tickSz"]), "amount": _step(row["lotSz"])},
        "limits": {"amount": {"min": row.get("minLmtSz")}, "cost": {"min": row.get("minMktVa")}},
        "info": row,
    }


def ticker_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The document calls the volume in quote `volume` and that in base `amount`; the venue, and the
    document's own example, have it the other way round. The day's prices tell which is which."""
    names = ("volume", "amount", "low", "high", "close")
    first, second, low, high, last = (optional_number(row.get(name), f"a day's {name}") for name in names)
    if first is None or second is None or not (low and high):
        return {"last": last}
    for base, quote in ((first, second), (second, first)):
        if base * low * (1 - ROUNDED) <= quote <= base * high * (1 + ROUNDED):
            return {"last": last, "baseVolume": base, "quoteVolume": quote}
    return {"last": last}


def _step(decimals: object) -> str:
    count = int(number(decimals, "a count of decimals"))
    if not 0 <= count <= MOST_DECIMALS:
        raise malformed(f"{count} decimals")
    return f"{Decimal(1).scaleb(-count):f}"


def order_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Version 1 calls its state ordState, version 2 ordStatus. Orders without a client id have "0" there.

    The average is computed, as the venue rounds its own; a market order has no other price.
    """
    filled, amount = amount_of(row.get("cumQty"), "the filled amount"), row.get("ordQty")
    cost = amount_of(row.get("cumAmt"), "the filled cost")
    average = _quotient(cost, filled) if filled else None
    client_id = str(row.get("clOrdId") or "0")
    return {
        "id": row.get("ordId"),
        "clientOrderId": None if client_id == "0" else client_id,
        "symbol": f"{row.get('baseCurrency')}/{row.get('quoteCurrency')}".upper(),
        "side": _SIDES.get(str(row.get("side"))),
        "type": "market" if row.get("ordType") == "MARKET" else "limit",
        "status": _STATUS.get(str(row.get("ordStatus") or row.get("ordState"))),
        "price": optional_number(row.get("ordPrice"), "the order's price") or average,
        "amount": amount if Decimal(str(amount or 0)) else filled,
        "filled": filled,
        "average": average,
        "timestamp": _milliseconds(row.get("timestamp")),
        "info": row,
    }


def is_no_order(data: Any) -> bool:
    """An explicit answer that there is none: nothing, or the state NOT_FOUND."""
    return not data or (isinstance(data, dict) and state_of(data) == "NOT_FOUND")


def state_of(row: Mapping[str, Any]) -> str:
    return str(row.get("ordStatus") or row.get("ordState"))


def trade_of(row: Mapping[str, Any], market: Mapping[str, Any]) -> dict[str, Any]:
    """One of our fills. Its time is in seconds; it has no price, but amount and cost."""
    amount, cost = positive(row.get("execQty"), "a trade's amount"), positive(row.get("execAmt"), "a cost")
    return {
        "id": row.get("id"),
        "order": row.get("orderId"),
        "symbol": market["symbol"],
        "side": _SIDES.get(str(row.get("side"))),
        "takerOrMaker": _ROLES.get(str(row.get("role"))),
        "price": _quotient(cost, amount),
        "amount": amount,
        "cost": cost,
        "fee": {"cost": row.get("fee"), "currency": _fee_currency(row, market)},
        "timestamp": _milliseconds(row.get("matchTime")),
        "info": row,
    }


def _fee_currency(row: Mapping[str, Any], market: Mapping[str, Any]) -> str:
    """Currencies are numbered here. No list of the numbers is known, but the market's two are in the row."""
    paid_in = row.get("feeCurrencyId")
    if paid_in is not None and paid_in == row.get("baseCurrencyId"):
        return str(market["base"])
    if paid_in is not None and paid_in == row.get("quoteCurrencyId"):
        return str(market["quote"])
    raise malformed("a trade's fee is in a currency that is neither of the market's")


def public_trade_of(row: Mapping[str, Any], symbol: str) -> dict[str, Any]:
    return {
        "id": row.get("tradeId"),
        "symbol": symbol,
        "side": _SIDES.get(str(row.get("takerSide"))),
        "price": row.get("price"),
        "amount": row.get("volume"),
        "timestamp": _milliseconds(row.get("ts") or row.get("time")),
        "info": row,
    }


def balances_of(answer: Any) -> dict[str, Any]:
    """Summed for each currency: what is available is free, whatever else there is (frozen) is used."""
    sums: dict[str, dict[str, Decimal]] = {"free": {}, "used": {}}
    for row in rows_of(answer, "the balances"):
        currency = str(row["currency"]).upper()
        kind = "free" if str(row["type"]) == AVAILABLE else "used"
        for name in sums:
            sums[name].setdefault(currency, ZERO)
        sums[kind][currency] += amount_of(row["balance"], f"the balance of {currency}")
    return {**sums, "info": answer}


def _milliseconds(value: object) -> Decimal | None:
    """Given in seconds or in milliseconds."""
    if value is None:
        return None
    time = number(value, "a time")
    return time if time >= MILLISECONDS_FROM else time * 1000


def _quotient(cost: Decimal, amount: Decimal) -> Decimal:
    with localcontext(prec=EXACT_DIGITS):
        return (cost / amount).quantize(SMALLEST).normalize() + ZERO
