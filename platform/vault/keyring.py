"""Encrypts and decrypts with the keys of FIELD_ENCRYPTION_KEYS.

The first key encrypts, all of them decrypt. A sealed value is `enc1:<key id>:<Fernet token>`; the key id
is the start of the key's SHA-256, so that a lost key can be named.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

PREFIX = "enc1"
KEY_BYTES = 32
KEY_ID_LENGTH = 8
_SEALED = re.compile(rf"{PREFIX}:[0-9a-f]{{{KEY_ID_LENGTH}}}:gAAAA[\w=-]+")


class VaultError(Exception):
    """The vault cannot do what was asked; the text says why and holds no secret."""


class BadKeyError(VaultError):
    pass


class SecretUnreadableError(VaultError):
    pass


def key_id(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:KEY_ID_LENGTH]


def new_key() -> str:
    return Fernet.generate_key().decode()


def is_key(text: str) -> bool:
    """Whether it is a Fernet key: 32 bytes in URL-safe base64."""
    try:
        return len(base64.b64decode(text, altchars=b"-_", validate=True)) == KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def looks_sealed(text: str) -> bool:
    return _SEALED.fullmatch(text) is not None


class Keyring:
    """Immutable, so it may be shared between threads."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        if not keys:
            raise BadKeyError(
                "FIELD_ENCRYPTION_KEYS is empty: set at least one key, made with "
                "`python manage.py rotate_secrets --new-key`."
            )
        self._by_id = {key_id(key): _fernet(key, position) for position, key in enumerate(keys, 1)}
        self.current_id = key_id(keys[0])

    def seal(self, text: str) -> str:
        token = self._by_id[self.current_id].encrypt(text.encode()).decode()
        return f"{PREFIX}:{self.current_id}:{token}"

    def unseal(self, sealed: str) -> str:
        prefix, _, rest = sealed.partition(":")
        name, _, token = rest.partition(":")
        if prefix != PREFIX or not token:
            raise SecretUnreadableError("A stored secret does not have the vault's form; enter it again.")
        if name not in self._by_id:
            raise SecretUnreadableError(
                f"A stored secret was encrypted with key {name}, which is not in FIELD_ENCRYPTION_KEYS: "
                "put that key back, or enter the secret again."
            )
        try:
            return self._by_id[name].decrypt(token.encode()).decode()
        except InvalidToken:
            raise SecretUnreadableError(
                f"A stored secret does not open with key {name}: it was changed outside the vault; "
                "enter it again."
            ) from None

    def is_current(self, sealed: str) -> bool:
        """Whether the first key sealed it."""
        return sealed.startswith(f"{PREFIX}:{self.current_id}:")


def _fernet(key: str, position: int) -> Fernet:
    if not is_key(key):
        raise BadKeyError(
            f"Key {position} of FIELD_ENCRYPTION_KEYS is not a Fernet key (32 bytes in URL-safe base64); "
            "make one with `python manage.py rotate_secrets --new-key`."
        )
    return Fernet(key)


@lru_cache(maxsize=8)
def _keyring(keys: tuple[str, ...]) -> Keyring:
    return Keyring(keys)


def keyring() -> Keyring:
    """The keyring of the settings in force."""
    return _keyring(tuple(settings.FIELD_ENCRYPTION_KEYS))
