"""What Alpaca says when something is wrong with itself. A 5xx does not tell what became of an order."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

from tests.lab.wire import WireAnswer

_TROUBLES: tuple[tuple[int, dict[str, Any]], ...] = (
    (500, {"code": 50010000, "message": "internal server error occurred"}),
    (503, {"message": "service unavailable"}),
    (504, {"code": 50410000, "message": "request timed out"}),
)


def unknown_outcome(chance: random.Random) -> WireAnswer:
    """True before a request took effect, and after."""
    return _json(*chance.choice(_TROUBLES))


def not_done(chance: random.Random) -> WireAnswer:
    """Alpaca has no words for what certainly did not happen."""
    return unknown_outcome(chance)


def maintenance() -> WireAnswer:
    return _json(503, {"message": "service unavailable"})


def rate_limited(retry_after: int) -> WireAnswer:
    """Alpaca tells the time of the next minute in a header of its own; proxies before it say Retry-After."""
    return _json(429, {"code": 42910000, "message": "rate limit exceeded"}, {"Retry-After": str(retry_after)})


def banned(retry_after: int, now_ms: int) -> WireAnswer:
    """There are no bans: whoever goes on is told the same."""
    return rate_limited(retry_after)


def _json(status: int, content: dict[str, Any], headers: Mapping[str, str] | None = None) -> WireAnswer:
    return WireAnswer(
        status=status,
        headers={"Content-Type": "application/json; charset=UTF-8", **(headers or {})},
        body=json.dumps(content, separators=(",", ":")).encode(),
    )
