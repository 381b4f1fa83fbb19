"""When a connection asked its venue, and when it had quotes in the book. Pure: rows in, seconds out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]
Sides = frozenset[str]


@dataclass(frozen=True)
class Span:
    """From start to end, in seconds since the epoch, orders rested on just these sides."""

    start: float
    end: float
    sides: Sides


class Life:
    """requests: the lab's record of them; journal: its account's."""

    def __init__(self, requests: Iterable[Row], journal: Iterable[Row]) -> None:
        self._asked = [seen["time"] for seen in requests]
        self._spans = spans(journal)

    def seconds_until_back(self, moment: float) -> float | None:
        """Until it has asked again and orders rest on the sides that had some at that moment.

        None where it had none; infinite where it never came back.
        """
        lost = next((span.sides for span in self._spans if span.start <= moment < span.end), frozenset())
        if not lost:
            return None
        asked = next((time for time in self._asked if time > moment), math.inf)
        back = (max(asked, span.start) for span in self._spans if span.end > asked and lost <= span.sides)
        return next(back, math.inf) - moment


def spans(journal: Iterable[Row]) -> list[Span]:
    """Without gaps, from the first order on; the last one does not end."""
    resting: dict[str, tuple[str, Decimal]] = {}
    found: list[Span] = []
    since, sides = 0.0, Sides()
    for entry in journal:
        _follow(resting, entry)
        now = frozenset(side for side, _ in resting.values())
        if now != sides:
            at = entry["at_ms"] / 1000
            found.append(Span(since, at, sides))
            since, sides = at, now
    return [*found, Span(since, math.inf, sides)]


def _follow(resting: dict[str, tuple[str, Decimal]], entry: Row) -> None:
    client_id = entry["client_id"]
    if entry["event"] == "accepted":
        resting[client_id] = (entry["side"], Decimal(entry["amount"]))
    elif entry["event"] == "filled" and client_id in resting:
        side, left = resting[client_id]
        resting[client_id] = (side, left - Decimal(entry["amount"]))
        if not resting[client_id][1]:
            del resting[client_id]
    elif entry["event"] != "refused":
        resting.pop(client_id, None)
