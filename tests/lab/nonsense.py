"""Answers that are nearly right: a true one, bent in a few places, the same for the same seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

Path = tuple[str | int, ...]
Bend = Callable[[Any, random.Random], Any]

GONE = object()
WORDS = ("three", "abc", "", "NaN", "-Infinity", "1e999", "0x10", "1,5", "٣")
STATES = ("PENDING_REVIEW", "HALTED", "new", "", "UNKNOWN", "SUSPENDED")


def _as_word(value: Any, chance: random.Random) -> Any:
    return chance.choice(WORDS)


def _negated(value: Any, chance: random.Random) -> Any:
    if isinstance(value, str) and value and value[0].isdigit():
        return f"-{value}"
    return -value - 1 if isinstance(value, int) else "-1"


def _as_null(value: Any, chance: random.Random) -> Any:
    return None


def _gone(value: Any, chance: random.Random) -> Any:
    return GONE


def _as_state(value: Any, chance: random.Random) -> Any:
    return chance.choice(STATES)


def _as_list(value: Any, chance: random.Random) -> Any:
    return [] if chance.random() < 0.5 else [value]


def _as_object(value: Any, chance: random.Random) -> Any:
    return {} if chance.random() < 0.5 else {"value": value}


def _as_flag(value: Any, chance: random.Random) -> Any:
    return not value if isinstance(value, bool) else chance.choice((True, False))


def _huge(value: Any, chance: random.Random) -> Any:
    return chance.choice((10**30, "9" * 40, -(10**30), 1e308))


def _doubled(value: Any, chance: random.Random) -> Any:
    return [*value, *value] if isinstance(value, list) else [value, value]


BENDS: dict[str, Bend] = {
    "word": _as_word,
    "negative": _negated,
    "null": _as_null,
    "missing": _gone,
    "state": _as_state,
    "list": _as_list,
    "object": _as_object,
    "flag": _as_flag,
    "huge": _huge,
    "doubled": _doubled,
}


def bend(body: bytes, chance: random.Random, mutations: int = 1) -> tuple[bytes, str]:
    """The bent answer, and what was bent, as "balances.0.free: null". What is no JSON stays as it is."""
    try:
        content = json.loads(body)
    except ValueError:
        return body, ""
    notes = []
    for _ in range(mutations):
        name, path = chance.choice(sorted(BENDS)), chance.choice(list(_paths(content)))
        content = _bent_at(content, path, BENDS[name], chance)
        notes.append(f"{'.'.join(map(str, path)) or 'all'}: {name}")
    return json.dumps(content, separators=(",", ":")).encode(), "; ".join(notes)


def _paths(content: Any, path: Path = ()) -> Iterator[Path]:
    """Of every value, the whole answer included."""
    yield path
    if isinstance(content, dict):
        for name, value in content.items():
            yield from _paths(value, (*path, name))
    elif isinstance(content, list):
        for index, value in enumerate(content):
            yield from _paths(value, (*path, index))


def _bent_at(content: Any, path: Path, bend_value: Bend, chance: random.Random) -> Any:
    if not path:
        bent = bend_value(content, chance)
        return None if bent is GONE else bent
    parent = content
    for step in path[:-1]:
        parent = parent[step]
    bent = bend_value(parent[path[-1]], chance)
    if bent is GONE:
        del parent[path[-1]]
    else:
        parent[path[-1]] = bent
    return content
