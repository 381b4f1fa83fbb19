"""Binance: {"code": …, "msg": …} with 4xx and 5xx."""

from __future__ import annotations

from exchanges.errors import CredentialsError, Rule
from tests.spec.causes import cause
from tests.spec.causes.cause import Cause

_REFUSED = {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}
_WEIGHT = "Too much request weight used; current limit is 6000 request weight per 1 MINUTE."


def _filter(name: str) -> dict[str, object]:
    return {"code": -1013, "msg": f"Filter failure: {name}"}


def _rejected(text: str) -> dict[str, object]:
    return {"code": -2010, "msg": text}


CAUSES: tuple[Cause, ...] = (
    cause.WRONG_KEY.told(401, _REFUSED),
    cause.WRONG_KEY.but(title="key of another form").told(
        400, {"code": -2014, "msg": "API-key format invalid."}
    ),
    cause.WRONG_SECRET.told(400, {"code": -1022, "msg": "Signature for this request is not valid."}),
    cause.NO_RIGHT.but(error=CredentialsError).told(401, _REFUSED),
    cause.ADDRESS.but(error=CredentialsError).told(401, _REFUSED),
    cause.REVOKED.told(401, _REFUSED),
    cause.CLOCK.told(400, {"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."}),
    cause.RATE_LIMIT.told(429, {"code": -1003, "msg": _WEIGHT}, {"Retry-After": "7"}),
    cause.RATE_LIMIT.but(title="banned").told(
        418, {"code": -1003, "msg": "Way too much request weight used; IP banned until 1795204998000."}
    ),
    cause.RATE_LIMIT_OF_ORDERS.told(
        429, {"code": -1015, "msg": "Too many new orders; current limit is 100 orders per 10 SECOND."}
    ),
    cause.FUNDS.told(400, _rejected("Account has insufficient balance for requested action.")),
    cause.MIN_COST.told(400, _filter("NOTIONAL")),
    cause.AMOUNT_STEP.told(400, _filter("LOT_SIZE")),
    cause.PRICE_STEP.told(400, _filter("PRICE_FILTER")),
    cause.PRICE_STEP.but(title="price too far away", rule=Rule.PRICE_RANGE).told(
        400, _filter("PERCENT_PRICE_BY_SIDE")
    ),
    cause.POST_ONLY.told(400, _rejected("Order would immediately match and take.")),
    cause.DUPLICATE.told(400, _rejected("Duplicate order sent.")),
    cause.NO_ORDER_TO_CANCEL.told(400, {"code": -2011, "msg": "Unknown order sent."}),
    cause.NO_ORDER.told(400, {"code": -2013, "msg": "Order does not exist."}),
    cause.NO_MARKET.told(400, {"code": -1121, "msg": "Invalid symbol."}),
    cause.MAINTENANCE.told(503, {"code": -1016, "msg": "This service is no longer available."}),
    cause.NOT_DONE.told(503, {"code": -1008, "msg": "Request throttled by system-level protection."}),
    cause.UNKNOWN_OUTCOME.told(
        503, {"code": -1007, "msg": "Timeout waiting for response from backend server."}
    ),
    cause.UNKNOWN_CANCEL.told(503, {"code": -1006, "msg": "Execution status unknown."}),
)
