"""Which runtimes are alive, told by their processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from bots.engine import processes
from bots.engine.lease import acquire
from bots.models import Runtime
from exchanges.models import ExchangeConnection
from tests.bots.engine.conftest import make_bot, make_connection

pytestmark = pytest.mark.django_db
NEEDS_PROC = pytest.mark.skipif(sys.platform != "linux", reason="tells processes apart by /proc")


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def register(pid: int, **fields: object) -> UUID:
    """A runtime of this host in that process."""
    runtime_id = uuid4()
    processes.register(runtime_id)
    started = processes._process_started(pid)
    Runtime.objects.filter(pk=runtime_id).update(**({"pid": pid, "process_started": started} | fields))
    return runtime_id


def lease_to(owner: UUID) -> ExchangeConnection:
    connection = make_connection()
    make_bot(connection)
    assert len(acquire(owner, most=1)) == 1
    return connection


def test_a_living_neighbour_keeps_its_leases(child: subprocess.Popen[bytes]) -> None:
    lease_to(register(child.pid))
    assert processes.bury_dead_neighbours() == 0
    assert acquire(uuid4(), most=1) == []


def test_the_leases_of_a_killed_neighbour_are_free_at_once(child: subprocess.Popen[bytes]) -> None:
    runtime_id = register(child.pid)
    connection = lease_to(runtime_id)
    child.kill()
    child.wait()
    assert processes.bury_dead_neighbours() == 1
    assert not Runtime.objects.filter(pk=runtime_id).exists()
    (lease,) = acquire(uuid4(), most=1)
    assert lease.connection_id == connection.pk


@NEEDS_PROC
def test_a_killed_neighbour_that_nobody_waited_for_is_dead(child: subprocess.Popen[bytes]) -> None:
    register(child.pid)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert processes.bury_dead_neighbours() == 1


@NEEDS_PROC
def test_another_process_of_the_same_number_is_not_taken_for_the_neighbour(
    child: subprocess.Popen[bytes],
) -> None:
    lease_to(register(child.pid, process_started="1"))
    assert processes.bury_dead_neighbours() == 1
    assert len(acquire(uuid4(), most=1)) == 1


def test_a_neighbour_on_another_host_is_left_to_its_expiry() -> None:
    lease_to(register(2**22 + 1, host="elsewhere", process_started="1"))
    assert processes.bury_dead_neighbours() == 0
    assert acquire(uuid4(), most=1) == []


@NEEDS_PROC
def test_a_neighbour_before_the_last_boot_is_not_judged_by_its_number(child: subprocess.Popen[bytes]) -> None:
    register(child.pid, boot_id="an earlier boot", process_started="1")
    assert processes.bury_dead_neighbours() == 0


def test_rows_that_are_long_silent_are_forgotten() -> None:
    silent = register(os.getpid(), host="elsewhere", heartbeat_at=timezone.now() - timedelta(hours=1))
    processes.bury_dead_neighbours()
    assert not Runtime.objects.filter(pk=silent).exists()


def test_those_that_beat_lately_are_counted() -> None:
    register(os.getpid())
    register(os.getpid(), heartbeat_at=timezone.now() - timedelta(seconds=processes.ALIVE_SECONDS + 1))
    assert processes.count_alive() == 1


def test_a_beat_makes_a_silent_one_alive_again() -> None:
    runtime_id = register(os.getpid(), heartbeat_at=timezone.now() - timedelta(minutes=1))
    assert processes.beat(runtime_id)
    assert processes.count_alive() == 1


def test_one_that_was_buried_hears_of_it_at_its_next_beat() -> None:
    assert not processes.beat(uuid4())


def test_one_that_leaves_is_gone() -> None:
    runtime_id = register(os.getpid())
    processes.leave(runtime_id)
    assert processes.count_alive() == 0
