"""What was seen of one venue's markets lately: for every bot of a process that looks at them."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bots.strategies.momentum import Mid
from bots.strategies.rotation import Batch, next_batch
from exchanges.types import Book

KEPT_MIDS = 300  # of a window; those in between say little of how far it moved


@dataclass
class _Track:
    """One market: its last book and its middles, oldest first."""

    book: Book
    mids: deque[Mid] = field(default_factory=deque)


@dataclass
class Tape:
    """window_seconds: the longest that anybody asks for."""

    window_seconds: float = 0.0
    _tracks: dict[str, _Track] = field(default_factory=dict)

    def note(self, book: Book, now: datetime | None = None) -> None:
        """Constant cost. now: by the clock; None: as the book was received.

        A book that is older than the last one is passed over; after a step back of the clock it is the last
        one that is of a time which has not come yet, and goes.
        """
        track = self._tracks.get(book.symbol)
        if track is not None and book.time < track.book.time <= (now or book.time):
            return
        track = self._tracks.setdefault(book.symbol, _Track(book))
        track.book = book
        if book.mid is None or book.is_crossed:
            return
        mids = track.mids
        while mids and mids[-1].at > book.time:
            mids.pop()
        apart = timedelta(seconds=self.window_seconds / KEPT_MIDS)
        if len(mids) > 1 and book.time - mids[-2].at < apart:
            mids.pop()
        mids.append(Mid(book.time, book.mid))
        self._forget(mids, book.time)

    def _forget(self, mids: deque[Mid], now: datetime) -> None:
        start = now - timedelta(seconds=self.window_seconds)
        while len(mids) > 1 and mids[1].at <= start:
            mids.popleft()

    def book(self, symbol: str) -> Book | None:
        track = self._tracks.get(symbol)
        return track.book if track else None

    def has_seen(self, symbol: str, now: datetime, age_seconds: float) -> bool:
        """Its book is not older than that."""
        book = self.book(symbol)
        return book is not None and 0 <= book.age_seconds(now) <= age_seconds

    def mids(self, symbol: str) -> tuple[Mid, ...]:
        track = self._tracks.get(symbol)
        return tuple(track.mids) if track else ()


@dataclass
class Rotation:
    """The place of all who look at the same markets: each takes the next batch."""

    place: str = ""

    def take(self, symbols: Sequence[str], size: int) -> Batch:
        batch = next_batch(symbols, self.place, size)
        self.place = batch.next_place
        return batch

    def give_back(self, batch: Batch) -> None:
        """It was not looked at; it is the next again, unless somebody has gone on by now."""
        if self.place == batch.next_place:
            self.place = batch.symbols[0]


@dataclass
class Scans:
    """What the scanners of a process share: a tape a venue, and a rotation for each
    owner's set of markets."""

    _tapes: dict[str, Tape] = field(default_factory=dict)
    _rotations: dict[Hashable, Rotation] = field(default_factory=dict)

    def tape(self, venue: str) -> Tape:
        return self._tapes.setdefault(venue, Tape())

    def rotation(self, key: Hashable, *, place: str) -> Rotation:
        """place: where it begins if nobody has begun it yet."""
        return self._rotations.setdefault(key, Rotation(place))
