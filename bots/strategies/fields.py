"""Reads values out of parsed JSON; every mistake is one sentence that names the key."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any

from bots.strategies.figures import plain
from exchanges.types import ZERO

_SIZE = 20  # numbers are below 10^20 and, unless 0, above 10^-20


class ScenarioError(ValueError):
    """What is wrong with the input, in one sentence."""


class Fields:
    """Reads the keys of one object; every complaint names the key."""

    def __init__(self, prefix: str, values: Mapping[str, Any]) -> None:
        self._prefix = prefix
        self._values = values

    def refuse_unknown(self, known: Collection[str]) -> None:
        for key in self._values:
            if key not in known:
                near = get_close_matches(key, known, n=1, cutoff=0.4)
                hint = f"the nearest known key is “{near[0]}”" if near else f"known are {', '.join(known)}"
                raise ScenarioError(f"The key “{self._prefix}{key}” is not known; {hint}.")

    def require(self, keys: Collection[str]) -> None:
        missing = [f"“{self._prefix}{key}”" for key in keys if self._values.get(key) is None]
        if missing:
            verb = "is" if len(missing) == 1 else "are"
            raise ScenarioError(f"{', '.join(missing)} {verb} missing.")

    def value(self, key: str) -> Any:
        return self._values.get(key)

    def number(self, key: str) -> Decimal | None:
        value = self._values.get(key)
        return None if value is None else read_number(value, f"“{self._prefix}{key}”")

    def positive(self, key: str) -> Decimal | None:
        number = self.number(key)
        if number is not None and number <= 0:
            raise ScenarioError(f"“{self._prefix}{key}” must be more than 0, not {plain(number)}.")
        return number

    def not_negative(self, key: str) -> Decimal:
        number = self.number(key) or ZERO
        if number < 0:
            raise ScenarioError(f"“{self._prefix}{key}” must be 0 or more, not {plain(number)}.")
        return number

    def fraction(self, key: str) -> Decimal:
        """From 0 to less than 1."""
        number = self.not_negative(key)
        if number >= 1:
            raise ScenarioError(
                f"“{self._prefix}{key}” must be less than 1, not {plain(number)}: 0.01 is one per cent."
            )
        return number

    def flag(self, key: str, *, default: bool) -> bool:
        value = self._values.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise ScenarioError(f"“{self._prefix}{key}” must be true or false, not {_shown(value)}.")
        return value

    def part(self, key: str) -> Fields | None:
        value = self._values.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise ScenarioError(f"“{self._prefix}{key}” must be an object or null, not {kind(value)}.")
        return Fields(f"{self._prefix}{key}.", value)


def read_object(text: str) -> dict[str, Any]:
    """One JSON object, its numbers exact. Raises ScenarioError."""
    try:
        parsed = json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise ScenarioError(
            f"This is not valid JSON: {error.msg} in line {error.lineno}, column {error.colno}."
        ) from None
    except InvalidOperation:
        raise ScenarioError("A number in this JSON is out of range.") from None
    except RecursionError:
        raise ScenarioError("This JSON is nested too deeply.") from None
    if not isinstance(parsed, dict):
        raise ScenarioError(f"Expected one JSON object, but this is {kind(parsed)}.")
    return parsed


def _refuse_constant(name: str) -> None:
    raise ScenarioError(f"{name} is not a number that can be used here.")


def read_number(value: Any, name: str) -> Decimal:
    """A finite number from a JSON number or string; `name` begins the complaint."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ScenarioError(f"{name} must be a number, not {kind(value)}.")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ScenarioError(f"{name} must be a number, not {_shown(value)}.") from None
    if not number.is_finite():
        raise ScenarioError(f"{name} must be a number, not {_shown(value)}.")
    if number and not -_SIZE < number.adjusted() < _SIZE:
        raise ScenarioError(f"{name} is out of range: {_shown(value)}.")
    return number


def kind(value: Any) -> str:
    """What a value of JSON is, in words."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _shown(value: Any) -> str:
    text = str(value)
    return f"“{text if len(text) <= 40 else text[:39] + '…'}”"
