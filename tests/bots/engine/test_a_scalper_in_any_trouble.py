"""A scalper walks at random through a venue's troubles: whatever comes, it closes what it opened, no more."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest

from bots.engine import observe, trip_orders
from bots.models import BotState
from exchanges.errors import (
    InsufficientFundsError,
    InvalidOrderError,
    MalformedAnswerError,
    OutcomeUnknownError,
    RateLimitError,
    VenueDownError,
    VenueError,
)
from exchanges.models import ExchangeConnection
from exchanges.types import ZERO, Side
from tests.bots.engine.conftest import skip_cooldown
from tests.bots.engine.test_scalping import ScalperDesk, desk, scalper

__all__ = ["desk", "scalper"]

D = Decimal
HELD = D(100)  # BTC, before anything is traded
LOT = D("0.001")
STEPS, ROUNDS_TO_STOP = 20, 30
CALLS = ("place", "place", "cancel", "fetch_order", "fetch_trades", "fetch_open_orders", "fetch_balances")
ERRORS: tuple[VenueError, ...] = (
    OutcomeUnknownError("Nobody knows."),
    MalformedAnswerError("Nonsense."),
    RateLimitError("Wait.", retry_after=0.0),
    VenueDownError("Down."),
    InvalidOrderError("No.", code="1"),
    InsufficientFundsError("Not enough.", code="2"),
)


class Walk:
    """One step is one thing that happens, and one round."""

    def __init__(self, desk: ScalperDesk, side: Side, random: Random) -> None:
        self.desk, self.side, self.random = desk, side, random
        self.happens = (
            self.moves, self.moves, self.tempts, self.tempts, self.fails, self.fails, self.restarts,
            self.hides, self.shows, self.fills, self.pauses, self.goes_on,
        )  # fmt: skip

    async def step(self) -> None:
        await self.random.choice(self.happens)()
        await self.round()

    async def round(self) -> None:
        """Without the waits after a failure."""
        skip_cooldown(self.desk.duty)
        await self.desk.do(lambda: ExchangeConnection.objects.update(paused_until=None))
        if self.desk.bot.pk in self.desk.duty.sheets and self.random.random() < 0.5:
            for memory in self.desk.sheet.memories.values():
                memory.holds.clear()
        await self.desk.round()
        assert self.closable >= 0, "more would be closed than was opened"

    @property
    def closable(self) -> Decimal:
        """Base that is open at the venue, less what its exits there may still close."""
        opened = self.desk.venue.funds["BTC"] - HELD
        closing = [order for order in self.desk.venue.resting() if order.side is not self.side]
        sign = 1 if self.side is Side.BUY else -1
        return sign * opened - sum((order.amount - order.filled for order in closing), ZERO)

    # --- What happens

    async def moves(self) -> None:
        bid = D(self.random.randint(90, 115))
        self.desk.quote(str(bid), str(bid + D("0.2")))

    async def tempts(self) -> None:
        """It moved by two per cent."""
        self.desk.quote("99.9", "100.1")
        self.desk.venue.takes = D(self.random.choice(("0", "0.5", "1")))
        self.desk.remembers("98" if self.side is Side.BUY else "102")
        await self.desk.duty._scanners.stop()
        await self.round()
        await asyncio.sleep(0.02)  # a scan looks

    async def fails(self) -> None:
        error = self.random.choice(ERRORS)
        arrives = isinstance(error, OutcomeUnknownError | MalformedAnswerError) and self.random.random() < 0.6
        self.desk.venue.fail(
            self.random.choice(CALLS), error, times=self.random.randint(1, 2), arrives=arrives
        )

    async def restarts(self) -> None:
        await self.desk.duty._close()
        await self.desk.open()

    async def hides(self) -> None:
        name = self.random.choice(("hides_new_trades", "hides_new_orders"))
        setattr(self.desk.venue, name, True)

    async def shows(self) -> None:
        self.desk.venue.reveal()

    async def fills(self) -> None:
        for order in self.desk.venue.resting()[:1]:
            left = order.amount - order.filled
            self.desk.venue.fill(order.venue_id, str(left / self.random.choice((1, 2))))

    async def pauses(self) -> None:
        await self.desk.set_state(BotState.PAUSED)

    async def goes_on(self) -> None:
        await self.desk.set_state(BotState.RUNNING)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("seed", range(4))
async def test_it_closes_what_it_opened_and_no_more(
    desk: ScalperDesk,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    side: Side,
) -> None:
    for module, name in (
        (observe, "GRACE"), (observe, "LATE_TRADES"), (observe, "CANCEL_PATIENCE"),
        (trip_orders, "TRADES_PATIENCE"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, timedelta(0))
    random = Random(seed)
    await desk.change(
        direction="long" if side is Side.BUY else "short",
        rests_take_profit=random.random() < 0.5,
        exit_seconds=random.choice((0, 1)),
        exit_tries=random.choice((0, 2)),
        entry_seconds=random.choice((0, 60)),
    )
    walk = Walk(desk, side, random)
    for _ in range(STEPS):
        await walk.step()
    desk.venue.recover()
    await walk.shows()
    desk.venue.takes = D(1)
    desk.quote("99", "99.2")
    await desk.change(exit_seconds=0)
    await desk.set_state(BotState.STOPPING)
    for _ in range(ROUNDS_TO_STOP):
        await walk.round()
        if await desk.state() == BotState.STOPPED:
            break
    assert (await desk.state(), desk.venue.resting()) == (BotState.STOPPED, [])
    trips = await desk.trips()
    assert desk.venue.funds["BTC"] - HELD == sum(trip.amount for trip in trips)
    assert all(trip.left < LOT for trip in trips)
