"""Kraken: {"error": ["…"]}, always with HTTP 200."""

from __future__ import annotations

from exchanges.errors import PermissionMissingError
from tests.spec.causes import cause
from tests.spec.causes.cause import Cause


def _told(of: Cause, text: str) -> Cause:
    return of.told(200, {"error": [text]})


CAUSES: tuple[Cause, ...] = (
    _told(cause.WRONG_KEY, "EAPI:Invalid key"),
    _told(cause.WRONG_SECRET, "EAPI:Invalid signature"),
    _told(cause.NO_RIGHT, "EGeneral:Permission denied"),
    _told(cause.ADDRESS.but(error=PermissionMissingError, says="address"), "EGeneral:Permission denied"),
    _told(cause.REVOKED, "EAPI:Invalid key"),
    _told(cause.CLOCK.but(says="nonce"), "EAPI:Invalid nonce"),
    _told(cause.RATE_LIMIT, "EAPI:Rate limit exceeded"),
    _told(cause.RATE_LIMIT.but(title="lockout"), "EGeneral:Temporary lockout"),
    _told(cause.RATE_LIMIT.but(title="throttled"), "EService: Throttled: 1795205028"),
    _told(cause.RATE_LIMIT_OF_ORDERS, "EOrder:Rate limit exceeded"),
    _told(cause.FUNDS, "EOrder:Insufficient funds"),
    _told(cause.MIN_AMOUNT, "EOrder:Order minimum not met"),
    _told(cause.MIN_COST, "EOrder:Cost minimum not met"),
    _told(cause.PRICE_STEP, "EOrder:Tick size check failed"),
    _told(cause.POST_ONLY, "EOrder:Post only order"),
    _told(cause.DUPLICATE, "EOrder:Duplicate cl_ord_id"),
    _told(cause.NO_ORDER_TO_CANCEL, "EOrder:Unknown order"),
    _told(cause.NO_ORDER, "EOrder:Invalid order"),
    cause.NO_ORDER.but(title="an empty answer to a lookup").told(200, {"error": [], "result": {}}),
    _told(cause.NO_MARKET, "EQuery:Unknown asset pair"),
    _told(cause.MAINTENANCE, "EService:Unavailable"),
    _told(cause.NOT_DONE.but(title="the market takes cancels only"), "EService:Market in cancel_only mode"),
    _told(cause.UNKNOWN_OUTCOME, "EService:Deadline elapsed"),
)
