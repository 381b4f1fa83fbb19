"""What is noted of a connection's calls, and what a duty makes of it."""

from __future__ import annotations

import pytest

from bots.engine.account import ref_of
from bots.engine.clock import uptime
from bots.engine.condition import Condition
from bots.engine.measured import MeasuredGateway, noted
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
from exchanges.health import ERRORS_TO_OPEN, State
from tests.bots.engine.conftest import Desk
from tests.bots.engine.fake_venue import FakeGateway, FakeVenue

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
