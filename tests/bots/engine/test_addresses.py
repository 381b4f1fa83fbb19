"""Two real processes at one address of the lab's Binance, which share its budget and its pauses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

from exchanges.pacing import SHARE_OF_LIMIT, Budget
from tests.e2e.desk import copy_tables_and_admin
from tests.lab.background import BackgroundLab, background_lab
from tests.lab.faults import too_many_requests

BUDGET = Budget.from_interval(50)  # ccxt's for Binance
ROOT = Path(__file__).parents[3]
SECONDS = 5.0
PATH = "/api/v3/depth"

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Of processes that share a database: PostgreSQL's of this run, else a file of SQLite."""
    known = connection.settings_dict
    url = f"sqlite:///{tmp_path / 'desk.sqlite3'}"
    if connection.vendor == "postgresql":
        url = (
            f"postgres://{known['USER']}:{known['PASSWORD']}@{known['HOST']}:{known['PORT']}/{known['NAME']}"
        )
    given = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    given["PYTHONFAULTHANDLER"] = "1"
    given["PYTHONPATH"] = f"{ROOT / 'platform'}:{ROOT}"
    if connection.vendor != "postgresql":
        copy_tables_and_admin(url)
    return given


@pytest.fixture
def lab() -> Iterator[BackgroundLab]:
    with background_lab(username="lab", password="open") as lab:
        yield lab


@contextmanager
def readers(
    number: int, lab: BackgroundLab, environment: dict[str, str], seconds: float = SECONDS
) -> Iterator[list[dict[str, int]]]:
    """What each of them counted is there in the end."""
    command = [sys.executable, "-m", "tests.bots.engine.reader_process"]
    command += [str(lab.lab.port), str(lab.lab.ca_file), str(seconds)]
    running = [
        subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(number)
    ]
    counts: list[dict[str, int]] = []
    try:
        yield counts
        counts += [json.loads(each.communicate(timeout=60)[0]) for each in running]
    finally:
        for each in running:
            each.send_signal(signal.SIGABRT)  # one that hangs says where
            each.communicate()


def asked(lab: BackgroundLab) -> int:
    return lab.call(lambda: len(lab.lab.requests.select(path=PATH)))


def wait_until_asked(lab: BackgroundLab, least: int) -> None:
    until = time.monotonic() + 30
    while asked(lab) < least:
        assert time.monotonic() < until, "nobody asks"
        time.sleep(0.05)


def test_two_processes_together_keep_the_budget_that_each_alone_would_use(
    lab: BackgroundLab, environment: dict[str, str]
) -> None:
    with readers(1, lab, environment) as alone:
        pass
    with readers(2, lab, environment) as both:
        pass

    assert alone[0]["read"] > BUDGET.burst
    assert all(count["read"] > 0 for count in both)
    assert sum(count["refused"] for count in (*alone, *both)) == 0
    moments = lab.call(lambda: [seen.time for seen in lab.lab.requests.select(path=PATH)])
    for number, start in enumerate(moments):
        for later, end in enumerate(moments[number:], start=1):
            # Requests take their time to arrive, some more than others: in any time they are within what the
            # venue allows, of which the budget is a share.
            assert SHARE_OF_LIMIT * later <= BUDGET.burst + BUDGET.rate * (end - start + 0.5)


def test_what_one_is_told_to_wait_the_other_waits_too_and_who_comes_later(
    lab: BackgroundLab, environment: dict[str, str]
) -> None:
    with readers(2, lab, environment, seconds=8) as both:
        wait_until_asked(lab, 80)
        lab.call(lambda: lab.lab.faults.add(too_many_requests(60, path=PATH)))
        time.sleep(2)
        told = asked(lab)
    assert all(count["refused"] > 10 for count in both)
    with readers(1, lab, environment, seconds=2) as later:
        pass

    assert asked(lab) == told
    assert later[0]["read"] == 0
