"""Idle desks of growing size: CPU by cycle, whether it is flat, and memory."""

from __future__ import annotations

from typing import Any

from tests.bench import child
from tests.bench.findings import Finding
from tests.bench.plan import Plan

CYCLE_BUDGET_MS = 1.0
FLAT_PCT = 0.2  # 0.01 is one per cent
BOT_BUDGET_KB, CONNECTION_BUDGET_KB = 100, 1024
PROFILED_BOTS = 100  # at most
CYCLES_EACH = 4  # at least
CROWDED = 10  # bots on a connection


def cpu(plan: Plan) -> list[Finding]:
    """Of the worker process; the database server's own is not in it."""
    alone = _desk(plan, bots=0, cycles=plan.cycles // 4)
    by_size = {
        bots: _desk(plan, bots=bots, cycles=max(plan.cycles, CYCLES_EACH * bots))
        for bots in sorted(plan.bots)
    }
    rest = alone["cpu_seconds"] / alone["virtual_seconds"]
    costs = {bots: _cycle_ms(run, rest) for bots, run in by_size.items()}
    smallest, largest = min(costs), max(costs)
    ratio = costs[largest] / costs[smallest]
    is_met, is_flat = max(costs.values()) <= CYCLE_BUDGET_MS, abs(ratio - 1) <= FLAT_PCT
    database_pct = by_size[largest]["database_seconds"] / by_size[largest]["cpu_seconds"]
    sizes = "; ".join(f"{bots} bots {cost:.2f} ms" for bots, cost in costs.items())
    return [
        Finding(
            what="our CPU per idle spread cycle on top of ccxt's own calls",
            budget="≤ 1 ms",
            measured=f"{sizes}; at the last size the database thread takes {database_pct:.0%} of the CPU. "
            f"The venue in memory is in it; what a worker without bots needs ({1000 * rest:.1f} ms a second) "
            f"is not. {_placed(by_size)}",
            is_met=is_met,
            profile=() if is_met else _profile(plan),
        ),
        Finding(
            what=f"cost per cycle from {smallest:,} to {largest:,} bots",
            budget="flat (± 20 %)",
            measured=f"{ratio - 1:+.0%}",
            is_met=is_flat,
        ),
    ]


def memory(plan: Plan) -> list[Finding]:
    """Resident, of a worker that has loaded ccxt; the venue in memory opens no client of it."""
    many = max(max(plan.bots) // CROWDED, 2)
    few = max(many // 10, 1)
    small, wide, deep = (
        _desk(plan, bots=connections * each, per_connection=each, cycles=connections * each)["memory_mb"]
        for connections, each in ((few, 1), (many, 1), (many, CROWDED))
    )
    connection = 1024 * (wide - small) / (many - few)
    bot = 1024 * (deep - wide) / (many * (CROWDED - 1))
    return [
        Finding(
            what="memory per extra bot",
            budget="≤ 100 kB",
            measured=f"{bot:.0f} kB ({many} connections, {CROWDED} bots on each instead of one)",
            is_met=bot <= BOT_BUDGET_KB,
        ),
        Finding(
            what="memory per extra connection, without its ccxt client",
            budget="≤ 1 MB",
            measured=f"{connection:.0f} kB, its one bot included ({many} connections instead of {few})",
            is_met=connection <= CONNECTION_BUDGET_KB,
        ),
    ]


def _desk(plan: Plan, **arguments: Any) -> dict[str, Any]:
    with plan.database() as url:
        return child.run("tests.bench.idle", "measure", database_url=url, **arguments)


def _cycle_ms(run: dict[str, Any], rest: float) -> float:
    """rest: CPU seconds a second of a worker that has no bots."""
    cost: float = 1000 * (run["cpu_seconds"] - rest * run["virtual_seconds"]) / run["cycles"]
    return cost


def _placed(by_size: dict[int, dict[str, Any]]) -> str:
    placed = sum(run["orders_placed"] for run in by_size.values())
    return "No order was placed." if placed == 0 else f"{placed} orders were placed: they were not idle."


def _profile(plan: Plan) -> tuple[str, ...]:
    bots, lines = min(PROFILED_BOTS, max(plan.bots)), list[str]()
    for thread in ("loop", "database"):
        run = _desk(plan, bots=bots, cycles=plan.cycles, profile=thread)
        lines += [f"the {thread}'s thread, {bots} bots", *run["lines"], ""]
    return tuple(lines[:-1])
