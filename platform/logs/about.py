"""What the work under way is about: its log lines carry these ids, wherever they are written from.

The ids follow the work into the tasks that it starts and into the database's thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_IDS = {name: ContextVar(name, default="") for name in ("request_id", "connection_id", "bot_id")}


@contextmanager
def about(**ids: object) -> Iterator[None]:
    """request_id, connection_id, bot_id, those that are known; an empty one is about nobody in particular."""
    tokens = [(_IDS[name], _IDS[name].set(str(value))) for name, value in ids.items()]
    try:
        yield
    finally:
        for variable, token in tokens:
            variable.reset(token)


def from_now_on(**ids: object) -> None:
    """For work whose end is told elsewhere; about nobody again where empty."""
    for name, value in ids.items():
        _IDS[name].set(str(value))


def ids() -> dict[str, str]:
    """Of the work under way, those that it has."""
    known = ((name, variable.get()) for name, variable in _IDS.items())
    return {name: value for name, value in known if value}
