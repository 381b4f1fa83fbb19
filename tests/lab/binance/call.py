"""One request's parameters, read as strictly as Binance reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from decimal import Decimal
from urllib.parse import unquote_plus

from tests.lab.accounts import ApiKey
from tests.lab.binance.errors import (
    BinanceError,
    bad_combination,
    bad_symbol,
    illegal,
    invalid_value,
    missing,
)
from tests.lab.wire import WireRequest

DECIMAL_PATTERN = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
CLIENT_ID_PATTERN = r"^[\.A-Z\:/a-z0-9_-]{1,36}$"
SYMBOL_PATTERN = r"^[A-Z0-9-_.]{1,20}$"
LONG_PATTERN = r"^[0-9]{1,20}$"
FORM = "application/x-www-form-urlencoded"
PLACES = 8


class Call:
    """key: set once the request is authenticated; read: the parameters that somebody asked for."""

    def __init__(self, request: WireRequest) -> None:
        self.request = request
        self.key: ApiKey | None = None
        self._values = _parameters(request)

    def names(self) -> set[str]:
        return set(self._values)

    def has(self, name: str) -> bool:
        return bool(self._values.get(name))

    def text(self, name: str) -> str | None:
        return self._values.get(name) or None

    def required(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise missing(name)
        return value

    def choice(self, name: str, options: Iterable[str], *, default: str | None = None) -> str:
        value = self.text(name) or default
        if value is None:
            raise missing(name)
        if value not in options:
            raise _bad_choice(name)
        return value

    def matching(self, name: str, pattern: str) -> str | None:
        value = self.text(name)
        if value is not None and not re.fullmatch(pattern, value):
            raise illegal(name, pattern)
        return value

    def number(self, name: str) -> Decimal | None:
        """Positive, with at most eight decimals."""
        value = self.matching(name, DECIMAL_PATTERN)
        if value is None:
            return None
        if len(value.partition(".")[2].rstrip("0")) > PLACES:
            raise BinanceError(-1111, f"Parameter '{name}' has too much precision.")
        if Decimal(value) == 0:
            raise BinanceError(-1013, f"Invalid {name}.")
        return Decimal(value)

    def required_number(self, name: str) -> Decimal:
        value = self.number(name)
        if value is None:
            raise missing(name)
        return value

    def integer(self, name: str) -> int | None:
        value = self.matching(name, LONG_PATTERN)
        return None if value is None else int(value)

    def milliseconds(self, name: str) -> int | None:
        """Sixteen digits and more are microseconds."""
        value = self.integer(name)
        return value // 1000 if value is not None and value >= 10**15 else value

    def limit(self, *, default: int, maximum: int) -> int:
        value = self.integer("limit")
        if value is None:
            return default
        if not 1 <= value <= maximum:
            raise invalid_value("limit")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        return self.choice(name, ("true", "false"), default=str(default).lower()) == "true"

    def symbol(self) -> str:
        self.required("symbol")
        return self.matching("symbol", SYMBOL_PATTERN) or ""

    def symbols(self) -> list[str] | None:
        """Of `symbol` or `symbols`; None when neither was sent."""
        if self.has("symbol") and self.has("symbols"):
            raise bad_combination()
        if self.has("symbol"):
            return [self.symbol()]
        raw = self.text("symbols")
        return None if raw is None else _symbol_list(raw)


def _symbol_list(raw: str) -> list[str]:
    try:
        names = json.loads(raw)
    except json.JSONDecodeError as error:
        raise illegal("symbols", r'^\["[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}\]$') from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or not names:
        raise bad_symbol()
    if len(set(names)) < len(names):
        raise BinanceError(-1151, "Symbol is present multiple times in the list.")
    return names


def _parameters(request: WireRequest) -> dict[str, str]:
    """The query string wins over the body; GET has no body to speak of."""
    values: dict[str, str] = {}
    if request.method != "GET" and request.body:
        if not request.headers.get("content-type", "").startswith(FORM):
            raise BinanceError(-1102, "A mandatory parameter was not sent, was empty/null, or malformed.")
        values |= _pairs(request.body.decode("utf-8", "replace"))
    return values | _pairs(request.query)


def _pairs(text: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for part in filter(None, text.split("&")):
        name, _, value = part.partition("=")
        if name in values:
            raise BinanceError(-1101, "Duplicate values for a parameter detected.")
        values[name] = unquote_plus(value)
    return values


def _bad_choice(name: str) -> BinanceError:
    known = {
        "side": BinanceError(-1117, "Invalid side."),
        "type": BinanceError(-1116, "Invalid orderType."),
        "timeInForce": BinanceError(-1115, "Invalid timeInForce."),
        "cancelRestrictions": BinanceError(-1145, "Invalid cancelRestrictions"),
    }
    return known.get(name) or invalid_value(name)
