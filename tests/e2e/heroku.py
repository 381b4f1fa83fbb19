"""As Heroku runs a Procfile: each line by a shell in a dyno, behind a router that ends TLS, and a SIGTERM to
every process of a dyno when it is over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from tests.e2e.desk import ROOT

HOST = "desk-0123456789ab.herokuapp.com"
GRACE_SECONDS = 30.0  # then SIGKILL


def procfile() -> dict[str, str]:
    """What each type of process runs."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    return {name.strip(): line.strip() for name, _, line in (each.partition(":") for each in lines)}


@dataclass
class Dyno:
    """One process type's only dyno. log: what it says."""

    name: str
    line: str
    environment: dict[str, str]
    log: Path
    _shell: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._shell = subprocess.Popen(
                ["sh", "-c", self.line],
                cwd=ROOT,
                env=self.environment | {"DYNO": f"{self.name}.1"},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def run(self) -> int:
        """To its end; the exit code."""
        self.start()
        assert self._shell is not None
        return self._shell.wait(120)

    def processes(self) -> list[int]:
        """All that live in it."""
        if self._shell is None:
            return []
        self._shell.poll()  # one that ended is no zombie of ours
        return [pid for pid in _pids() if _group_of_living(pid) == self._shell.pid]

    def signal(self, number: signal.Signals) -> None:
        """To every process, as a platform does it."""
        for pid in self.processes():
            os.kill(pid, number)


def shut_down(*dynos: Dyno) -> float:
    """SIGTERM to all at once; the seconds until nothing is left of them. Fails after the grace time."""
    began_at = time.monotonic()
    for dyno in dynos:
        dyno.signal(signal.SIGTERM)
    while left := [(dyno, pids) for dyno in dynos if (pids := dyno.processes())]:
        if time.monotonic() - began_at > GRACE_SECONDS:
            for dyno, _pids_left in left:
                dyno.signal(signal.SIGKILL)
            raise AssertionError(f"SIGKILL was sent to {left}")
        time.sleep(0.1)
    return time.monotonic() - began_at


class Router(HTTPAdapter):
    """TLS ends here: a dyno sees plain HTTP, and headers that say what it was."""

    def __init__(self, port: int, *, scheme: str = "https") -> None:
        super().__init__()
        self._public, self._dyno, self._scheme = f"{scheme}://{HOST}", f"http://127.0.0.1:{port}", scheme

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        asked = request.url or ""
        request.headers["Host"] = HOST
        request.headers["X-Forwarded-Proto"] = self._scheme
        request.headers["X-Forwarded-For"] = "203.0.113.5"
        request.headers["X-Request-ID"] = "router-4711-0123456789"
        request.url = asked.replace(self._public, self._dyno, 1)
        answer = super().send(request, *args, **options)
        answer.url = request.url = asked
        return answer


def config_vars(**given: str) -> dict[str, str]:
    """What a dyno has in its environment."""
    return {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONUNBUFFERED": "1", **given}


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _group_of_living(pid: int) -> int | None:
    try:
        state, _parent, group = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:3]
    except OSError:
        return None
    return None if state == "Z" else int(group)
