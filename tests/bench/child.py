"""Runs one measurement in a process of its own, so that no other's memory or caches are in it.

`start(...)` starts `python -m tests.bench.child MODULE FUNCTION ARGUMENTS`.
The arguments, and what the function returns, are JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent


class Child:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def result(self) -> dict[str, Any]:
        """What the function returned. Raises CalledProcessError where it failed; its words are on stderr."""
        output, _ = self._process.communicate()
        if self._process.returncode:
            raise subprocess.CalledProcessError(self._process.returncode, self._process.args)
        answer: dict[str, Any] = json.loads(output.splitlines()[-1])
        return answer


def start(
    module: str, function: str, *, database_url: str, lab: dict[str, str] | None = None, **arguments: Any
) -> Child:
    """lab: the environment by which it is reached, where the measurement needs it."""
    environment = os.environ | {"DATABASE_URL": database_url, "LOG_LEVEL": "ERROR"}
    command = [sys.executable, "-m", "tests.bench.child", module, function, json.dumps(arguments)]
    return Child(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True))


def run(module: str, function: str, *, database_url: str, **arguments: Any) -> dict[str, Any]:
    return start(module, function, database_url=database_url, **arguments).result()


def main() -> None:
    module, function, arguments = sys.argv[1:]
    sys.path.insert(0, str(ROOT / "platform"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    result = getattr(import_module(module), function)(**json.loads(arguments))
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
