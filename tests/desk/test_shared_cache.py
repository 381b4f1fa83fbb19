"""Tries are counted for all web processes together where there is a Redis; else each counts for itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from uuid import uuid4

import pytest
import redis

from config.shared_cache import SharedCache

REDIS_URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/5")
NOWHERE = "redis://127.0.0.1:1/0"


def a_process(url: str, prefix: str) -> SharedCache:
    options = {"socket_connect_timeout": 1, "socket_timeout": 1}
    return SharedCache(url, {"KEY_PREFIX": prefix, "OPTIONS": options})


@pytest.fixture
def prefix() -> Iterator[str]:
    name = uuid4().hex
    yield name
    a_process(NOWHERE, name).clear()


def test_two_processes_count_together(prefix: str) -> None:
    try:
        redis.Redis.from_url(REDIS_URL, socket_connect_timeout=1).ping()
    except redis.ConnectionError:
        pytest.skip("no Redis answers here: TEST_REDIS_URL names one")
    one, other = a_process(REDIS_URL, prefix), a_process(REDIS_URL, prefix)
    assert one.add("tries", 1, timeout=30)
    assert not other.add("tries", 1, timeout=30)
    assert other.incr("tries") == 2
    assert one.get("tries") == 2
    other.delete("tries")
    assert one.get("tries") is None


def test_while_redis_is_away_a_process_counts_for_itself(
    prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    cache = a_process(NOWHERE, prefix)
    assert cache.add("tries", 1)
    assert not cache.add("tries", 1)
    assert cache.incr("tries") == 2
    cache.set_many({"a": 1, "b": 2})
    assert cache.get_many(["a", "b"]) == {"a": 1, "b": 2}
    cache.delete_many(["a", "b"])
    assert (cache.has_key("a"), cache.get("b"), cache.touch("tries"), cache.delete("tries")) == (
        False, None, True, True,
    )  # fmt: skip
    assert len([record for record in caplog.records if "Redis does not answer" in record.message]) == 1


def test_it_is_asked_again_some_seconds_later(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now, cache = [100.0], a_process(NOWHERE, prefix)
    monkeypatch.setattr("config.shared_cache.time.monotonic", lambda: now[0])
    asked: list[str] = []

    def answer(redis_cache: SharedCache, key: str) -> int:
        asked.append(key)
        return 7

    monkeypatch.setattr("django.core.cache.backends.redis.RedisCache.get", answer)
    cache.set("tries", 1)
    assert (cache.get("tries"), asked) == (1, [])
    now[0] += 6
    assert (cache.get("tries"), len(asked)) == (7, 1)
