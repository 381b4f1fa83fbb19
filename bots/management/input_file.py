"""The text of a file that a command is given."""

from __future__ import annotations

import sys
from pathlib import Path

from django.core.management.base import CommandError


def read_text(file: str) -> str:
    """file: a path, or - for standard input. Raises CommandError."""
    name = "standard input" if file == "-" else file
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise CommandError(f"{name} is not UTF-8 text.") from None
