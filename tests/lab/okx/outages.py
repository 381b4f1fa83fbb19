"""What OKX says when something is wrong with itself, and what the firewall before it says of too many."""

from __future__ import annotations

import json
import random

from tests.lab.pages import html_page
from tests.lab.wire import WireAnswer

_TIMEOUT = "API endpoint request timeout. (does not mean that the request was successful or failed)"
_UNKNOWN = (
    (400, "50004", _TIMEOUT),
    (500, "50026", "System error. Try again later"),
    (500, "51054", "Request timed out. Please try again."),
    (500, "51149", "Order timed out. Please try again later."),
)
_NOT_DONE = (
    (503, "50001", "Service temporarily unavailable. Please try again later"),
    (429, "50013", "Systems are busy. Please try again later."),
)


def unknown_outcome(chance: random.Random) -> WireAnswer:
    """True before a request took effect, and after."""
    return _json(*chance.choice(_UNKNOWN))


def not_done(chance: random.Random) -> WireAnswer:
    """Only true of a request that did not take effect; the words may as well be those of an unknown one."""
    return _json(*chance.choice(_NOT_DONE + _UNKNOWN))


def maintenance() -> WireAnswer:
    return _json(*_NOT_DONE[0])


def rate_limited(retry_after: int) -> WireAnswer:
    """OKX itself does not say for how long."""
    return _json(429, "50011", "Too Many Requests")


def banned(retry_after: int, now_ms: int) -> WireAnswer:
    """By Cloudflare, which stands before it; retry_after: seconds."""
    page = html_page(429, "Error 1015: You are being rate limited")
    return WireAnswer(
        status=page.status, headers={**page.headers, "Retry-After": str(retry_after)}, body=page.body
    )


def _json(status: int, code: str, text: str) -> WireAnswer:
    return WireAnswer(
        status=status,
        headers={"Content-Type": "application/json"},
        body=json.dumps({"code": code, "data": [], "msg": text}, separators=(",", ":")).encode(),
    )
