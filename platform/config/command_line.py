"""Runs manage.py's commands; a bad setting is one sentence, never a traceback."""

from __future__ import annotations

import os
import secrets
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from django.core.management import execute_from_command_line

from config import boot, dotenv
from vault.keyring import new_key
from vault.redaction import redact_uncaught

SETTING_ERROR = 2
INTERRUPTED = 130
# These serve until they are stopped, and would meet a missing database in a child or a request.
SERVERS = {"worker", "qcluster", "runserver"}
# Here a wrong setting is said as it is there, without the headings of Django's checks.
CHECKED = SERVERS | {"quickstart", "migrate"}

# These neither read nor write anything that a key protects: they work before there is an .env.
WITHOUT_SECRETS = {"preview_quotes"}


def run(arguments: list[str]) -> None:
    redact_uncaught()
    command = arguments[1] if len(arguments) > 1 else ""
    try:
        if arguments[1:] == ["rotate_secrets", "--new-key"]:
            print(new_key())  # noqa: T201 - before there are keys there are no settings, and no command
            return
        if command == "quickstart":
            with _undisturbed():
                dotenv.write_if_missing()
        if command in WITHOUT_SECRETS:
            os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
        if command in CHECKED:
            _check_settings()
        if command in SERVERS:
            boot.require_database()
        execute_from_command_line(arguments)
    except KeyboardInterrupt:
        sys.exit(0 if command == "quickstart" else INTERRUPTED)
    except boot.KNOWN as error:
        sentence = boot.explain(error)
        if sentence is None:
            raise
        _fail(sentence)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Stop signals wait: half of it would leave keys in a draft."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _check_settings() -> None:
    import django

    django.setup()
    wrong = boot.wrong_settings()
    if wrong:
        _fail("\n".join(wrong))


def _fail(sentence: str) -> NoReturn:
    sys.stderr.write(sentence + "\n")
    sys.exit(SETTING_ERROR)
