"""BitMart: {"code": …, "message": "…", "data": {}}; reading only."""

from __future__ import annotations

from tests.spec.causes import cause
from tests.spec.causes.cause import Cause


def _told(of: Cause, status: int, code: int, text: str) -> Cause:
    return of.told(status, {"message": text, "code": code, "trace": "886fb6ae", "data": {}})


CAUSES: tuple[Cause, ...] = (
    _told(cause.WRONG_KEY, 401, 30002, "Header X-BM-KEY is invalid"),
    _told(cause.WRONG_SECRET, 401, 30005, "Header X-BM-SIGN is wrong"),
    _told(cause.CLOCK, 401, 30007, "Header X-BM-TIMESTAMP is wrong"),
    _told(cause.ADDRESS, 403, 30010, "IP is forbidden"),
    _told(cause.REVOKED, 401, 30002, "Header X-BM-KEY is invalid"),
    _told(cause.RATE_LIMIT, 429, 30013, "Request too many requests"),
    _told(cause.NO_ORDER, 200, 50005, "Order Id not found"),
    _told(cause.MAINTENANCE, 503, 30014, "Service unavailable"),
    _told(cause.MAINTENANCE.but(title="planned maintenance"), 503, 30016, "Service maintenance"),
)
