"""The disk under database and logs is full: one sentence, nothing broken, and the desk goes on by itself."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.browser import Browser
from tests.e2e.desk import ADMIN_PASSWORD, Desk, wait_until
from tests.e2e.operator import log_in
from tests.e2e.test_a_worker_comes_back import PLAN, cycles_after, now

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SIZE = "12m"
FULL_SECONDS = 25  # longer than a lease, and than a cluster may go without a shift


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("Only root can mount a disk of its own.")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def desk(disk: Path) -> Iterator[Desk]:
    """Database and logs on that disk."""
    desk = Desk(disk, f"sqlite:///{disk}/desk.sqlite3", {}, LOG_LEVEL="INFO", REDIS_URL="")
    try:
        desk.prepare()
        plan = json.dumps(json.dumps(PLAN))
        desk.manage("shell", "-v0", "-c", f"from tests.chaos.plant import plant; plant({plan})")
        desk.start_web()
        desk.start_worker()
        yield desk
    finally:
        desk.stop_all()


def fill(disk: Path) -> Path:
    """To the last byte; the file to remove."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return filler


def test_a_full_disk_is_said_breaks_nothing_and_is_over_when_there_is_space(desk: Desk, disk: Path) -> None:
    browser = Browser(desk.url)
    log_in(browser)
    cycles_after(desk, "")

    filler = fill(disk)
    stranger = Browser(desk.url)
    until = time.monotonic() + FULL_SECONDS
    refused = wait_until(lambda: _refusal(stranger), "a page says that the disk is full", seconds=20)
    assert refused.startswith("The disk of the database is full: nothing can be saved")
    time.sleep(max(until - time.monotonic(), 0))
    assert shutil.disk_usage(disk).free == 0

    filler.unlink()
    cycles_after(desk, now(desk))
    assert browser.open("/admin/").status == 200
    assert desk.stop("worker") == 0
    assert {row["lease_owner"] for row in desk.report()["connections"]} == {None}
    with closing(sqlite3.connect(disk / "desk.sqlite3")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    browser.close()
    stranger.close()


def _refusal(browser: Browser) -> str:
    page = browser.open("/admin/login/?next=/admin/")
    form = page.form_with("password")
    answer = browser.send(page, form, username="admin", password=ADMIN_PASSWORD)
    return answer.text if answer.status == 503 else ""
