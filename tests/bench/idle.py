"""What a runtime costs whose bots have nothing to do: CPU and memory, and where the time goes. For a child.

A real runtime does real database work at a venue in memory that stands still, on a virtual clock: the
figures are CPU time, and depend little on what else the machine does. ccxt is loaded, as in a worker, and
never asked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from bots.engine.runtime import Runtime
from bots.models import Order
from exchanges.venues.registry import preload
from tests.bench.planting import BOTS_PER_CONNECTION, plant
from tests.bench.profiles import cpu_profile, top_lines
from tests.chaos.day_measures import memory_mb
from tests.chaos.memory_desk import (
    CountingPulse,
    Venue,
    on_virtual_clock,
    runtime_in_this_loop,
    trading_in_memory,
)
from tests.chaos.virtual_time import VirtualClock, VirtualLoop

WARM_UP_CYCLES = 4  # of each bot: its quotes rest, and its books agree
LOOK_SECONDS = 1.0
STANDSTILL_SECONDS = 100_000.0  # of virtual time; ten bots do 20,000 cycles in a tenth of it


def measure(
    *, bots: int, cycles: int, per_connection: int = BOTS_PER_CONNECTION, profile: str = ""
) -> dict[str, Any]:
    """profile: "loop" or "database", the thread to look into; its run is slower and only tells where.

    {"cycles", "virtual_seconds", "cpu_seconds", "database_seconds" (of those), "memory_mb", "orders_placed",
    "lines" (of the profile)}. Without bots, `cycles` are virtual seconds.
    """
    plant(bots=bots, per_connection=per_connection)
    preload()
    clock = VirtualClock(began=datetime.now(UTC))
    with (
        on_virtual_clock(clock),
        trading_in_memory(Venue(seed=1, is_still=True)),
        asyncio.Runner(loop_factory=lambda: VirtualLoop(clock)) as runner,
    ):
        return runner.run(_measure(clock, bots=bots, cycles=cycles, profile=profile))


async def _measure(clock: VirtualClock, *, bots: int, cycles: int, profile: str) -> dict[str, Any]:
    pulse = CountingPulse()

    def done() -> int:
        return pulse.cycles if bots else int(clock.seconds)

    async with runtime_in_this_loop(pulse) as runtime:
        await _until(clock, lambda: done() >= WARM_UP_CYCLES * bots)
        began, virtual_began = done(), clock.seconds
        orders = await runtime._database.run(Order.objects.count)
        memory = memory_mb()
        profiler = cpu_profile()
        if profile:
            await _in_thread(runtime, profile, profiler.enable)
        before = await _cpu(runtime)
        await _until(clock, lambda: done() >= began + cycles)
        after = await _cpu(runtime)
        if profile:
            await _in_thread(runtime, profile, profiler.disable)
        return {
            "cycles": done() - began,
            "virtual_seconds": clock.seconds - virtual_began,
            "cpu_seconds": after[0] - before[0],
            "database_seconds": after[1] - before[1],
            "memory_mb": memory,
            "orders_placed": await runtime._database.run(Order.objects.count) - orders,
            "lines": top_lines(profiler) if profile else [],
        }


async def _until(clock: VirtualClock, is_done: Callable[[], bool]) -> None:
    """Raises TimeoutError where the desk has come to a standstill."""
    give_up_at = clock.seconds + STANDSTILL_SECONDS
    while not is_done():
        if clock.seconds > give_up_at:
            raise TimeoutError("The bots have no cycles: see the log.")
        await asyncio.sleep(LOOK_SECONDS)


async def _cpu(runtime: Runtime) -> tuple[float, float]:
    """Seconds so far: of the whole process, and of its database thread."""
    return time.process_time(), await runtime._database.run(time.thread_time)


async def _in_thread(runtime: Runtime, name: str, act: Any) -> None:
    if name == "database":
        await runtime._database.run(act)
    else:
        act()
