"""What BitMart says when something is wrong with itself."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping

from tests.lab.wire import WireAnswer

_TROUBLES = (
    (503, 30014, "Service unavailable"),
    (400, 50022, "Service unavailable"),
    (500, 60051, "Internal Server Error"),
)


def unknown_outcome(chance: random.Random) -> WireAnswer:
    return _json(*chance.choice(_TROUBLES))


def not_done(chance: random.Random) -> WireAnswer:
    return _json(*chance.choice(_TROUBLES))


def maintenance() -> WireAnswer:
    return _json(200, 30016, "Service maintenance, the function is temporarily unavailable")


def rate_limited(retry_after: int) -> WireAnswer:
    """retry_after: seconds."""
    return _json(429, 30013, "Request too many requests", {"Retry-After": str(retry_after)})


def banned(retry_after: int, now_ms: int) -> WireAnswer:
    """retry_after: seconds."""
    text = "Your account request is temporarily rejected due to violation of current limiting rules"
    return _json(418, 30017, text, {"Retry-After": str(retry_after)})


def _json(status: int, code: int, text: str, headers: Mapping[str, str] | None = None) -> WireAnswer:
    body = {"message": text, "code": code, "trace": "886fb6ae-456b-4654-b4e0-d681ac05cea1", "data": {}}
    return WireAnswer(
        status=status,
        headers={"Content-Type": "application/json", **(headers or {})},
        body=json.dumps(body, separators=(",", ":")).encode(),
    )
