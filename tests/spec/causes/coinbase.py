"""Coinbase Advanced Trade: refusals of an order come with HTTP 200, those of a key as plain text."""

from __future__ import annotations

from exchanges.errors import CredentialsError
from tests.spec.causes import cause
from tests.spec.causes.cause import Cause

_NOT_FOUND = "order with this orderID was not found"


def _refused(error: str, preview: str = "") -> dict[str, object]:
    response = {"error": error, "message": "", "error_details": "", "preview_failure_reason": preview}
    return {
        "success": False,
        "failure_reason": "UNKNOWN_FAILURE_REASON",
        "order_id": "",
        "error_response": response,
        "order_configuration": {},
    }


def _error(name: str, text: str) -> dict[str, object]:
    return {"error": name, "error_details": text, "message": text}


def _not_cancelled(reason: str) -> dict[str, object]:
    return {"results": [{"success": False, "failure_reason": reason, "order_id": "no-such-order"}]}


CAUSES: tuple[Cause, ...] = (
    cause.WRONG_KEY.told(401, "Unauthorized\n"),
    cause.WRONG_SECRET.told(401, "Unauthorized\n"),
    cause.ADDRESS.but(error=CredentialsError, says="address").told(401, "Unauthorized\n"),
    cause.CLOCK.but(error=CredentialsError).told(401, "Unauthorized\n"),
    cause.REVOKED.told(401, "Unauthorized\n"),
    cause.NO_RIGHT.told(403, _error("PERMISSION_DENIED", "Missing required scopes")),
    cause.RATE_LIMIT.told(429, _error("RESOURCE_EXHAUSTED", "Too many requests")),
    cause.FUNDS.told(200, _refused("INSUFFICIENT_FUND", "PREVIEW_INSUFFICIENT_FUND")),
    cause.FUNDS.but(title="insufficient funds, no preview").told(200, _refused("INSUFFICIENT_FUND")),
    cause.MIN_AMOUNT.told(200, _refused("UNKNOWN_FAILURE_REASON", "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL")),
    cause.MIN_COST.told(200, _refused("UNKNOWN_FAILURE_REASON", "PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL")),
    cause.POST_ONLY.told(
        200, _refused("INVALID_LIMIT_PRICE_POST_ONLY", "PREVIEW_INVALID_LIMIT_PRICE_POST_ONLY")
    ),
    cause.NO_ORDER_TO_CANCEL.told(200, _not_cancelled("UNKNOWN_CANCEL_ORDER")),
    cause.NO_ORDER.told(404, _error("NOT_FOUND", _NOT_FOUND)),
    cause.MAINTENANCE.told(503, _error("UNAVAILABLE", "service unavailable")),
    cause.MAINTENANCE.but(title="internal error").told(500, _error("INTERNAL", "internal server error")),
    cause.UNKNOWN_OUTCOME.told(500, _error("INTERNAL", "internal server error")),
    cause.UNKNOWN_CANCEL.told(503, _error("UNAVAILABLE", "service unavailable")),
)
