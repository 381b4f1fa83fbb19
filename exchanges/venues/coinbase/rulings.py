"""What Coinbase's refusals mean.

Source: the Advanced Trade REST reference of docs.cdp.coinbase.com: the gRPC names of HTTP errors, and the
failure reasons of orders and cancels, which stand inside an answer of HTTP 200. A preview's reason is an
order's with `PREVIEW_` before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from exchanges.errors import (
    CredentialsError,
    InsufficientFundsError,
    InvalidOrderError,
    OrderNotFoundError,
    PermissionMissingError,
    RateLimitError,
    RejectedError,
    Rule,
    UnknownSymbolError,
    VenueDownError,
    VenueError,
)
from exchanges.venues.dialect import Refusal, Ruling

UNAUTHORIZED = "Unauthorized"
PREVIEW = "PREVIEW_"
UNSAID = ("", "None", "UNKNOWN_FAILURE_REASON", "UNKNOWN_PREVIEW_FAILURE_REASON")


def _says(error: type[VenueError], sentence: str) -> Ruling:
    return Ruling(error=error, sentence=sentence)


def _broken(rule: Rule, sentence: str) -> Ruling:
    return Ruling(error=InvalidOrderError, rule=rule, sentence=sentence)


def _unsure(error: type[VenueError], sentence: str) -> Ruling:
    """An order or a cancel that is answered so may have been carried out."""
    return Ruling(error=error, sentence=sentence, outcome_unknown=True)


def _each(codes: str, ruling: Ruling) -> Iterable[tuple[str, Ruling]]:
    return ((code, ruling) for code in codes.split())


# One plain word for a wrong key, secret, address and time.
_KEY_REFUSED = _says(
    CredentialsError,
    "{venue} refuses the key (401) and does not say why: check that key name and private key (the secret) "
    "belong together and still exist, that this machine's address is on the key's allow-list, and that its "
    "clock is right.",
)
_TROUBLE = _unsure(VenueDownError, "{venue} had an internal trouble ({text}); it is asked again.")
_FEWER = _says(RateLimitError, "{venue} wants fewer requests from us; we wait as long as it says.")
_NO_FUNDS = _says(
    InsufficientFundsError,
    "The account at {venue} holds too little for this order and its fee: add funds or lower the amount.",
)
_CLOSED = _broken(Rule.OTHER, "{venue} takes no orders in this market now ({text}).")
_UNREADABLE = _broken(Rule.OTHER, "{venue} refuses the order: {text}.")
_FAR = _broken(Rule.PRICE_RANGE, "The price is too far from the market for {venue}: quote nearer to it.")
_LOT = _broken(Rule.AMOUNT_STEP, "The amount has more digits than {venue} takes in this market: change it.")
_TICK = _broken(Rule.PRICE_STEP, "The price is off the tick of this market at {venue}: change it.")
_TOO_LARGE = _broken(Rule.MAX_AMOUNT, "The order is larger than {venue} takes in this market: lower it.")
_NO_MARKET = _says(UnknownSymbolError, "{venue} has no such market: check the symbol of the bot.")
_MAY_NOT = _says(
    PermissionMissingError,
    "{venue} does not let this account trade this market ({text}): ask {venue}, or choose another market.",
)
_NO_OPEN_ORDER = _says(OrderNotFoundError, "{venue} has no such open order ({text}).")
_NOT_CANCELLED = _says(RejectedError, "{venue} refuses the cancel ({text}); the order is looked up.")

BY_CODE = dict(
    (
        # The request
        *_each("UNAUTHORIZED UNAUTHENTICATED", _KEY_REFUSED),
        (
            "PERMISSION_DENIED",
            _says(
                PermissionMissingError,
                "{venue} does not let this key do that ({text}): allow View and Trade for the key.",
            ),
        ),
        *_each("RESOURCE_EXHAUSTED RATE_LIMIT_EXCEEDED", _FEWER),
        *_each("UNAVAILABLE INTERNAL INTERNAL_SERVER_ERROR DEADLINE_EXCEEDED ABORTED UNKNOWN", _TROUBLE),
        # An order
        *_each("INSUFFICIENT_FUND INSUFFICIENT_FUNDS", _NO_FUNDS),
        *_each("INVALID_LEDGER_BALANCE INSUFFICIENT_LEDGER_BALANCE", _NO_FUNDS),
        (
            "INVALID_BASE_SIZE_TOO_SMALL",
            _broken(Rule.MIN_AMOUNT, "The amount is below {venue}'s smallest for this market: raise it."),
        ),
        (
            "INVALID_QUOTE_SIZE_TOO_SMALL",
            _broken(Rule.MIN_COST, "The order's cost is below {venue}'s smallest: raise the amount."),
        ),
        *_each("INVALID_BASE_SIZE_TOO_LARGE INVALID_QUOTE_SIZE_TOO_LARGE", _TOO_LARGE),
        *_each("INVALID_SIZE_PRECISION INVALID_QUOTE_SIZE_PRECISION", _LOT),
        *_each("INVALID_PRICE_PRECISION INVALID_LIMIT_PRICE_PRECISION", _TICK),
        *_each("INVALID_LIMIT_PRICE INVALID_PRICE_TOO_LARGE BREACHED_PRICE_LIMIT", _FAR),
        ("LIMIT_PRICE_TOO_FAR_FROM_MARKET", _FAR),
        (
            "INVALID_LIMIT_PRICE_POST_ONLY",
            _broken(Rule.POST_ONLY, "The post-only order would have matched at once, so {venue} refused it."),
        ),
        (
            "DUPLICATE_CLIENT_ORDER_ID",
            _broken(Rule.DUPLICATE, "{venue} has an order with this client id already; it is looked up."),
        ),
        *_each("INVALID_NO_LIQUIDITY MISSING_PRODUCT_PRICE_BOOK MISSING_MARKET_TRADE_DATA", _CLOSED),
        *_each("UNTRADABLE_PRODUCT ORDER_ENTRY_DISABLED NOT_ALLOWED_BY_MARKET_STATE", _CLOSED),
        *_each("INELIGIBLE_PAIR GEOFENCING_RESTRICTION", _MAY_NOT),
        ("INVALID_PRODUCT_ID", _NO_MARKET),
        *_each("UNSUPPORTED_ORDER_CONFIGURATION INVALID_ORDER_CONFIG INVALID_REQUEST", _UNREADABLE),
        *_each("INVALID_SIDE COMMANDER_REJECTED_NEW_ORDER", _UNREADABLE),
        ("UNKNOWN_FAILURE_REASON", _unsure(RejectedError, "{venue} refuses the order without a reason.")),
        # A cancel
        *_each("UNKNOWN_CANCEL_ORDER ORDER_IS_FULLY_FILLED", _NO_OPEN_ORDER),
        *_each("INVALID_CANCEL_REQUEST COMMANDER_REJECTED_CANCEL_ORDER", _NOT_CANCELLED),
        *_each("NOT_ALLOWED_TO_CANCEL INVALID_CANCEL_PRODUCT_ID ORDER_IS_BEING_REPLACED", _NOT_CANCELLED),
        (
            "DUPLICATE_CANCEL_REQUEST",
            _unsure(RejectedError, "{venue} is cancelling this order already; it is looked up."),
        ),
        (
            "UNKNOWN_CANCEL_FAILURE_REASON",
            _unsure(RejectedError, "{venue} did not cancel the order and gives no reason."),
        ),
    )
)

_NO_ORDER = _says(OrderNotFoundError, "{venue} has no such order ({text}).")
BY_TEXT = (
    ("NOT_FOUND", "order", _NO_ORDER),
    ("UNKNOWN", "order with this orderID was not found", _NO_ORDER),
    ("NOT_FOUND", "product", _NO_MARKET),
    ("INVALID_ARGUMENT", "product", _NO_MARKET),
    (
        "INVALID_ARGUMENT",
        "account is not available",
        _says(
            CredentialsError,
            "{venue} says that the account is not available to this key: make a key for the portfolio that "
            "holds the funds.",
        ),
    ),
)


def read_refusal(answer: object) -> Refusal | None:
    """An order's and a cancel's reasons, an HTTP error in its two forms, or the one plain word."""
    if isinstance(answer, str):
        is_refused = answer.strip() == UNAUTHORIZED
        return Refusal(code=UNAUTHORIZED.upper(), text=UNAUTHORIZED) if is_refused else None
    if not isinstance(answer, Mapping):
        return None
    if answer.get("success") is False:
        return _order_refusal(answer)
    return _cancel_refusal(answer.get("results")) or _listed_error(answer.get("errors")) or _error(answer)


def _order_refusal(answer: Mapping[str, object]) -> Refusal:
    response = answer.get("error_response")
    told = response if isinstance(response, Mapping) else {}
    reasons = [told.get("preview_failure_reason"), told.get("new_order_failure_reason"), told.get("error")]
    names = [str(reason) for reason in (*reasons, answer.get("failure_reason"))]
    code = next((name.removeprefix(PREVIEW) for name in names if name not in UNSAID), UNSAID[2])
    return Refusal(code=code, text=_words(told) or code)


def _cancel_refusal(results: object) -> Refusal | None:
    rows = results if isinstance(results, list) else []
    failed = (row for row in rows if isinstance(row, Mapping) and row.get("success") is False)
    reason = next((str(row.get("failure_reason")) for row in failed), "")
    return Refusal(code=reason, text=reason) if reason else None


def _listed_error(errors: object) -> Refusal | None:
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, Mapping) or not first.get("id"):
        return None
    return Refusal(code=str(first["id"]).upper(), text=_words(first))


def _error(answer: Mapping[str, object]) -> Refusal | None:
    name = answer.get("error")
    return Refusal(code=str(name).upper(), text=_words(answer)) if name else None


def _words(part: Mapping[str, object]) -> str:
    return str(part.get("message") or part.get("error_details") or "").rstrip(".")
