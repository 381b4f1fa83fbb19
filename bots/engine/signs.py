"""A sign of life of a worker's cluster, in shared memory: when one of its processes last worked a shift.

Like the stop flag it has no lock, because a process may be killed at any moment.
"""

from __future__ import annotations

import multiprocessing

from bots.engine.clock import uptime

_last_shift = multiprocessing.RawValue("d", uptime())


def note_shift() -> None:
    _last_shift.value = uptime()


def seconds_without_shift() -> float:
    last: float = _last_shift.value
    return uptime() - last
