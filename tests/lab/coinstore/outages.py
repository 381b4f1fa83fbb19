"""What Coinstore says when something is wrong with itself.

Source: "Error Message"; the document does not say whether a request with such an answer took effect.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping

from tests.lab.wire import WireAnswer

_TROUBLES = (
    (500, 500, "internal server error"),
    (200, 500, "internal server error"),
    (200, 6001, "system busy"),
    (503, 503, "service unavailable"),
)


def unknown_outcome(chance: random.Random) -> WireAnswer:
    """True before a request took effect, and after."""
    return _json(*chance.choice(_TROUBLES))


def not_done(chance: random.Random) -> WireAnswer:
    """The venue has no words of its own for it."""
    return _json(*chance.choice(_TROUBLES))


def maintenance() -> WireAnswer:
    return _json(503, 503, "system maintenance")


def rate_limited(retry_after: int) -> WireAnswer:
    """retry_after: seconds; the document promises no such header."""
    return _json(429, 429, "too many visits", {"Retry-After": str(retry_after)})


def banned(retry_after: int, now_ms: int) -> WireAnswer:
    """No ban is known; a longer wait."""
    return rate_limited(retry_after)


def _json(status: int, code: int, text: str, headers: Mapping[str, str] | None = None) -> WireAnswer:
    return WireAnswer(
        status=status,
        headers={"Content-Type": "application/json;charset=UTF-8", **(headers or {})},
        body=json.dumps({"message": text, "code": code}, separators=(",", ":")).encode(),
    )
