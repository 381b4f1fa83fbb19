"""A shift: a django-q task of bounded length during which this process runs its share of the desk."""

from __future__ import annotations

import logging
import math
import threading
import time

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import connections
from django_q.brokers import get_broker
from django_q.tasks import async_task
from redis import RedisError

from bots.engine import signs, stop
from bots.engine.broker import tell_away
from bots.engine.clock import uptime
from bots.engine.duty import Ending
from bots.engine.runtime import Runtime, close_runtime_of_this_process, runtime_of_this_process
from database.thread import tell_outage

log = logging.getLogger(__name__)

TASK = "bots.tasks.run_shift"
LICENCE_SECONDS = 5.0  # the runtime goes on for so long after a shift, so that the next one finds it at work
LOOK_SECONDS = 0.5
WIND_DOWN_SECONDS = 18.0
MISSED_SECONDS = 5.0

_last_shift_ended = -math.inf  # a new process asks at once: it may stand in for one that died
_in_shift = threading.Event()
_broker_is_away = threading.Event()


def run(seconds: float) -> None:
    """Lets the runtime of this process act for so long, then sees to a successor."""
    global _last_shift_ended  # noqa: PLW0603 - one shift at a time in a process
    if stop.stop_requested():
        return
    runtime = runtime_of_this_process()
    _in_shift.set()
    try:
        _give_licence(runtime, until=uptime() + seconds)
    finally:
        _last_shift_ended = uptime()
        _in_shift.clear()
    if stop.stop_requested():
        end_of_process()
    else:
        ask_for_shift()


def end_of_process() -> None:
    """The worker stops, or this one of its processes is replaced: leases are returned either way.

    Also called as the process ends, because the runtime outlives shifts: it may be between two of them.
    """
    ending = Ending.STOP if stop.stop_requested() else Ending.HAND_OVER
    if not close_runtime_of_this_process(WIND_DOWN_SECONDS, ending=ending):
        log.error("not everything was settled within %s s; leases will expire", WIND_DOWN_SECONDS)


def _give_licence(runtime: Runtime, *, until: float) -> None:
    while uptime() < until and runtime.is_alive and not stop.stop_requested():
        runtime.extend(LICENCE_SECONDS)
        signs.note_shift()
        stop.wait_for_stop(LOOK_SECONDS)


def ask_for_shift() -> None:
    """Queues a shift unless one is queued. Where the broker is away, the keeper of this process stands in."""
    try:
        _queue_one()
        _broker_is_away.clear()
    except RedisError as error:
        tell_away(error)
        _broker_is_away.set()


def _queue_one() -> None:
    """Its result is not kept: nobody reads it, and saving costs."""
    broker = get_broker()
    if broker.queue_size() == 0:
        async_task(
            TASK,
            settings.SHIFT_SECONDS,
            q_options={"save": False, "ack_failure": True, "task_name": "shift", "broker": broker},
        )


def keep_asking() -> None:
    """A worker that has had no shift for a while asks for one: the last may have died with its worker.

    While the broker is away there can be none, and this process goes on without.
    """
    while not stop.wait_for_stop(LOOK_SECONDS):
        if _in_shift.is_set():
            continue
        if _broker_is_away.is_set():
            _stand_in()
        elif uptime() - _last_shift_ended < MISSED_SECONDS:
            continue
        _ask_apart()
        if not _broker_is_away.is_set():
            time.sleep(MISSED_SECONDS)


def _stand_in() -> None:
    """What a shift does each time it looks."""
    try:
        runtime_of_this_process().extend(LICENCE_SECONDS)
        signs.note_shift()
    except AnyDatabaseError as error:
        tell_outage(error)


def _ask_apart() -> None:
    """In the keeper's thread, which has no database connection for long."""
    try:
        ask_for_shift()
    except AnyDatabaseError as error:
        tell_outage(error)
    finally:
        connections.close_all()
