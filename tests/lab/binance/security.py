"""Who asks, is it really them, and may they: rest-api.md, "Request Security"."""

from __future__ import annotations

import hashlib
import hmac
import re
from decimal import Decimal
from enum import StrEnum

from tests.lab.accounts import ApiKey, KeyRing
from tests.lab.binance.call import Call
from tests.lab.binance.errors import BinanceError, bad_key, missing
from tests.lab.clock import Clock
from tests.lab.wire import WireRequest

KEY_PATTERN = r"^[A-Za-z0-9]{16,128}$"
WINDOW_PATTERN = r"^[0-9]{1,20}(\.[0-9]{1,3})?$"
DEFAULT_WINDOW_MS = Decimal(5000)
MAX_WINDOW_MS = Decimal(60_000)
AHEAD_MS = 1000


class Security(StrEnum):
    NONE = "NONE"
    USER_DATA = "USER_DATA"
    TRADE = "TRADE"


def authenticate(call: Call, security: Security, keys: KeyRing, clock: Clock) -> ApiKey | None:
    """The key that may do this. The order of the checks decides which error a doubly wrong request gets."""
    if security is Security.NONE:
        return None
    named = call.request.headers.get("x-mbx-apikey", "")
    if not re.fullmatch(KEY_PATTERN, named):
        raise BinanceError(-2014, "API-key format invalid.", status=401)
    _check_time(call, clock)
    signature = call.required("signature")
    key = keys.find(named)
    if key is None or not key.admits(call.request.address):
        raise bad_key()
    if not hmac.compare_digest(_sign(call.request, key.secret), signature.lower()):
        raise BinanceError(-1022, "Signature for this request is not valid.")
    if not (key.trading if security is Security.TRADE else key.reading):
        raise bad_key()
    return key


def _check_time(call: Call, clock: Clock) -> None:
    call.required("timestamp")
    sent = call.milliseconds("timestamp")
    if sent is None:
        raise missing("timestamp")
    raw = call.matching("recvWindow", WINDOW_PATTERN)
    window = DEFAULT_WINDOW_MS if raw is None else Decimal(raw)
    if window > MAX_WINDOW_MS:
        raise BinanceError(-1131, "recvWindow must be less than 60000.")
    now = clock.now_ms()
    if sent >= now + AHEAD_MS:
        raise BinanceError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if now - sent > window:
        raise BinanceError(-1021, "Timestamp for this request is outside of the recvWindow.")


def _sign(request: WireRequest, secret: str) -> str:
    """HMAC-SHA256 over the query and the body exactly as sent, without the signature itself."""
    payload = _without_signature(request.query) + _without_signature(request.body.decode("utf-8", "replace"))
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def _without_signature(text: str) -> str:
    return "&".join(part for part in text.split("&") if not part.startswith("signature="))
