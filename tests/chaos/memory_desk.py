"""A real runtime with real database work at the venue in memory: for the long day, and for the bench."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from uuid import UUID

from bots.engine import lease as leases
from bots.engine import processes, takeover
from bots.engine import runtime as runtime_module
from bots.engine.duty import Ending
from bots.engine.lease import Lease
from bots.engine.pulse import Pulse
from bots.engine.runtime import Runtime
from exchanges.gateway import ConnectionSpec, Gateway
from tests.chaos.memory_venue import MemoryAccount, MemoryGateway, Prices
from tests.chaos.virtual_time import CountedThread, VirtualClock, virtual_time


@dataclass
class CountingPulse(Pulse):
    cycles: int = 0

    def cycled(self, bot_id: UUID) -> None:
        self.cycles += 1
        super().cycled(bot_id)


@dataclass
class Venue:
    """An account for each connection, opened when first asked for.

    is_still: nothing happens there by itself.
    """

    seed: int
    is_still: bool = False
    prices: Prices = field(init=False)
    accounts: dict[str, MemoryAccount] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.prices = Prices(random.Random(self.seed), are_still=self.is_still)

    def account(self, name: str) -> MemoryAccount:
        if name not in self.accounts:
            chance = random.Random(f"{self.seed} {name}")
            self.accounts[name] = MemoryAccount(self.prices, chance, is_quiet=self.is_still)
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


@contextmanager
def trading_in_memory(venue: Venue) -> Iterator[None]:
    """Every gateway that a runtime opens is one of this venue."""
    with (
        replaced(takeover, "open_gateway", venue.open_gateway),
        replaced(runtime_module, "open_market_data", venue.open_market_data),
    ):
        yield


@contextmanager
def on_virtual_clock(clock: VirtualClock) -> Iterator[None]:
    """The engine's clocks; the loop itself has to be a VirtualLoop."""
    with (
        virtual_time(clock),
        replaced(runtime_module, "DatabaseThread", lambda name: CountedThread(name, clock)),
    ):
        yield


@contextmanager
def replaced(owner: ModuleType | type, name: str, stand_in: object) -> Iterator[None]:
    real = getattr(owner, name)
    setattr(owner, name, stand_in)
    try:
        yield
    finally:
        setattr(owner, name, real)


@asynccontextmanager
async def runtime_in_this_loop(pulse: Pulse) -> AsyncIterator[Runtime]:
    """Licensed without end; it stops its bots' work and returns its leases when the block is left."""
    runtime = Runtime()
    runtime._loop.close()
    runtime._loop, runtime._pulse = asyncio.get_running_loop(), pulse
    runtime.extend(float("inf"))
    main = asyncio.create_task(runtime._main())
    await asyncio.sleep(0)  # it opens its database thread
    await runtime._database.run(processes.register, runtime.id)
    keeper = asyncio.create_task(_keep(runtime))
    try:
        yield runtime
    finally:
        runtime._ending = Ending.STOP
        await main
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)


async def _keep(runtime: Runtime) -> None:
    """The keeper, which has a thread of its own and real time in the product."""
    while True:
        await runtime._database.run(runtime._renew)
        await asyncio.sleep(leases.RENEW_SECONDS)
