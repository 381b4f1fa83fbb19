"""What Binance says when something is wrong with itself.

Source: errors.md, and rest-api.md, "HTTP Return Codes": a 5XX does not tell whether the request took
effect, unless its text does.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping

from tests.lab.wire import WireAnswer

_UNKNOWN = (
    (500, -1000, "An unknown error occurred while processing the request."),
    (503, -1006, "An unexpected response was received from the message bus. Execution status unknown."),
    (
        503,
        -1007,
        "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
    ),
    (503, -1000, "Unknown error, please check your request or try again later."),
)
_NOT_DONE = (
    (503, -1001, "Internal error; unable to process your request. Please try again."),
    (
        503,
        -1008,
        "Request throttled by system-level protection. Reduce-only/close-position orders are exempt.",
    ),
    (503, -1016, "This service is no longer available."),
)


def unknown_outcome(chance: random.Random) -> WireAnswer:
    """True before a request took effect, and after."""
    return _json(*chance.choice(_UNKNOWN))


def not_done(chance: random.Random) -> WireAnswer:
    """Only true of a request that did not take effect; the words may as well be those of an unknown one."""
    return _json(*chance.choice(_NOT_DONE + _UNKNOWN))


def maintenance() -> WireAnswer:
    return _json(503, -1016, "This service is no longer available.")


def rate_limited(retry_after: int) -> WireAnswer:
    """retry_after: seconds."""
    text = "Too much request weight used; current limit is 6000 request weight per 1 MINUTE."
    return _json(429, -1003, text, {"Retry-After": str(retry_after)})


def banned(retry_after: int, now_ms: int) -> WireAnswer:
    """retry_after: seconds."""
    text = f"Way too much request weight used; IP banned until {now_ms + 1000 * retry_after}."
    return _json(418, -1003, text, {"Retry-After": str(retry_after)})


def _json(status: int, code: int, text: str, headers: Mapping[str, str] | None = None) -> WireAnswer:
    return WireAnswer(
        status=status,
        headers={"Content-Type": "application/json;charset=UTF-8", **(headers or {})},
        body=json.dumps({"code": code, "msg": text}, separators=(",", ":")).encode(),
    )
