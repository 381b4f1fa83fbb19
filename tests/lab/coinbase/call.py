"""One request's parameters. What Coinbase does not know is refused here, so that nothing is passed over."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from tests.lab.accounts import ApiKey
from tests.lab.coinbase.errors import bad_argument
from tests.lab.wire import WireRequest


class Call:
    """key: set once the request is authenticated; rest: what the route's path leaves open."""

    def __init__(self, request: WireRequest, rest: str = "") -> None:
        self.request = request
        self.rest = rest
        self.key: ApiKey | None = None
        self._query: dict[str, list[str]] = {}
        for name, value in parse_qsl(request.query, keep_blank_values=True):
            self._query.setdefault(name, []).append(value)
        self.body = _body(request)

    def check_names(self, allowed: Collection[str]) -> None:
        unknown = sorted((self._query.keys() | self.body.keys()) - set(allowed))
        if unknown:
            raise bad_argument(f"unknown field {unknown[0]!r}")

    @property
    def owner(self) -> ApiKey:
        assert self.key is not None  # the route is a private one
        return self.key

    def text(self, name: str) -> str | None:
        values = self._query.get(name, [])
        if len(values) > 1:
            raise bad_argument(f"more than one {name}")
        return values[0] if values and values[0] else None

    def texts(self, *names: str) -> list[str]:
        """Of a parameter that may come many times, under any of its names."""
        return [value for name in names for value in self._query.get(name, []) if value]

    def limit(self, default: int, most: int) -> int:
        """What is above the most is cut to it."""
        text = self.text("limit")
        if text is None:
            return default
        if not text.isdecimal() or not int(text):
            raise bad_argument(f"limit must be a positive number, not {text!r}")
        return min(int(text), most)

    def time_ms(self, name: str) -> int | None:
        """An RFC 3339 time."""
        text = self.text(name)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise bad_argument(f"{name} must be RFC 3339, not {text!r}") from None
        if moment.tzinfo is None:
            raise bad_argument(f"{name} has no time zone")
        return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)

    def seconds(self, name: str) -> int | None:
        text = self.text(name)
        if text is not None and not text.isdecimal():
            raise bad_argument(f"{name} must be UNIX seconds, not {text!r}")
        return None if text is None else int(text)

    def cursor(self) -> list[Any] | None:
        """The place after which to go on, as `write_cursor` made it."""
        text = self.text("cursor")
        if text is None:
            return None
        try:
            place = json.loads(base64.urlsafe_b64decode(text))
        except (binascii.Error, ValueError):
            raise bad_argument("invalid cursor") from None
        if not isinstance(place, list):
            raise bad_argument("invalid cursor")
        return place


def write_cursor(*place: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _body(request: WireRequest) -> Mapping[str, Any]:
    if not request.body:
        return {}
    try:
        content = json.loads(request.body)
    except ValueError:
        raise bad_argument("the body is no JSON") from None
    if not isinstance(content, dict):
        raise bad_argument("the body is no JSON object")
    return content
