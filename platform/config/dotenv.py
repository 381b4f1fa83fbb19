"""Writes the first `.env`; one that exists is never touched."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from vault.keyring import new_key

ROOT = Path(__file__).resolve().parent.parent.parent
KEYS = {"SECRET_KEY": lambda: secrets.token_urlsafe(50), "FIELD_ENCRYPTION_KEYS": new_key}
HEADER = """\
# Written by `manage.py quickstart`. Keep it secret, and keep a copy: without FIELD_ENCRYPTION_KEYS the
# exchange keys in the database cannot be read. Every other setting: .env.example.
"""


def env_file() -> Path:
    return Path(os.environ.get("BOTDESK_ENV_FILE") or ROOT / ".env")


def write_if_missing() -> bool:
    """Fresh keys for those that the environment lacks, readable by their owner alone; whether it wrote.

    Raises ImproperlyConfigured when the folder cannot be written to.
    """
    file = env_file()
    lacking = [name for name in KEYS if not os.environ.get(name)]
    if file.exists() or not lacking:
        return False
    lines = [f"{name}={KEYS[name]()}\n" for name in lacking]
    try:
        return _create(file, HEADER + "".join(lines))
    except OSError as error:
        raise ImproperlyConfigured(f"{file} cannot be written: {error.strerror}.") from None


def _create(file: Path, content: str) -> bool:
    """All of it or nothing, and never over another: a link fails where a rename would replace."""
    handle, draft = tempfile.mkstemp(dir=file.parent, prefix=".env-")  # mode 0600
    try:
        with os.fdopen(handle, "w") as stream:
            stream.write(content)
        os.link(draft, file)
    except FileExistsError:
        return False
    finally:
        Path(draft).unlink()
    return True
