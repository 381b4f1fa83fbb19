"""A desk's long day: a real runtime with real database work at a venue in memory, on a virtual clock."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bots.engine import retention
from bots.engine import runtime as runtime_module
from bots.engine.runtime import Runtime
from bots.models import BotState, Order, PricePoint, SpreadBot, Trade
from tests.bots.engine.conftest import make_bot, make_connection
from tests.chaos.day_measures import Sample, descriptors, growth, memory_mb, rows, sizes_of
from tests.chaos.memory_desk import (
    CountingPulse,
    Venue,
    on_virtual_clock,
    replaced,
    runtime_in_this_loop,
    trading_in_memory,
)
from tests.chaos.memory_venue import SYMBOLS
from tests.chaos.virtual_time import VirtualClock, VirtualLoop

LOOK_SECONDS = 1.0
OPERATE_SECONDS = 60.0
KEPT_SHARES = 20  # events are kept for this fraction of the day, so that most of them go within it


@dataclass(frozen=True, kw_only=True)
class Plan:
    """cycles, within so many seconds of real time: whichever ends first.

    memory_pct: by how much memory may grow after the first tenth, 0.05 is five per cent.
    """

    cycles: int
    connections: int = 20
    bots: int = 5
    cycle_seconds: int = 5
    samples: int = 40
    seed: int = 1
    memory_pct: float = 0.05
    seconds: float = float("inf")

    @property
    def virtual_seconds(self) -> float:
        """About; bots are stopped now and then."""
        return self.cycles * self.cycle_seconds / (self.connections * self.bots)


@dataclass
class Day:
    """samples; wrong: sentences, none where all was well."""

    samples: list[Sample]
    wrong: list[str]


def live_a_day(plan: Plan, *, tell: Callable[[Sample], None] = lambda _sample: None) -> Day:
    """Runs in the calling thread until the cycles are done. The database is there and empty."""
    plant(plan)
    clock, venue = VirtualClock(began=datetime.now(UTC)), Venue(plan.seed)
    with _in_memory(clock, venue, plan), asyncio.Runner(loop_factory=lambda: VirtualLoop(clock)) as runner:
        samples = runner.run(_live(plan, clock, tell))
    wrong = growth(samples, memory_pct=plan.memory_pct)
    return Day(samples, wrong + _differences(venue))


def plant(plan: Plan) -> None:
    for number in range(plan.connections):
        connection = make_connection(f"C{number}")
        for place in range(plan.bots):
            make_bot(
                connection,
                f"B{number}.{place}",
                symbol=SYMBOLS[place],
                cycle_seconds=plan.cycle_seconds,
                bid_spread_pct=Decimal("0.002"),
                ask_spread_pct=Decimal("0.002"),
            )


@contextmanager
def _in_memory(clock: VirtualClock, venue: Venue, plan: Plan) -> Iterator[None]:
    """The runtime's surroundings: time, the venue, and a retention that is as short as the day."""
    kept = timedelta(seconds=plan.virtual_seconds / KEPT_SHARES)
    with (
        on_virtual_clock(clock),
        trading_in_memory(venue),
        replaced(runtime_module, "RETENTION_SECONDS", kept.total_seconds() / 4),
        replaced(retention, "KEPT", kept),
        replaced(PricePoint, "KEPT", kept),
    ):
        yield


async def _live(plan: Plan, clock: VirtualClock, tell: Callable[[Sample], None]) -> list[Sample]:
    pulse = CountingPulse()
    async with runtime_in_this_loop(pulse) as runtime:
        people = asyncio.create_task(_operate(runtime, plan))
        samples = await _watch(plan, clock, runtime, pulse, tell)
        people.cancel()
        await asyncio.gather(people, return_exceptions=True)
    return samples


async def _watch(
    plan: Plan, clock: VirtualClock, runtime: Runtime, pulse: CountingPulse, tell: Callable[[Sample], None]
) -> list[Sample]:
    samples: list[Sample] = []
    began, cpu_began = time.perf_counter(), time.process_time()
    while pulse.cycles < plan.cycles and time.perf_counter() - began < plan.seconds:
        await asyncio.sleep(LOOK_SECONDS)
        if pulse.cycles >= (len(samples) + 1) * plan.cycles / plan.samples:
            sample = Sample(
                cycles=pulse.cycles,
                virtual_seconds=clock.seconds,
                seconds=time.perf_counter() - began,
                cpu_seconds=time.process_time() - cpu_began,
                memory=memory_mb(),
                descriptors=descriptors(),
                asyncio_tasks=len([task for task in asyncio.all_tasks() if "duty" in task.get_name()]),
                sizes=sizes_of(runtime),
                tables=await runtime._database.run(rows),
            )
            samples.append(sample)
            tell(sample)
    return samples


async def _operate(runtime: Runtime, plan: Plan) -> None:
    """What people do meanwhile: a bot is stopped and started again, on another market now and then."""
    chance = random.Random(plan.seed)
    while True:
        await asyncio.sleep(min(OPERATE_SECONDS, plan.virtual_seconds / 50))
        await runtime._database.run(_stop_one_and_start_the_stopped, chance)


def _stop_one_and_start_the_stopped(chance: random.Random) -> None:
    for bot in SpreadBot.objects.filter(state=BotState.STOPPED):
        SpreadBot.objects.filter(pk=bot.pk).update(state=BotState.RUNNING, symbol=chance.choice(SYMBOLS))
    running = list(
        SpreadBot.objects.filter(state=BotState.RUNNING).order_by("name").values_list("pk", flat=True)
    )
    if running:
        SpreadBot.objects.filter(pk=chance.choice(running)).update(state=BotState.STOPPING)


def _differences(venue: Venue) -> list[str]:
    """Between the venue's books and ours, after the worker has stopped."""
    counts: dict[str, tuple[Any, Any]] = {
        "trades": (venue.trades_made, Trade.objects.count()),
        "resting orders": (venue.resting, 0),
        "unsettled orders": (0, Order.objects.unsettled().count()),
        "gateways left open": (sum(a.gateways_open for n, a in venue.accounts.items() if n != "public"), 0),
    }
    return [
        f"{name}: {theirs} there, {ours} here." for name, (theirs, ours) in counts.items() if theirs != ours
    ]
