"""One venue hangs and nine connections at another are well: a real runtime, on a virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.core.management import call_command

from bots.engine import runtime as runtime_module
from bots.engine import takeover
from bots.engine.clock import uptime
from bots.engine.pulse import Pulse
from bots.models import Bot, BotEvent, BotState, Order
from exchanges.errors import VenueDownError
from exchanges.gateway import HTTP_TIMEOUT_SECONDS, ConnectionSpec, Gateway
from exchanges.health import State
from exchanges.models import ConnectionHealth
from tests.bots.engine.conftest import make_bot, make_connection
from tests.chaos.memory_desk import Venue, on_virtual_clock, replaced, runtime_in_this_loop
from tests.chaos.memory_venue import SYMBOLS, MemoryGateway
from tests.chaos.virtual_time import VirtualClock, VirtualLoop

SICK, WELL = "kraken", "binance"
HEALTHY, BOTS, CYCLE_SECONDS = 9, 2, 10
TESTED = datetime(2026, 1, 1, tzinfo=UTC)
BEFORE_SECONDS, SECONDS = 30.0, 360.0
SILENT = VenueDownError("Kraken did not answer in time; it is asked again.")


@dataclass
class HangingGateway(MemoryGateway):
    """From a moment of the virtual clock on, each request ends as one that nobody answers."""

    hangs_from: float = float("inf")

    @asynccontextmanager
    async def _call(self) -> AsyncIterator[None]:
        if uptime() >= self.hangs_from:
            await asyncio.sleep(HTTP_TIMEOUT_SECONDS)
            raise SILENT
        async with super()._call():
            yield


@dataclass
class TwoVenues(Venue):
    """hangs_from: when the one of them stops to answer."""

    hangs_from: float = float("inf")

    def open_gateway(self, spec: ConnectionSpec, *, licence: object, **_rest: object) -> Gateway:
        account = self.account(spec.name)
        since = self.hangs_from if spec.venue == SICK else float("inf")
        return HangingGateway(account, licence, hangs_from=since)  # type: ignore[arg-type]

    def open_market_data(self, venue: str, **_rest: object) -> Gateway:  # type: ignore[override]
        since = self.hangs_from if venue == SICK else float("inf")
        return HangingGateway(self.account(f"public of {venue}"), hangs_from=since)


@dataclass
class TimedPulse(Pulse):
    """When each bot had its cycles."""

    cycles: dict[UUID, list[float]] = field(default_factory=dict)

    def cycled(self, bot_id: UUID) -> None:
        self.cycles.setdefault(bot_id, []).append(round(uptime(), 6))
        super().cycled(bot_id)


def plant() -> None:
    for number in range(HEALTHY + 1):
        venue = WELL if number else SICK
        connection = make_connection(
            f"C{number}", venue=venue, id=UUID(int=number), credentials_tested_at=TESTED
        )
        for place in range(BOTS):
            make_bot(
                connection,
                f"B{number}.{place}",
                id=UUID(int=100 * number + place),
                symbol=SYMBOLS[place],
                cycle_seconds=CYCLE_SECONDS,
            )


def cycles_of_a_desk(hangs_from: float, began: datetime) -> dict[UUID, list[float]]:
    """Of six and a half minutes, by bot. The database is left as it is then."""
    plant()
    clock = VirtualClock(began)
    venues = TwoVenues(seed=3, is_still=True, hangs_from=hangs_from)

    async def live() -> dict[UUID, list[float]]:
        pulse = TimedPulse()
        async with runtime_in_this_loop(pulse):
            await asyncio.sleep(BEFORE_SECONDS + SECONDS)
            return dict(pulse.cycles)

    with (
        on_virtual_clock(clock),
        replaced(takeover, "open_gateway", venues.open_gateway),
        replaced(runtime_module, "open_market_data", venues.open_market_data),
        asyncio.Runner(loop_factory=lambda: VirtualLoop(clock)) as runner,
    ):
        return runner.run(live())


def of_the_well(cycles: dict[UUID, list[float]]) -> dict[UUID, list[float]]:
    return {bot: times for bot, times in cycles.items() if bot.int >= 100}


@pytest.mark.any_database
@pytest.mark.django_db(transaction=True)
def test_a_venue_that_hangs_costs_nine_others_no_cycle_and_makes_none_late() -> None:
    began = datetime.now(UTC)
    without = cycles_of_a_desk(hangs_from=float("inf"), began=began)
    assert not BotEvent.objects.filter(kind="breaker_open").exists()
    call_command("flush", interactive=False, verbosity=0)
    with_one = cycles_of_a_desk(hangs_from=BEFORE_SECONDS, began=began)
    assert len(of_the_well(without)) == HEALTHY * BOTS
    assert all(len(times) >= 36 for times in of_the_well(without).values())
    assert of_the_well(with_one) == of_the_well(without)
    sick = [max(times) for bot, times in with_one.items() if bot.int < 100]
    assert max(sick) <= BEFORE_SECONDS + CYCLE_SECONDS
    assert told_of_the_sick() == ["breaker_open", "no_answer"]


def told_of_the_sick() -> list[str]:
    """Errors and warnings of its connection, and what became of its bots and orders."""
    bots = Bot.objects.filter(connection__venue=SICK)
    assert set(bots.values_list("state", flat=True)) == {BotState.STOPPING}
    assert Order.objects.filter(bot__in=bots, settled_at=None).count() == 2 * BOTS
    health = ConnectionHealth.objects.get(connection__venue=SICK)
    assert (health.state, health.score, health.cause) == (State.OPEN, 0, SILENT.sentence)
    assert health.silent_since is not None
    events = BotEvent.objects.filter(connection__venue=SICK, kind__in=["breaker_open", "no_answer"])
    return list(dict.fromkeys(events.order_by("pk").values_list("kind", flat=True)))
