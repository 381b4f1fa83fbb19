"""What a venue tells of its own count, in the headers of its answers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum

SAME_CLOCK_SECONDS = 2.0  # dates have whole seconds, and answers take their time


class Counted(Enum):
    """What a venue counts: a key's requests, its new orders, or the requests of all at one address."""

    KEY = "key"
    ORDERS = "orders"
    ADDRESS = "address"


@dataclass(frozen=True, kw_only=True)
class Meter:
    """The count of a window that begins at whole multiples of its length (UTC).

    used: the header, in lower case, that tells it; or else remaining and limit, whose difference it is.
    seconds: the window's length; unit: what a cost of 1 counts there.
    """

    counts: Counted
    seconds: float
    used: str = ""
    remaining: str = ""
    limit: str = ""
    unit: float = 1.0

    def read(self, headers: Mapping[str, str]) -> float | None:
        """In cost units; None where these headers (by lower case) do not tell it."""
        try:
            if self.used:
                return int(headers[self.used]) / self.unit
            return (int(headers[self.limit]) - int(headers[self.remaining])) / self.unit
        except (KeyError, ValueError):
            return None


def readings(
    meters: Sequence[Meter], headers: Mapping[str, str] | None
) -> Iterator[tuple[Meter, float, float]]:
    """(meter, cost units used, seconds since its window began)"""
    if not meters or not headers:
        return
    lower = {name.lower(): value for name, value in headers.items()}
    for meter in meters:
        used = meter.read(lower)
        if used is not None:
            yield meter, used, _moment(lower) % meter.seconds


def _moment(headers: Mapping[str, str]) -> float:
    """By our clock, unless the venue's is another; seconds since 1970."""
    ours = time.time()
    try:
        theirs = parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return ours
    return ours if abs(ours - theirs) <= SAME_CLOCK_SECONDS else theirs
