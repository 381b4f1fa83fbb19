"""Who asks, is it really them, and may they ("Signature Authentication")."""

from __future__ import annotations

import hashlib
import hmac
from enum import StrEnum

from tests.lab.accounts import ApiKey, KeyRing
from tests.lab.clock import Clock
from tests.lab.coinstore.errors import signature_failed, unauthorized
from tests.lab.wire import WireRequest

BUCKET_MS = 30_000


class Security(StrEnum):
    NONE = "none"
    READ = "read"
    TRADE = "trade"


def authenticate(request: WireRequest, security: Security, keys: KeyRing, clock: Clock) -> ApiKey | None:
    """The key that may do this. The document states no window; here a time is good in its bucket of thirty
    seconds and the two beside it."""
    if security is Security.NONE:
        return None
    key, expires = keys.find(request.headers.get("x-cs-apikey")), request.headers.get("x-cs-expires", "")
    if key is None or key.is_revoked or not (expires.isdecimal() and len(expires) == 13):
        raise signature_failed()
    bucket = int(expires) // BUCKET_MS
    if abs(bucket - clock.now_ms() // BUCKET_MS) > 1:
        raise signature_failed()
    signature = sign(key.secret, bucket, payload_of(request))
    if not hmac.compare_digest(signature, request.headers.get("x-cs-sign", "")):
        raise signature_failed()
    allowed = key.trading if security is Security.TRADE else key.reading
    if not (key.admits(request.address) and allowed):
        raise unauthorized()
    return key


def payload_of(request: WireRequest) -> bytes:
    """The query as sent, without its question mark, and the body as sent, one after the other."""
    return request.query.encode() + request.body


def sign(secret: str, bucket: int, payload: bytes) -> str:
    """The first hash, in its letters and not its bytes, is the key of the second."""
    key = hmac.new(secret.encode(), str(bucket).encode(), hashlib.sha256).hexdigest()
    return hmac.new(key.encode(), payload, hashlib.sha256).hexdigest()
