"""Sends messages beside a shift: in a thread of the django-q2 task, with a database connection of its own.

Not as a task in the queue: every process of the cluster is in a shift nearly all of the time, so a message
would wait for a minute; and what sends is a process apart anyway (`alerts.courier`), so that nothing of it
can hold a shift or a cycle up. Several shifts at once share the work: what is due is claimed in the database.
"""

from __future__ import annotations

import threading
from types import TracebackType

from django.db import Error as AnyDatabaseError
from django.db import connections

from bots.alerting import look_for_work
from database.thread import tell_outage

EVERY_SECONDS = 5.0
LAST_WORDS_SECONDS = 0.5  # what is being sent when a shift ends is finished meanwhile, or sent again later


class Messenger:
    """A context: it is at work until it is left, which waits for nobody."""

    def __init__(self, every_seconds: float = EVERY_SECONDS) -> None:
        self._every_seconds = every_seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="messenger", daemon=True)

    def __enter__(self) -> Messenger:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(LAST_WORDS_SECONDS)

    def _work(self) -> None:
        """An error that is none of the database's ends it; the next shift has another."""
        try:
            while not self._over.wait(self._every_seconds):
                self._turn()
        finally:
            connections.close_all()

    def _turn(self) -> None:
        try:
            look_for_work(self._over.is_set)
        except AnyDatabaseError as error:
            tell_outage(error)
            connections.close_all()
