"""How long bots have no quotes when their worker is killed with -9: real processes at the lab."""

from __future__ import annotations

import json
import math
import os
import random
import signal
import time

from tests.bench.findings import Finding
from tests.bench.plan import Plan
from tests.chaos.disasters import Clusters
from tests.chaos.grounds import Ground, grounds_of
from tests.e2e.desk import Desk, wait_until
from tests.lab.control import LabProcess

LEASE_SECONDS = 15.0
SAME_BUDGET, GONE_BUDGET = 10.0, LEASE_SECONDS + 3.0
SETTLED_SECONDS = 15.0  # leases are shared out anew
VENUE = "binance"
LIST_WORKERS = """
import json
from bots.models import Runtime
print(json.dumps(list(Runtime.objects.values_list("pid", flat=True))))
"""


def kills(plan: Plan) -> list[Finding]:
    process = LabProcess()
    with process as lab, plan.database() as url:
        ground = grounds_of(lab, (VENUE,), scalpers=False)[0]
        desk = Desk(plan.folder, url, process.environment, SHIFT_SECONDS="60", LOG_LEVEL="ERROR")
        clusters = Clusters(desk)
        try:
            _open(ground, desk, clusters)
            workers = [_kill_a_worker(ground, clusters) for _ in range(plan.kills)]
            machines = [_kill_a_machine(ground, clusters) for _ in range(plan.kills)]
        finally:
            desk.stop_all()
    return [
        _finding("worker killed with -9 → its bots quote again, same machine", SAME_BUDGET, workers),
        _finding("the same, its machine is gone and another takes over", GONE_BUDGET, machines),
    ]


def _finding(what: str, budget: float, seconds: list[float]) -> Finding:
    return Finding(
        what=what,
        budget=f"≤ {budget:.0f} s",
        measured=f"worst {max(seconds):.1f} s of {', '.join(f'{each:.1f}' for each in sorted(seconds))} "
        f"({VENUE} at the lab, 4 connections with 2 bots each, the slowest counts)",
        is_met=max(seconds) <= budget,
    )


def _open(ground: Ground, desk: Desk, clusters: Clusters) -> None:
    ground.open(seed=1)
    desk.prepare()
    rows = json.dumps(json.dumps(list(ground.connections)))
    desk.manage("shell", "-v0", "-c", f"from tests.chaos.plant import plant; plant({rows})")
    clusters.start()
    wait_until(ground.quotes, "every connection quotes", seconds=120)


def _kill_a_worker(ground: Ground, clusters: Clusters) -> float:
    """One of two of a cluster; the other, or its successor, goes on with its connections."""
    time.sleep(SETTLED_SECONDS)
    listed = clusters.desk.manage("shell", "-v0", "-c", LIST_WORKERS)
    at = time.time()
    os.kill(random.choice(json.loads(listed.splitlines()[-1])), signal.SIGKILL)
    return _seconds_until_back(ground, at)


def _kill_a_machine(ground: Ground, clusters: Clusters) -> float:
    """One of two clusters: whatever it held, nobody buries it."""
    clusters.start()
    time.sleep(2 * SETTLED_SECONDS)
    old = clusters.names[0]
    at = time.time()
    os.killpg(clusters.group(old), signal.SIGKILL)
    seconds = _seconds_until_back(ground, at)
    clusters.desk.reap(old)
    clusters.names.remove(old)
    return seconds


def _seconds_until_back(ground: Ground, at: float) -> float:
    """Of the slowest connection."""

    def all_back() -> list[float]:
        seconds = [life.seconds_until_back(at) for life in ground.lives().values()]
        known = [each for each in seconds if each is not None]
        return known if known and max(known) < math.inf else []

    return max(wait_until(all_back, "every connection is back", seconds=120))
