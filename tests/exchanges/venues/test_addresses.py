"""What a process may use of an address's budget, and what it tells the others, on virtual time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from database.thread import DatabaseThread
from exchanges.errors import RateLimitError
from exchanges.gateway import Proxy
from exchanges.models import AddressBudget
from exchanges.pacing import Budget
from exchanges.sharing import HELD_SECONDS, Answer, Ask, Place, Table, settle
from exchanges.venues import address_rows, addresses, pace
from exchanges.venues.addresses import Addresses, AddressPace
from exchanges.venues.pace import Pace, pay
from exchanges.venues.wire import Wire
from tests.chaos.virtual_time import VirtualClock, VirtualLoop
from tests.exchanges.venues.paces import reserve
from vault.secret import Secret

PLACE, OTHER = Place("binance", ""), Place("kraken", "0" * 64)
BUDGET = Budget(rate=10.0, burst=50.0, read_share=0.8)
ALIVE = frozenset({"one", "two", "three"})
BUSY = Ask(wants=1.0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> VirtualClock:
    clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC), seconds=1000.0)
    for module in (pace, addresses):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.seconds))
    return clock


@pytest.fixture
def loop(clock: VirtualClock) -> Iterator[VirtualLoop]:
    loop = VirtualLoop(clock)
    yield loop
    loop.close()


def answer(part: float = 1.0, *, sharers: int = 2, pause_seconds: float = 0.0, speed: float = 1.0) -> Answer:
    return Answer(part=part, fair=True, sharers=sharers, pause_seconds=pause_seconds, speed=speed)


def meet(shared: Addresses, told: Answer) -> AddressPace:
    found = shared.pace(PLACE, BUDGET)
    assert isinstance(found, AddressPace)
    shared.take({PLACE: told}, {PLACE: found.ask()})
    return found


def free(pace: Pace) -> int:
    """How many requests may go at once."""
    count = 0
    while reserve(pace, 1) == 0:
        count += 1
    return count


def test_a_process_of_its_own_has_every_budget_whole(clock: VirtualClock) -> None:
    mine = Addresses()

    assert type(mine.pace(PLACE, BUDGET)) is Pace
    assert mine.asks() == {}


def test_who_is_alone_may_use_all_of_it_at_once(clock: VirtualClock) -> None:
    assert free(meet(Addresses(is_shared=True), answer(1.0, sharers=1))) == 50


def test_who_joins_others_begins_with_a_used_up_part(clock: VirtualClock) -> None:
    """They may have used it just before."""
    joined = meet(Addresses(is_shared=True), answer(0.5))

    assert free(joined) == 0
    clock.seconds += 60
    assert free(joined) == 25


def test_a_part_that_grows_grows_by_what_is_used_up(clock: VirtualClock) -> None:
    shared = Addresses(is_shared=True)
    grown = meet(shared, answer(0.5))
    clock.seconds += 60
    meet(shared, answer(1.0))

    assert free(grown) == 25


def test_what_was_used_and_who_waits_is_told(clock: VirtualClock) -> None:
    shared = Addresses(is_shared=True)
    meet(shared, answer(0.5))
    clock.seconds += 60
    shared.asks()

    for _ in range(5):
        reserve(shared.pace(PLACE, BUDGET), 1)
    clock.seconds += 1
    some = shared.asks()[PLACE].wants
    clock.seconds += 2
    assert shared.asks() == {}, "what is not used is renewed more rarely"
    clock.seconds += 1
    less = shared.asks()[PLACE].wants
    free(shared.pace(PLACE, BUDGET))

    assert 0 < less < some < 1
    assert shared.asks()[PLACE].wants == 1


def test_the_first_reads_wait_for_what_others_were_told(clock: VirtualClock, loop: VirtualLoop) -> None:
    shared = Addresses(is_shared=True)
    first = shared.pace(PLACE, BUDGET)

    async def read() -> None:
        with pytest.raises(RateLimitError):
            await pay([(first, 1)], reads=True)

    async def serve() -> None:
        reading = loop.create_task(read())
        await shared.news(5)
        shared.take({PLACE: answer(pause_seconds=100)}, shared.asks())
        await reading

    loop.run_until_complete(serve())
    assert clock.seconds < 1001


def test_an_order_waits_for_no_answer_and_a_read_not_for_ever(clock: VirtualClock, loop: VirtualLoop) -> None:
    first = Addresses(is_shared=True).pace(PLACE, BUDGET)

    loop.run_until_complete(pay([(first, 1)], reads=False))
    assert clock.seconds == 1000
    loop.run_until_complete(pay([(first, 1)], reads=True))
    assert clock.seconds == 1000 + addresses.FIRST_ANSWER_SECONDS


def test_a_pause_is_told_once_and_holds_here(clock: VirtualClock) -> None:
    shared = Addresses(is_shared=True)
    paused = meet(shared, answer())
    paused.pause(30)
    paused.slow_down()

    told = shared.asks()
    shared.take({PLACE: answer(pause_seconds=30, speed=0.8)}, told)

    assert (told[PLACE].pause_seconds, told[PLACE].is_slowed) == (30, True)
    clock.seconds += 3
    again = shared.asks()
    assert (again[PLACE].pause_seconds, again[PLACE].is_slowed) == (0, False)
    assert 27 <= paused.seconds_to_wait(0) <= 28


def test_a_pause_that_another_was_told_holds_and_does_not_grow_by_being_heard_again(
    clock: VirtualClock,
) -> None:
    shared = Addresses(is_shared=True)
    paused = meet(shared, answer(pause_seconds=30))
    before = paused.seconds_to_wait(0)
    for _ in range(10):
        clock.seconds += 1
        meet(shared, answer(pause_seconds=30 - (clock.seconds - 1000) + 0.05))

    assert 30 <= before <= 31
    assert paused.seconds_to_wait(0) == pytest.approx(before - 10)


def test_where_nobody_answers_it_goes_on_with_an_even_part_and_says_so_once(
    clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    shared = Addresses(is_shared=True)
    mine = meet(shared, answer(0.9, sharers=3))
    with caplog.at_level(logging.WARNING, logger=addresses.__name__):
        shared.unanswered()
        shared.unanswered()
    clock.seconds += 60

    assert free(mine) == 16
    assert len(caplog.records) == 1
    meet(shared, answer(0.9, sharers=3))
    clock.seconds += 60
    mine.seconds_to_wait(1)
    assert len([record for record in caplog.records if "even part" in record.message]) == 2


def test_an_answer_is_good_for_some_seconds_only(clock: VirtualClock) -> None:
    mine = meet(Addresses(is_shared=True), answer(0.9, sharers=3))
    clock.seconds += HELD_SECONDS + 0.1
    mine.seconds_to_wait(1)
    clock.seconds += 60

    assert free(mine) == 16


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(greed=st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=5, max_size=30))
def test_however_their_wishes_change_three_processes_together_keep_the_budget(
    clock: VirtualClock, greed: list[tuple[bool, bool, bool]]
) -> None:
    """Each second another number of them sends all that it may; they agree one after another."""
    table, sent = Table(), list[float]()
    desk = {name: Addresses(is_shared=True) for name in sorted(ALIVE)}
    paces = {name: shared.pace(PLACE, BUDGET) for name, shared in desk.items()}
    for wishes in greed:
        for step in range(10):
            clock.seconds += 0.1
            for number, (name, shared) in enumerate(desk.items()):
                if step == 3 * number:
                    for ask in shared.asks().values():
                        table, told = settle(table, ask, me=name, alive=ALIVE, now=clock.seconds)
                        shared.take({PLACE: told}, {PLACE: ask})
                while wishes[number] and table.held.get(name) and paces[name].seconds_to_wait(1) == 0:
                    paces[name].book(1)
                    sent.append(clock.seconds)

    for first, start in enumerate(sent):
        for count, end in enumerate(sent[first:], start=1):
            assert count <= BUDGET.burst + BUDGET.rate * (end - start) + len(desk)


# --- In the database


def test_two_processes_meet_in_the_database(db: None) -> None:
    alone = address_rows.agree("one", {PLACE: BUSY, OTHER: BUSY}, ALIVE)
    joined = address_rows.agree("two", {PLACE: BUSY}, ALIVE)
    left = address_rows.agree("one", {PLACE: BUSY}, ALIVE)
    given = address_rows.agree("two", {PLACE: BUSY}, ALIVE)

    assert (alone[PLACE].part, alone[OTHER].part) == (1, 1)
    assert (joined[PLACE].part, left[PLACE].part, given[PLACE].part) == (0, 0.5, 0.5)


async def test_of_those_that_come_first_in_one_instant_none_has_what_another_has(
    transactional_db: None,
) -> None:
    names = sorted(ALIVE)
    threads = {name: DatabaseThread(name) for name in names}
    asks = {PLACE: BUSY, OTHER: BUSY}

    for _turn in range(5):
        answers = await asyncio.gather(
            *(threads[name].run(address_rows.agree, name, asks, ALIVE) for name in names)
        )
        rows = await threads["one"].run(lambda: list(AddressBudget.objects.all()))
        for place, row in zip((PLACE, OTHER), rows, strict=True):
            assert sum(held["part"] for held in row.held.values()) <= 1 + 1e-9
            assert place in answers[0]
    for thread in threads.values():
        thread.close()


def test_a_pause_outlives_the_process_that_was_told(db: None) -> None:
    address_rows.agree("one", {PLACE: Ask(wants=0, pause_seconds=60, is_slowed=True)}, ALIVE)
    address_rows.leave("one")

    told = address_rows.agree("two", {PLACE: BUSY, OTHER: BUSY}, frozenset({"two"}))

    assert 58 < told[PLACE].pause_seconds <= 60
    assert (told[PLACE].part, told[OTHER].pause_seconds) == (1, 0)
    assert told[PLACE].speed < 1


def test_who_leaves_leaves_his_part_to_the_others_at_once(db: None) -> None:
    address_rows.agree("one", {PLACE: BUSY}, ALIVE)
    address_rows.leave("one")

    assert address_rows.agree("two", {PLACE: BUSY}, ALIVE)[PLACE].part == 1


async def test_a_proxy_is_known_by_its_address_and_user_and_not_by_its_password() -> None:
    def proxy(username: str, password: str) -> Proxy:
        return Proxy(url="http://10.0.0.1:8080", username=username, password=Secret(password))

    async with Wire(Addresses(is_shared=True)) as wire:
        first = wire.pace("binance", proxy("ann", "old"), BUDGET)
        assert wire.pace("binance", proxy("ann", "new"), BUDGET) is first
        assert wire.pace("binance", proxy("bob", "old"), BUDGET) is not first
        assert wire.pace("binance", None, BUDGET) is not first
        routes = [place.route for place in wire.addresses.asks()]

    assert len(routes) == 3
    assert all(part not in route for route in routes for part in ("old", "ann", "10.0.0.1"))
    assert all(len(route) in (0, 64) for route in routes)
