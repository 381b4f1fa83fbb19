"""Runs a test in a process of its own: ccxt is loaded there, and the secrets are opened there."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from uuid import UUID

from django.conf import settings

from exchanges.checkup.examination import EXAMINATION_SECONDS
from exchanges.checkup.report import TestReport
from vault.redaction import redact

log = logging.getLogger(__name__)

START_SECONDS = 8.0  # for the process to come up and to write down what it found
WAIT_SECONDS = 10.0  # for its turn

# Two at a time in a web process: each takes 150 MB for as long as it runs.
_turns = threading.BoundedSemaphore(2)


class CheckupError(Exception):
    """The test itself could not be run; the text says what to do."""


def run_apart(*, connection_id: UUID, username: str = "") -> TestReport:
    """`manage.py check_exchange` for one connection; username: who asked for it. Raises CheckupError."""
    if not _turns.acquire(timeout=WAIT_SECONDS):
        raise CheckupError("Other connections are being tested just now: test again in a few seconds.")
    try:
        return _report(_run(connection_id, username))
    finally:
        _turns.release()


def _run(connection_id: UUID, username: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, str(settings.MANAGE_FILE), "check_exchange", str(connection_id), "--json"]
    if username:
        command.append(f"--as={username}")
    try:
        return subprocess.run(  # noqa: S603 - our own command, and no shell
            command,
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=EXAMINATION_SECONDS + START_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CheckupError(
            "The test did not end in time: test again; if it stays, run `manage.py check_exchange`."
        ) from None


def _report(done: subprocess.CompletedProcess[bytes]) -> TestReport:
    try:
        (answer,) = json.loads(done.stdout)
        return TestReport.from_json(answer)
    except (LookupError, TypeError, ValueError):
        said = redact(done.stderr.decode(errors="replace"))
        log.error("check_exchange ended with exit code %s and no report: %s", done.returncode, said)
        raise CheckupError("The test could not be run: the log of the web process says why.") from None
