"""Alpaca: {"code": …, "message": "…"} with 4xx; one code serves for many refusals."""

from __future__ import annotations

from exchanges.errors import CredentialsError
from tests.spec.causes import cause
from tests.spec.causes.cause import Cause


def _error(code: int, text: str) -> dict[str, object]:
    return {"code": code, "message": text}


CAUSES: tuple[Cause, ...] = (
    cause.WRONG_KEY.told(401, _error(40110000, "request is not authorized")),
    cause.WRONG_KEY.but(title="wrong key or secret").told(403, {"message": "forbidden."}),
    cause.REVOKED.told(403, {"message": "forbidden."}),
    cause.NO_RIGHT.but(error=CredentialsError).told(403, {"message": "forbidden."}),
    cause.RATE_LIMIT.told(429, _error(42910000, "rate limit exceeded")),
    cause.FUNDS.told(403, _error(40310000, "insufficient balance for USD (requested: 60, available: 0)")),
    cause.FUNDS.but(title="insufficient buying power").told(
        403, _error(40310000, "insufficient buying power")
    ),
    cause.MIN_COST.told(403, _error(40310000, "cost basis must be >= minimal amount of order 10")),
    cause.DUPLICATE.told(422, _error(40010001, "client_order_id must be unique")),
    cause.NO_ORDER_TO_CANCEL.told(404, _error(40410000, "order not found for no-such-order")),
    cause.NO_ORDER_TO_CANCEL.but(title="filled order on cancel").told(
        422, _error(42210000, 'order is already in "filled" state')
    ),
    cause.NO_ORDER.told(404, _error(40410000, "order not found for no-such-order")),
    cause.MAINTENANCE.told(503, "service unavailable"),
    cause.MAINTENANCE.but(title="internal error").told(500, _error(50010000, "internal server error")),
    cause.UNKNOWN_OUTCOME.told(500, _error(50010000, "internal server error")),
)
