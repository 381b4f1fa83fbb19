"""Who asks, and is it really them: key and secret are plain headers, and nothing is signed."""

from __future__ import annotations

import hmac

from tests.lab.accounts import ApiKey, KeyRing
from tests.lab.alpaca.errors import forbidden, not_authorized
from tests.lab.wire import WireRequest

KEY_HEADER, SECRET_HEADER = "apca-api-key-id", "apca-api-secret-key"


def authenticate(request: WireRequest, keys: KeyRing) -> ApiKey:
    named, secret = request.headers.get(KEY_HEADER), request.headers.get(SECRET_HEADER)
    if not named or not secret:
        raise not_authorized()
    key = keys.find(named)
    if key is None or not key.admits(request.address) or not hmac.compare_digest(key.secret, secret):
        raise forbidden()
    if not key.reading:
        raise not_authorized()
    return key
