"""What Coinbase says when something is wrong with itself.

Source: the gRPC statuses of its documentation; none of its 5xx tells whether a request took effect.
"""

from __future__ import annotations

import random

from tests.lab.coinbase.errors import CoinbaseError, TooManyRequestsError
from tests.lab.wire import WireAnswer

_TROUBLES = (
    (500, "INTERNAL", "Something went wrong"),
    (503, "UNAVAILABLE", "Service temporarily unavailable"),
    (504, "DEADLINE_EXCEEDED", "context deadline exceeded"),
    (500, "UNKNOWN", "Internal error"),
)


def unknown_outcome(chance: random.Random) -> WireAnswer:
    """True before a request took effect, and after."""
    return CoinbaseError(*chance.choice(_TROUBLES)).answer({})


def not_done(chance: random.Random) -> WireAnswer:
    """Of a request that did not take effect; Coinbase has no words of its own for that."""
    return unknown_outcome(chance)


def maintenance() -> WireAnswer:
    return CoinbaseError(503, "UNAVAILABLE", "Advanced Trade is under maintenance").answer({})


def rate_limited(retry_after: int) -> WireAnswer:
    """retry_after: seconds."""
    return _too_many(retry_after)


def banned(retry_after: int, now_ms: int) -> WireAnswer:
    """retry_after: seconds. Coinbase has no ban of its own: whoever goes on is refused on."""
    return _too_many(retry_after)


def _too_many(retry_after: int) -> WireAnswer:
    return TooManyRequestsError().answer({"Retry-After": str(retry_after)})
