"""The two forms of a log line, for people and for programs. Both carry the ids, and both redact."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from logs.about import ids
from vault.redaction import RedactingFormatter, RedactingHandler

FORMATS = ("TEXT", "JSON")


class TextFormatter(RedactingFormatter):
    """A line for people; the ids at its end."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name} {message}", style="{")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        written = " ".join(f"{name}={value}" for name, value in ids().items())
        return f"{super().formatMessage(record)} [{written}]" if written else super().formatMessage(record)


def formatter(form: str) -> logging.Formatter:
    """form: one of FORMATS."""
    if form == "JSON":
        from logs.json_lines import RedactingJsonFormatter

        return RedactingJsonFormatter()
    return TextFormatter()


def logging_config(*, level: str, form: str) -> Mapping[str, Any]:
    """Django's LOGGING: one stream, one formatter, and it redacts."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"redacting": {"()": formatter, "form": form}},
        "handlers": {"stream": {"()": RedactingHandler, "formatter": "redacting"}},
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
