"""What Coinbase says when it refuses: HTTP errors in one form, orders inside HTTP 200 in another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from tests.lab.orders import Reason
from tests.lab.wire import WireAnswer

JSON = "application/json; charset=utf-8"


class CoinbaseError(Exception):
    """An answer that is no 200."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(f"{status} {code} {text}")
        self.status = status
        self.code = code
        self.text = text

    def answer(self, headers: Mapping[str, str]) -> WireAnswer:
        body = {"error": self.code, "error_details": self.text, "message": self.text}
        return WireAnswer(status=self.status, headers={"Content-Type": JSON, **headers}, body=dump(body))


class UnauthorizedError(CoinbaseError):
    """The same plain text for a wrong key, signature, time or address."""

    def __init__(self, cause: str) -> None:
        super().__init__(401, "Unauthorized", cause)

    def answer(self, headers: Mapping[str, str]) -> WireAnswer:
        plain = {"Content-Type": "text/plain; charset=utf-8", **headers}
        return WireAnswer(status=self.status, headers=plain, body=b"Unauthorized\n")


class TooManyRequestsError(CoinbaseError):
    def __init__(self) -> None:
        super().__init__(429, "rate_limit_exceeded", "Too many requests")

    def answer(self, headers: Mapping[str, str]) -> WireAnswer:
        body = {"errors": [{"id": self.code, "message": self.text}]}
        return WireAnswer(status=self.status, headers={"Content-Type": JSON, **headers}, body=dump(body))


def bad_argument(text: str) -> CoinbaseError:
    return CoinbaseError(400, "INVALID_ARGUMENT", text)


def no_such_order() -> CoinbaseError:
    return CoinbaseError(404, "NOT_FOUND", "order with this orderID was not found")


def no_such_product(name: str) -> CoinbaseError:
    return CoinbaseError(404, "NOT_FOUND", f"valid product_id is required, not {name!r}")


def missing_scopes() -> CoinbaseError:
    return CoinbaseError(403, "PERMISSION_DENIED", "Missing required scopes")


class Failure(NamedTuple):
    """Why an order was not created. preview: the reason that the preview gives, where it finds one."""

    error: str
    text: str
    preview: str = "UNKNOWN_PREVIEW_FAILURE_REASON"


class FailedError(Exception):
    """An order that is answered with HTTP 200 and `success: false`."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.error)
        self.failure = failure


def _previewed(reason: str, text: str) -> Failure:
    return Failure(reason, text, f"PREVIEW_{reason}")


def _only_previewed(reason: str, text: str) -> Failure:
    return Failure("UNKNOWN_FAILURE_REASON", text, f"PREVIEW_{reason}")


TOO_SMALL = _only_previewed("INVALID_BASE_SIZE_TOO_SMALL", "Order size is too small")
TOO_LARGE = _only_previewed("INVALID_BASE_SIZE_TOO_LARGE", "Order size is too large")
OFF_THE_LOT = _previewed("INVALID_SIZE_PRECISION", "Too many decimals in order amount")
OFF_THE_TICK = _previewed("INVALID_PRICE_PRECISION", "Too many decimals in order price")
CHEAP = _only_previewed("INVALID_QUOTE_SIZE_TOO_SMALL", "Order value is too small")
COSTLY = _only_previewed("INVALID_QUOTE_SIZE_TOO_LARGE", "Order value is too large")
NO_PRODUCT = _previewed("INVALID_PRODUCT_ID", "Invalid product id")
NO_SIDE = _previewed("INVALID_SIDE", "Invalid side")
BAD_CONFIGURATION = Failure(
    "UNSUPPORTED_ORDER_CONFIGURATION", "The order configuration was invalid", "PREVIEW_INVALID_ORDER_CONFIG"
)
FAILURES = {
    Reason.UNKNOWN_SYMBOL: NO_PRODUCT,
    Reason.MARKET_CLOSED: _previewed("UNTRADABLE_PRODUCT", "Product is not available for trading"),
    Reason.ACCOUNT_DISABLED: Failure("ORDER_ENTRY_DISABLED", "Order entry is disabled for this account"),
    Reason.PRICE_FILTER: Failure(
        "INVALID_LIMIT_PRICE", "Limit price is out of bounds", "PREVIEW_INVALID_PRICE_TOO_LARGE"
    ),
    Reason.PERCENT_PRICE: Failure(
        "LIMIT_PRICE_TOO_FAR_FROM_MARKET", "Limit price is too far from the market"
    ),
    Reason.LOT_SIZE: TOO_SMALL,
    Reason.MARKET_LOT_SIZE: TOO_LARGE,
    Reason.NOTIONAL: CHEAP,
    Reason.MAX_OPEN_ORDERS: Failure("COMMANDER_REJECTED_NEW_ORDER", "Maximum number of open orders reached"),
    Reason.WOULD_TAKE: _previewed("INVALID_LIMIT_PRICE_POST_ONLY", "Invalid limit price for post only order"),
    Reason.INSUFFICIENT_FUNDS: _previewed("INSUFFICIENT_FUND", "Insufficient balance in source account"),
    Reason.NO_LIQUIDITY: _previewed("INVALID_NO_LIQUIDITY", "Not enough liquidity to fill this order"),
}


def dump(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
