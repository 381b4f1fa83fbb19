"""Budgets on a loop's clock: who goes first, who waits, who is refused. Time is virtual."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from exchanges.errors import RateLimitError
from exchanges.pacing import Budget
from exchanges.venues import meters as meters_module
from exchanges.venues import pace as pace_module
from exchanges.venues.meters import Counted, Meter, readings
from exchanges.venues.pace import Pace, Toll, pay
from exchanges.venues.turn import Turn
from tests.chaos.virtual_time import VirtualClock, VirtualLoop
from tests.exchanges.venues.paces import reserve

BUDGET = Budget(rate=10.0, burst=50.0, read_share=0.8)


@dataclass
class Street:
    """left: (who, when) of all that left; refused: who was not let go."""

    clock: VirtualClock
    left: list[tuple[str, float]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    async def go(self, who: str, *tolls: Toll, reads: bool = True, after: float = 0.0) -> None:
        await asyncio.sleep(after)
        try:
            await pay(tolls, reads=reads)
        except RateLimitError:
            self.refused.append(who)
        else:
            self.left.append((who, round(self.clock.seconds, 6)))

    def when(self, who: str) -> list[float]:
        return [at for name, at in self.left if name == who]

    def run(self, *walks: Coroutine[Any, Any, None]) -> None:
        async def all_of_them() -> None:
            await asyncio.gather(*walks)

        loop = VirtualLoop(self.clock)
        try:
            loop.run_until_complete(all_of_them())
        finally:
            loop.close()


@pytest.fixture
def street(monkeypatch: pytest.MonkeyPatch) -> Street:
    clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
    monkeypatch.setattr(pace_module, "time", SimpleNamespace(monotonic=lambda: clock.seconds))
    return Street(clock)


def pace() -> Pace:
    return Pace(BUDGET)


def test_an_order_behind_two_hundred_queued_reads_leaves_at_once(street: Street) -> None:
    own, address = pace(), pace()
    tolls = ((own, 0.5), (address, 0.5))

    reads = [street.go("read", *tolls) for _ in range(200)]
    street.run(*reads, street.go("order", *tolls, reads=False, after=0.1))

    assert street.when("order") == [0.1]
    assert street.when("read")[-1] > 5


def test_reads_leave_in_the_order_of_their_asking(street: Street) -> None:
    tolls = ((pace(), 1.0), (pace(), 1.0))

    street.run(*(street.go(str(number), *tolls) for number in range(80)))

    assert [who for who, _at in street.left] == [str(number) for number in range(80)]
    assert street.left[-1][1] == pytest.approx(4.0)  # 40 at once, the others ten a second


def test_orders_that_come_while_a_read_waits_put_it_off(street: Street) -> None:
    own = pace()
    reserve(own, 45)

    street.run(street.go("read", (own, 1)), street.go("order", (own, 5), reads=False, after=0.2))

    assert (street.when("order"), street.when("read")) == ([0.2], [1.1])


def test_a_read_that_would_wait_too_long_is_refused_and_books_nothing(street: Street) -> None:
    own, address = pace(), pace()
    tolls = ((own, 1.0), (address, 1.0))

    street.run(*(street.go("read", *tolls) for _ in range(200)))

    assert len(street.refused) == 200 - 40 - 80
    assert max(street.when("read")) == pytest.approx(8)
    assert own.queued == address.queued == 0


def test_a_read_that_orders_keep_from_going_is_refused_in_the_end(street: Street) -> None:
    own = pace()
    reserve(own, 45)
    orders = [street.go("order", (own, 10), reads=False, after=second) for second in range(1, 10)]

    street.run(street.go("read", (own, 10)), *orders)

    assert (street.refused, len(street.when("order"))) == (["read"], 9)


def test_who_is_refused_waits_until_the_budget_is_whole(street: Street) -> None:
    own = pace()
    for _ in range(10):
        reserve(own, 13)

    async def ask() -> None:
        with pytest.raises(RateLimitError) as caught:
            await pay([(own, 1)], reads=False)
        assert caught.value.retry_after == pytest.approx(13)

    street.run(ask())


def test_one_key_that_waits_keeps_no_other_at_the_address_waiting(street: Street) -> None:
    poor, rich, address = pace(), pace(), pace()
    reserve(poor, 90)

    street.run(
        street.go("poor", (poor, 1), (address, 1)),
        *(street.go("rich", (rich, 1), (address, 1)) for _ in range(30)),
    )

    assert set(street.when("rich")) == {0.0}
    assert street.when("poor") == [5.1]


def test_a_pause_holds_for_who_waited_already(street: Street) -> None:
    own = pace()
    reserve(own, 60)

    async def refuse() -> None:
        await asyncio.sleep(0.5)
        own.pause(4)

    street.run(
        refuse(), street.go("order", (own, 1), reads=False), *(street.go("read", (own, 1)) for _ in range(5))
    )

    assert len(street.left) == 6
    assert min(at for _who, at in street.left) >= 4.5


def test_a_long_pause_refuses_who_waited_already(street: Street) -> None:
    own = pace()
    reserve(own, 60)

    async def refuse() -> None:
        await asyncio.sleep(0.5)
        own.pause(30)

    street.run(refuse(), street.go("order", (own, 1), reads=False), street.go("read", (own, 1)))

    assert sorted(street.refused) == ["order", "read"]


def test_what_waited_for_the_end_of_a_pause_does_not_go_in_one_instant(street: Street) -> None:
    keys = [pace() for _ in range(20)]
    for key in keys:
        key.pause(3)

    street.run(*(street.go("read", (key, 1)) for key in keys for _ in range(3)))

    moments = sorted(street.when("read"))
    assert (len(moments), moments[0] >= 3) == (60, True)
    assert len({round(at, 2) for at in moments}) > 30


def test_what_costs_nothing_overtakes_who_waits(street: Street) -> None:
    own = pace()
    reserve(own, 60)

    street.run(street.go("read", (own, 1)), street.go("free", (own, 0)))

    assert street.when("free") == [0]


def test_a_read_that_is_given_up_leaves_the_queue_to_the_others(street: Street) -> None:
    own = pace()
    reserve(own, 60)

    async def give_up() -> None:
        asking = asyncio.ensure_future(street.go("gone", (own, 1)))
        await asyncio.sleep(0.5)
        asking.cancel()

    street.run(give_up(), street.go("read", (own, 1), after=0.1))

    assert (street.when("gone"), street.when("read"), own.queued) == ([], [2.1], 0)


def test_what_is_spoken_for_is_told_as_a_part_of_what_reads_may_use(street: Street) -> None:
    own = pace()
    assert own.used == 0
    reserve(own, 10)
    assert own.used == 0.25
    reserve(own, 45)
    assert own.used == 1
    idle = pace()
    idle.pause(5)
    assert idle.used == 1


# --- What a venue tells

WEIGHT = Meter(counts=Counted.ADDRESS, used="x-used", seconds=60, unit=5)
LEFT = Meter(counts=Counted.KEY, remaining="x-left", limit="x-limit", seconds=60)


def read(*meters: Meter, **headers: str) -> list[tuple[float, float]]:
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return [(used, elapsed) for _meter, used, elapsed in readings(meters, named)]


@pytest.fixture
def at_20_past(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a minute, by this machine's clock."""
    monkeypatch.setattr(meters_module, "time", SimpleNamespace(time=lambda: 1_767_225_600.0 + 20))


@pytest.mark.usefixtures("at_20_past")
def test_a_count_is_read_in_the_units_of_the_budget() -> None:
    assert read(WEIGHT, x_used="100") == [(20, 20)]
    assert read(LEFT, x_left="150", x_limit="200") == [(50, 20)]
    assert read(WEIGHT, LEFT, x_left="many", x_limit="200") == []


@pytest.mark.usefixtures("at_20_past")
def test_where_our_clock_is_wrong_the_venues_counts() -> None:
    assert read(WEIGHT, x_used="5", date="Thu, 01 Jan 2026 00:00:50 GMT") == [(1, 50)]
    assert read(WEIGHT, x_used="5", date="Thu, 01 Jan 2026 00:00:19 GMT") == [(1, 20)]
    assert read(WEIGHT, x_used="5", date="yesterday") == [(1, 20)]


# --- One at a time


def test_a_turn_goes_to_who_is_urgent_first(street: Street) -> None:
    turn, taken = Turn(), list[str]()

    async def take(who: str, *, urgent: bool = False) -> None:
        await turn.take(urgent=urgent)
        taken.append(who)
        await asyncio.sleep(1)
        turn.give_back()

    street.run(take("first"), take("second"), take("third"), take("order", urgent=True))

    assert taken == ["first", "order", "second", "third"]


def test_a_turn_that_nobody_waits_for_any_more_is_free(street: Street) -> None:
    turn = Turn()

    async def give_up() -> None:
        await turn.take(urgent=False)
        waiting = [asyncio.ensure_future(turn.take(urgent=False)) for _ in range(2)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        turn.give_back()
        waiting[1].cancel()  # it was handed the turn, and leaves before it knows
        await asyncio.gather(*waiting, return_exceptions=True)
        await asyncio.wait_for(turn.take(urgent=False), 1)

    street.run(give_up())
