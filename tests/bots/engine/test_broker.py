"""Redis as broker: tasks come and go in order, and an outage is an answer, not an error."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from django.test import override_settings
from redis import RedisError

from bots.engine import broker as broker_module
from bots.engine import shift
from bots.engine.broker import PatientRedis, is_away
from bots.selectors import broker_warning
from tests.chaos.servers import NoServerError, Redis
from tests.e2e.desk import free_port


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POLL_SECONDS", "AWAY_PAUSE_SECONDS", "LOOKED_AT_SECONDS"):
        monkeypatch.setattr(broker_module, name, 0.0)


@pytest.fixture
def server() -> Iterator[Redis]:
    redis = Redis()
    try:
        redis.start()
        with override_settings(REDIS_URL=redis.url):
            yield redis
    except NoServerError as error:
        pytest.skip(str(error))
    finally:
        redis.remove()


def test_tasks_come_out_as_they_went_in(server: Redis) -> None:
    queue = PatientRedis("desk")
    assert queue.ping()
    assert queue.dequeue() is None
    queue.enqueue("first")
    queue.enqueue("second")
    assert queue.queue_size() == 2
    assert [queue.dequeue(), queue.dequeue(), queue.dequeue()] == [
        [(None, b"first")],
        [(None, b"second")],
        None,
    ]


def test_a_broker_that_goes_away_comes_back_without_a_new_connection(server: Redis) -> None:
    queue = PatientRedis("desk")
    assert queue.ping()
    server.stop(signal.SIGKILL)
    assert not queue.ping()
    assert queue.dequeue() is None
    server.start()
    assert queue.ping()


def test_the_pages_say_that_redis_is_away_and_that_it_is_back(server: Redis) -> None:
    assert broker_warning() == ""
    server.stop(signal.SIGKILL)
    assert broker_warning().startswith("Redis does not answer: bots go on trading")
    server.start()
    assert broker_warning() == ""


def test_where_the_database_carries_the_tasks_nobody_asks_for_redis() -> None:
    with override_settings(REDIS_URL=""):
        assert not is_away()


def test_who_asks_for_a_shift_while_redis_is_away_is_not_disturbed(monkeypatch: pytest.MonkeyPatch) -> None:
    with override_settings(REDIS_URL=f"redis://127.0.0.1:{free_port()}/0"):
        queue = PatientRedis("desk")
        monkeypatch.setattr(shift, "get_broker", lambda: queue)
        with pytest.raises(RedisError):
            queue.queue_size()
        shift.ask_for_shift()
    assert shift._broker_is_away.is_set()
    shift._broker_is_away.clear()
