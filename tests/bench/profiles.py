"""The top lines of a profile, with paths that are the project's or a package's own."""

from __future__ import annotations

import cProfile
import pstats
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
LINES = 12


def cpu_profile() -> cProfile.Profile:
    """Of the thread that enables it; waiting costs nothing in it."""
    return cProfile.Profile(time.thread_time)


def top_lines(profile: cProfile.Profile) -> list[str]:
    """Share of the whole with and without what is called from there, calls, and where."""
    stats: Any = pstats.Stats(profile)
    whole = stats.total_tt or 1.0
    by_own_time = sorted(stats.stats.items(), key=lambda item: item[1][2], reverse=True)
    lines = ["  own    all    calls  function"]
    for (file, _line, name), (_primitive, calls, own, cumulated, _callers) in by_own_time[:LINES]:
        lines.append(f"{own / whole:5.1%} {cumulated / whole:6.1%} {calls:8}  {_shown(file)} {name}".rstrip())
    return lines


def _shown(file: str) -> str:
    path = Path(file)
    if path.is_relative_to(ROOT) and ".venv" not in path.parts:
        return str(path.relative_to(ROOT))
    return "/".join(path.parts[-2:]) if path.is_absolute() else file
