"""Keeps budgets on the loop's clock: orders and cancels first, reads one after another."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack

from exchanges import pacing
from exchanges.errors import RateLimitError
from exchanges.gateway import HTTP_TIMEOUT_SECONDS
from exchanges.pacing import Budget, PaceState

LONGEST_WAIT_SECONDS = HTTP_TIMEOUT_SECONDS  # older decisions are not worth sending
JITTER_SECONDS = 1.0
LOOK_AGAIN_SECONDS = 1.0
INSTANT = 1e-6  # timers are not finer


class Pace:
    """One budget. turn: who holds it is the next read; the others queue behind it."""

    def __init__(self, budget: Budget) -> None:
        self._budget, self._share = budget, 1.0
        self._state = PaceState()
        self._waiting, self._queued = 0, 0.0
        self._jitter = random.uniform(0.0, JITTER_SECONDS)
        self.turn = asyncio.Lock()

    async def ready(self) -> None:
        """Where it is not known yet what may be used, reads wait for it, for some seconds at most."""

    def seconds_to_wait(self, cost: float, *, reads: bool = False, ahead: float = 0.0) -> float:
        return pacing.seconds_to_wait(
            self._budget, self._state, now=time.monotonic(), cost=cost, reads=reads, ahead=ahead
        )

    def outlook(self, cost: float, *, ahead: float = 0.0) -> float:
        """How long a read will have to wait, as far as can be told."""
        return self.seconds_to_wait(cost, reads=True, ahead=ahead)

    def book(self, cost: float) -> None:
        self._state = pacing.book(self._budget, self._state, now=time.monotonic(), cost=cost)

    def join_queue(self, cost: float) -> None:
        self._waiting, self._queued = self._waiting + 1, self._queued + cost

    def leave_queue(self, cost: float) -> None:
        self._waiting -= 1
        self._queued = self._queued - cost if self._waiting else 0.0

    @property
    def queued(self) -> float:
        """The cost of the reads that wait."""
        return self._queued

    def refusal(self, wait: float) -> RateLimitError:
        """Who is refused waits until the budget is whole: with less, a round of many requests would be
        refused in its middle again and again, and never get through."""
        idle = pacing.seconds_until_idle(self._budget, self._state, now=time.monotonic())
        rest = max(wait, idle)
        return RateLimitError(
            f"Nothing was sent: the venue's rate limit is used up for another {rest:.0f} s; "
            "bots go on by themselves after that.",
            retry_after=rest,
        )

    def pause(self, seconds: float) -> None:
        """Obeys a venue's Retry-After, and a little longer: not everybody comes back in the same instant."""
        longer = seconds + self._jitter * min(1.0, seconds)
        self._state = pacing.pause(self._budget, self._state, now=time.monotonic(), seconds=longer)

    def slow_down(self) -> None:
        self._state = pacing.slow_down(self._state, now=time.monotonic())

    def heard(self, used: float, elapsed: float) -> None:
        """See `pacing.heard`."""
        self._state = pacing.heard(
            self._budget,
            self._state,
            now=time.monotonic(),
            used=used,
            elapsed=elapsed,
            share=self._share,
        )

    @property
    def used(self) -> float:
        """What of it is spoken for: 0 is nothing, at 1 reads wait."""
        now = time.monotonic()
        if self._state.paused_until > now:
            return 1.0
        room = self._budget.part(pacing.speed_at(self._state, now)).room(reads=True)
        return min(1.0, (pacing.level_at(self._budget, self._state, now) + self._queued) / room)


Toll = tuple[Pace, float]


async def pay(tolls: Sequence[Toll], *, reads: bool) -> None:
    """Waits until a request may leave that costs so much of each budget.

    Raises RateLimitError, and nothing is booked, where that would be too long.
    """
    if reads:
        for pace, _cost in tolls:
            await pace.ready()
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    if reads:
        await _queue(tolls, deadline)
    else:
        await _sleep_until(tolls, _book_at_once(tolls), deadline)


def _book_at_once(tolls: Sequence[Toll]) -> float:
    """An order or a cancel: the seconds until it may leave, however many reads wait."""
    slowest, cost = max(tolls, key=lambda toll: toll[0].seconds_to_wait(toll[1]))
    wait = slowest.seconds_to_wait(cost)
    if wait > LONGEST_WAIT_SECONDS:
        raise slowest.refusal(wait)
    _book(tolls)
    return wait


async def _sleep_until(tolls: Sequence[Toll], wait: float, deadline: float) -> None:
    """A pause that begins meanwhile holds for who has booked, too."""
    while wait > INSTANT:
        if time.monotonic() + wait > deadline + INSTANT:
            raise tolls[0][0].refusal(wait)
        await asyncio.sleep(wait)
        wait = max(pace.seconds_to_wait(0) for pace, _cost in tolls)


async def _queue(tolls: Sequence[Toll], deadline: float) -> None:
    for pace, cost in tolls:
        wait = pace.outlook(cost, ahead=pace.queued)
        if wait > LONGEST_WAIT_SECONDS:
            raise pace.refusal(wait)
    if all(not pace.queued and _fits(pace, cost) for pace, cost in tolls):
        _book(tolls)
        return
    for pace, cost in tolls:
        pace.join_queue(cost)
    try:
        while not await _take_turns(tolls, deadline):
            pass
    finally:
        for pace, cost in tolls:
            pace.leave_queue(cost)


async def _take_turns(tolls: Sequence[Toll], deadline: float) -> bool:
    """False where the first budgets were used otherwise while it waited for the last: others go on."""
    async with AsyncExitStack() as turns:
        for pace, cost in tolls:
            if cost:
                await turns.enter_async_context(pace.turn)
            await _sleep_until_it_fits(pace, cost, deadline)
        if not all(_fits(pace, cost) for pace, cost in tolls):
            return False
        _book(tolls)
        return True


async def _sleep_until_it_fits(pace: Pace, cost: float, deadline: float) -> None:
    """Orders that go meanwhile put it off; a budget that grows brings it forward."""
    while not _fits(pace, cost):
        wait = pace.outlook(cost)
        if time.monotonic() + wait > deadline + INSTANT:
            raise pace.refusal(wait)
        await asyncio.sleep(min(pace.seconds_to_wait(cost, reads=True), LOOK_AGAIN_SECONDS))


def _fits(pace: Pace, cost: float) -> bool:
    return pace.seconds_to_wait(cost, reads=True) <= INSTANT


def _book(tolls: Sequence[Toll]) -> None:
    for pace, cost in tolls:
        pace.book(cost)
