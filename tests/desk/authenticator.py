"""What an authenticator app does."""

from __future__ import annotations

import base64
import hmac
import struct
import time


def code_of(secret: str, *, steps_ahead: int = 0) -> str:
    """The six digits that the app shows now (RFC 6238), or some half minutes later."""
    counter = struct.pack(">Q", int(time.time()) // 30 + steps_ahead)
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    place = digest[-1] & 0x0F
    (number,) = struct.unpack(">I", digest[place : place + 4])
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06d}"
