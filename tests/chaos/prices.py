"""The touch of the scalpers' markets while a run lasts, noted in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from types import TracebackType
from typing import Any

from tests.chaos.exits import Price
from tests.chaos.grounds import Ground

EVERY_SECONDS = 0.5


class PriceWatch(AbstractContextManager["PriceWatch"]):
    """prices: by venue, in the order of time."""

    def __init__(self, grounds: Sequence[Ground]) -> None:
        self.prices: dict[str, list[Price]] = {ground.stand.venue: [] for ground in grounds}
        self._grounds = grounds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="prices", daemon=True)

    def __enter__(self) -> PriceWatch:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(EVERY_SECONDS):
            for ground in self._grounds:
                book = ground.lab.book(symbol=ground.scalped, limit=1)
                price = Price(time.time(), _best(book["bids"]), _best(book["asks"]))
                self.prices[ground.stand.venue].append(price)


def _best(levels: Sequence[Sequence[Any]]) -> Decimal | None:
    return Decimal(str(levels[0][0])) if levels else None
