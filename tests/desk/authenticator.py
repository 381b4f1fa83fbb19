"""What an authenticator app does."""

from __future__ import annotations

import base64
import hmac
import struct
import time


def code_of(secret: str, *, steps_ahead: int = 0) -> str:
    """The six digits that the app shows now (RFC 6238), or some half minutes later.

    A code is taken for half a minute longer, so one of now is still good when the half minute ends meanwhile.
    """
    counter = struct.pack(">Q", int(time.time()) // 30 + steps_ahead)
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    place = digest[-1] & 0x0F
    (number,) = struct.unpack(">I", digest[place : place + 4])
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06d}"


def next_code_of(secret: str) -> str:
    """Another than the one that was used a moment ago, and as good."""
    return code_of(secret, steps_ahead=1)
