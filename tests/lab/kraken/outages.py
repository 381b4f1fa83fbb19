"""What Kraken says when something is wrong with itself, and what the firewall before it says.

Source: "Error messages" and "Spot REST Rate Limits" of its documentation.
"""

from __future__ import annotations

import json
import random

from tests.lab.wire import WireAnswer

JSON = "application/json; charset=utf-8"
_UNKNOWN = (
    "EService:Unavailable",
    "EService:Busy",
    "EService:Deadline elapsed",
    "EGeneral:Internal error",
    "EDatabase:Internal error",
)


class KrakenOutages:
    def unknown_outcome(self, chance: random.Random) -> WireAnswer:
        """True before a request took effect, and after."""
        return refusal(chance.choice(_UNKNOWN))

    def not_done(self, chance: random.Random) -> WireAnswer:
        """Only true of a request that did not take effect; the words may be those of an unknown one."""
        return refusal(chance.choice((*_UNKNOWN, "EService:Market in cancel_only mode")))

    def maintenance(self) -> WireAnswer:
        return refusal("EService:Unavailable")

    def rate_limited(self, retry_after: int) -> WireAnswer:
        """The counter does not say when it has decayed."""
        return refusal("EAPI:Rate limit exceeded")

    def banned(self, retry_after: int, now_ms: int) -> WireAnswer:
        """By the firewall. retry_after: seconds."""
        headers = {"Content-Type": "text/html", "Retry-After": str(retry_after)}
        page = b"<html><head><title>Error 1015</title></head><body>You are being rate limited</body></html>"
        return WireAnswer(status=429, headers=headers, body=page)


def refusal(text: str) -> WireAnswer:
    return WireAnswer(
        headers={"Content-Type": JSON},
        body=json.dumps({"error": [text]}, separators=(",", ":")).encode(),
    )
