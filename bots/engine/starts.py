"""Connections begin one after another where they share a venue and the way to it; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable

START_PAUSE_SECONDS = 0.1
# Bots of a worker that died are to quote again within 10 s, however many connections it had.
LONGEST_START_SECONDS = 3.0


def start_delays(places: Iterable[Hashable]) -> list[float]:
    """Seconds that each connection waits, in the order of its places (venue and way out)."""
    places = list(places)
    crowd, before = Counter(places), Counter[Hashable]()
    delays = []
    for place in places:
        pause = min(START_PAUSE_SECONDS, LONGEST_START_SECONDS / crowd[place])
        delays.append(before[place] * pause)
        before[place] += 1
    return delays
