"""The secret half of a Coinbase key: what it may look like, and the one form in which ccxt signs with it."""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from exchanges.errors import CredentialsError

PEM = "-----BEGIN"
SEED_BYTES, PAIR_BYTES = 32, 64
_SWAPPED = (
    "The key of Coinbase Advanced has its two parts swapped: enter its name (organizations/…/apiKeys/…) as "
    "the key name and the PEM text as the private key."
)
_UNREADABLE = (
    "The private key of Coinbase Advanced cannot be read: paste it whole, from “-----BEGIN” to the END line, "
    "or the 88 characters of an Ed25519 key."
)
_OTHER_KIND = (
    "The private key of Coinbase Advanced is of a kind that it does not take: make an ECDSA (P-256) or "
    "Ed25519 key there."
)


def signing_secret(key_name: str, secret: str) -> str:
    """A P-256 key as PEM text, an Ed25519 key as base64 of its seed and its public half.

    Raises CredentialsError, whose text holds nothing of either.
    """
    if key_name.lstrip().startswith(PEM):
        raise CredentialsError(_SWAPPED)
    if not secret.startswith(PEM):
        return _ed25519_pair(_seed(secret))
    try:
        key = serialization.load_pem_private_key(secret.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CredentialsError(_UNREADABLE) from None
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return _ed25519_pair(key.private_bytes_raw())
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return secret
    raise CredentialsError(_OTHER_KIND)


def _seed(secret: str) -> bytes:
    try:
        raw = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        raise CredentialsError(_UNREADABLE) from None
    if len(raw) not in (SEED_BYTES, PAIR_BYTES):
        raise CredentialsError(_UNREADABLE)
    return raw[:SEED_BYTES]


def _ed25519_pair(seed: bytes) -> str:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    return base64.b64encode(seed + key.public_key().public_bytes_raw()).decode()
