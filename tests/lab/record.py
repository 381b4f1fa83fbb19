"""Every request that reached the lab: when, whose, what became of it, and which fault struck it."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass

from tests.lab.wire import WireRequest

KEPT = 500_000


@dataclass(kw_only=True)
class SeenRequest:
    """number: counts all requests; time: seconds since the epoch by this machine's clock, when it came in.

    reached: it got to the venue, be it late; status: what the venue itself said then, 0 when it did not.
    answered: the status that was sent to the client, 0 when nothing was, or not yet, or it broke off.
    fault: what struck it; detail: what the fault did, as which field it bent.
    """

    number: int
    time: float
    venue: str
    key: str | None
    method: str
    path: str
    query: str
    body: str
    headers: Mapping[str, str]
    reached: bool = False
    status: int = 0
    answered: int = 0
    fault: str = ""
    detail: str = ""

    @property
    def took_effect(self) -> bool:
        """The venue did what was asked, whatever the client was told."""
        return self.reached and self.status < 400


class Requests:
    """The latest requests, oldest first. The counts are of all."""

    def __init__(self) -> None:
        self._seen: deque[SeenRequest] = deque(maxlen=KEPT)
        self._counts: Counter[tuple[str, str | None, str, str]] = Counter()
        self._number = 0

    @property
    def last(self) -> int:
        """The number of the newest, 0 before the first."""
        return self._number

    def record(self, wire: WireRequest, venue: str, key: str | None) -> SeenRequest:
        self._number += 1
        seen = SeenRequest(
            number=self._number,
            time=time.time(),
            venue=venue,
            key=key,
            method=wire.method,
            path=wire.path,
            query=wire.query,
            body=wire.body.decode("utf-8", "replace"),
            headers=wire.headers,
        )
        self._seen.append(seen)
        self._counts[venue, key, wire.method, wire.path] += 1
        return seen

    def clear(self) -> None:
        self._seen.clear()
        self._counts.clear()

    def select(
        self, *, after: int = 0, struck: bool | None = None, **wanted: str | None
    ) -> list[SeenRequest]:
        """Those whose fields have these values: `select(venue="binance", path="/api/v3/depth")`.

        after: only numbers above this one; struck: by a fault, or by none.
        """
        return [
            request
            for request in self._seen
            if request.number > after
            and struck in (None, bool(request.fault))
            and all(getattr(request, name) == value for name, value in wanted.items())
        ]

    def counts(self) -> dict[tuple[str, str | None, str, str], int]:
        """By (venue, key, method, path)."""
        return dict(self._counts)
