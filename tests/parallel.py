"""Tests run in several processes at once."""

from __future__ import annotations

import os


def own_redis(url: str) -> str:
    """Each process has a Redis database of its own, from the named one on; empty where none is named."""
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    server, _, number = url.rpartition("/")
    return f"{server}/{int(number) + process}" if url else ""
