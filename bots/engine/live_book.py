"""One market's book as its venue tells it: trusted until something speaks against it, then told anew.

It is not served from the moment in which a message is missing, a checksum is wrong, the venue is silent or
gone, or the book is crossed; who asks meanwhile is answered by a request (`feed`).
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bots.engine.clock import uptime
from exchanges.errors import BookStreamError, ProxyDownError, ProxyError, RejectedError, Trouble, VenueError
from exchanges.gateway import BookStream
from exchanges.types import Book, Touch

log = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
SILENCE_SECONDS = 10.0  # nothing at all heard, not even that the connection lives
QUIET_SECONDS = 30.0  # nothing of this market heard: the venue is asked whether nothing happened
GRACE_SECONDS = 2.0  # what it shows then may still be on its way
COMPARED_LEVELS = 10
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 60.0
REFUSED_SECONDS = 3600.0
PROVEN_SECONDS = 60.0  # a stream that held so long begins again at once after its next trouble


@dataclass(kw_only=True)
class Patience:
    """Waits between attempts twice as long each time, with jitter, so that not all begin anew at once."""

    failures: int = 0

    def next_seconds(self, trouble: Trouble) -> float:
        self.failures += 1
        if trouble is Trouble.REFUSED:
            return REFUSED_SECONDS
        longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** (self.failures - 1))
        return random.uniform(longest / 2, longest)


class LiveBook:
    """ask: a request for the same book; repairs: how often it was told anew, by trouble, of a whole feed."""

    def __init__(
        self,
        symbol: str,
        stream: BookStream,
        *,
        ask: Callable[[], Awaitable[Book]],
        repairs: Counter[Trouble],
    ) -> None:
        self.symbol = symbol
        self.followers = 0
        self.listeners: dict[object, Callable[[], None]] = {}
        self._stream = stream
        self._ask = ask
        self._repairs = repairs
        self._touch: Touch | None = None
        self._changes = 0
        self._trusted_since: float | None = None
        self._confirmed_at = 0.0
        self._patience = Patience()
        self._refusal_is_told = False

    def book(self) -> Book | None:
        """None where it cannot be trusted now. Its time is when the venue was last heard."""
        if self._trusted_since is None or self._stream.silent_seconds() > SILENCE_SECONDS:
            return None
        return self._stream.book(self.symbol)

    async def run(self, after: asyncio.Task[None] | None = None) -> None:
        """Until it is cancelled. after: who followed the same market before, and may still be leaving."""
        if after is not None:
            await asyncio.wait([after])
        try:
            while True:
                trouble = await self._follow()
                await self._stream.drop(self.symbol)
                await asyncio.sleep(self._patience.next_seconds(trouble))
        finally:
            self._trusted_since = None
            await self._stream.drop(self.symbol)

    async def _follow(self) -> Trouble:
        """Until there is trouble; the book is distrusted by then."""
        tasks = [asyncio.create_task(self._hear()), asyncio.create_task(self._watch())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                await task
        except VenueError as error:
            return self._distrust(error)
        finally:
            self._touch = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        raise AssertionError("neither of the two ends without an error")

    def _distrust(self, error: VenueError) -> Trouble:
        since, self._trusted_since = self._trusted_since, None
        if since is not None and uptime() - since > PROVEN_SECONDS:
            self._patience = Patience()
        trouble = _trouble_of(error)
        if trouble is Trouble.REFUSED and since is not None:
            trouble = Trouble.CUT  # it was to be had, and a refusal may be another market's
        self._repairs[trouble] += 1
        if trouble is not Trouble.REFUSED:
            log.info("the stream of %s begins anew (%s): %s", self.symbol, trouble, error)
        elif not self._refusal_is_told:
            self._refusal_is_told = True
            log.warning("there is no stream of %s, its book is asked for instead: %s", self.symbol, error)
        return trouble

    async def _hear(self) -> None:
        touch = await self._stream.next_touch(self.symbol)
        self._trusted_since = uptime()
        while True:
            self._told(touch)
            touch = await self._stream.next_touch(self.symbol)

    def _told(self, touch: Touch) -> None:
        self._changes += 1
        self._confirmed_at = uptime()
        if touch.bid and touch.ask and touch.bid.price >= touch.ask.price:
            raise _error(Trouble.CROSSED, "Its best bid is not below its best ask.")
        if touch != self._touch:
            self._touch = touch
            self._wake()

    def _wake(self) -> None:
        """In the loop's next turn, so that a listener that fails breaks nothing here."""
        for ticket in self.listeners:
            asyncio.get_running_loop().call_soon(self._call, ticket)

    def _call(self, ticket: object) -> None:
        wake = self.listeners.get(ticket)
        if wake is not None:
            wake()

    # --- What no message tells

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self._trusted_since is None:
                continue
            if self._stream.silent_seconds() > SILENCE_SECONDS:
                raise _error(Trouble.SILENCE, f"The venue was not heard for {SILENCE_SECONDS:.0f} s.")
            if uptime() - self._confirmed_at > QUIET_SECONDS:
                await self._compare()

    async def _compare(self) -> None:
        """Whether nothing was heard because nothing happened. What cannot be asked now is asked later."""
        changes = self._changes
        self._confirmed_at = uptime()
        try:
            asked = await self._ask()
        except VenueError:
            return
        if self._changes == changes and not _is_same(asked, self.book()):
            await asyncio.sleep(GRACE_SECONDS)
            if self._changes == changes:
                raise _error(Trouble.DIFFERENCE, "Asked, the venue shows another book than it told.")


def _is_same(asked: Book, told: Book | None) -> bool:
    return told is not None and _near(asked) == _near(told)


def _near(book: Book) -> tuple[object, object]:
    return book.bids[:COMPARED_LEVELS], book.asks[:COMPARED_LEVELS]


def _error(trouble: Trouble, sentence: str) -> BookStreamError:
    return BookStreamError(sentence, trouble=trouble)


def _trouble_of(error: VenueError) -> Trouble:
    if isinstance(error, BookStreamError):
        return error.trouble
    if isinstance(error, ProxyDownError):
        return Trouble.CUT
    return Trouble.REFUSED if isinstance(error, ProxyError | RejectedError) else Trouble.CUT
