"""The watch over a cluster of worker processes: its processes here are plain ones that sleep."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections

from bots.engine import cluster as cluster_module
from bots.engine import signs
from bots.engine.cluster import WatchedCluster
from bots.engine.lease import acquire
from tests.bots.engine.conftest import make_bot, make_connection
from tests.bots.engine.test_processes import register

pytestmark = pytest.mark.django_db


class SleepingCluster:
    """As django-q2's: each start makes a sentinel and a stop event anew."""

    sentinel: Any
    stop_event: Any

    def start(self) -> None:
        context = multiprocessing.get_context("fork")
        self.stop_event = context.Event()
        self.sentinel = context.Process(target=time.sleep, args=(60,), daemon=True)
        self.sentinel.start()


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[WatchedCluster]:
    monkeypatch.setattr(cluster_module, "Cluster", SleepingCluster)
    monkeypatch.setattr(cluster_module, "STARTING_SECONDS", 0.0)
    monkeypatch.setattr(connections, "close_all", lambda: None)  # the test's own among them
    monkeypatch.setattr(os, "register_at_fork", lambda **_hooks: None)  # it is for ever
    watched = WatchedCluster()
    watched.start()
    yield watched
    watched._kill()


def sentinel(cluster: WatchedCluster) -> Any:
    return cluster._cluster.sentinel


def test_a_cluster_at_work_is_left_alone(cluster: WatchedCluster) -> None:
    first = sentinel(cluster)
    cluster.look()
    assert sentinel(cluster) is first
    assert first.is_alive()


def test_a_cluster_that_died_is_replaced(cluster: WatchedCluster) -> None:
    first = sentinel(cluster)
    first.kill()
    first.join()
    cluster.look()
    assert sentinel(cluster) is not first
    assert sentinel(cluster).is_alive()


def test_a_cluster_without_a_shift_for_too_long_is_replaced(
    cluster: WatchedCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sentinel(cluster)
    monkeypatch.setattr(signs, "seconds_without_shift", lambda: cluster_module.STANDSTILL_SECONDS + 1)
    cluster.look()
    assert not first.is_alive()
    assert sentinel(cluster).is_alive()


def test_the_leases_of_a_cluster_that_died_are_free_before_another_takes_its_place(
    cluster: WatchedCluster,
) -> None:
    first = sentinel(cluster)
    owner = register(first.pid)
    connection = make_connection()
    make_bot(connection)
    assert len(acquire(owner, most=1)) == 1
    first.kill()
    first.join()
    cluster.look()
    assert [lease.connection_id for lease in acquire(register(sentinel(cluster).pid), most=1)] == [
        connection.pk
    ]
