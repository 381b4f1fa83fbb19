"""Binance's error codes, texts and HTTP statuses (errors.md)."""

from __future__ import annotations

from collections.abc import Mapping

from tests.lab.orders import Reason, RefusedError


class BinanceError(Exception):
    def __init__(
        self, code: int, text: str, *, status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text
        self.status = status
        self.headers = headers or {}


def bad_symbol() -> BinanceError:
    return BinanceError(-1121, "Invalid symbol.")


def bad_key() -> BinanceError:
    """The same for an unknown key, an address that is not allowed and a permission that is missing."""
    return BinanceError(-2015, "Invalid API-key, IP, or permissions for action.", status=401)


def missing(name: str) -> BinanceError:
    return BinanceError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def either_missing(first: str, second: str) -> BinanceError:
    return BinanceError(-1102, f"Param '{first}' or '{second}' must be sent, but both were empty/null!")


def illegal(name: str, pattern: str) -> BinanceError:
    return BinanceError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{pattern}'.")


def not_required(name: str) -> BinanceError:
    return BinanceError(-1106, f"Parameter '{name}' sent when not required.")


def invalid_value(name: str) -> BinanceError:
    return BinanceError(-1130, f"Data sent for parameter '{name}' is not valid.")


def bad_combination() -> BinanceError:
    return BinanceError(-1128, "Combination of optional parameters invalid.")


_FILTERS = {
    Reason.PRICE_FILTER: "PRICE_FILTER",
    Reason.PERCENT_PRICE: "PERCENT_PRICE_BY_SIDE",
    Reason.LOT_SIZE: "LOT_SIZE",
    Reason.MARKET_LOT_SIZE: "MARKET_LOT_SIZE",
    Reason.NOTIONAL: "NOTIONAL",
    Reason.MAX_OPEN_ORDERS: "MAX_NUM_ORDERS",
}
_REJECTIONS = {
    Reason.MARKET_CLOSED: "Market is closed.",
    Reason.ACCOUNT_DISABLED: "This account may not place or cancel orders.",
    Reason.DUPLICATE: "Duplicate order sent.",
    Reason.WOULD_TAKE: "Order would immediately match and take.",
    Reason.INSUFFICIENT_FUNDS: "Account has insufficient balance for requested action.",
    Reason.NO_LIQUIDITY: "Order book liquidity is less than symbol minimum quantity.",
}


def from_refusal(refusal: RefusedError) -> BinanceError:
    """What Binance says when the exchange refuses a new order or a cancel."""
    if refusal.reason in _FILTERS:
        return BinanceError(-1013, f"Filter failure: {_FILTERS[refusal.reason]}")
    if refusal.reason in _REJECTIONS:
        return BinanceError(-2010, _REJECTIONS[refusal.reason])
    if refusal.reason is Reason.UNKNOWN_ORDER:
        return BinanceError(-2011, "Unknown order sent.")
    return bad_symbol()
