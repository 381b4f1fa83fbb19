"""Runs the desk: a django-q2 cluster whose shifts lease connections and run their bots."""

from __future__ import annotations

import contextlib
import signal
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand

from bots.engine import processes, shift, stop
from bots.selectors import dry_run_notice
from exchanges.selectors import single_exchange_warning
from exchanges.venues.registry import preload

LOOK_SECONDS = 0.5


class Command(BaseCommand):
    help = "Runs the bots' cycles until SIGTERM or Ctrl-C, then settles what is in flight and ends."

    def handle(self, *_args: Any, **_options: Any) -> None:
        from bots.engine.cluster import STOP_SIGNALS, WatchedCluster

        self.check(databases=["default"])
        processes.bury_dead_neighbours()
        shift.ask_for_shift()
        preload()
        cluster = WatchedCluster()
        for number in STOP_SIGNALS:
            signal.signal(number, _on_stop_signal)
        cluster.start()
        self._say("The worker is running.")
        for notice in filter(None, (dry_run_notice(), single_exchange_warning())):
            self._say(notice)
        while not stop.wait_for_stop(LOOK_SECONDS):
            cluster.look()
        self._say("Stopping: quotes are cancelled where their bots say so.")
        if cluster.stop():
            self._say("The worker has stopped.")
        else:
            self._say("The worker was ended by force; its successor settles what is left.")

    def _say(self, text: str) -> None:
        """A terminal that was closed keeps nothing from being stopped."""
        with contextlib.suppress(OSError):
            self.stdout.write(text)
            self.stdout.flush()


def _on_stop_signal(_number: int, _frame: FrameType | None) -> None:
    stop.request_stop()
