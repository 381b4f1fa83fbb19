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
    multiprocessing.util.Finalize(None, shift.end_of_process, exitpriority=10)
    threading.Thread(target=shift.keep_asking, name="shift-keeper", daemon=True).start()


def die_with_parent() -> None:
    """Linux: SIGKILL when the parent dies; runs in every child right after the fork.

    An orphaned worker would hold leases that nobody can stop, an orphaned pusher would go on to take tasks
    and give them to nobody.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() == 1 and not _INIT_IS_PARENT:  # it died in between
        os.kill(os.getpid(), signal.SIGKILL)


# In a container the first process may be ours, and then its children's parent is 1 as it should be.
_INIT_IS_PARENT = os.getpid() == 1
