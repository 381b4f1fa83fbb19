"""One request's parameters, of its query or its JSON body."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

from tests.lab.accounts import ApiKey
from tests.lab.bitmart.errors import bad_request, unknown_key
from tests.lab.wire import WireRequest


class Call:
    """key: set once the request is authenticated."""

    def __init__(self, request: WireRequest) -> None:
        self.request = request
        self.key: ApiKey | None = None
        self._values = _parameters(request)

    @property
    def owner(self) -> ApiKey:
        if self.key is None:
            raise unknown_key()
        return self.key

    def text(self, name: str) -> str | None:
        value = self._values.get(name)
        return None if value is None or value == "" else str(value)

    def required(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise bad_request(f"{name} is empty")
        return value

    def integer(self, name: str) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        if not value.isdecimal():
            raise bad_request(f"{name} is invalid")
        return int(value)

    def limit(self, *, default: int, maximum: int) -> int:
        value = self.integer("limit") or default
        if value > maximum:
            raise bad_request(f"Maximum limit is {maximum}")
        return value

    def includes(self, time_ms: int) -> bool:
        """Between startTime and endTime, both inclusive."""
        start, end = self.integer("startTime"), self.integer("endTime")
        return (start is None or time_ms >= start) and (end is None or time_ms <= end)


def _parameters(request: WireRequest) -> dict[str, object]:
    if request.method == "GET":
        return dict(parse_qsl(request.query))
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        raise bad_request("body is no JSON") from None
    if not isinstance(body, dict):
        raise bad_request("body is no object")
    return body
