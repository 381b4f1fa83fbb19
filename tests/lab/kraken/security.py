"""Who asks, is it really them, and may they: "Spot REST Authentication"."""

from __future__ import annotations

import base64
import hashlib
import hmac
from enum import StrEnum

from tests.lab.accounts import ApiKey, KeyRing
from tests.lab.kraken.call import Call
from tests.lab.kraken.errors import KrakenError, permission_denied
from tests.lab.kraken.limits import Limits

LARGEST_NONCE = 2**64 - 1


class Right(StrEnum):
    """What a key can be allowed to do, in Kraken's words."""

    NONE = ""
    FUNDS = "query-funds"
    OPEN = "query-open-trades"
    CLOSED = "query-closed-trades"
    MODIFY = "modify-trades"
    CLOSE = "close-trades"
    WITHDRAW = "withdraw-funds"
    STREAMS = "access-websockets"


READING = (Right.FUNDS, Right.OPEN, Right.CLOSED, Right.STREAMS)


def rights_of(key: ApiKey) -> list[Right]:
    rights = list(READING) if key.reading else []
    rights += [Right.MODIFY, Right.CLOSE] if key.trading else []
    return rights + ([Right.WITHDRAW] if key.withdrawals else [])


class Gatekeeper:
    """Remembers each key's nonces: none is good twice, nor one that is older than the newest by more than
    the key's window, which is nothing unless its owner set one."""

    def __init__(self, keys: KeyRing, limits: Limits) -> None:
        self._keys = keys
        self._limits = limits
        self._used: dict[str, set[int]] = {}

    def admit(self, call: Call, right: Right) -> ApiKey:
        """The order of the checks decides which error a doubly wrong request gets."""
        key = self._keys.find(call.request.headers.get("api-key"))
        if key is None or key.is_revoked:
            raise KrakenError("EAPI:Invalid key")
        nonce = call.text("nonce") or ""
        if not hmac.compare_digest(signature(call, key.secret, nonce), _sent_signature(call)):
            raise KrakenError("EAPI:Invalid signature")
        self._use(key, nonce)
        if not key.admits(call.request.address):
            raise permission_denied()
        if right is not Right.NONE and right not in rights_of(key):
            raise permission_denied()
        return key

    def last_nonce(self, key: ApiKey) -> int:
        return max(self._used.get(key.key, {0}))

    def _use(self, key: ApiKey, text: str) -> None:
        used = self._used.setdefault(key.key, {0})
        newest = max(used)
        if not text.isdecimal() or int(text) > LARGEST_NONCE:
            raise KrakenError("EAPI:Invalid nonce")
        nonce, oldest = int(text), newest - self._limits.nonce_window
        if nonce in used or nonce < oldest:
            raise KrakenError("EAPI:Invalid nonce")
        self._used[key.key] = {known for known in used if known >= oldest} | {nonce}


def signature(call: Call, secret: str, nonce: str) -> str:
    """HMAC-SHA512 of the path and SHA256(nonce and body, both as sent), under the decoded secret."""
    digest = hashlib.sha256((nonce + call.body).encode()).digest()
    signed = call.request.path.encode() + digest
    return base64.b64encode(hmac.new(base64.b64decode(secret), signed, hashlib.sha512).digest()).decode()


def _sent_signature(call: Call) -> str:
    return call.request.headers.get("api-sign", "")
