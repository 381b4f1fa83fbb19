"""A venue's own troubles: a few at a time, others after each disaster."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.exits import Trouble
from tests.chaos.grounds import Ground
from tests.lab.control import Control

GENTLE = (
    *("hang_before", "hang_after", "drop_before", "drop_after", "error_before", "error_after"),
    *("page_before", "page_after", "firewall", "rate_limited", "late_request", "late_answer"),
    *("drip", "truncated", "broken_off", "duplicate", "nonsense"),
)
MOST_TROUBLES = 3
AWAY = ("hang_before", "drop_before", "error_before", "page_before")  # or a maintenance
AWAY_SECONDS = (30.0, 60.0)


@dataclass
class Weather:
    """is_planted: a bug is to be found: answers to orders are swallowed all the time, at Binance.

    troubles: those that are over; `past()` has all.
    """

    ground: Ground
    chance: random.Random
    is_planted: bool = False
    troubles: list[Trouble] = field(default_factory=list)
    _since: float | None = None
    _away_until: float = 0.0

    @property
    def lab(self) -> Control:
        return self.ground.lab

    @property
    def is_away(self) -> bool:
        """The whole venue is, for longer than one change of the weather."""
        return time.monotonic() < self._away_until

    def change(self) -> None:
        if self.is_away:
            return
        self.clear()
        if self.is_planted:
            self._begin(self._swallow_answers)
            return
        for trouble in self.chance.sample(self._troubles(), self.chance.randint(0, MOST_TROUBLES)):
            self._begin(trouble)

    def go_away(self) -> float:
        """Nothing that is asked of the venue has an effect; for how many seconds."""
        self.clear()
        seconds = self.chance.uniform(*AWAY_SECONDS)
        self._away_until = time.monotonic() + seconds
        how = self.chance.choice([*AWAY, ""])
        if how:
            self._begin(lambda: self.lab.set_weather(seed=1, rates={how: 1.0}))
        else:
            self._begin(lambda: self.lab.maintenance(on=True))
        return seconds

    def past(self) -> list[Trouble]:
        """Until now."""
        return [*self.troubles, *([Trouble(self._since, time.time())] if self._since else [])]

    def _begin(self, trouble: Callable[[], Any]) -> None:
        self._since = self._since or time.time()
        trouble()

    def clear(self) -> None:
        self.lab.calm()
        self._away_until = 0.0
        self.troubles, self._since = self.past(), None
        for key in self.ground.keys:
            self.lab.change_key(key=key, is_revoked=False, trading=True)

    def asked_since(self, number: int) -> bool:
        """Every connection has asked its venue after the request of that number."""
        return all(self.lab.requests(key=key, after=number) for key in self.ground.keys)

    def _troubles(self) -> Sequence[Callable[[], Any]]:
        chance, lab = self.chance, self.lab
        symbol, key = chance.choice(list(self.ground.symbols)), chance.choice(self.ground.keys)
        return [
            self._storm,
            self._storm,
            lambda: lab.set_lag(
                orders_ms=chance.randint(0, 5000),
                trades_ms=chance.randint(0, 5000),
                balances_ms=chance.randint(0, 5000),
                scatters_trades=chance.random() < 0.5,
            ),
            lambda: lab.race_cancels(probability=0.4, seed=chance.randint(0, 999)),
            lambda: lab.maintenance(on=True),
            lambda: lab.freeze_book(symbol=symbol),
            lambda: lab.empty_book(symbol=symbol, side=chance.choice([None, "bids", "asks"])),
            lambda: lab.cross_book(symbol=symbol),
            lambda: lab.change_key(key=key, is_revoked=True),
            lambda: lab.change_key(key=key, trading=False),
            lambda: lab.set_clock(offset_ms=chance.choice([-7000, 3000])),
        ]

    def _swallow_answers(self) -> None:
        """Orders are accepted, and many answers are lost or late; trades show late and out of order."""
        rates = {"hang_after": 0.1, "drop_after": 0.15, "late_answer": 0.2}
        self.lab.set_weather(
            seed=self.chance.randint(0, 10**6), rates=rates, method="POST", path="/api/v3/order"
        )
        self.lab.set_lag(orders_ms=500, trades_ms=1500, balances_ms=500, scatters_trades=True)

    def _storm(self) -> None:
        """Every kind of fault, one or two of them often."""
        rates = dict.fromkeys(GENTLE, 0.002)
        for kind in self.chance.sample(GENTLE, 2):
            rates[kind] = 0.05
        self.lab.set_weather(seed=self.chance.randint(0, 10**6), rates=rates)
