"""Runs manage.py's commands; a bad setting is one sentence, never a traceback."""

from __future__ import annotations

import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError
from vault.keyring import VaultError
from vault.redaction import redact

SETTING_ERROR = 2


def run(arguments: list[str]) -> None:
    try:
        execute_from_command_line(arguments)
    except (ImproperlyConfigured, VaultError) as error:
        _fail(str(error))
    except OperationalError as error:
        _fail(f"The database cannot be reached: {str(error).strip()} (DATABASE_URL names it).")


def _fail(sentence: str) -> None:
    sys.stderr.write(redact(sentence) + "\n")
    sys.exit(SETTING_ERROR)
