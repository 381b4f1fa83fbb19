"""The way of tasks through Redis. One that is away keeps nobody from trading; it is asked again, said once.

The database as broker needs none of this: where it is away, nothing else works either.
"""

from __future__ import annotations

import logging
import time
from functools import lru_cache

from django.conf import settings
from django.utils.functional import SimpleLazyObject
from django_q.brokers.redis_broker import Redis as DjangoQRedis
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from vault.redaction import redact

log = logging.getLogger(__name__)

# Together less than a shift's licence: whoever asks must not let it run out.
ANSWER_SECONDS = 1.0
POLL_SECONDS = 0.2
AWAY_PAUSE_SECONDS = 1.0
TOLD_EVERY_SECONDS = 60.0
LOOKED_AT_SECONDS = 5.0

_told_at = float("-inf")


class PatientRedis(DjangoQRedis):  # type: ignore[misc]  # django-q2 is not typed
    """django-q2's, whose processes outlive an outage; theirs end at the first error, one after another."""

    @staticmethod
    def get_connection(list_key: str | None = None) -> Redis:  # noqa: ARG004 - django-q2 hands it over
        return connect()

    def ping(self) -> bool:
        """False where it is away: a cluster starts all the same."""
        try:
            return bool(self.connection.ping())
        except RedisError as error:
            tell_away(error)
            return False

    def dequeue(self) -> list[tuple[None, bytes]] | None:
        """Asks and does not wait at the server: a request that may take long cannot have a short deadline."""
        try:
            task = self.connection.lpop(self.list_key)
        except RedisError as error:
            tell_away(error)
            time.sleep(AWAY_PAUSE_SECONDS)
            return None
        if task is None:
            time.sleep(POLL_SECONDS)
            return None
        return [(None, task)]

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """Nobody reads django-q2's statistics of its clusters."""


def connect() -> Redis:
    """Nothing is sent yet. An idle connection that was cut is made anew, once, at once."""
    connection: Redis = Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=ANSWER_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 1),
        **settings.REDIS_OPTIONS,
    )
    return connection


def tell_away(error: RedisError) -> None:
    """Once a minute, one sentence."""
    global _told_at  # noqa: PLW0603 - one log a process
    if time.monotonic() - _told_at >= TOLD_EVERY_SECONDS:
        _told_at = time.monotonic()
        log.warning("Redis does not answer; trading goes on, and it is asked again: %s", redact(str(error)))


class _Look:
    """Whether Redis answers, asked every few seconds at most: a page must not wait for it each time."""

    def __init__(self) -> None:
        self._connection = SimpleLazyObject(connect)
        self._until, self._answers = float("-inf"), True

    def answers(self) -> bool:
        if time.monotonic() >= self._until:
            self._answers = self._ask()
            self._until = time.monotonic() + LOOKED_AT_SECONDS
        return self._answers

    def _ask(self) -> bool:
        try:
            return bool(self._connection.ping())
        except RedisError:
            return False


@lru_cache(maxsize=1)
def _look(_url: str) -> _Look:
    return _Look()


def is_away() -> bool:
    """False where the database carries the tasks."""
    return bool(settings.REDIS_URL) and not _look(settings.REDIS_URL).answers()
