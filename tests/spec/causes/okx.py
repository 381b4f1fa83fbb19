"""OKX: {"code": "…", "data": …, "msg": …}; what concerns one order is in data, with HTTP 200."""

from __future__ import annotations

from exchanges.errors import AddressNotAllowedError
from tests.spec.causes import cause
from tests.spec.causes.cause import Cause

_ADDRESS = "Your IP 203.0.113.7 is not included in your API key's IP whitelist."
_CANNOT_CANCEL = "Cancellation failed as the order has been filled, canceled or does not exist."
_MAY_BE_DONE = (
    "API endpoint request timeout (does not mean that the request was successful or failed, please check "
    "the request result)."
)


def _error(code: str, text: str) -> dict[str, object]:
    return {"code": code, "data": [], "msg": text}


def _of_order(code: str, text: str) -> dict[str, object]:
    row = {"clOrdId": "", "ordId": "", "sCode": code, "sMsg": text, "tag": "", "ts": "1795204998000"}
    return {"code": "1", "data": [row], "msg": "All operations failed"}


CAUSES: tuple[Cause, ...] = (
    cause.WRONG_KEY.told(401, _error("50111", "Invalid OK-ACCESS-KEY")),
    cause.WRONG_SECRET.told(401, _error("50113", "Invalid Sign")),
    cause.WRONG_PASSPHRASE.told(401, _error("50105", "Request header OK-ACCESS-PASSPHRASE incorrect.")),
    cause.NO_RIGHT.told(401, _error("50114", "Invalid Authority")),
    cause.NO_RIGHT.but(title="missing permission for a function").told(
        401, _error("50120", "This API key doesn't have permission to use this function")
    ),
    cause.ADDRESS.but(error=AddressNotAllowedError, says=r"203\.0\.113\.7.*allow-list").told(
        401, _error("50110", _ADDRESS)
    ),
    cause.REVOKED.told(401, _error("50111", "Invalid OK-ACCESS-KEY")),
    cause.CLOCK.told(401, _error("50102", "Timestamp request expired")),
    cause.RATE_LIMIT.told(429, _error("50011", "Too Many Requests")),
    cause.FUNDS.told(200, _of_order("51008", "Order failed. Insufficient USDT balance in account.")),
    cause.MIN_COST.but(says="amount|cost").told(
        200, _of_order("51020", "Your order should meet or exceed the minimum order amount.")
    ),
    cause.DUPLICATE.told(200, _of_order("51016", "Client order ID already exists.")),
    cause.NO_ORDER_TO_CANCEL.told(200, _of_order("51400", _CANNOT_CANCEL)),
    cause.NO_ORDER.told(200, _error("51603", "Order does not exist")),
    cause.MAINTENANCE.told(503, _error("50001", "Service temporarily unavailable. Try again later.")),
    cause.MAINTENANCE.but(title="busy").told(
        200, _error("50013", "Systems are busy. Please try again later.")
    ),
    cause.UNKNOWN_OUTCOME.told(400, _error("50004", _MAY_BE_DONE)),
)
