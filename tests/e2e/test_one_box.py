"""One machine under supervisor: web and worker start, are started again, and end in order."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.disasters import descendants
from tests.e2e.desk import ROOT, Desk, database_for, wait_until
from tests.e2e.test_a_worker_comes_back import PLAN, are_gone, cycles_after, now

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

SUPERVISORD = Path(sys.executable).parent / "supervisord"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with database_for(tmp_path, os.environ.get("DATABASE_URL", "")) as url:
        desk = Desk(tmp_path, url, {}, LOG_LEVEL="INFO")
        desk.prepare()
        plan = json.dumps(json.dumps(PLAN))
        desk.manage("shell", "-v0", "-c", f"from tests.chaos.plant import plant; plant({plan})")
        yield desk


@pytest.fixture
def supervisor(desk: Desk, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """With the file that the page names; its socket and its pid stand in a folder of the test's own."""
    if not SUPERVISORD.exists():
        pytest.skip("supervisord is not installed in this environment.")
    file = tmp_path / "deploy" / "supervisord.conf"
    file.parent.mkdir()
    conf = (ROOT / "deploy" / "supervisord.conf").read_text()
    for here in ("directory = %(here)s/..", "%(here)s/../.venv"):
        conf = conf.replace(here, here.replace("%(here)s/..", str(ROOT)))
    file.write_text(conf.replace(f"{ROOT}/.venv/bin", str(SUPERVISORD.parent)))
    with (tmp_path / "supervisor.log").open("ab") as log:
        process = subprocess.Popen(
            [SUPERVISORD, "-c", file],
            cwd=ROOT,
            env=desk.environment | {"PORT": str(desk.port)},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        yield process
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_one_box_trades_survives_a_death_and_ends_in_order(
    desk: Desk, supervisor: subprocess.Popen[bytes]
) -> None:
    wait_until(desk.answers, "the web process answers", seconds=60)
    cycles_after(desk, "")

    worker = next(pid for pid in descendants(supervisor.pid) if b"worker" in command_of(pid))
    os.kill(worker, signal.SIGKILL)
    cycles_after(desk, now(desk))

    everything = descendants(supervisor.pid)
    began_at = time.monotonic()
    supervisor.send_signal(signal.SIGTERM)
    assert supervisor.wait(60) == 0
    assert time.monotonic() - began_at < 45
    assert are_gone(everything)
    assert {row["lease_owner"] for row in desk.report()["connections"]} == {None}
    assert "The worker has stopped." in desk.logs()


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
