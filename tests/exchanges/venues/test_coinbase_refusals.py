"""Why Coinbase says no: its own reasons decide."""

from __future__ import annotations

import re
from typing import Any

import ccxt
import pytest

from exchanges.errors import (
    CredentialsError,
    InsufficientFundsError,
    InvalidOrderError,
    OrderNotFoundError,
    OutcomeUnknownError,
    PermissionMissingError,
    RateLimitError,
    RejectedError,
    Rule,
    UnknownSymbolError,
    VenueDownError,
    VenueError,
)
from exchanges.venues.ccxt_errors import Call, translate
from exchanges.venues.coinbase.dialect import DIALECT
from exchanges.venues.coinbase.facts import VENUE
from exchanges.venues.coinbase.rulings import BY_CODE, read_refusal
from exchanges.venues.door import HttpAnswer, Passage
from tests.exchanges.venues.coinbase_desk import (
    ORDERS,
    Desk,
    ref_of,
    request_of,
)


def call(*, writes: bool = False) -> Call:
    return Call(name="place", title=VENUE.title, connection="main", dialect=DIALECT, writes=writes)


def refused(error: str, preview: str = "UNKNOWN_PREVIEW_FAILURE_REASON") -> dict[str, Any]:
    reasons = {"error": error, "message": "Words.", "error_details": "", "preview_failure_reason": preview}
    return {"success": False, "failure_reason": "UNKNOWN_FAILURE_REASON", "error_response": reasons}


def failed(name: str, text: str = "Words.") -> dict[str, Any]:
    return {"error": name, "error_details": text, "message": text}


def not_cancelled(reason: str) -> dict[str, Any]:
    return {"results": [{"success": False, "failure_reason": reason, "order_id": "x"}]}


UNSAID = "UNKNOWN_FAILURE_REASON"
NO_ORDER = "order with this orderID was not found"
Kind = type[VenueError]

ERRORS: list[tuple[int, object, Kind, str, bool]] = [
    # status, answer, error, words of the sentence, known to have had no effect
    (401, "Unauthorized\n", CredentialsError, "key.*secret.*address.*clock", True),
    (401, failed("UNAUTHENTICATED"), CredentialsError, "key.*secret.*address.*clock", True),
    (403, failed("PERMISSION_DENIED", "Missing required scopes"), PermissionMissingError, "View", True),
    (429, failed("RESOURCE_EXHAUSTED"), RateLimitError, "fewer requests", True),
    (429, {"errors": [{"id": "rate_limit_exceeded"}]}, RateLimitError, "fewer requests", True),
    (404, failed("NOT_FOUND", NO_ORDER), OrderNotFoundError, "no such order", True),
    (404, failed("unknown", NO_ORDER), OrderNotFoundError, "no such order", True),
    (404, failed("NOT_FOUND", "valid product_id is required"), UnknownSymbolError, "no such market", True),
    (400, failed("INVALID_ARGUMENT", "bad product_id"), UnknownSymbolError, "no such market", True),
    (400, failed("INVALID_ARGUMENT", "account is not available"), CredentialsError, "portfolio", True),
    (400, failed("INVALID_ARGUMENT", "bad cursor"), RejectedError, "ARGUMENT.*bad cursor", True),
    (503, failed("UNAVAILABLE"), VenueDownError, "asked again", False),
    (500, failed("INTERNAL"), VenueDownError, "asked again", False),
    (504, failed("DEADLINE_EXCEEDED"), VenueDownError, "asked again", False),
    (500, failed("UNKNOWN", "context canceled"), VenueDownError, "asked again", False),
    (200, {"success": False, "failure_reason": UNSAID}, RejectedError, "without a reason", False),
    (200, not_cancelled("UNKNOWN_CANCEL_ORDER"), OrderNotFoundError, "no such open order", True),
    (200, not_cancelled("ORDER_IS_FULLY_FILLED"), OrderNotFoundError, "no such open order", True),
    (200, not_cancelled("COMMANDER_REJECTED_CANCEL_ORDER"), RejectedError, "refuses the cancel", True),
    (200, not_cancelled("DUPLICATE_CANCEL_REQUEST"), RejectedError, "cancelling", False),
    (200, not_cancelled("UNKNOWN_CANCEL_FAILURE_REASON"), RejectedError, "no reason", False),
]


@pytest.mark.parametrize(("status", "body", "kind", "says", "no_effect"), ERRORS)
def test_coinbases_words_decide_and_not_ccxts_class(
    status: int, body: object, kind: Kind, says: str, *, no_effect: bool
) -> None:
    read, written = read_and_written(status, body)

    assert type(read) is kind
    assert re.search(says, read.sentence)
    assert isinstance(written, OutcomeUnknownError) is not no_effect


ORDERS_REFUSED: list[tuple[str, str, Kind, Rule | None, str]] = [
    # error, the preview's reason without its prefix, error, rule, words of the sentence
    ("INSUFFICIENT_FUND", "INSUFFICIENT_FUND", InsufficientFundsError, None, "too little"),
    ("INSUFFICIENT_FUND", "", InsufficientFundsError, None, "too little"),
    (UNSAID, "INSUFFICIENT_LEDGER_BALANCE", InsufficientFundsError, None, "too little"),
    (UNSAID, "INVALID_BASE_SIZE_TOO_SMALL", InvalidOrderError, Rule.MIN_AMOUNT, "amount"),
    (UNSAID, "INVALID_QUOTE_SIZE_TOO_SMALL", InvalidOrderError, Rule.MIN_COST, "cost"),
    (UNSAID, "INVALID_BASE_SIZE_TOO_LARGE", InvalidOrderError, Rule.MAX_AMOUNT, "larger"),
    ("INVALID_SIZE_PRECISION", "", InvalidOrderError, Rule.AMOUNT_STEP, "digits"),
    ("INVALID_PRICE_PRECISION", "", InvalidOrderError, Rule.PRICE_STEP, "tick"),
    ("INVALID_LIMIT_PRICE", "INVALID_PRICE_TOO_LARGE", InvalidOrderError, Rule.PRICE_RANGE, "too far"),
    ("LIMIT_PRICE_TOO_FAR_FROM_MARKET", "", InvalidOrderError, Rule.PRICE_RANGE, "too far"),
    ("INVALID_LIMIT_PRICE_POST_ONLY", "", InvalidOrderError, Rule.POST_ONLY, "post-only"),
    (UNSAID, "INVALID_LIMIT_PRICE_POST_ONLY", InvalidOrderError, Rule.POST_ONLY, "post-only"),
    ("DUPLICATE_CLIENT_ORDER_ID", "", InvalidOrderError, Rule.DUPLICATE, "client id"),
    ("UNTRADABLE_PRODUCT", "", InvalidOrderError, Rule.OTHER, "takes no orders"),
    ("INVALID_NO_LIQUIDITY", "", InvalidOrderError, Rule.OTHER, "takes no orders"),
    ("COMMANDER_REJECTED_NEW_ORDER", "", InvalidOrderError, Rule.OTHER, "Words"),
    ("UNSUPPORTED_ORDER_CONFIGURATION", "", InvalidOrderError, Rule.OTHER, "Words"),
    ("GEOFENCING_RESTRICTION", "", PermissionMissingError, None, "does not let this account"),
    ("INVALID_PRODUCT_ID", "INVALID_PRODUCT_ID", UnknownSymbolError, None, "no such market"),
]


@pytest.mark.parametrize(("error", "preview", "kind", "rule", "says"), ORDERS_REFUSED)
def test_an_orders_reason_is_found_inside_an_http_200(
    error: str, preview: str, kind: Kind, rule: Rule | None, says: str
) -> None:
    read, written = read_and_written(200, refused(error, f"PREVIEW_{preview}" if preview else UNSAID))

    assert type(read) is type(written) is kind
    assert getattr(read, "rule", None) is rule
    assert re.search(says, read.sentence)


def test_a_reason_of_tomorrow_is_shown_and_the_order_looked_up() -> None:
    read, written = read_and_written(200, refused("A_REASON_OF_TOMORROW"))

    assert type(read) is VenueError
    assert isinstance(written, OutcomeUnknownError)


def read_and_written(status: int, body: object) -> tuple[VenueError, VenueError]:
    """What becomes of the same answer to a read, and to an order or a cancel."""
    raised = ccxt.ExchangeError("coinbase")
    passage = Passage(departed=True, answer=HttpAnswer(status, {}, body))
    return translate(raised, call(), passage), translate(raised, call(writes=True), passage)


@pytest.mark.parametrize("code", BY_CODE)
def test_every_sentence_names_the_venue_or_says_what_to_do(code: str) -> None:
    sentence = BY_CODE[code].sentence.format(venue=VENUE.title, text="words", address="203.0.113.7")

    assert re.fullmatch(r"[A-Z][^{}]{20,300}\.", sentence)
    assert VENUE.title in sentence or "change it" in sentence


GOOD = [
    {"success": True, "failure_reason": UNSAID, "order_id": "x"},
    {"results": [{"success": True, "failure_reason": "UNKNOWN_CANCEL_FAILURE_REASON", "order_id": "x"}]},
    {"results": []},
    {"orders": [], "has_next": False},
    {"errors": []},
    "pong",
    [],
    None,
]


@pytest.mark.parametrize("answer", GOOD)
def test_what_is_no_refusal_is_read_as_none(answer: object) -> None:
    assert read_refusal(answer) is None


async def test_a_create_without_a_reason_for_its_failure_is_looked_up(coinbase: Desk) -> None:
    coinbase.answers(ORDERS, {"success": False, "failure_reason": UNSAID, "order_id": ""})

    with pytest.raises(OutcomeUnknownError, match="looked up"):
        await coinbase.gateway.place(request_of())


async def test_a_cancel_that_was_too_late_says_that_there_is_no_open_order(coinbase: Desk) -> None:
    coinbase.place("crowd", "sell", "50000")
    order = coinbase.place("desk", "buy", "50000")
    venue_id = (await coinbase.gateway.fetch_order(ref_of(order))).venue_id

    with pytest.raises(OrderNotFoundError) as caught:
        await coinbase.gateway.cancel(ref_of(order, venue_id=venue_id))

    assert caught.value.code == "ORDER_IS_FULLY_FILLED"
