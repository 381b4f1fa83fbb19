"""How late cycles begin in real time, with two workers that share a desk, and what memory these hold."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bots.engine import duty
from bots.engine.account import Account
from bots.engine.clock import uptime
from bots.engine.duty import Duty
from bots.engine.sheet import Sheet
from exchanges.venues.registry import preload
from tests.bench import child
from tests.bench.findings import Finding, percentile
from tests.bench.plan import Plan
from tests.bench.planting import BOTS_PER_CONNECTION, CYCLE_SECONDS
from tests.chaos.day_measures import memory_mb
from tests.chaos.memory_desk import CountingPulse, Venue, replaced, runtime_in_this_loop, trading_in_memory

BOTS, WORKERS = 1000, 2
LATE_BUDGET_MS, MEMORY_BUDGET_MB = 500, 1024
WAITS = {
    "look": "a look at an account: balances and open orders, once a round",
    "cycle": f"a bot's cycle; the {BOTS_PER_CONNECTION} of a connection take turns",
}
WHOLE_PCT = 0.8  # of the cycles that were due; with fewer, a part of the desk stood still


def lateness(plan: Plan) -> list[Finding]:
    bots = min(BOTS, max(plan.bots))
    with plan.database() as url:
        child.run("tests.bench.planting", "plant", database_url=url, bots=bots)
        workers = [
            child.start(
                "tests.bench.lateness",
                "work",
                database_url=url,
                seconds=60 * plan.minutes,
                warm_up_seconds=plan.warm_up_seconds,
            )
            for _ in range(WORKERS)
        ]
        runs = [worker.result() for worker in workers]
    late = [ms for run in runs for ms in run["late_ms"]]
    wanted = bots * 60 * plan.minutes / CYCLE_SECONDS
    held = sum(run["memory_mb"] for run in runs)
    is_whole = len(late) >= WHOLE_PCT * wanted
    busy = sum(run["cpu_seconds"] for run in runs) / (60 * plan.minutes)
    is_met = is_whole and percentile(late, 95) <= LATE_BUDGET_MS
    shown = f"{len(late):,} of {wanted:,.0f} cycles in {plan.minutes:g} min"
    return [
        Finding(
            what=f"{bots:,} spread bots, {CYCLE_SECONDS} s cycles, p95 lateness",
            budget="≤ 500 ms",
            measured=f"{_percentiles(late)} ({shown}; {WORKERS} workers, {busy:.0%} of a core, without "
            "ccxt's work)",
            is_met=is_met,
            profile=() if is_met else _waits(runs),
        ),
        Finding(
            what=f"{bots:,} spread bots: memory of all workers",
            budget="≤ 1 GB",
            measured=f"{held:.0f} MB, the venue in memory and a loaded ccxt in it"
            + ("" if is_whole else f"; not judged: {shown}"),
            is_met=held <= MEMORY_BUDGET_MB if is_whole else None,
        ),
    ]


def _percentiles(late: list[float]) -> str:
    if not late:
        return "no cycle began"
    p50, p95, worst = (percentile(late, percent) for percent in (50, 95, 100))
    return f"{p95:.0f} ms, median {p50:.0f}, worst {worst:.0f}"


def _waits(runs: list[dict[str, Any]]) -> tuple[str, ...]:
    """A bot that is due waits for the look at its account, then for the cycles of those before it."""
    lines = []
    for name, words in WAITS.items():
        ms = [each for run in runs for each in run["waits"][name]]
        if ms:
            lines.append(f"{percentile(ms, 50):6.0f} ms, p95 {percentile(ms, 95):.0f}  {words}")
    return tuple(lines)


def work(*, seconds: float, warm_up_seconds: float) -> dict[str, Any]:
    """A worker's process, in a child: {"late_ms" (of each cycle), "cpu_seconds", "memory_mb"}."""
    preload()
    with trading_in_memory(Venue(seed=1)):
        return asyncio.run(_work(seconds, warm_up_seconds))


async def _work(seconds: float, warm_up_seconds: float) -> dict[str, Any]:
    async with runtime_in_this_loop(CountingPulse()):
        await asyncio.sleep(warm_up_seconds)
        began = time.process_time()
        with _lateness() as late, _waiting() as waits:
            await asyncio.sleep(seconds)
        return {
            "waits": waits,
            "late_ms": [round(1000 * each, 1) for each in late],
            "cpu_seconds": time.process_time() - began,
            "memory_mb": memory_mb(),
        }


@contextmanager
def _lateness() -> Iterator[list[float]]:
    """Seconds between when a bot was due and when its cycle began, of every cycle meanwhile."""
    seen: list[float] = []
    schedule = Sheet.schedule

    def noting(sheet: Sheet, now: float) -> None:
        if sheet.due_at:  # none is told to a bot that was woken
            seen.append(uptime() - sheet.due_at)
        schedule(sheet, now)

    setattr(Sheet, "schedule", noting)  # noqa: B010 - mypy lets no method be assigned
    try:
        yield seen
    finally:
        setattr(Sheet, "schedule", schedule)  # noqa: B010


@contextmanager
def _waiting() -> Iterator[dict[str, list[float]]]:
    """Milliseconds of each look at an account and of each cycle, waits for venue and database included."""
    ms: dict[str, list[float]] = {name: [] for name in WAITS}
    look, cycle = Duty._look_around, vars(duty)["cycle"]

    async def noting_look(of: Duty, account: Account) -> None:
        began = uptime()
        await look(of, account)
        ms["look"].append(round(1000 * (uptime() - began), 1))

    async def noting_cycle(*args: Any) -> None:
        began = uptime()
        await cycle(*args)
        ms["cycle"].append(round(1000 * (uptime() - began), 1))

    with replaced(Duty, "_look_around", noting_look), replaced(duty, "cycle", noting_cycle):
        yield ms
