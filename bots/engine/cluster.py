"""django-q2's cluster, watched: it ends with its parent, and is replaced when it dies or stands still.

A process that is killed while it waits for a task takes the queue's lock with it, and then no other process
of that cluster ever gets a task again: nothing fails, there are only no more shifts. The sign of life that
shifts leave in shared memory tells; a new cluster has a new queue.
"""

from __future__ import annotations

import logging
import os
import signal
import threading

from django.db import Error as AnyDatabaseError
from django.db import connections
from django_q.cluster import Cluster

from bots.engine import processes, signs
from bots.engine.clock import uptime
from bots.engine.worker_process import die_with_parent
from database.thread import tell_outage

log = logging.getLogger(__name__)

STANDSTILL_SECONDS = 6.0
STARTING_SECONDS = 12.0
STOP_SECONDS = 25.0  # less than what platforms leave before they kill
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class WatchedCluster:
    """start() → look() again and again → stop(). In the main thread of a process of its own."""

    def __init__(self) -> None:
        os.register_at_fork(after_in_child=die_with_parent)
        self._cluster = Cluster()
        self._started_at = 0.0

    def start(self) -> None:
        """Its processes are born with the stop signals blocked: a platform that signals every process of the
        group must not kill the shifts, which see the stop flag, settle and end."""
        connections.close_all()
        signs.note_shift()
        self._started_at = uptime()
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        try:
            self._cluster.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    def look(self) -> None:
        """Replaces the cluster where it died or has stood still."""
        if not self._cluster.sentinel.is_alive():
            self._replace("died")
        elif self._stands_still():
            self._replace(f"has not worked for {STANDSTILL_SECONDS:.0f} s")

    def _stands_still(self) -> bool:
        has_started = uptime() - self._started_at > STARTING_SECONDS
        return has_started and signs.seconds_without_shift() > STANDSTILL_SECONDS

    def stop(self) -> bool:
        """True when all of its processes ended by themselves; after STOP_SECONDS they are killed."""
        # In a thread: an event whose waiter was killed can hold its setter for ever.
        threading.Thread(target=self._cluster.stop_event.set, daemon=True).start()
        self._cluster.sentinel.join(STOP_SECONDS)
        ended = not self._cluster.sentinel.is_alive()
        self._kill()
        return ended

    def _replace(self, why: str) -> None:
        log.error("The cluster of worker processes %s; another takes its place.", why)
        self._kill()
        self._free_leases()
        try:
            self.start()
        except RuntimeError as error:  # django-q2: its sentinel ended at once, as while the database is away
            log.error("%s It is tried again.", error)

    def _free_leases(self) -> None:
        """Other machines cannot tell that those processes are gone; they take up the work while this one
        starts anew."""
        try:
            processes.bury_dead_neighbours()
        except AnyDatabaseError as error:
            tell_outage(error)  # the leases will expire

    def _kill(self) -> None:
        """The rest of it dies with the sentinel, see die_with_parent."""
        self._cluster.sentinel.kill()
        self._cluster.sentinel.join()
