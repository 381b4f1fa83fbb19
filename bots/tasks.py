"""What django-q2's workers run."""

from __future__ import annotations

from bots.engine import shift
from bots.messenger import Messenger
from vault.redaction import redact


class ShiftFailedError(Exception):
    """A shift ended early; the text is redacted, because django-q2 keeps it."""


def run_shift(seconds: float) -> None:
    """One shift, and messages to people beside it. Safe to run twice, and beside others: connections are
    leased, messages claimed, never assigned."""
    try:
        with Messenger():
            shift.run(seconds)
    except Exception as error:  # noqa: BLE001 - the edge of the task: django-q2 stores what leaves here
        raise ShiftFailedError(redact(f"{type(error).__name__}: {error}")) from None
