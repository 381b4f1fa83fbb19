"""One request's parameters: of the query for GET and DELETE, of a JSON body for POST."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl

from tests.lab.accounts import ApiKey
from tests.lab.alpaca.errors import AlpacaError, bad_parameter, malformed
from tests.lab.wire import WireRequest


class Call:
    """key: set once the request is authenticated. named: what the path names, as an order's id."""

    def __init__(self, request: WireRequest, named: str = "") -> None:
        self.request = request
        self.named = named
        self.key: ApiKey | None = None
        self._values = _body(request) if request.method == "POST" else _query(request)

    @property
    def owner(self) -> ApiKey:
        assert self.key is not None
        return self.key

    def check_names(self, allowed: Iterable[str]) -> None:
        unknown = set(self._values) - set(allowed)
        if unknown:
            raise malformed(f"unknown field {min(unknown)}")

    def text(self, name: str, default: str = "") -> str:
        value = self._values.get(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise malformed()
        return value

    def choice(self, name: str, options: Iterable[str], default: str = "") -> str:
        value = self.text(name, default)
        if value not in options:
            raise malformed(f"invalid {name}")
        return value

    def number(self, name: str) -> Decimal | None:
        """Of a string or of a JSON number."""
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise malformed()
        try:
            number = Decimal(value)
        except InvalidOperation as error:
            raise malformed() from error
        if not number.is_finite():
            raise malformed()
        return number

    def integer(self, name: str, *, default: int, most: int) -> int:
        raw = self.text(name, str(default))
        if not raw.isdecimal() or not 1 <= int(raw) <= most:
            raise malformed(f"invalid {name}")
        return int(raw)

    def moment_ms(self, name: str) -> Decimal | None:
        """RFC 3339 or a date, as milliseconds with the fraction that was written."""
        raw = self.text(name)
        if not raw:
            return None
        try:
            return _milliseconds(raw)
        except ValueError as error:
            raise bad_parameter(name, raw) from error

    def names(self, name: str) -> list[str]:
        """A list with commas."""
        return [part for part in self.text(name).split(",") if part]


def _milliseconds(raw: str) -> Decimal:
    if len(raw) == len("2026-01-31"):
        moment = datetime.combine(date.fromisoformat(raw), datetime.min.time(), UTC)
    else:
        moment = datetime.fromisoformat(raw)
    if moment.tzinfo is None:
        raise ValueError(raw)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return Decimal(since.days * 86_400_000 + since.seconds * 1000) + Decimal(since.microseconds) / 1000


def _query(request: WireRequest) -> dict[str, Any]:
    pairs = parse_qsl(request.query, keep_blank_values=True)
    if len(dict(pairs)) < len(pairs):
        raise AlpacaError(400, 40010000, "a parameter is given twice")
    return dict(pairs)


def _body(request: WireRequest) -> dict[str, Any]:
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise malformed()
    try:
        content = json.loads(request.body, parse_float=Decimal)
    except ValueError as error:
        raise malformed() from error
    if not isinstance(content, dict):
        raise malformed()
    return content
