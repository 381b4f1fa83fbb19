"""A worker's processes are killed: what is left ends or is replaced, and its bot goes on."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.disasters import descendants
from tests.e2e.desk import Desk, database_for, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

BOT = {
    "name": "Demo", "symbol": "BTC/USDT", "cycle_seconds": 1, "bid_spread_pct": "0.001",
    "ask_spread_pct": "0.001", "order_amount": "0.002",
}  # fmt: skip
PLAN = [{"name": "Demo", "venue": "demo", "mode": "paper", "key": "", "secret": "", "bots": [BOT]}]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with database_for(tmp_path, os.environ.get("DATABASE_URL", "")) as url:
        desk = Desk(tmp_path, url, {})
        try:
            desk.prepare()
            plan = json.dumps(json.dumps(PLAN))
            desk.manage("shell", "-v0", "-c", f"from tests.chaos.plant import plant; plant({plan})")
            desk.start_worker()
            yield desk
        finally:
            desk.stop_all()


def cycles_after(desk: Desk, moment: str) -> None:
    def has_cycled() -> bool:
        times = [bot["last_cycle_at"] for bot in desk.report()["bots"]]
        return any(time is not None and time > moment for time in times)

    wait_until(has_cycled, f"the bot has a cycle after {moment}", seconds=60, pause=0.5)


def now(desk: Desk) -> str:
    return desk.manage("shell", "-v0", "-c", "from django.utils.timezone import now; print(now())").strip()


def are_gone(processes: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}/stat").exists() and not is_zombie(pid) for pid in processes)


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_cluster_whose_sentinel_is_killed_is_replaced(desk: Desk) -> None:
    cycles_after(desk, "")
    worker = desk.process("worker").pid
    old = descendants(worker)

    os.kill(old[0], signal.SIGKILL)

    wait_until(lambda: are_gone(old), "no process of the old cluster is left", seconds=10)
    cycles_after(desk, now(desk))
    assert desk.stop("worker") == 0


def test_no_process_outlives_a_worker_that_is_killed(desk: Desk) -> None:
    cycles_after(desk, "")
    everything = descendants(desk.process("worker").pid)
    assert len(everything) >= 5

    desk.process("worker").kill()

    wait_until(lambda: are_gone(everything), "nothing of the worker is left", seconds=10)
    desk.reap("worker")
