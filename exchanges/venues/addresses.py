"""The budgets of all ways out of this process: its own alone, or a part of what the desk's processes share.

What is shared is agreed on in the background, once a second and sooner where something is new, by whoever
runs this process: `asks()`, then `take()` or `unanswered()`. No request waits for that, but the first reads
by a way out that this process has not used before: the venue may have told another one to stay away.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from math import inf

from exchanges import pacing
from exchanges.pacing import Budget
from exchanges.sharing import HELD_SECONDS, Answer, Ask, Place
from exchanges.venues.pace import Pace

log = logging.getLogger(__name__)
FIRST_ANSWER_SECONDS = 4.0
IDLE_SECONDS = 3.0  # how rarely what is not used is renewed
UNKNOWN = 0.25  # of the budget, before anybody was asked
SMALLEST = 0.01  # a part of nothing would wait for ever
FORGETTING = 0.8  # each second that less is used
MARGIN = 1.5  # is wanted of what was used
NEWS_SECONDS = 0.5


class AddressPace(Pace):
    """The part of an address's budget that this process holds. news: is set where there is something to agree
    on; alone: is called where nobody says any more what it holds."""

    def __init__(self, budget: Budget, *, news: asyncio.Event, alone: Callable[[], None]) -> None:
        super().__init__(budget)
        self._whole, self._share = budget, UNKNOWN
        self._budget = budget.part(UNKNOWN)
        self._news, self._alone = news, alone
        self._met = asyncio.Event()
        self._is_known, self._sharers, self._valid_until = False, 1, inf
        self._spent, self._asked_at, self._wants = 0.0, time.monotonic(), 0.0
        self._is_short, self._is_slowed, self._pause_until = False, False, 0.0

    # --- What requests do

    async def ready(self) -> None:
        if self._met.is_set():
            return
        self._news.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._met.wait(), FIRST_ANSWER_SECONDS)
        self._met.set()

    def seconds_to_wait(self, cost: float, *, reads: bool = False, ahead: float = 0.0) -> float:
        if time.monotonic() > self._valid_until:
            self._alone()
        wait = super().seconds_to_wait(cost, reads=reads, ahead=ahead)
        if wait and cost and not self._is_short:
            self._is_short = True
            self._news.set()
        return wait

    def outlook(self, cost: float, *, ahead: float = 0.0) -> float:
        """As with an even part, which a process that asks for more gets within a second or two."""
        now, even = time.monotonic(), self._whole.part(max(self._share, 1.0 / self._sharers))
        soon = pacing.seconds_to_wait(even, self._state, now=now, cost=cost, reads=True, ahead=ahead)
        return min(super().outlook(cost, ahead=ahead), soon)

    def book(self, cost: float) -> None:
        super().book(cost)
        self._spent += cost

    def pause(self, seconds: float) -> None:
        super().pause(seconds)
        self._pause_until = max(self._pause_until, time.monotonic() + seconds)
        self._news.set()

    def slow_down(self) -> None:
        super().slow_down()
        self._is_slowed = True
        self._news.set()

    # --- What is agreed on

    @property
    def is_due(self) -> bool:
        """Whether there is anything to agree on."""
        is_used = self._spent > 0 or self.queued > 0 or self._is_short
        is_news = self._is_slowed or self._pause_until > 0 or not self._met.is_set()
        return is_used or is_news or time.monotonic() - self._asked_at >= IDLE_SECONDS

    def ask(self) -> Ask:
        now = time.monotonic()
        seconds = max(now - self._asked_at, 0.1)
        used = min(1.0, MARGIN * self._spent / (seconds * self._whole.rate))
        is_short = self._is_short or bool(self.queued)
        self._wants = 1.0 if is_short else max(used, self._wants * FORGETTING**seconds)
        self._spent, self._asked_at, self._is_short = 0.0, now, False
        pause_seconds = max(0.0, self._pause_until - now)
        return Ask(wants=self._wants, pause_seconds=pause_seconds, is_slowed=self._is_slowed)

    def take(self, answer: Answer, told: Ask) -> None:
        """told: what was asked with, and need not be told again."""
        self._is_slowed = self._is_slowed and not told.is_slowed
        self._pause_until = 0.0 if told.pause_seconds else self._pause_until
        self._sharers, self._valid_until = answer.sharers, self._asked_at + HELD_SECONDS
        self._hold(answer)
        now = time.monotonic()
        longer = now + answer.pause_seconds - self._state.paused_until
        if answer.pause_seconds and longer > NEWS_SECONDS:
            super().pause(answer.pause_seconds)
        if answer.speed < pacing.speed_at(self._state, now):
            self._state = pacing.slowed_to(self._state, answer.speed, now=now)
        if answer.fair:
            self._met.set()

    def _hold(self, answer: Answer) -> None:
        if not self._is_known:
            self._is_known = True
            # Where there is nobody else, nobody has used it.
            self._budget = self._whole.part(answer.part if answer.sharers == 1 else 0.0)
        self._resize(answer.part)

    def go_on_alone(self) -> None:
        """Nobody says what this process may use: no more than an even part, and no more than before."""
        self._valid_until = inf
        self._resize(min(self._share, 1.0 / self._sharers))

    def _resize(self, part: float) -> None:
        self._share = max(part, SMALLEST)
        before, self._budget = self._budget, self._whole.part(self._share)
        self._state = pacing.resized(before, self._budget, self._state, now=time.monotonic())


class Addresses:
    """is_shared: somebody agrees with the desk's other processes; else this one has every budget whole."""

    def __init__(self, *, is_shared: bool = False) -> None:
        self._is_shared = is_shared
        self._paces: dict[Place, Pace] = {}
        self._news = asyncio.Event()
        self._is_alone = False

    def pace(self, place: Place, budget: Budget) -> Pace:
        """The pace at which the venue lets one address ask, whoever asks from there."""
        if place not in self._paces:
            self._paces[place] = self._open(budget)
        return self._paces[place]

    def _open(self, budget: Budget) -> Pace:
        if not self._is_shared:
            return Pace(budget)
        return AddressPace(budget, news=self._news, alone=self.unanswered)

    async def news(self, within_seconds: float) -> None:
        """Returns when something is to be agreed on, at the latest after so long."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), within_seconds)
        self._news.clear()

    def asks(self) -> Mapping[Place, Ask]:
        return {place: pace.ask() for place, pace in self._shared().items() if pace.is_due}

    def take(self, answers: Mapping[Place, Answer], told: Mapping[Place, Ask]) -> None:
        paces = self._shared()
        for place, answer in answers.items():
            paces[place].take(answer, told[place])
        self._is_alone = False

    def unanswered(self) -> None:
        """Trading goes on; said once, until there is an answer again."""
        for pace in self._shared().values():
            pace.go_on_alone()
        if not self._is_alone:
            log.warning(
                "The workers cannot agree now on how they share the exchanges' rate limits: each goes on "
                "with an even part."
            )
        self._is_alone = True

    def _shared(self) -> Mapping[Place, AddressPace]:
        return {place: pace for place, pace in self._paces.items() if isinstance(pace, AddressPace)}
