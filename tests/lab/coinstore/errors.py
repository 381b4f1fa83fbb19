"""Coinstore's error numbers. Most come with HTTP 200, and what the gatekeeper says is not marked as JSON."""

from __future__ import annotations

from tests.lab.orders import Reason, RefusedError

JSON = "application/json;charset=UTF-8"
TEXT = "text/plain;charset=UTF-8"


class CoinstoreError(Exception):
    def __init__(self, code: int, text: str, *, status: int = 200, content_type: str = JSON) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text
        self.status = status
        self.content_type = content_type


def signature_failed() -> CoinstoreError:
    """The same for an unknown key, a wrong signature and a time that is too far off."""
    return CoinstoreError(401, "signature-failed", content_type=TEXT)


def unauthorized() -> CoinstoreError:
    """The same for an address that is not bound to the key and a right that it lacks."""
    return CoinstoreError(1401, "Unauthorized", content_type=TEXT)


def bad_request(what: str) -> CoinstoreError:
    return CoinstoreError(400, f"Bad Request: {what}", status=400)


def not_found() -> CoinstoreError:
    return CoinstoreError(404, "service not found", status=404)


def too_many_visits() -> CoinstoreError:
    return CoinstoreError(429, "too many visits", status=429)


def unknown_symbol() -> CoinstoreError:
    return CoinstoreError(3011, "symbol not exist")


def unknown_order() -> CoinstoreError:
    return CoinstoreError(3103, "order not found")


def too_many_open() -> CoinstoreError:
    return CoinstoreError(3015, "active orders exceed the limit")


_REFUSALS = {
    Reason.PRICE_FILTER: CoinstoreError(3106, "price precision or limit"),
    Reason.PERCENT_PRICE: CoinstoreError(3012, "price exceeds the limit"),
    Reason.LOT_SIZE: CoinstoreError(3104, "quantity precision or limit"),
    Reason.MARKET_LOT_SIZE: CoinstoreError(3013, "quantity exceeds the limit"),
    Reason.NOTIONAL: CoinstoreError(3014, "order value below the limit"),
    Reason.MAX_OPEN_ORDERS: too_many_open(),
    Reason.MARKET_CLOSED: CoinstoreError(3012, "trading is closed"),
    Reason.ACCOUNT_DISABLED: unauthorized(),
    Reason.DUPLICATE: CoinstoreError(3111, "duplicate order"),
    Reason.INSUFFICIENT_FUNDS: CoinstoreError(3113, "insufficient balance"),
    Reason.NO_LIQUIDITY: CoinstoreError(3012, "no liquidity"),
    Reason.UNKNOWN_ORDER: unknown_order(),
    Reason.UNKNOWN_SYMBOL: unknown_symbol(),
}


def from_refusal(refusal: RefusedError) -> CoinstoreError:
    known = _REFUSALS[refusal.reason]
    return CoinstoreError(known.code, known.text, content_type=known.content_type)
