"""Keeps secrets out of whatever is written down.

Two nets: every secret that this process has ever revealed is masked wherever it stands, and anything
that has the form of a credential inside a URL is masked even if nobody revealed it.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"
SHORTEST_MASKED = 6  # masking shorter words would mask ordinary text

_URL_LOGIN = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_known: set[str] = set()
_lock = threading.Lock()
_pattern: re.Pattern[str] | None = None


def remember(secret: str) -> None:
    """Mask this value from now on, in each form in which it could be written."""
    global _pattern  # noqa: PLW0603 - one compiled pattern for the process
    if len(secret) < SHORTEST_MASKED or secret in _known:
        return
    with _lock:
        lines = [line for line in secret.splitlines() if len(line) >= SHORTEST_MASKED]
        for form in {secret, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1], *lines}:
            _known.add(form)
        longest_first = sorted(_known, key=len, reverse=True)
        _pattern = re.compile("|".join(map(re.escape, longest_first)))


def redact(text: str) -> str:
    text = _URL_LOGIN.sub(MASK, text)
    return _pattern.sub(MASK, text) if _pattern else text


class RedactingFormatter(logging.Formatter):
    """Formats as usual, traceback included, and masks the whole result."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def logging_config(*, level: str) -> Mapping[str, Any]:
    """Django's LOGGING: one stream, one formatter, and it redacts."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "redacting": {
                "()": RedactingFormatter,
                "format": "{asctime} {levelname} {name} {message}",
                "style": "{",
            }
        },
        "handlers": {"stream": {"class": "logging.StreamHandler", "formatter": "redacting"}},
        "root": {"handlers": ["stream"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            "django-q": {"handlers": [], "level": "WARNING", "propagate": True},
            # At DEBUG ccxt and aiohttp write headers and bodies; nobody needs those in production.
            "ccxt": {"level": "WARNING"},
            "aiohttp": {"level": "WARNING"},
            "asyncio": {"level": "WARNING"},
        },
    }
