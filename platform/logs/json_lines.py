"""A log line for programs; loaded only where it is asked for."""

from __future__ import annotations

from typing import Any

from pythonjsonlogger.json import JsonFormatter

from logs.about import ids
from vault.redaction import redact_all

_FIELDS = ("levelname", "name", "message", "process")
_NAMES = {"levelname": "level", "name": "logger"}


class RedactingJsonFormatter(JsonFormatter):
    """One object a line: timestamp, level, logger, message, process, the ids, what was logged as `extra`, and
    exc_info where there is one.

    It redacts before it writes: in the finished line a mask could swallow a quotation mark.
    """

    def __init__(self) -> None:
        super().__init__(list(_FIELDS), rename_fields=_NAMES, timestamp=True, json_ensure_ascii=False)

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        log_data["timestamp"] = log_data["timestamp"].isoformat(timespec="milliseconds")
        redacted: dict[str, Any] = redact_all(log_data | ids())
        return redacted
