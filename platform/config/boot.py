"""What stops every process before it starts, said in one sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, ProgrammingError, connection

from database.thread import is_full
from vault.keyring import VaultError
from vault.redaction import redact

KNOWN = (ImproperlyConfigured, VaultError, OperationalError, ProgrammingError)
_MISSING = ("no such table", "no such column")
# What is said of a database that cannot be reached, and what to do then.
_FIXES = {
    r"^database .* does not exist": "Create it",
    r"^role .* does not exist": "Create that user",
    r"password": "Correct the password",
    r"resolve host": "Check the name of its host",
    r"unable to open database file": "Make its folder and allow writing there",
    r"readonly database": "Allow writing to the file and its folder",
}


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
    said = " ".join(str(error).split())
    if any(words in said for words in _missing(error)):
        return f"The database is not up to date ({said.rstrip('.?')}): run `python manage.py migrate`."
    if isinstance(error, ProgrammingError):
        return None
    if "locked" in said:
        return f"The database is busy ({said}): another process holds it; try again."
    if is_full(error):
        return f"The disk of the database is full ({said}): free some space. What is stored is whole."
    why = _reason(said)
    fix = next((fix for words, fix in _FIXES.items() if re.search(words, why)), "Start its server")
    return f"The database {_name()} cannot be reached: {why}. {fix}, or correct DATABASE_URL."


def _missing(error: Exception) -> tuple[str, ...]:
    """What a database says of tables that no migration has made yet; SQLite says it as OperationalError."""
    return _MISSING if isinstance(error, OperationalError) else (*_MISSING, "does not exist")


def _reason(said: str) -> str:
    """The end of what libpq says: before it stand addresses, after it a question."""
    for mark in ("FATAL: ", " failed: "):
        said = said.rpartition(mark)[2]
    reason = said.partition(" Is the server running")[0].strip(" .?")
    return reason[:1].lower() + reason[1:]


def _name() -> str:
    database = settings.DATABASES["default"]
    place = ":".join(str(database[part]) for part in ("HOST", "PORT") if database.get(part))
    return f"“{database['NAME']}”" + (f" at {place}" if place else "")
