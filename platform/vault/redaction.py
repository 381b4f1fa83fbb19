"""Keeps secrets out of whatever is written down.

Two nets: every secret that this process has ever held in clear text is masked wherever it stands and in
whatever form, and what looks like a credential is masked even if nobody held it.
"""

from __future__ import annotations

import base64
import contextlib
import html
import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"
SHORTEST_MASKED = 6  # masking shorter words would mask ordinary text

_UNQUOTED = r"[^\s\"'<>`]"
# Up to the last "@", so that a password with "@" or "/" in it is masked whole; a port is no password.
_URL_LOGIN = re.compile(rf"(?<=://)(?!<user>:<password>@)(?:[^/@:\s]*:(?!\d+/){_UNQUOTED}*|[^/@\s]+)(?=@)")
_AUTHORIZATION = re.compile(r"(?i)\b(basic|bearer)\s+[\w+/=.~-]{8,}")
_PARAMETER = re.compile(
    r"(?i)((?:signature|api_?key|api_?secret|secret|password|passphrase|access_?token)=)[^&\s\"']+"
)
_API_TOKEN = re.compile(r"\bdesk_[0-9a-f]{16,}")
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
)

_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=")

# Forms under their first characters: looking a text through costs the same with one secret as with
# thousands. The value says whether the form is a part of a base64 run, which is masked whole.
_forms: dict[str, dict[str, bool]] = {}
_remembered: set[str] = set()
_lock = threading.Lock()


def remember(secret: str) -> None:
    """Mask this value from now on, in each form in which it could be written."""
    if len(secret) < SHORTEST_MASKED or secret in _remembered:
        return
    with _lock:
        for form in _written_forms(secret):
            _add(form, in_base64=False)
        for core in _base64_cores(secret.encode()):
            _add(core, in_base64=True)
        _remembered.add(secret)  # last: whoever finds it here may rely on its forms


def redact(text: str) -> str:
    text = _PRIVATE_KEY.sub(MASK, text)  # first: the head of one that is remembered is the head of any other
    text = _mask_remembered(text)
    text = _API_TOKEN.sub(MASK, text)
    text = _URL_LOGIN.sub(MASK, text)
    text = _AUTHORIZATION.sub(rf"\1 {MASK}", text)
    return _PARAMETER.sub(rf"\1{MASK}", text)


def redact_all(value: Any) -> Any:
    """The same, of what JSON is made of, keys included; anything else becomes text first."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact(str(key)): redact_all(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact_all(each) for each in value]
    return value if value is None or isinstance(value, bool | int | float) else redact(str(value))


def _written_forms(secret: str) -> Iterator[str]:
    for part in (secret, *secret.splitlines()):
        written = {part, repr(part)[1:-1], repr(part.encode())[2:-1], html.escape(part)}
        written |= {json.dumps(part, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
        for quoted in (quote(part, safe=""), quote(part), quote_plus(part)):
            written |= {quoted, re.sub("%..", lambda escape: escape[0].lower(), quoted)}
        yield from written
        yield from (repr(form)[1:-1] for form in written)  # a repr within a repr


def _base64_cores(secret: bytes) -> Iterator[str]:
    """What stays the same when the secret stands in the middle of something in base64, as a password does
    in a Proxy-Authorization header: one form for each of its three positions against the 6-bit groups."""
    for offset, skip in ((0, 0), (1, 2), (2, 3)):
        size = offset + len(secret)
        padded = bytes(offset) + secret
        core = slice(skip, size * 8 // 6)
        yield base64.b64encode(padded).decode()[core]
        yield base64.urlsafe_b64encode(padded).decode()[core]


def _add(form: str, *, in_base64: bool) -> None:
    if len(form) >= SHORTEST_MASKED:
        start = form[:SHORTEST_MASKED]
        merged = {form: in_base64} | _forms.get(start, {})
        # A new dict, longest first: readers take no lock.
        _forms[start] = dict(sorted(merged.items(), key=lambda item: len(item[0]), reverse=True))


def _mask_remembered(text: str) -> str:
    pieces: list[str] = []
    done = position = 0
    while position <= len(text) - SHORTEST_MASKED:
        found = _form_at(text, position)
        if found is None:
            position += 1
            continue
        start, end = _span(text, position, found)
        pieces += [text[done : max(start, done)], MASK]
        done = position = end
    return "".join([*pieces, text[done:]])


def _form_at(text: str, position: int) -> tuple[str, bool] | None:
    for form, in_base64 in _forms.get(text[position : position + SHORTEST_MASKED], {}).items():
        if text.startswith(form, position):
            return form, in_base64
    return None


def _span(text: str, position: int, found: tuple[str, bool]) -> tuple[int, int]:
    form, in_base64 = found
    start, end = position, position + len(form)
    while in_base64 and start > 0 and text[start - 1] in _BASE64:
        start -= 1
    while in_base64 and end < len(text) and text[end] in _BASE64:
        end += 1
    return start, end


class RedactingFormatter(logging.Formatter):
    """Formats as usual, traceback included, and masks the whole result."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class RedactingHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to standard error. Python's own report of a record that cannot be formatted would print its
    arguments as they are."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        with contextlib.suppress(OSError):  # a full disk, or a terminal that was closed, stops nobody's work
            self.stream.write(
                f"A log record could not be written: {record.pathname}, line {record.lineno}.\n"
            )


def redact_uncaught() -> None:
    """Masks the tracebacks of exceptions that nothing caught, in every thread."""
    sys.excepthook = _write_uncaught
    threading.excepthook = lambda failed: _write_uncaught(
        failed.exc_type, failed.exc_value or failed.exc_type(), failed.exc_traceback
    )


def _write_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(redact("".join(traceback.format_exception(kind, error, trace))))
