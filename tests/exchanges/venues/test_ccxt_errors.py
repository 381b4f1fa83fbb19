"""Every error that ccxt raises becomes one of ours: by code, by cause, by status, by class."""

from __future__ import annotations

import time
from unittest.mock import Mock

import aiohttp
import ccxt
import pytest

from exchanges.errors import (
    AddressNotAllowedError,
    ClockError,
    CredentialsError,
    InsufficientFundsError,
    InvalidOrderError,
    MalformedAnswerError,
    OrderNotFoundError,
    OutcomeUnknownError,
    PermissionMissingError,
    ProxyAuthError,
    ProxyDownError,
    RateLimitError,
    RejectedError,
    Rule,
    UnknownSymbolError,
    VenueDownError,
    VenueError,
)
from exchanges.venues.binance.dialect import DIALECT as BINANCE
from exchanges.venues.ccxt_errors import Call, retry_after, translate
from exchanges.venues.dialect import Dialect
from exchanges.venues.door import HttpAnswer, Passage
from vault.secret import Secret


def call(*, writes: bool = False, dialect: Dialect = BINANCE) -> Call:
    return Call(name="place", title="Binance", connection="main", dialect=dialect, writes=writes)


def answered(status: int, body: object, **headers: str) -> Passage:
    return Passage(departed=True, answer=HttpAnswer(status, headers, body))


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


BY_CODE = [
    # code, text, error, rule, known to have had no effect
    (-2015, "Invalid API-key, IP, or permissions for action.", CredentialsError, None, True),
    (-2014, "API-key format invalid.", CredentialsError, None, True),
    (-1022, "Signature for this request is not valid.", CredentialsError, None, True),
    (-1002, "You are not authorized to execute this request.", PermissionMissingError, None, True),
    (-1021, "Timestamp for this request is outside of the recvWindow.", ClockError, None, True),
    (-1003, "Too many requests.", RateLimitError, None, True),
    (-1015, "Too many new orders.", RateLimitError, None, True),
    (-1007, "Timeout waiting for response from backend server.", VenueDownError, None, False),
    (-1006, "An unexpected response was received.", VenueDownError, None, False),
    (-1001, "Internal error; unable to process your request.", VenueDownError, None, False),
    (-1008, "Server is currently overloaded.", VenueDownError, None, True),
    (-1016, "This service is no longer available.", VenueDownError, None, True),
    (-1121, "Invalid symbol.", UnknownSymbolError, None, True),
    (-2011, "Unknown order sent.", OrderNotFoundError, None, True),
    (-2013, "Order does not exist.", OrderNotFoundError, None, True),
    (-1013, "Filter failure: NOTIONAL", InvalidOrderError, Rule.MIN_COST, True),
    (-1013, "Filter failure: MIN_NOTIONAL", InvalidOrderError, Rule.MIN_COST, True),
    (-1013, "Filter failure: LOT_SIZE", InvalidOrderError, Rule.AMOUNT_STEP, True),
    (-1013, "Filter failure: MARKET_LOT_SIZE", InvalidOrderError, Rule.AMOUNT_STEP, True),
    (-1013, "Filter failure: PRICE_FILTER", InvalidOrderError, Rule.PRICE_STEP, True),
    (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE", InvalidOrderError, Rule.PRICE_RANGE, True),
    (-1013, "Filter failure: MAX_NUM_ORDERS", InvalidOrderError, Rule.MAX_OPEN_ORDERS, True),
    (-1013, "Something new", InvalidOrderError, Rule.OTHER, True),
    (-2010, "Account has insufficient balance for requested action.", InsufficientFundsError, None, True),
    (-2010, "Order would immediately match and take.", InvalidOrderError, Rule.POST_ONLY, True),
    (-2010, "Duplicate order sent.", InvalidOrderError, Rule.DUPLICATE, True),
    (-2010, "This account may not place or cancel orders.", PermissionMissingError, None, True),
    (-2010, "This symbol is not permitted for this account.", PermissionMissingError, None, True),
    (-1102, "Mandatory parameter 'x' was not sent.", RejectedError, None, True),
]


@pytest.mark.parametrize(("code", "text", "kind", "rule", "no_effect"), BY_CODE)
def test_binances_code_decides_and_not_ccxts_class(
    code: int, text: str, kind: type[VenueError], rule: Rule | None, *, no_effect: bool
) -> None:
    # The class that ccxt chooses for -2015 after a good call, and the most misleading of all.
    raised, passage = ccxt.DDoSProtection("binance {}"), answered(400, {"code": code, "msg": text})

    read, written = translate(raised, call(), passage), translate(raised, call(writes=True), passage)

    assert type(read) is kind
    assert getattr(read, "rule", None) is rule
    assert read.code == str(code)
    assert isinstance(written, OutcomeUnknownError) is not no_effect


BY_CAUSE = [
    (ProxyAuthError("refused (407)"), ProxyAuthError, "407"),
    (ProxyDownError("The proxy is gone."), ProxyDownError, "proxy"),
    (aiohttp.ClientConnectorDNSError(Mock(), OSError(-2, "unknown")), VenueDownError, "DNS"),
    (aiohttp.ClientConnectorError(Mock(), OSError(111, "refused")), VenueDownError, "reached"),
]


@pytest.mark.parametrize(("cause", "kind", "word"), BY_CAUSE)
def test_what_failed_before_a_connection_stood_leaves_nothing_unknown(
    cause: BaseException, kind: type[VenueError], word: str
) -> None:
    raised = caused(ccxt.ExchangeError("binance POST https://api.binance.com/api/v3/order"), cause)

    error = translate(raised, call(writes=True), Passage(departed=True))

    assert type(error) is kind
    assert word in error.sentence
    assert "canary" not in error.sentence


@pytest.mark.parametrize("cause", [TimeoutError(), aiohttp.ServerDisconnectedError(), ConnectionResetError()])
def test_what_failed_after_the_request_left_is_unknown_for_an_order_only(cause: Exception) -> None:
    raised = caused(ccxt.ExchangeNotAvailable("binance POST https://api.binance.com"), cause)

    assert type(translate(raised, call(), Passage(departed=True))) is VenueDownError
    assert type(translate(raised, call(writes=True), Passage(departed=True))) is OutcomeUnknownError


BY_STATUS = [
    (429, "<html>", RateLimitError),
    (418, "<html>", RateLimitError),
    (451, "<html>", AddressNotAllowedError),
    (403, "<html>", VenueDownError),
    (502, "<html>", VenueDownError),
]


@pytest.mark.parametrize(("status", "body", "kind"), BY_STATUS)
def test_without_a_code_the_status_decides(status: int, body: str, kind: type[VenueError]) -> None:
    error = translate(ccxt.ExchangeNotAvailable("binance"), call(), answered(status, body))

    assert type(error) is kind


BY_CLASS = [
    (ccxt.InsufficientFunds, InsufficientFundsError, True),
    (ccxt.OrderNotFound, OrderNotFoundError, True),
    (ccxt.BadSymbol, UnknownSymbolError, True),
    (ccxt.PermissionDenied, PermissionMissingError, True),
    (ccxt.AuthenticationError, CredentialsError, True),
    (ccxt.InvalidNonce, ClockError, True),
    (ccxt.RateLimitExceeded, RateLimitError, True),
    (ccxt.InvalidOrder, InvalidOrderError, True),
    (ccxt.OnMaintenance, VenueDownError, False),
    (ccxt.ExchangeError, VenueError, False),
    (ccxt.BadResponse, MalformedAnswerError, False),
    (KeyError, MalformedAnswerError, False),
]


@pytest.mark.parametrize(("raised", "kind", "no_effect"), BY_CLASS)
def test_a_venue_without_a_table_is_read_by_class_and_with_doubt(
    raised: type[Exception], kind: type[VenueError], *, no_effect: bool
) -> None:
    passage, plain = answered(200, {}), Dialect()

    assert type(translate(raised("x"), call(dialect=plain), passage)) is kind
    written = translate(raised("x"), call(writes=True, dialect=plain), passage)
    assert isinstance(written, OutcomeUnknownError) is not no_effect


def test_what_never_left_is_never_unknown() -> None:
    error = translate(ccxt.NetworkError("local"), call(writes=True), Passage(departed=False))

    assert type(error) is VenueDownError


@pytest.mark.parametrize(
    ("header", "seconds"), [("30", 30.0), ("-1", 0.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("soon", None)]
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float | None) -> None:
    assert retry_after(HttpAnswer(429, {"retry-after": header}, "")) == seconds


@pytest.mark.parametrize(("in_seconds", "least", "most"), [(30, 28, 30), (-5, 0, 0), (90_000, 60, 60)])
def test_where_there_is_none_the_moment_of_a_new_budget_is_waited_for(
    in_seconds: int, least: float, most: float
) -> None:
    headers = {"X-Ratelimit-Reset": str(int(time.time()) + in_seconds)}

    found = retry_after(HttpAnswer(429, headers, ""), "x-ratelimit-reset")

    assert found is not None
    assert least <= found <= most
    assert retry_after(HttpAnswer(429, headers, "")) is None


def test_a_secret_in_the_venues_words_is_masked() -> None:
    canary = Secret("canary-key-in-an-answer").reveal()
    passage = answered(400, {"code": -1100, "msg": f"Illegal characters in {canary}."})

    error = translate(ccxt.BadRequest("binance"), call(), passage)

    assert canary not in f"{error} {error.text}"
