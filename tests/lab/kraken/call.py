"""One request's parameters. Kraken passes over those that it does not know."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from decimal import Decimal
from urllib.parse import parse_qsl

from tests.lab.accounts import ApiKey
from tests.lab.kraken.errors import KrakenError, invalid_argument, permission_denied, unknown_pair
from tests.lab.wire import WireRequest

NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{0,20})?", re.ASCII)
TIME = re.compile(r"[0-9]{1,11}(\.[0-9]{1,9})?", re.ASCII)
TRUE = ("true", "1")


class Call:
    """key: set once the request is authenticated. body: what was signed, as it was sent."""

    def __init__(self, request: WireRequest) -> None:
        self.request = request
        self.key: ApiKey | None = None
        self.body = request.body.decode("utf-8", "replace")
        self._values = _parameters(request.query, self.body, request.headers.get("content-type", ""))

    @property
    def owner(self) -> ApiKey:
        if self.key is None:
            raise permission_denied()
        return self.key

    def text(self, name: str) -> str | None:
        return self._values.get(name) or None

    def required(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise invalid_argument(name)
        return value

    def choice(self, name: str, options: Iterable[str], *, default: str | None = None) -> str:
        value = self.text(name) or default
        if value is None or value not in options:
            raise invalid_argument(name)
        return value

    def number(self, name: str) -> Decimal:
        """Positive."""
        value = self.required(name)
        if not NUMBER.fullmatch(value) or not Decimal(value):
            raise invalid_argument(name)
        return Decimal(value)

    def integer(self, name: str, *, default: int, most: int = 10**9) -> int:
        value = self.text(name)
        if value is None:
            return default
        if not value.isdecimal() or int(value) > most:
            raise invalid_argument(name)
        return int(value)

    def moment_ms(self, name: str) -> Decimal | None:
        """Milliseconds; sent as seconds with a fraction."""
        value = self.text(name)
        if value is None:
            return None
        if not TIME.fullmatch(value):
            raise invalid_argument(name)
        return Decimal(value) * 1000

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.text(name)
        return default if value is None else value.lower() in TRUE

    def names(self, name: str, *, most: int) -> list[str]:
        found = [part.strip() for part in self.required(name).split(",")]
        if len(found) > most:
            raise invalid_argument(name)
        return found

    def pair(self) -> str:
        value = self.text("pair")
        if value is None:
            raise unknown_pair()
        return value


def _parameters(query: str, body: str, content_type: str) -> dict[str, str]:
    values = dict(parse_qsl(query))
    if content_type.startswith("application/json"):
        return values | _from_json(body)
    return values | dict(parse_qsl(body))


def _from_json(body: str) -> dict[str, str]:
    try:
        found = json.loads(body or "{}")
    except json.JSONDecodeError as error:
        raise KrakenError("EGeneral:Invalid arguments") from error
    if not isinstance(found, dict):
        raise KrakenError("EGeneral:Invalid arguments")
    return {name: str(value) for name, value in found.items() if value is not None}
