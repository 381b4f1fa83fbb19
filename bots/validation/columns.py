"""What a number in a column may be: pairs of a field's name and one sentence for each that is not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bots.models import Bot
from exchanges.types import ZERO

Mistakes = Iterator[tuple[str, str]]


def not_fractions(bot: Bot, names: Iterable[str]) -> Mistakes:
    """Empty, or from 0 to less than 1."""
    for name in names:
        value = getattr(bot, name)
        if value is not None and not ZERO <= value < 1:
            yield name, f"{label(bot, name)} must be from 0 to less than 1{_or_empty(bot, name)}: {EXAMPLE}"


def not_shares(bot: Bot, names: Iterable[str]) -> Mistakes:
    """Empty, or more than 0 and less than 1."""
    for name in names:
        value = getattr(bot, name)
        if value is not None and not ZERO < value < 1:
            must = "must be more than 0 and less than 1"
            yield name, f"{label(bot, name)} {must}{_or_empty(bot, name)}: {EXAMPLE}"


def not_positive(bot: Bot, names: Iterable[str]) -> Mistakes:
    for name in names:
        value = getattr(bot, name)
        if value is not None and value <= ZERO:
            yield name, f"{label(bot, name)} must be more than 0{_or_empty(bot, name)}."


def negative(bot: Bot, names: Iterable[str]) -> Mistakes:
    for name in names:
        value = getattr(bot, name)
        if value is not None and value < ZERO:
            yield name, f"{label(bot, name)} must be 0 or more{_or_empty(bot, name)}."


EXAMPLE = "0.01 is one per cent."


def label(bot: Bot, name: str) -> str:
    return f"The {bot._meta.get_field(name).verbose_name}"  # type: ignore[union-attr]


def _or_empty(bot: Bot, name: str) -> str:
    return ", or empty" if bot._meta.get_field(name).null else ""
