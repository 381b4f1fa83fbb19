"""Coinstore: {"code": …, "message": "…"}, mostly with HTTP 200 and as text."""

from __future__ import annotations

import json

from exchanges.errors import CredentialsError, Rule
from tests.spec.causes import cause
from tests.spec.causes.cause import Cause


def _told(of: Cause, code: int, text: str) -> Cause:
    return of.told(200, json.dumps({"message": text, "code": code}))


CAUSES: tuple[Cause, ...] = (
    _told(cause.WRONG_KEY, 1401, "Unauthorized"),
    _told(cause.WRONG_SECRET, 401, "signature-failed"),
    # Told by the date of the answer: a signature is good for half a minute.
    cause.CLOCK.told(
        200,
        json.dumps({"message": "signature-failed", "code": 401}),
        {"Date": "Fri, 20 Nov 2020 20:00:00 GMT"},
    ),
    _told(cause.WRONG_SECRET.but(title="wrong signature"), 3005, "sign error"),
    # One code for an address that is not allowed and a missing right.
    _told(cause.ADDRESS.but(error=CredentialsError), 1401, "Unauthorized"),
    _told(cause.NO_RIGHT.but(error=CredentialsError, says="Read"), 1401, "Unauthorized"),
    _told(cause.REVOKED, 1401, "Unauthorized"),
    _told(cause.NO_MARKET, 3011, "symbol error"),
    _told(cause.FUNDS, 3113, "insufficient balance"),
    _told(cause.FUNDS.but(title="insufficient funds, other code"), 1101, "insufficient"),
    _told(cause.AMOUNT_STEP, 3104, "quantity precision error"),
    _told(cause.DUPLICATE, 3111, "duplicate"),
    _told(cause.MIN_AMOUNT.but(title="outside the market's limits", rule=Rule.OTHER), 3012, "trade limit"),
    _told(cause.NO_ORDER_TO_CANCEL, 3103, "order not found"),
    _told(cause.NO_ORDER_TO_CANCEL.but(title="order gone on cancel"), 4003, "order not exist"),
    _told(cause.NO_ORDER, 4003, "order not exist"),
    cause.RATE_LIMIT.told(429, {"code": 429, "message": "Too Many Requests"}),
    cause.MAINTENANCE.told(500, {"code": 500, "message": "system error"}),
    cause.UNKNOWN_OUTCOME.told(500, {"code": 500, "message": "system error"}),
)
