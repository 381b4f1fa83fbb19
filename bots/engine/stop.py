"""The stop flag: one byte of shared memory that every process of a worker's cluster sees.

It is made when this module is first imported, before the cluster forks. No lock guards it: a signal handler
sets it, and a process may be killed at any moment.
"""

from __future__ import annotations

import multiprocessing
import time

from bots.engine.clock import uptime

_POLL_SECONDS = 0.1
_flag = multiprocessing.RawValue("b", 0)


def request_stop() -> None:
    _flag.value = 1


def stop_requested() -> bool:
    return bool(_flag.value)


def wait_for_stop(seconds: float) -> bool:
    """True as soon as the stop is requested, False when the time is up."""
    until = uptime() + seconds
    while not stop_requested():
        left = until - uptime()
        if left <= 0:
            return False
        time.sleep(min(left, _POLL_SECONDS))
    return True
