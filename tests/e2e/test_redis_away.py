"""Redis goes away and comes back: bots trade on, pages say what is missing, and a stop is a stop."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.chaos.servers import NoServerError, Redis
from tests.e2e.browser import Browser
from tests.e2e.desk import Desk, database_for, wait_until
from tests.e2e.operator import log_in
from tests.e2e.test_a_worker_comes_back import PLAN, cycles_after, now

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

# The shift under way, its last licence, and the time after which a cluster without shifts is replaced.
BEYOND_ANY_SHIFT_SECONDS = 5 + 5 + 6 + 4


@pytest.fixture
def redis() -> Iterator[Redis]:
    server = Redis()
    try:
        server.start()
        yield server
    except NoServerError as error:
        pytest.skip(str(error))
    finally:
        server.remove()


@pytest.fixture
def desk(tmp_path: Path, redis: Redis) -> Iterator[Desk]:
    with database_for(tmp_path, os.environ.get("DATABASE_URL", "")) as url:
        desk = Desk(tmp_path, url, {}, REDIS_URL=redis.url, LOG_LEVEL="INFO")
        try:
            desk.prepare()
            plan = json.dumps(json.dumps(PLAN))
            desk.manage("shell", "-v0", "-c", f"from tests.chaos.plant import plant; plant({plan})")
            yield desk
        finally:
            desk.stop_all()


def test_bots_trade_on_while_redis_is_away_and_pages_say_so(desk: Desk, redis: Redis) -> None:
    desk.start_worker()
    desk.start_web()
    browser = Browser(desk.url)
    log_in(browser)
    cycles_after(desk, "")
    assert "Redis does not answer" not in browser.open("/admin/").text

    redis.stop(signal.SIGKILL)
    time.sleep(BEYOND_ANY_SHIFT_SECONDS)

    cycles_after(desk, now(desk))
    assert {row["lease_owner"] for row in desk.report()["connections"]} != {None}
    page = browser.open("/admin/").text
    assert "Redis does not answer: bots go on trading" in page
    assert "No worker is running" not in page
    assert missing(desk) == ["redis"]
    assert "another takes its place" not in desk.logs()
    assert "Traceback" not in desk.logs()

    redis.start()
    cycles_after(desk, now(desk))
    wait_until(lambda: "Redis does not answer" not in browser.open("/admin/").text, "all is well again")
    assert missing(desk) == []
    browser.close()
    assert desk.stop("worker") == 0
    assert {row["lease_owner"] for row in desk.report()["connections"]} == {None}


def missing(desk: Desk) -> list[str]:
    """What the desk lacks, as monitors are told."""
    named: list[str] = requests.get(f"{desk.url}/healthz", timeout=10).json()["missing"]
    return named


def test_a_worker_starts_and_stops_without_redis(desk: Desk, redis: Redis) -> None:
    redis.stop(signal.SIGKILL)
    desk.start_worker()
    cycles_after(desk, "")
    stopped_from = time.monotonic()
    assert desk.stop("worker") == 0
    assert time.monotonic() - stopped_from < 30
    assert {row["lease_owner"] for row in desk.report()["connections"]} == {None}
    assert "ended by force" not in desk.logs()
