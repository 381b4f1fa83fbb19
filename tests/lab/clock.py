"""The venue's clock, which can be set apart from ours."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """offset_ms: how far the venue's clock is ahead of this machine's."""

    def __init__(self, source: Callable[[], int] | None = None) -> None:
        self._source = source or _machine_ms
        self.offset_ms = 0
        self._skipped_ms = 0

    def now_ms(self) -> int:
        return self.true_ms() + self.offset_ms

    def true_ms(self) -> int:
        """This machine's time, wherever the venue's clock was put."""
        return self._source() + self._skipped_ms

    def skip(self, ms: int) -> None:
        """As if so much time had passed, for tests that would have to wait for it."""
        self._skipped_ms += ms


def _machine_ms() -> int:
    return time.time_ns() // 1_000_000
