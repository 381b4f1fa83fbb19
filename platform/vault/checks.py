"""What can be wrong with FIELD_ENCRYPTION_KEYS, found at boot."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register

from vault.keyring import KEY_BYTES, is_key

NEW_KEY = "`python manage.py rotate_secrets --new-key` prints a fresh one."


@register("boot")
def check_encryption_keys(**kwargs: Any) -> list[CheckMessage]:
    keys = list(settings.FIELD_ENCRYPTION_KEYS)
    if not keys:
        return [
            Error(
                "FIELD_ENCRYPTION_KEYS is not set: exchange keys could neither be stored nor read.",
                hint=f"Set it to one key, or to several with commas between them. {NEW_KEY}",
                id="vault.E001",
            )
        ]
    return [*_malformed(keys), *_repeated(keys), *_bound_to_secret_key(keys)]


def _malformed(keys: list[str]) -> Iterator[CheckMessage]:
    for position, key in enumerate(keys, 1):
        if not is_key(key):
            yield Error(
                f"Key {position} of FIELD_ENCRYPTION_KEYS is not a Fernet key.",
                hint=f"A key is 32 bytes in URL-safe base64, 44 characters. {NEW_KEY}",
                id="vault.E002",
            )


def _repeated(keys: list[str]) -> Iterator[CheckMessage]:
    for position, key in enumerate(keys, 1):
        first = keys.index(key) + 1
        if first < position:
            yield checks.Warning(
                f"Key {position} of FIELD_ENCRYPTION_KEYS is key {first} again.",
                hint="Take one of them away; if a new key was meant, put it first. " + NEW_KEY,
                id="vault.W003",
            )


def _bound_to_secret_key(keys: list[str]) -> Iterator[CheckMessage]:
    secret_keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    made_of_it = {derived for secret_key in secret_keys for derived in _derived(secret_key)}
    for position, key in enumerate(keys, 1):
        if is_key(key) and (key in secret_keys or base64.urlsafe_b64decode(key) in made_of_it):
            yield Error(
                f"Key {position} of FIELD_ENCRYPTION_KEYS is SECRET_KEY, or made from it: whoever learns one "
                "has both.",
                hint=f"Put a key of its own first, run rotate_secrets, then take this one away. {NEW_KEY}",
                id="vault.E004",
            )


def _derived(secret_key: str) -> Iterator[bytes]:
    """The 32 bytes that recipes on the web make of a SECRET_KEY."""
    raw = secret_key.encode()
    yield raw[:KEY_BYTES]
    yield raw[-KEY_BYTES:]
    yield from (raw.ljust(KEY_BYTES, filler)[:KEY_BYTES] for filler in (b"\0", b" ", b"=", b"0"))
    yield hashlib.sha256(raw).digest()
    yield hashlib.md5(raw, usedforsecurity=False).hexdigest().encode()
