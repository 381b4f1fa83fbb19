"""The machine that was measured on."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from django import get_version


def machine() -> dict[str, str]:
    """For the head of a table; load: of the minute before, so that one sees whether others were at work."""
    model = _value_of("/proc/cpuinfo", "model name") or platform.processor()
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "processor": f"{os.cpu_count()} cores, {model}",
        "memory": f"{int((_value_of('/proc/meminfo', 'MemTotal') or '0 kB').split()[0]) / 2**20:.1f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "software": f"Python {platform.python_version()}, Django {get_version()}",
        "load": f"{os.getloadavg()[0]:.1f} before the bench began",
        "niceness": str(os.nice(0)),
    }


def _value_of(file: str, name: str) -> str:
    """Of a `name : value` line; empty where there is none."""
    path = Path(file)
    for line in path.read_text().splitlines() if path.exists() else ():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""
