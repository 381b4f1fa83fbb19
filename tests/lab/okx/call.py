"""One request's parameters, read as OKX reads them: strings all, and what it does not know is passed over."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from urllib.parse import unquote_plus

from tests.lab.accounts import ApiKey
from tests.lab.okx.errors import OkxError, bad_parameter, empty
from tests.lab.wire import WireRequest

DECIMAL_PATTERN = r"[0-9]{1,20}(\.[0-9]{1,20})?"
CLIENT_ID_PATTERN = r"[A-Za-z0-9]{1,32}"
LONGEST_PAGE = 100
LARGEST_BATCH = 20


class Fields:
    """The parameters of a query, or of one order in a body. Empty is absent."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = {name: value for name, value in values.items() if value not in (None, "")}

    def text(self, name: str) -> str | None:
        value = self._values.get(name)
        if value is not None and not isinstance(value, str):
            raise bad_parameter(name)
        return value

    def required(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise empty(name)
        return value

    def choice(self, name: str, options: Iterable[str], *, default: str | None = None) -> str:
        value = self.text(name) or default
        if value is None:
            raise empty(name)
        if value not in options:
            raise bad_parameter(name)
        return value

    def matching(self, name: str, pattern: str) -> str | None:
        value = self.text(name)
        if value is not None and not re.fullmatch(pattern, value):
            raise bad_parameter(name)
        return value

    def number(self, name: str) -> Decimal:
        """Positive."""
        self.required(name)
        value = Decimal(self.matching(name, DECIMAL_PATTERN) or 0)
        if value <= 0:
            raise bad_parameter(name)
        return value

    def integer(self, name: str) -> int | None:
        value = self.matching(name, r"[0-9]{1,20}")
        return None if value is None else int(value)

    def limit(self, *, default: int = LONGEST_PAGE, maximum: int = LONGEST_PAGE, name: str = "limit") -> int:
        value = self.integer(name)
        if value is None:
            return default
        if not 1 <= value <= maximum:
            raise bad_parameter(name)
        return value


class Call:
    """key: set once the request is authenticated."""

    def __init__(self, request: WireRequest) -> None:
        self.request = request
        self.key: ApiKey | None = None
        self.query = Fields(_pairs(request.query))

    def body(self) -> Fields:
        """Of a request about one order."""
        content = self._json()
        if not isinstance(content, dict):
            raise OkxError("50002", "JSON syntax error", status=400)
        return Fields(content)

    def batch(self) -> list[Fields]:
        content = self._json()
        if not isinstance(content, list) or not all(isinstance(item, dict) for item in content):
            raise OkxError("50002", "JSON syntax error", status=400)
        if len(content) > LARGEST_BATCH:
            raise OkxError("51111", f"Maximum {LARGEST_BATCH} orders can be placed in bulk", status=400)
        return [Fields(item) for item in content]

    def _json(self) -> object:
        request = self.request
        if not request.headers.get("content-type", "").startswith("application/json"):
            text = 'Invalid Content-Type. Please use "application/JSON".'
            raise OkxError("50006", text, status=400)
        if not request.body:
            raise OkxError("50000", "Body for POST request cannot be empty.", status=400)
        try:
            content: object = json.loads(request.body)
        except ValueError as error:
            raise OkxError("50002", "JSON syntax error", status=400) from error
        return content


def _pairs(query: str) -> dict[str, str]:
    parts = (part.partition("=") for part in query.split("&") if part)
    return {name: unquote_plus(value) for name, _, value in parts}
