"""Each code that Coinstore is known to answer becomes the right error, and one sentence with the remedy."""

from __future__ import annotations

import json

import pytest

from exchanges.errors import (
    CredentialsError,
    InsufficientFundsError,
    InvalidOrderError,
    OrderNotFoundError,
    OutcomeUnknownError,
    RateLimitError,
    RejectedError,
    Rule,
    UnknownSymbolError,
    VenueDownError,
    VenueError,
)
from exchanges.venues.ccxt_errors import Call, translate
from exchanges.venues.coinstore.connector import Coinstore
from exchanges.venues.coinstore.dialect import DIALECT
from exchanges.venues.door import HttpAnswer, Passage

BY_CODE = [
    # code, text, error, rule, a word of the sentence, known to have had no effect
    (401, "signature-failed", CredentialsError, None, "secret", True),
    (1401, "Unauthorized", CredentialsError, None, "IPv4 address", True),
    (3005, "sign error", CredentialsError, None, "secret", True),
    (400, "Bad Request", RejectedError, None, "settings", True),
    (429, "too many visits", RateLimitError, None, "fewer", True),
    (3011, "symbol not exist", UnknownSymbolError, None, "symbol", True),
    (3012, "limit", InvalidOrderError, Rule.OTHER, "amount", True),
    (3013, "limit", InvalidOrderError, Rule.OTHER, "amount", True),
    (3014, "limit", InvalidOrderError, Rule.OTHER, "amount", True),
    (3015, "limit", InvalidOrderError, Rule.OTHER, "amount", True),
    (3103, "order not found", OrderNotFoundError, None, "no such", True),
    (4003, "order not exist", OrderNotFoundError, None, "no such", True),
    (3104, "quantity precision", InvalidOrderError, Rule.AMOUNT_STEP, "step", True),
    (3106, "amount precision", InvalidOrderError, Rule.PRICE_STEP, "tick", True),
    (3111, "duplicate", InvalidOrderError, Rule.DUPLICATE, "client id", True),
    (3113, "insufficient", InsufficientFundsError, None, "too little", True),
    (1101, "insufficient", InsufficientFundsError, None, "too little", True),
    (500, "internal server error", VenueDownError, None, "again", False),
    (6001, "system busy", VenueDownError, None, "again", False),
    (98765, "never heard of", VenueError, None, "never heard of", False),
]


@pytest.mark.parametrize(("code", "text", "kind", "rule", "word", "no_effect"), BY_CODE)
@pytest.mark.parametrize("words", ["message", "msg"])
def test_each_code_becomes_an_error_that_says_what_to_do(
    code: int, text: str, kind: type[VenueError], rule: Rule | None, word: str, words: str, *, no_effect: bool
) -> None:
    body = {"code": str(code), words: text}
    passage = Passage(departed=True, answer=HttpAnswer(200, {}, body))
    with pytest.raises(Exception, match=str(code)) as raised:
        Coinstore().handle_errors(200, "", "", "POST", {}, json.dumps(body), body, {}, None)

    def error(*, writes: bool) -> VenueError:
        call = Call(name="place", title="Coinstore", connection="main", dialect=DIALECT, writes=writes)
        return translate(raised.value, call, passage)

    assert type(error(writes=False)) is kind
    assert getattr(error(writes=False), "rule", None) is rule
    assert word in error(writes=False).sentence
    assert isinstance(error(writes=True), OutcomeUnknownError) is not no_effect


@pytest.mark.parametrize("code", [0, "0"])
def test_success_is_a_number_or_a_text(code: object) -> None:
    Coinstore().handle_errors(200, "", "", "GET", {}, "", {"code": code, "data": []}, {}, None)
