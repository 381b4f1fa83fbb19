"""Child processes that live and end together with this one."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

STOP_SECONDS = 30
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass
class Child:
    name: str
    process: subprocess.Popen[bytes]

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def last_words(self) -> str:
        code = self.process.returncode
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return f"The {self.name} process {how}."


class Children:
    """Starts them in groups of their own, so that a Ctrl-C of the terminal reaches only their parent."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._children: list[Child] = []

    def start(self, name: str, command: Sequence[str]) -> None:
        process = subprocess.Popen(  # noqa: S603 - our own commands
            command,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            process_group=0,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - one thread, and the hook takes no lock
        )
        self._children.append(Child(name, process))

    def first_ended(self) -> Child | None:
        return next((child for child in self._children if child.has_ended), None)

    def stop(self) -> None:
        """Asks all to end; what is left of them after STOP_SECONDS is killed with its own children."""
        for child in self._children:
            if not child.has_ended:
                child.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in self._children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, deadline - time.monotonic()))
            # The group may outlive its leader.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.process.pid, signal.SIGKILL)
            child.process.wait()


def _end_with_parent() -> None:
    """Where the parent is killed, they are asked to end (Linux)."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
