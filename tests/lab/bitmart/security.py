"""Who asks, is it really them, and may they ("Authentication")."""

from __future__ import annotations

import hashlib
import hmac
from enum import StrEnum

from tests.lab.accounts import ApiKey, KeyRing
from tests.lab.bitmart.errors import forbidden_address, forbidden_call, late, unknown_key, wrong_signature
from tests.lab.clock import Clock
from tests.lab.wire import WireRequest

WINDOW_MS = 60_000


class Security(StrEnum):
    """KEYED needs the key alone; a signature that comes along has to be right here."""

    NONE = "NONE"
    KEYED = "KEYED"
    SIGNED = "SIGNED"


def authenticate(request: WireRequest, security: Security, keys: KeyRing, clock: Clock) -> ApiKey | None:
    if security is Security.NONE:
        return None
    key = keys.find(request.headers.get("x-bm-key"))
    if key is None or key.is_revoked:
        raise unknown_key()
    if security is Security.SIGNED or "x-bm-sign" in request.headers:
        _check_signature(request, key, clock)
    if not key.admits(request.address):
        raise forbidden_address()
    if not key.reading:
        raise forbidden_call()
    return key


def _check_signature(request: WireRequest, key: ApiKey, clock: Clock) -> None:
    sent = request.headers.get("x-bm-timestamp", "")
    if not sent.isdecimal() or abs(clock.now_ms() - int(sent)) > WINDOW_MS:
        raise late()
    payload = request.query if request.method == "GET" else request.body.decode("utf-8", "replace")
    expected = sign(key.secret, sent, key.passphrase, payload)
    if not hmac.compare_digest(expected, request.headers.get("x-bm-sign", "")):
        raise wrong_signature()


def sign(secret: str, timestamp: str, memo: str, payload: str) -> str:
    return hmac.new(secret.encode(), f"{timestamp}#{memo}#{payload}".encode(), hashlib.sha256).hexdigest()
