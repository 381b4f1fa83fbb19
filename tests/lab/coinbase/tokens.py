"""Bearer tokens: who asks, is it really them, now, and for this very request.

Source: "CDP API key authentication" and "WebSocket authentication" of docs.cdp.coinbase.com: a JWT signed
with ES256 or EdDSA, good for 120 s, whose `uri` is "METHOD host/path" without the query.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.lab.accounts import ApiKey, KeyRing
from tests.lab.coinbase.errors import UnauthorizedError, missing_scopes
from tests.lab.coinbase.logins import PublicKey, public_key
from tests.lab.wire import WireRequest

LIFETIME_SECONDS = 120
ISSUERS = ("cdp", "coinbase-cloud")
NONCE = re.compile(r"[0-9A-Za-z_-]{8,128}")
CURVE_BYTES = 32


class Token(NamedTuple):
    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes


def named_key(request: WireRequest) -> str | None:
    """The key that a request names, be it genuine or not."""
    try:
        return str(read(_bearer(request)).claims.get("sub", "")) or None
    except UnauthorizedError:
        return None


def authenticate(request: WireRequest, keys: KeyRing, now_seconds: int, *, trades: bool) -> ApiKey:
    """The key that may do this. Raises CoinbaseError."""
    token = read(_bearer(request))
    key = genuine(token, keys, now_seconds, request.address)
    wanted = f"{request.method} {request.host}{request.path}"
    if wanted not in (token.claims.get("uri"), *(token.claims.get("uris") or ())):
        raise UnauthorizedError(f"the token is for {token.claims.get('uri')}, not for {wanted}")
    if not (key.trading if trades else key.reading):
        raise missing_scopes()
    return key


def genuine(token: Token, keys: KeyRing, now_seconds: int, address: str) -> ApiKey:
    """Whose token it is, whatever it is for. Raises UnauthorizedError."""
    name = token.claims.get("sub")
    key = keys.find(name if isinstance(name, str) else None)
    if key is None or token.header.get("kid") != name:
        raise UnauthorizedError("no such key")
    _check_signature(token, public_key(key.secret))
    _check_claims(token, now_seconds)
    if not key.admits(address):
        raise UnauthorizedError("the key is revoked, or not for this address")
    return key


def read(text: str) -> Token:
    parts = text.split(".")
    if len(parts) != 3:
        raise UnauthorizedError("no JWT")
    header, claims = (_json(part) for part in parts[:2])
    return Token(header, claims, f"{parts[0]}.{parts[1]}".encode(), _bytes(parts[2]))


def _bearer(request: WireRequest) -> str:
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer":
        raise UnauthorizedError("no bearer token")
    return text


def _check_signature(token: Token, key: PublicKey) -> None:
    algorithm = token.header.get("alg")
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and algorithm == "ES256":
            key.verify(_der(token.signature), token.signed, ec.ECDSA(hashes.SHA256()))
        elif not isinstance(key, ec.EllipticCurvePublicKey) and algorithm == "EdDSA":
            key.verify(token.signature, token.signed)
        else:
            raise UnauthorizedError(f"the key is not one for {algorithm}")
    except InvalidSignature:
        raise UnauthorizedError("the signature is not the key's") from None


def _der(signature: bytes) -> bytes:
    """JWT's form of an ECDSA signature is r and s side by side."""
    if len(signature) != 2 * CURVE_BYTES:
        raise InvalidSignature
    halves = (signature[:CURVE_BYTES], signature[CURVE_BYTES:])
    return encode_dss_signature(*(int.from_bytes(half) for half in halves))


def _check_claims(token: Token, now_seconds: int) -> None:
    claims = token.claims
    begins, ends = claims.get("nbf"), claims.get("exp")
    if claims.get("iss") not in ISSUERS:
        raise UnauthorizedError("an unknown issuer")
    if not isinstance(begins, int) or not isinstance(ends, int):
        raise UnauthorizedError("no times")
    if not begins <= now_seconds < ends or ends - begins > LIFETIME_SECONDS:
        raise UnauthorizedError(f"good from {begins} to {ends}, and it is {now_seconds}")
    if not NONCE.fullmatch(str(token.header.get("nonce", ""))):
        raise UnauthorizedError("no nonce")


def _json(part: str) -> Mapping[str, Any]:
    try:
        content = json.loads(_bytes(part))
    except ValueError:
        raise UnauthorizedError("no JSON in the JWT") from None
    if not isinstance(content, dict):
        raise UnauthorizedError("no object in the JWT")
    return content


def _bytes(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        raise UnauthorizedError("no base64 in the JWT") from None
