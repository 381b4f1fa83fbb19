"""Starts a lab process and speaks to it: for tests with real processes.

process = LabProcess()
with process as lab:
    lab.open_account(name="trader", key="…", secret="…", balances={"USDT": "1000"})
    lab.gather_crowd(symbol="BTC/USDT", price="50000")
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.lab.resolver import LOOPBACK

ROOT = Path(__file__).resolve().parent.parent.parent
END_SECONDS = 10


class LabError(Exception):
    """The lab refused a command; its words."""


class Control:
    """Every command of commands.py is a method here: `control.hit_bid(symbol="BTC/USDT", amount="0.1")`.

    Decimals come back as exact strings.
    """

    def __init__(self, port: int, venue: str = "") -> None:
        self._port = port
        self._path = f"/{venue}" if venue else ""

    def at(self, venue: str) -> Control:
        """The commands of another house than Binance's."""
        return Control(self._port, venue)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda **arguments: self.call(name, **arguments)

    def call(self, command: str, **arguments: Any) -> Any:
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=30)
        try:
            connection.request(
                "POST", f"{self._path}/{command}", json.dumps(arguments), {"Content-Type": "application/json"}
            )
            response = connection.getresponse()
            content = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise LabError(content["error"])
        return content


class LabProcess:
    """A lab in a process of its own; `environment` is what tests/lab/manage.py needs to reach it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self.environment: dict[str, str] = {}

    def __enter__(self) -> Control:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.lab"], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            self._end()
            raise LabError("the lab did not start")
        ready = json.loads(line)
        control = Control(ready["control"])
        self.environment = {"LAB_PORT": str(ready["port"]), "LAB_CA": ready["ca"]}
        return control

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
