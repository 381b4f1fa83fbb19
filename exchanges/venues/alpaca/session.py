"""The stock market's regular session, by Alpaca's clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from exchanges.venues.ccxt_answers import malformed
from exchanges.venues.ccxt_answers import milliseconds as milliseconds_of

# An early close or a day without trading is in the clock's answer; it is asked anew so often all the same.
GOOD_FOR_MS = 60_000


@dataclass(frozen=True, kw_only=True)
class Session:
    """asked_ms: by our clock; venue_ms, changes_ms: by the venue's. opens: the next time."""

    is_open: bool
    asked_ms: int
    venue_ms: int
    changes_ms: int
    opens: datetime

    def is_over(self, now_ms: int) -> bool:
        """Whether the venue has to be asked again."""
        passed = now_ms - self.asked_ms
        return not 0 <= passed < GOOD_FOR_MS or self.venue_ms + passed >= self.changes_ms

    @property
    def closed_because(self) -> str:
        opens = f"{self.opens.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        return "" if self.is_open else f"the US stock market is closed and opens on {opens}"


def session_of(answer: Mapping[str, Any], now_ms: int) -> Session:
    """Raises MalformedAnswerError, or what reading an answer of another form raises."""
    is_open = answer["is_open"]
    if not isinstance(is_open, bool):
        raise malformed("the clock does not say whether the market is open")
    changes = answer["next_close" if is_open else "next_open"]
    return Session(
        is_open=is_open,
        asked_ms=now_ms,
        venue_ms=milliseconds(answer["timestamp"]),
        changes_ms=milliseconds(changes),
        opens=moment(answer["next_open"]),
    )


def moment(written: object) -> datetime:
    """RFC 3339, with up to nine digits of a second. Raises MalformedAnswerError."""
    try:
        found = datetime.fromisoformat(str(written))
    except ValueError:
        raise malformed("a time that is none") from None
    if found.tzinfo is None:
        raise malformed("a time without its zone")
    return found


def milliseconds(written: object) -> int:
    return milliseconds_of(moment(written))
