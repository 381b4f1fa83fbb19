"""What happens in each process of a worker's cluster as it starts."""

from __future__ import annotations

import ctypes
import multiprocessing.util
import os
import signal
import sys
import threading

from bots.engine import shift

_PR_SET_PDEATHSIG = 1


def on_spawn(**_signal: object) -> None:
    """Runs in a new worker process, by django-q2's `post_spawn`."""
    die_with_parent()
    multiprocessing.util.Finalize(None, shift.end_of_process, exitpriority=10)
    threading.Thread(target=shift.keep_asking, name="shift-keeper", daemon=True).start()


def die_with_parent() -> None:
    """Linux: SIGKILL when the sentinel dies. An orphan would hold leases that nobody can stop."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died in between
        os.kill(os.getpid(), signal.SIGKILL)
