"""Key pairs in Coinbase's own form: a key's name, and a private key of which it keeps the public half."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from tests.lab.accounts import Login

PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


def ecdsa_login(number: int) -> Login:
    """The PEM text of a P-256 key, its usual kind."""
    key = ec.derive_private_key(int.from_bytes(_seed(number)) >> 1, ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return Login(f"organizations/{_uuid(number)}/apiKeys/{_uuid(number + 1)}", pem.decode())


def ed25519_login(number: int) -> Login:
    """Base64 of the 32 bytes of the private key and the 32 of the public one."""
    key = ed25519.Ed25519PrivateKey.from_private_bytes(_seed(number))
    both = key.private_bytes_raw() + key.public_key().public_bytes_raw()
    return Login(_uuid(number), base64.b64encode(both).decode())


@lru_cache(maxsize=64)
def public_key(secret: str) -> PublicKey:
    """Of a login's secret."""
    if not secret.startswith("-----BEGIN"):
        return ed25519.Ed25519PrivateKey.from_private_bytes(base64.b64decode(secret)[:32]).public_key()
    key = serialization.load_pem_private_key(secret.encode(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.public_key()


def _seed(number: int) -> bytes:
    return hashlib.sha256(f"Coinbase login {number}".encode()).digest()


def _uuid(number: int) -> str:
    digits = _seed(number).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:32]}"
