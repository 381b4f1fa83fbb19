"""What befalls a desk: its processes are killed, frozen and replaced, its servers go away and come back."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import redis
from psycopg import sql

from tests.chaos.servers import Servers
from tests.e2e.desk import Desk

FROZEN_SECONDS = 20.0  # longer than a lease
OUTAGE_SECONDS = 3.0
GRACE_SECONDS = 30.0  # what a platform leaves between SIGTERM and SIGKILL


@dataclass(frozen=True, kw_only=True)
class Struck:
    """at, ended_at: seconds since the epoch; is_kill: a process died, and its bots have to come back;
    in_calm: while the venue had no troubles of its own."""

    name: str
    at: float
    ended_at: float
    is_kill: bool
    in_calm: bool


@dataclass
class Clusters:
    """The worker clusters of a desk, by name; each is a process group, and seems to be on its own machine."""

    desk: Desk
    names: list[str] = field(default_factory=list)
    _started: int = 0

    def start(self) -> str:
        self._started += 1
        name = f"cluster-{self._started}"
        self.desk.start_worker(name, LAB_HOST=name)
        self.names.append(name)
        return name

    def pick(self, chance: random.Random) -> str:
        return chance.choice(self.names)

    def group(self, name: str) -> int:
        return self.desk.process(name).pid

    def replace(self, name: str) -> None:
        """Forgets one that ended, and starts another in its place."""
        self.desk.reap(name)
        self.names.remove(name)
        self.start()


@dataclass
class Disasters:
    clusters: Clusters
    chance: random.Random
    database_url: str
    redis_url: str
    servers: Servers | None = None
    struck: list[Struck] = field(default_factory=list)

    def strike(self, *, in_calm: bool) -> None:
        """One of those that are possible here."""
        possible: list[tuple[Callable[[], None], bool]] = [
            *[(self.kill_a_worker, True)] * 3,
            *[(self.kill_a_machine, True)] * 2,
            (self.end_a_cluster_as_a_platform_does, False),
            (self.freeze_a_worker, False),
            (self.deploy, False),
        ]
        if self.database_url.startswith("postgres"):
            possible.append((self.restart_the_database, False))
        if self.redis_url:
            possible.append((self.restart_the_broker, False))
        disaster, is_kill = self.chance.choice(possible)
        at = time.time()
        disaster()
        name, ended_at = disaster.__name__, time.time()
        self.struck.append(Struck(name=name, at=at, ended_at=ended_at, is_kill=is_kill, in_calm=in_calm))

    def kill_a_worker(self) -> None:
        """SIGKILL to one process of a cluster, whichever it is but the first."""
        children = descendants(self.clusters.group(self.clusters.pick(self.chance)))
        if children:
            _signal(self.chance.choice(children), signal.SIGKILL)

    def kill_a_machine(self) -> None:
        """SIGKILL to a whole cluster; nobody on its machine can tell the others."""
        name = self.clusters.pick(self.chance)
        os.killpg(self.clusters.group(name), signal.SIGKILL)
        self.clusters.replace(name)

    def end_a_cluster_as_a_platform_does(self) -> None:
        """SIGTERM to every process of the group at once, SIGKILL to what is left after the grace time."""
        name = self.clusters.pick(self.chance)
        group = self.clusters.group(name)
        os.killpg(group, signal.SIGTERM)
        _wait_for_end(self.clusters.desk, name, GRACE_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
        self.clusters.replace(name)

    def freeze_a_worker(self) -> None:
        """SIGSTOP past its lease, and on."""
        children = descendants(self.clusters.group(self.clusters.pick(self.chance)))
        if not children:
            return
        frozen = self.chance.choice(children)
        _signal(frozen, signal.SIGSTOP)
        time.sleep(FROZEN_SECONDS)
        _signal(frozen, signal.SIGCONT)

    def deploy(self) -> None:
        """The new cluster starts before the old one is told to end."""
        old = self.clusters.pick(self.chance)
        self.clusters.start()
        time.sleep(self.chance.uniform(1, 5))
        os.killpg(self.clusters.group(old), signal.SIGTERM)
        _wait_for_end(self.clusters.desk, old, GRACE_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(self.clusters.group(old), signal.SIGKILL)
        self.clusters.desk.reap(old)
        self.clusters.names.remove(old)

    def restart_the_database(self) -> None:
        """One of its own is stopped or crashes; of another, as its clients see it: all connections break,
        and for a while none is let in."""
        if self.servers is not None:
            stop_by = self.chance.choice([signal.SIGINT, signal.SIGQUIT])
            self.servers.postgres.restart(OUTAGE_SECONDS, stop_by=stop_by)
            return
        host, _, name = self.database_url.rpartition("/")
        gate = sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}")
        with psycopg.connect(f"{host}/postgres", autocommit=True) as server:
            server.execute(gate.format(sql.Identifier(name), sql.SQL("false")))
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )
            time.sleep(OUTAGE_SECONDS)
            server.execute(gate.format(sql.Identifier(name), sql.SQL("true")))

    def restart_the_broker(self) -> None:
        """Redis keeps nothing on disk: the queue is lost with it."""
        if self.servers is not None:
            self.servers.redis.restart(OUTAGE_SECONDS, stop_by=signal.SIGKILL)
            return
        with redis.Redis.from_url(self.redis_url) as broker:
            broker.flushdb()
            broker.client_pause(int(OUTAGE_SECONDS * 1000))
            broker.client_kill_filter(_type="normal", skipme=True)


def descendants(pid: int) -> list[int]:
    """Its children and theirs, by /proc."""
    found: list[int] = []
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _wait_for_end(desk: Desk, name: str, seconds: float) -> None:
    until = time.monotonic() + seconds
    while desk.process(name).poll() is None and time.monotonic() < until:
        time.sleep(0.1)
