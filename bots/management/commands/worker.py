"""Runs the desk: a django-q2 cluster whose shifts lease connections and run their bots."""

from __future__ import annotations

import contextlib
import signal
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connections

from bots.engine import processes, shift, stop

LOOK_SECONDS = 0.1


class Command(BaseCommand):
    help = "Runs the bots' cycles until SIGTERM or Ctrl-C, then settles what is in flight and ends."

    def handle(self, *_args: Any, **_options: Any) -> None:
        from django_q.cluster import Cluster

        self.check(databases=["default"])
        processes.bury_dead_neighbours()
        shift.ask_for_shift()
        connections.close_all()
        # A platform that signals every process of the group must not kill the shifts: they see the stop
        # flag, settle and end. So children are born with the stop signals blocked; only we listen.
        cluster = Cluster()
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
        for number in _STOP_SIGNALS:
            signal.signal(number, _on_stop_signal)
        cluster.start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)
        self._say("The worker is running.")
        while not stop.wait_for_stop(LOOK_SECONDS):
            if not cluster.sentinel.is_alive():
                self.stderr.write("The cluster ended unexpectedly.")
                raise SystemExit(1)
        self._say("Stopping: quotes are cancelled where their bots say so.")
        cluster.stop()
        self._say("The worker has stopped.")

    def _say(self, text: str) -> None:
        """A terminal that was closed keeps nothing from being stopped."""
        with contextlib.suppress(OSError):
            self.stdout.write(text)
            self.stdout.flush()


_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def _on_stop_signal(_number: int, _frame: FrameType | None) -> None:
    stop.request_stop()
