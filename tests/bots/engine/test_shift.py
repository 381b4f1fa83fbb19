"""Shifts and the runtime that outlives them: its threads are real, its venue is in memory."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import pytest
from django.db import InterfaceError
from django_q.brokers.orm import ORM
from django_q.models import OrmQ

from bots import tasks
from bots.engine import lease as leases
from bots.engine import market_views, processes, shift, stop
from bots.engine import runtime as runtime_module
from bots.engine.duty import Duty, Ending
from bots.engine.runtime import Runtime
from bots.models import Bot, BotState, MarketView, OnStop, PricePoint, SpreadBot
from bots.models import Runtime as RuntimeRow
from bots.services import look_at_market
from exchanges.models import ExchangeConnection
from tests.bots.engine.conftest import make_bot, make_connection
from tests.bots.engine.fake_venue import FakeGateway, FakeVenue

LONG = 60.0


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch, venue: FakeVenue) -> None:
    for name in ("TEND_SECONDS", "BOARD_SECONDS", "SHARE_SECONDS", "PULSE_SECONDS"):
        monkeypatch.setattr(runtime_module, name, 0.02)
    for name in ("SHOW_SECONDS", "PRICE_SECONDS"):
        monkeypatch.setattr(market_views, name, 0.5)
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.05)
    monkeypatch.setattr(shift, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(runtime_module, "open_market_data", lambda *_args, **_options: FakeGateway(venue))


@pytest.fixture
def start(transactional_db: None) -> Iterator[Callable[[], Runtime]]:
    started = []

    def start() -> Runtime:
        started.append(Runtime())
        started[-1].start()
        return started[-1]

    yield start
    for runtime in started:
        assert runtime.close(10, ending=Ending.HAND_OVER)


@pytest.fixture
def runtime(connection: ExchangeConnection, start: Callable[[], Runtime]) -> Runtime:
    return start()


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> ORM:
    broker = ORM()
    monkeypatch.setattr(shift, "get_broker", lambda: broker)
    return broker


def until(is_so: Callable[[], object], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def owner_of(connection: ExchangeConnection) -> object:
    return ExchangeConnection.objects.get(pk=connection.pk).lease_owner


# --- The runtime


def test_with_licence_a_runtime_takes_leases_and_runs_cycles(
    bot: SpreadBot, runtime: Runtime, venue: FakeVenue
) -> None:
    runtime.extend(LONG)
    until(lambda: len(venue.resting()) == 2)
    assert owner_of(bot.connection) == runtime.id
    until(lambda: Bot.objects.get().last_cycle_at)
    until(lambda: ExchangeConnection.objects.get().last_answer_at)


def test_without_licence_a_runtime_takes_nothing(bot: SpreadBot, runtime: Runtime, venue: FakeVenue) -> None:
    time.sleep(0.2)
    assert runtime.held == 0
    assert venue.calls == []


def test_when_its_licence_ends_a_runtime_hands_over_and_leaves_the_quotes(
    bot: SpreadBot, runtime: Runtime, venue: FakeVenue
) -> None:
    runtime.extend(LONG)
    until(lambda: len(venue.resting()) == 2)
    runtime.extend(-1)
    until(lambda: owner_of(bot.connection) is None)
    assert runtime.held == 0
    assert runtime.is_alive
    assert len(venue.resting()) == 2
    runtime.extend(LONG)
    until(lambda: owner_of(bot.connection) == runtime.id)
    until(lambda: runtime.held == 1)
    assert venue.counts()["place"] == 2


def test_a_runtime_that_stops_cancels_settles_and_returns_its_leases(
    bot: SpreadBot, runtime: Runtime, venue: FakeVenue
) -> None:
    runtime.extend(LONG)
    until(lambda: len(venue.resting()) == 2)
    assert runtime.close(10)
    assert venue.resting() == []
    assert owner_of(bot.connection) is None
    assert not RuntimeRow.objects.exists()
    assert not runtime.is_alive
    assert Bot.objects.get().state == BotState.RUNNING


def test_a_slow_sign_of_life_does_not_register_a_runtime_that_has_stopped(
    bot: SpreadBot, runtime: Runtime, venue: FakeVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat, begun = processes.beat, threading.Event()

    def slow_beat(runtime_id: UUID) -> bool:
        begun.set()
        assert runtime._closed.wait(10)
        return beat(runtime_id)

    runtime.extend(LONG)
    until(lambda: len(venue.resting()) == 2)
    monkeypatch.setattr(processes, "beat", slow_beat)
    assert begun.wait(5)
    assert runtime.close(10)
    assert not RuntimeRow.objects.exists()


def test_a_runtime_shows_the_books_that_are_looked_at_and_keeps_a_price_a_minute(
    bot: SpreadBot, runtime: Runtime
) -> None:
    look_at_market(connection=bot.connection, symbol=bot.symbol)
    runtime.extend(LONG)
    until(lambda: MarketView.objects.get().bids)
    until(lambda: PricePoint.objects.filter(venue=bot.connection.venue, symbol=bot.symbol))


def test_a_runtime_that_is_replaced_leaves_the_quotes(
    bot: SpreadBot, runtime: Runtime, venue: FakeVenue
) -> None:
    runtime.extend(LONG)
    until(lambda: len(venue.resting()) == 2)
    assert runtime.close(10, ending=Ending.HAND_OVER)
    assert len(venue.resting()) == 2
    assert owner_of(bot.connection) is None


def test_orders_that_their_bot_leaves_in_the_book_outlive_the_runtime(
    connection: ExchangeConnection, runtime: Runtime, venue: FakeVenue
) -> None:
    make_bot(connection, on_stop=OnStop.LEAVE)
    runtime.extend(LONG)
    until(lambda: len(venue.resting()) == 2)
    assert runtime.close(10)
    assert len(venue.resting()) == 2


def test_a_bot_that_is_stopped_is_looked_at_without_waiting_for_its_cycle(
    connection: ExchangeConnection, runtime: Runtime, venue: FakeVenue
) -> None:
    bot = make_bot(connection, cycle_seconds=3600)
    runtime.extend(LONG)
    until(lambda: len(venue.resting()) == 2)
    Bot.objects.filter(pk=bot.pk).update(state=BotState.STOPPING)
    until(lambda: Bot.objects.get().state == BotState.STOPPED)
    assert venue.resting() == []


def test_a_lease_that_was_lost_is_left_to_its_new_holder(
    bot: SpreadBot, runtime: Runtime, venue: FakeVenue
) -> None:
    runtime.extend(LONG)
    until(lambda: runtime.held == 1 and len(venue.resting()) == 2)
    other = uuid4()
    ExchangeConnection.objects.update(lease_owner=other, lease_fence=99)
    until(lambda: runtime.held == 0)
    assert owner_of(bot.connection) == other
    assert runtime.is_alive


def test_two_runtimes_share_the_connections_fairly(start: Callable[[], Runtime]) -> None:
    for number in range(4):
        make_bot(make_connection(f"Connection {number}"))
    first = start()
    first.extend(LONG)
    until(lambda: first.held == 4)
    second = start()
    second.extend(LONG)
    until(lambda: (first.held, second.held) == (2, 2), seconds=10)
    owners = [connection.lease_owner for connection in ExchangeConnection.objects.all()]
    assert sorted(map(str, owners)) == sorted([str(first.id), str(second.id)] * 2)


def test_a_connection_whose_duty_breaks_ends_no_other(
    connection: ExchangeConnection, runtime: Runtime, venue: FakeVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = make_connection("Broken")
    run = Duty.run

    async def fails(duty: Duty) -> None:
        if duty.lease.connection_id == broken.pk:
            raise InterfaceError("the connection is closed")
        await run(duty)

    monkeypatch.setattr(Duty, "run", fails)
    make_bot(broken)
    make_bot(connection)
    runtime.extend(LONG)
    until(lambda: len(venue.resting()) == 2)
    time.sleep(0.1)
    assert runtime.is_alive


def test_a_database_that_fails_the_keeper_for_a_moment_ends_no_runtime(
    bot: SpreadBot, runtime: Runtime, venue: FakeVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime.extend(LONG)
    until(lambda: runtime.held == 1)
    monkeypatch.setattr(runtime_module, "RETRY_SECONDS", 0.01)
    renew, failures = leases.renew, [InterfaceError("the connection is closed")] * 2

    def flaky(*args: object) -> object:
        if failures:
            raise failures.pop()
        return renew(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(leases, "renew", flaky)
    until(lambda: not failures)
    time.sleep(0.1)
    assert runtime.is_alive
    assert runtime.held == 1


# --- The shift


def test_a_shift_is_asked_for_unless_one_is_queued(queue: ORM) -> None:
    shift.ask_for_shift()
    shift.ask_for_shift()
    assert queue.queue_size() == 1
    assert OrmQ.objects.get().task["func"] == shift.TASK


def test_the_result_of_a_shift_is_not_kept(queue: ORM) -> None:
    shift.ask_for_shift()
    assert OrmQ.objects.get().task["save"] is False


def test_a_shift_that_ends_asks_for_its_successor(
    queue: ORM, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shift, "runtime_of_this_process", lambda: runtime)
    shift.run(0.1)
    assert queue.queue_size() == 1
    assert runtime._has_licence


def test_a_shift_lets_the_runtime_act_while_it_lasts(
    queue: ORM, bot: SpreadBot, runtime: Runtime, venue: FakeVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shift, "runtime_of_this_process", lambda: runtime)
    shift.run(0.4)
    assert len(venue.resting()) == 2


def test_a_shift_that_is_told_to_stop_winds_down_and_asks_for_none(
    queue: ORM, bot: SpreadBot, runtime: Runtime, venue: FakeVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime_module, "_current", runtime)
    runtime.extend(LONG)
    until(lambda: len(venue.resting()) == 2)
    until_told = iter([False] * 4)
    monkeypatch.setattr(stop, "stop_requested", lambda: next(until_told, True))
    monkeypatch.setattr(stop, "wait_for_stop", lambda _seconds: True)
    shift.run(LONG)
    assert venue.resting() == []
    assert not runtime.is_alive
    assert queue.queue_size() == 0


def test_a_shift_that_begins_after_the_stop_does_nothing(queue: ORM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop, "stop_requested", lambda: True)
    shift.run(LONG)
    assert queue.queue_size() == 0
    assert not RuntimeRow.objects.exists()


def test_a_shift_that_fails_says_so_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_seconds: float) -> None:
        raise RuntimeError("GET /?apiKey=canary4711abc&signature=deadbeef")

    monkeypatch.setattr(shift, "run", fail)
    with pytest.raises(tasks.ShiftFailedError, match="RuntimeError") as caught:
        tasks.run_shift(1)
    assert "canary4711abc" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_stop_flag_ends_a_wait_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop, "_flag", multiprocessing.RawValue("b", 0))
    assert not stop.wait_for_stop(0.01)
    stop.request_stop()
    assert stop.wait_for_stop(LONG)
