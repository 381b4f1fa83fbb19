"""A desk's long day: a real runtime with real database work at a venue in memory, on a virtual clock."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from bots.engine import lease as leases
from bots.engine import processes, retention, takeover
from bots.engine import runtime as runtime_module
from bots.engine.duty import Ending
from bots.engine.lease import Lease
from bots.engine.pulse import Pulse
from bots.engine.runtime import Runtime
from bots.models import BotState, Order, SpreadBot, Trade
from exchanges.gateway import ConnectionSpec, Gateway
from tests.bots.engine.conftest import make_bot, make_connection
from tests.chaos.day_measures import Sample, descriptors, growth, memory_mb, rows, sizes_of
from tests.chaos.memory_venue import SYMBOLS, MemoryAccount, MemoryGateway, Prices
from tests.chaos.virtual_time import CountedThread, VirtualClock, VirtualLoop, virtual_time

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


@dataclass
class CountingPulse(Pulse):
    cycles: int = 0

    def cycled(self, bot_id: UUID) -> None:
        self.cycles += 1
        super().cycled(bot_id)


@dataclass
class Venue:
    """An account for each connection, opened when first asked for."""

    seed: int
    prices: Prices = field(init=False)
    accounts: dict[str, MemoryAccount] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.prices = Prices(random.Random(self.seed))

    def account(self, name: str) -> MemoryAccount:
        if name not in self.accounts:
            self.accounts[name] = MemoryAccount(self.prices, random.Random(f"{self.seed} {name}"))
        return self.accounts[name]

    def open_gateway(self, spec: ConnectionSpec, *, licence: Lease, **_rest: object) -> Gateway:
        return MemoryGateway(self.account(spec.name), licence)

    def open_market_data(self, *_way: object, **_rest: object) -> Gateway:
        return MemoryGateway(self.account("public"))

    @property
    def trades_made(self) -> int:
        return sum(account.trades_made for account in self.accounts.values())

    @property
    def resting(self) -> int:
        orders = [order for account in self.accounts.values() for order in account.resting.values()]
        return sum(order.client_id is not None for order in orders)


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
    with ExitStack() as undo:
        undo.enter_context(virtual_time(clock))
        for module, name, stand_in in (
            (takeover, "open_gateway", venue.open_gateway),
            (runtime_module, "open_market_data", venue.open_market_data),
            (runtime_module, "DatabaseThread", lambda name: CountedThread(name, clock)),
            (runtime_module, "RETENTION_SECONDS", kept.total_seconds() / 4),
            (retention, "KEPT", kept),
        ):
            undo.callback(setattr, module, name, getattr(module, name))
            setattr(module, name, stand_in)
        yield


async def _live(plan: Plan, clock: VirtualClock, tell: Callable[[Sample], None]) -> list[Sample]:
    runtime, pulse = Runtime(), CountingPulse()
    runtime._loop.close()
    runtime._loop, runtime._pulse = asyncio.get_running_loop(), pulse
    runtime.extend(float("inf"))
    main = asyncio.create_task(runtime._main())
    await asyncio.sleep(0)  # it opens its database thread
    await runtime._database.run(processes.register, runtime.id)
    clocks = [asyncio.create_task(_keep(runtime)), asyncio.create_task(_operate(runtime, plan))]
    samples = await _watch(plan, clock, runtime, pulse, tell)
    clocks[1].cancel()
    runtime._ending = Ending.STOP
    await main
    clocks[0].cancel()
    await asyncio.gather(*clocks, return_exceptions=True)
    return samples


async def _keep(runtime: Runtime) -> None:
    """The keeper, which has a thread of its own and real time in the product."""
    while True:
        await runtime._database.run(runtime._renew)
        await asyncio.sleep(leases.RENEW_SECONDS)


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
