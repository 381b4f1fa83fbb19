"""What is noted of a connection's calls, and what a duty makes of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import OperationalError

from bots.engine.account import ref_of
from bots.engine.clock import uptime
from bots.engine.condition import Condition
from bots.engine.measured import MeasuredGateway, noted
from bots.models import Bot, BotEvent, BotState, OnStop, Severity, SpreadBot
from exchanges.errors import (
    CredentialsError,
    MalformedAnswerError,
    OrderNotFoundError,
    OutcomeUnknownError,
    RateLimitError,
    UnknownSymbolError,
    VenueDownError,
    VenueError,
)
from exchanges.gateway import NotLicensedError
from exchanges.health import COOLDOWN_SECONDS, ERRORS_TO_OPEN, SILENCE_SECONDS, State
from exchanges.models import ConnectionHealth, ExchangeConnection
from exchanges.stopwatch import held_back
from tests.bots.engine.conftest import Desk, make_bot
from tests.bots.engine.fake_venue import FakeGateway, FakeVenue
from tests.chaos.virtual_time import VirtualClock, virtual_time

DOWN = VenueDownError("The venue is down: wait.")


def after(*errors: VenueError) -> Condition:
    """Calls one after another, each of which ended so."""
    health = Condition()
    for error in errors:
        health.failed(uptime(), error)
    return health


# --- What counts


@pytest.mark.parametrize("error", [DOWN, OutcomeUnknownError("Lost."), MalformedAnswerError("Nonsense.")])
def test_four_calls_in_a_row_without_an_answer_that_counts_open_the_breaker(error: VenueError) -> None:
    assert after(*[error] * (ERRORS_TO_OPEN - 1)).state is State.CLOSED
    opened = after(*[error] * ERRORS_TO_OPEN)
    assert (opened.state, opened.score, opened.cause) == (State.OPEN, 0, error.sentence)


def test_a_refusal_in_the_venues_own_words_is_an_answer() -> None:
    refused = CredentialsError("The key is refused: make a new one.", code="-2015")
    health = after(DOWN, DOWN, DOWN, refused, DOWN)
    assert (health.state, health.reading.requests, health.reading.errors) == (State.CLOSED, 5, 4)


@pytest.mark.parametrize("own", [RateLimitError("Nothing was sent."), UnknownSymbolError("No market.")])
def test_what_was_refused_before_it_was_sent_is_not_noted(own: VenueError) -> None:
    health = after(DOWN, DOWN, DOWN, own, DOWN)
    assert (health.state, health.reading.requests) == (State.OPEN, 4)


def test_a_database_that_keeps_a_paper_account_is_not_the_venue() -> None:
    lost = VenueDownError("The database did not answer.")
    lost.__cause__ = OperationalError("the database is locked")
    assert after(*[lost] * ERRORS_TO_OPEN).reading.requests == 0


def test_a_venue_that_wants_fewer_requests_has_answered_and_still_costs_points() -> None:
    health = after(*[RateLimitError("Slow down.", code="429", retry_after=17.0)] * ERRORS_TO_OPEN)
    assert (health.state, health.score) == (State.CLOSED, 0)


def test_calls_that_were_under_way_together_fail_as_one_in_a_row() -> None:
    health, began_at = Condition(), uptime() - 8
    for _ in range(ERRORS_TO_OPEN):
        health.failed(began_at, DOWN)
    assert (health.state, health.reading.errors) == (State.CLOSED, ERRORS_TO_OPEN)


def test_a_call_that_was_not_licensed_says_nothing_of_the_venue() -> None:
    health = Condition()
    with pytest.raises(NotLicensedError), noted(health):
        raise NotLicensedError
    assert health.reading.requests == 0


def test_what_we_hold_back_ourselves_is_not_the_venues_latency() -> None:
    health = Condition()
    with noted(health), held_back():
        time.sleep(0.05)
    assert (health.median_ms or 0) < 40


# --- Where calls are made


async def test_a_list_of_markets_that_is_at_hand_is_no_answer_and_its_lack_is_an_error() -> None:
    venue, health = FakeVenue(), Condition()
    gateway = MeasuredGateway(FakeGateway(venue), health)
    await gateway.load_markets()
    assert health.reading.requests == 0
    venue.fail("load_markets", DOWN)
    with pytest.raises(VenueDownError):
        await MeasuredGateway(FakeGateway(venue), health).load_markets()
    assert health.meter.read(uptime()).errors == 1


async def test_every_call_of_a_round_is_noted_with_its_latency(desk: Desk) -> None:
    await desk.rounds(2)
    health = desk.account.health
    asked = desk.venue.counts()
    at_the_gateway = sum(
        asked[name] for name in ("place", "fetch_balances", "fetch_open_orders", "fetch_trades")
    )
    seen = health.meter.read(uptime())
    assert seen.requests >= at_the_gateway > 0
    assert seen.errors == 0
    assert seen.median_ms is not None
    assert (health.score, health.state) == (100, State.CLOSED)


async def test_an_order_that_is_not_found_is_the_venues_answer(desk: Desk) -> None:
    await desk.round()
    before = desk.account.health.meter.read(uptime())
    desk.venue.fail("fetch_order", OrderNotFoundError("No such order.", code="-2013"))
    order = (await desk.orders())[0]
    with pytest.raises(OrderNotFoundError):
        await desk.account.gateway.fetch_order(ref_of(order))
    seen = desk.account.health.meter.read(uptime())
    assert (seen.requests - before.requests, seen.errors) == (1, 0)


# --- The breaker at the duty


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    """The engine's clocks stand still; a test moves them on. The venue's books have the real time."""
    clock = VirtualClock(began=datetime.now(UTC))
    with virtual_time(clock):
        yield clock


def pass_time(desk: Desk, clock: VirtualClock, seconds: float) -> None:
    clock.seconds += seconds
    desk.duty.lease.deadline = float("inf")  # it is renewed meanwhile


async def events(desk: Desk) -> list[tuple[str, str]]:
    rows = await desk.do(lambda: list(BotEvent.objects.filter(bot=None).order_by("pk")))
    return [(row.kind, row.text) for row in rows]


async def of_breaker(desk: Desk) -> list[str]:
    return [kind for kind, _ in await events(desk) if kind.startswith("breaker")]


async def row(desk: Desk) -> ConnectionHealth:
    await desk.do(desk.pulse.take().write)
    return await desk.do(ConnectionHealth.objects.get)


async def fall_silent(desk: Desk, times: int = 1_000_000) -> None:
    for name in ("fetch_balances", "fetch_open_orders", "fetch_order"):
        desk.venue.fail(name, DOWN, times=min(times, 300))


async def test_after_four_failures_nothing_is_asked_until_the_cooldown_is_over(
    clock: VirtualClock, desk: Desk
) -> None:
    await desk.do(SpreadBot.objects.update, max_book_age_seconds=600)
    desk.venue.fail("fetch_balances", DOWN, times=ERRORS_TO_OPEN)
    waits = [await desk.round() for _ in range(ERRORS_TO_OPEN)]
    assert COOLDOWN_SECONDS <= waits[-1] <= 1.1 * COOLDOWN_SECONDS
    asked = len(desk.venue.calls)
    pass_time(desk, clock, COOLDOWN_SECONDS - 1)
    assert await desk.round() == 1
    assert len(desk.venue.calls) == asked
    assert (await row(desk)).state == State.OPEN
    pass_time(desk, clock, 1)
    await desk.round()
    assert len(desk.venue.resting()) == 2
    assert (await row(desk)).state == State.CLOSED
    assert await of_breaker(desk) == ["breaker_open", "breaker_half_open", "breaker_closed"]
    assert len(await desk.events("connection_recovered")) == 1


async def test_a_change_of_the_breaker_names_its_cause(clock: VirtualClock, desk: Desk) -> None:
    desk.venue.fail("fetch_balances", DOWN, times=ERRORS_TO_OPEN)
    await desk.rounds(ERRORS_TO_OPEN)
    told = dict(await events(desk))
    assert told["breaker_open"] == f"4 times in a row: {DOWN} Nothing is asked for 30 s."
    pass_time(desk, clock, COOLDOWN_SECONDS)
    await desk.round()
    told = dict(await events(desk))
    assert str(DOWN) in told["breaker_half_open"]
    assert str(DOWN) in told["breaker_closed"]


async def test_half_open_one_failure_opens_it_again(clock: VirtualClock, desk: Desk) -> None:
    await fall_silent(desk)
    await desk.rounds(ERRORS_TO_OPEN)
    pass_time(desk, clock, COOLDOWN_SECONDS)
    asked = len(desk.venue.asked("fetch_balances"))
    assert await desk.round() >= COOLDOWN_SECONDS
    assert len(desk.venue.asked("fetch_balances")) == asked + 1
    assert (await row(desk)).state == State.OPEN


async def test_an_outage_that_goes_on_is_told_three_times_and_not_at_every_try(
    clock: VirtualClock, desk: Desk
) -> None:
    await fall_silent(desk)
    await desk.rounds(ERRORS_TO_OPEN)
    for _ in range(6):
        pass_time(desk, clock, COOLDOWN_SECONDS)
        await desk.round()
    assert await of_breaker(desk) == ["breaker_open", "breaker_half_open", "breaker_open"]
    desk.venue.recover()
    desk.venue.fail("fetch_balances", VenueDownError("Maintenance."))
    pass_time(desk, clock, COOLDOWN_SECONDS)
    await desk.round()
    (*_, told) = [text for kind, text in await events(desk) if kind == "breaker_open"]
    assert told.startswith("The try failed: Maintenance.")


async def test_what_is_left_of_a_round_in_which_it_opens_is_not_sent(desk: Desk) -> None:
    await desk.round()
    health = desk.account.health
    for _ in range(ERRORS_TO_OPEN):
        health.failed(uptime(), DOWN)
    asked = len(desk.venue.calls)
    with pytest.raises(VenueDownError, match="Nothing was sent"):
        await desk.account.gateway.fetch_balances()
    assert len(desk.venue.calls) == asked


async def test_a_changed_connection_is_tried_at_once(desk: Desk) -> None:
    desk.venue.fail("fetch_balances", DOWN, times=ERRORS_TO_OPEN)
    await desk.rounds(ERRORS_TO_OPEN)
    await desk.do(ExchangeConnection.objects.update, proxy_url="http://proxy.test:3128")
    await desk.round()
    assert len(desk.venue.resting()) == 2


async def test_a_bot_that_must_stop_and_has_no_order_does_not_wait_for_the_cooldown(desk: Desk) -> None:
    desk.venue.fail("fetch_balances", DOWN, times=ERRORS_TO_OPEN)
    await desk.rounds(ERRORS_TO_OPEN)
    await desk.set_state(BotState.STOPPING)
    await desk.round()
    assert await desk.state() == BotState.STOPPED


async def test_a_worker_that_takes_over_tries_at_once_and_once(clock: VirtualClock, desk: Desk) -> None:
    await fall_silent(desk)
    await desk.rounds(ERRORS_TO_OPEN)
    await desk.do(desk.pulse.take().write)
    await desk.open()
    asked = len(desk.venue.asked("fetch_balances"))
    assert await desk.round() >= COOLDOWN_SECONDS
    assert len(desk.venue.asked("fetch_balances")) == asked + 1
    assert (await row(desk)).state == State.OPEN


async def test_an_order_of_unknown_outcome_is_looked_up_when_the_breaker_closes(
    clock: VirtualClock, desk: Desk
) -> None:
    await desk.do(SpreadBot.objects.update, max_book_age_seconds=600)
    desk.venue.fail("place", OutcomeUnknownError("No answer."), times=2, arrives=True)
    await desk.round()
    desk.venue.fail("fetch_open_orders", DOWN, times=ERRORS_TO_OPEN)
    desk.venue.fail("fetch_balances", DOWN, times=ERRORS_TO_OPEN)
    await desk.rounds(ERRORS_TO_OPEN)
    assert (await row(desk)).state == State.OPEN
    assert await desk.states() == ["unknown", "unknown"]
    desk.venue.recover()
    pass_time(desk, clock, COOLDOWN_SECONDS)
    await desk.rounds(2)
    assert await desk.states() == ["open", "open"]
    assert desk.venue.counts()["place"] == 2


# --- Five minutes without an answer


async def be_silent_for(desk: Desk, clock: VirtualClock, seconds: float) -> None:
    """As the duty does it: it sleeps as long as a round says."""
    until, rounds = clock.seconds + seconds, 0
    while True:
        wait = await desk.round()
        rounds += 1
        assert rounds < 200
        if clock.seconds + wait >= until:
            pass_time(desk, clock, until - clock.seconds)
            return
        pass_time(desk, clock, max(wait, 0.01))


async def test_after_five_minutes_the_running_bots_are_stopped_and_it_is_told_why(
    clock: VirtualClock, desk: Desk
) -> None:
    paused = await desk.do(make_bot, desk.connection, "Paused", state=BotState.PAUSED)
    await desk.round()
    await fall_silent(desk)
    await be_silent_for(desk, clock, SILENCE_SECONDS - 1)
    assert await desk.state() == BotState.RUNNING
    await be_silent_for(desk, clock, 3)
    assert await desk.state() == BotState.STOPPING
    assert (await desk.do(Bot.objects.get, pk=paused.pk)).state == BotState.PAUSED
    (told,) = await desk.events("no_answer")
    (of_bot,) = await desk.events("stopping")
    assert (told.severity, of_bot.severity) == (Severity.ERROR, Severity.ERROR)
    assert told.text.startswith(f"No answer for 5 minutes. {DOWN} These bots are stopped: “Maker”.")
    assert "start them again" in told.text
    assert of_bot.bot_id == desk.bot.pk
    assert (await row(desk)).silent_since is not None


async def test_a_bot_that_was_stopped_so_ends_by_itself_when_the_venue_is_back(
    clock: VirtualClock, desk: Desk
) -> None:
    await desk.round()
    assert len(desk.venue.resting()) == 2
    await fall_silent(desk)
    await be_silent_for(desk, clock, SILENCE_SECONDS + 60)
    assert await desk.state() == BotState.STOPPING
    desk.venue.recover()
    pass_time(desk, clock, COOLDOWN_SECONDS)
    await desk.rounds(3)
    assert (await desk.state(), desk.venue.resting()) == (BotState.STOPPED, [])
    assert await desk.states() == ["canceled", "canceled"]
    await desk.rounds(2)
    assert desk.venue.counts()["place"] == 2
    assert (await row(desk)).silent_since is None


async def test_a_bot_without_orders_is_stopped_without_the_venue(clock: VirtualClock, desk: Desk) -> None:
    await fall_silent(desk)
    await be_silent_for(desk, clock, SILENCE_SECONDS + 1)
    assert await desk.state() == BotState.STOPPED


async def test_a_silence_is_told_once_and_a_bot_that_is_started_in_it_gets_its_five_minutes(
    clock: VirtualClock, desk: Desk
) -> None:
    await desk.round()
    await fall_silent(desk)
    await be_silent_for(desk, clock, 3 * SILENCE_SECONDS)
    assert len(await desk.events("no_answer")) == 1
    started = await desk.do(make_bot, desk.connection, "Started meanwhile")
    await be_silent_for(desk, clock, SILENCE_SECONDS - 60)
    assert (await desk.do(Bot.objects.get, pk=started.pk)).state == BotState.RUNNING
    await be_silent_for(desk, clock, 120)
    assert (await desk.do(Bot.objects.get, pk=started.pk)).state == BotState.STOPPED
    assert len(await desk.events("no_answer")) == 2


async def test_an_idle_connection_that_is_silent_is_told_of_once(clock: VirtualClock, desk: Desk) -> None:
    await desk.set_state(BotState.STOPPED)
    await fall_silent(desk)
    desk.venue.fail("fetch_balances", DOWN, times=300)
    await desk.do(ExchangeConnection.objects.update, balances_due_at=datetime.now(UTC))
    await be_silent_for(desk, clock, 3 * SILENCE_SECONDS)
    (told,) = await desk.events("no_answer")
    assert "asked again and again" in told.text


async def test_the_five_minutes_go_on_where_another_worker_takes_over(
    clock: VirtualClock, desk: Desk
) -> None:
    await desk.round()
    await fall_silent(desk)
    await be_silent_for(desk, clock, SILENCE_SECONDS - 100)
    await desk.do(desk.pulse.take().write)
    await desk.open()
    await be_silent_for(desk, clock, 110)
    assert await desk.state() == BotState.STOPPING


async def test_a_bot_stopped_so_that_leaves_its_orders_leaves_them(clock: VirtualClock, desk: Desk) -> None:
    await desk.do(SpreadBot.objects.update, on_stop=OnStop.LEAVE)
    await desk.round()
    await fall_silent(desk)
    await be_silent_for(desk, clock, SILENCE_SECONDS + 1)
    desk.venue.recover()
    pass_time(desk, clock, COOLDOWN_SECONDS)
    await desk.rounds(2)
    assert (await desk.state(), len(desk.venue.resting())) == (BotState.STOPPED, 2)


# --- On record


async def test_what_a_connection_is_like_is_on_its_row(desk: Desk) -> None:
    await desk.rounds(2)
    seen = await row(desk)
    assert (seen.score, seen.grade, seen.state, seen.errors) == (100, "good", State.CLOSED, 0)
    assert seen.requests > 0
    assert seen.median_ms is not None
    assert seen.unanswered_since is None


async def test_nothing_changed_nothing_written(desk: Desk, django_assert_num_queries: Any) -> None:
    await desk.round()
    await desk.do(desk.pulse.take().write)
    await desk.round()
    assert desk.pulse.take()._rows == []


async def test_the_score_is_told_when_it_crosses_an_edge_and_not_when_it_trembles_there(desk: Desk) -> None:
    await desk.round()
    health = desk.account.health
    for _ in range(60):
        health.answered(uptime())
    for _ in range(20):
        health.failed(uptime(), DOWN)
        health.answered(uptime())
    await tell(desk)
    for _ in range(3):
        health.failed(uptime(), DOWN)
        health.answered(uptime())
        await tell(desk)
        health.answered(uptime())
        await tell(desk)
    (told,) = await desk.events("score_changed")
    assert told.severity == Severity.INFO
    assert "fair (good before): of " in told.text
    assert told.text.endswith(f"The last error: {DOWN}")


async def tell(desk: Desk) -> None:
    desk.account.health._read_at = float("-inf")
    await desk.duty._tell_health()
