"""One request's parameters, of its query or its JSON body. What nobody asks for is passed over."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl

from tests.lab.accounts import ApiKey
from tests.lab.coinstore.errors import bad_request, signature_failed
from tests.lab.wire import WireRequest


class Call:
    """named: what the path itself names; key: set once the request is authenticated."""

    def __init__(self, request: WireRequest, named: str = "") -> None:
        self.request = request
        self.named = named
        self.key: ApiKey | None = None
        self._values = _parameters(request)

    @property
    def owner(self) -> ApiKey:
        if self.key is None:
            raise signature_failed()
        return self.key

    def within(self, values: dict[str, Any]) -> Call:
        """One entry of a list in the body, for the batch calls."""
        part = Call(self.request, self.named)
        part.key, part._values = self.key, values
        return part

    def text(self, name: str) -> str | None:
        value = self._values.get(name)
        return None if value is None or value == "" else str(value)

    def required(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise bad_request(f"{name} is required")
        return value

    def choice(self, name: str, options: Iterable[str], *, default: str | None = None) -> str:
        value = self.text(name) or default
        if value is None:
            raise bad_request(f"{name} is required")
        if value not in options:
            raise bad_request(f"{name} is none of {', '.join(options)}")
        return value

    def number(self, name: str) -> Decimal | None:
        """Positive; a JSON number or a string, both are in use."""
        value = self.text(name)
        if value is None:
            return None
        try:
            found = Decimal(value)
        except InvalidOperation:
            raise bad_request(f"{name} is no number") from None
        if not found.is_finite() or found <= 0:
            raise bad_request(f"{name} is not positive")
        return found

    def integer(self, name: str) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        if not value.lstrip("-").isdecimal():
            raise bad_request(f"{name} is no number")
        return int(value)

    def between(self, name: str, lowest: int, highest: int, *, default: int) -> int:
        value = self.integer(name)
        if value is None:
            return default
        if not lowest <= value <= highest:
            raise bad_request(f"{name} is not within {lowest} and {highest}")
        return value

    def items(self, name: str) -> list[Any]:
        value = self._values.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise bad_request(f"{name} is no list")
        return value


def _parameters(request: WireRequest) -> dict[str, Any]:
    values: dict[str, Any] = dict(parse_qsl(request.query))
    if request.method == "POST":
        values |= _body(request)
    return values


def _body(request: WireRequest) -> dict[str, Any]:
    """Without parameters, {} is to be sent."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise bad_request("the content type is not application/json")
    try:
        body = json.loads(request.body, parse_float=Decimal)
    except ValueError:
        raise bad_request("the body is no JSON") from None
    if not isinstance(body, dict):
        raise bad_request("the body is no object")
    return body
