"""What stops every process before it starts, said in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, ProgrammingError, connection

from vault.keyring import VaultError
from vault.redaction import redact

KNOWN = (ImproperlyConfigured, VaultError, OperationalError, ProgrammingError)
_NOT_MIGRATED = ("no such table", "no such column", "does not exist")


def explain(error: Exception) -> str | None:
    """One sentence for the operator, without secrets; None for what is a defect of the program."""
    if isinstance(error, OperationalError | ProgrammingError):
        said = _database_sentence(error)
        return said and redact(said)
    return redact(str(error)) if isinstance(error, KNOWN) else None


def require_database() -> None:
    """Raises OperationalError when it does not answer."""
    connection.ensure_connection()
    connection.close()


def wrong_settings() -> list[str]:
    """A sentence and its fix for each error that the start-up checks find; warnings stop nothing."""
    found: Sequence[checks.CheckMessage] = checks.run_checks(tags=["boot"])
    return [f"{message.msg} {message.hint}" for message in found if message.is_serious()]


def _database_sentence(error: Exception) -> str | None:
    said = " ".join(str(error).split()).rstrip(".?")
    if any(words in said for words in _NOT_MIGRATED) and "database" not in said:
        return f"The database is not up to date ({said}): run `python manage.py migrate`."
    if isinstance(error, ProgrammingError):
        return None
    if "locked" in said:
        return f"The database is busy ({said}): another process holds it; try again."
    return f"The database {_name()} cannot be reached: {said}. Start it, or correct DATABASE_URL."


def _name() -> str:
    database = settings.DATABASES["default"]
    place = f" at {database['HOST']}" if database.get("HOST") else ""
    return f"“{database['NAME']}”{place}"
