"""What must not grow while a desk runs: measured again and again, and judged at the end."""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.apps import apps

from bots.engine.foreign import REMEMBERED
from bots.engine.runtime import Runtime
from bots.models import Order, Position, Trade
from exchanges.models import BalanceSnapshot, UnexplainedChange

MONEY = {Order, Trade, Position, BalanceSnapshot, UnexplainedChange}
FEWEST_SAMPLES = 10
CAPS = {"foreign": REMEMBERED}
MONEY_IN_MEMORY = {"positions"}  # as many as there are rows
SOME_DESCRIPTORS = 1  # a database's journal comes and goes
SOME_ROWS = 20  # a table of a few rows may have some more, or fewer


@dataclass(frozen=True, kw_only=True)
class Sample:
    """After so many cycles. memory: of the process, MB. sizes: of what the runtime keeps, summed over its
    connections (foreign: on the one with most). tables: rows, by model."""

    cycles: int
    virtual_seconds: float
    seconds: float
    cpu_seconds: float
    memory: float
    descriptors: int
    asyncio_tasks: int
    sizes: dict[str, int]
    tables: dict[str, int]


def memory_mb() -> float:
    """Resident, after a collection."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a count of names


def rows() -> dict[str, int]:
    """Of each table of ours and of django-q2's."""
    models = [m for m in apps.get_models() if m._meta.managed and not m._meta.proxy]
    return {model._meta.label: model._default_manager.count() for model in models}


def sizes_of(runtime: Runtime) -> dict[str, int]:
    duties = [held.duty for held in runtime._held.values()]
    accounts = [duty._account for duty in duties if duty._account]
    return {
        "orders": sum(len(account.orders) for account in accounts),
        "foreign": max((len(account.foreign) for account in accounts), default=0),
        "cursors": sum(len(account.trade_cursors) for account in accounts),
        "positions": sum(len(account.positions) for account in accounts),
        "sheets": sum(len(duty.sheets) for duty in duties),
        "feeds": len(runtime._feeds._feeds),
        "cells": sum(len(feed._cells) for feed in runtime._feeds._feeds.values()),
    }


def growth(samples: Sequence[Sample], *, memory_pct: float) -> list[str]:
    """Sentences on what grew; none where all is flat. memory_pct: 0.05 is five per cent.

    Compared are the first sample after the first tenth of the cycles, and all that follow.
    """
    if len(samples) < FEWEST_SAMPLES:
        return [f"{len(samples)} samples are too few to tell."]
    tenth = samples[-1].cycles / 10
    first, *later = [sample for sample in samples if sample.cycles >= tenth]
    early = [sample for sample in samples if sample.cycles <= 2 * tenth]
    found = []
    highest = max(sample.memory for sample in later)
    if highest > first.memory * (1 + memory_pct):
        found.append(f"Memory grew from {first.memory:.1f} to {highest:.1f} MB.")
    for what in ("descriptors", "asyncio_tasks"):
        now, before = getattr(samples[-1], what), max(getattr(sample, what) for sample in early)
        if now > before + SOME_DESCRIPTORS:
            found.append(f"There are {now} {what}, there were {before}.")
    for sizes in ([sample.sizes for sample in samples], [sample.tables for sample in samples]):
        found += _grown(sizes[-1], sizes[: len(early)])
    return found


def _grown(now: dict[str, int], early: Sequence[dict[str, int]]) -> list[str]:
    """At the end at most half as many again as at any time early on."""
    bounds = {name: 1.5 * max(sizes[name] for sizes in early) + SOME_ROWS for name in now} | CAPS
    return [
        f"{name} grew to {size}, at most {bounds[name]:.0f} were expected."
        for name, size in now.items()
        if size > bounds[name] and name not in MONEY_IN_MEMORY | _money_tables()
    ]


def _money_tables() -> set[str]:
    return {model._meta.label for model in MONEY}


def table(samples: Sequence[Sample]) -> str:
    """For a person: one line a sample."""
    head = f"{'cycles':>8} {'virtual h':>9} {'real s':>7} {'RSS MB':>7} {'fds':>4} {'tasks':>5}"
    lines = [head + "  in memory: orders foreign cells | rows: orders trades events"]
    for s in samples:
        rows_of = {name.rpartition(".")[2]: count for name, count in s.tables.items()}
        lines.append(
            f"{s.cycles:>8} {s.virtual_seconds / 3600:>9.2f} {s.seconds:>7.1f} {s.memory:>7.1f} "
            f"{s.descriptors:>4} {s.asyncio_tasks:>5}  {s.sizes['orders']:>17} {s.sizes['foreign']:>7} "
            f"{s.sizes['cells']:>5} | {rows_of['Order']:>12} {rows_of['Trade']:>6} {rows_of['BotEvent']:>6}"
        )
    return "\n".join(lines)


def as_json(samples: Sequence[Sample]) -> list[dict[str, Any]]:
    return [asdict(sample) for sample in samples]
