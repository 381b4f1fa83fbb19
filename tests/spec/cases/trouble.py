"""What goes wrong on the way, and at the venue."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from exchanges.errors import (
    MalformedAnswerError,
    OrderNotFoundError,
    OutcomeUnknownError,
    RateLimitError,
    Rule,
    VenueDownError,
)
from exchanges.gateway import NotLicensedError
from exchanges.types import OrderRequest, Side, VenueOrderStatus
from tests.lab.faults import Effect, Fault, Stage
from tests.lab.orders import State
from tests.lab.pages import gateway_page
from tests.lab.wire import WireAnswer
from tests.spec.bench import Bench, ref_of
from tests.spec.case import Need, case
from tests.spec.compare import may_be_refused_by

RETRY_AFTER_SECONDS = 30
LOST_ANSWER = (OutcomeUnknownError, MalformedAnswerError)


def _answer(answer: WireAnswer, stage: Stage = Stage.BEFORE, times: int | None = 1) -> Fault:
    return Fault(effect=Effect.ANSWER, stage=stage, answer=answer, times=times)


def _chance() -> random.Random:
    return random.Random(7)


def _order(bench: Bench) -> OrderRequest:
    return bench.request(Side.BUY, bench.stand.amount, bench.ticks(-100))


# --- Reading


@case("S73", "obeys Retry-After before it sends anything else", Need.RETRY_AFTER)
async def _(bench: Bench) -> None:
    answer = bench.house.dialect.outages.rate_limited(RETRY_AFTER_SECONDS)

    assert await _limited(bench, answer) == RETRY_AFTER_SECONDS


@case("S74", "stays away for a while where a rate limit does not say for how long")
async def _(bench: Bench) -> None:
    answer = bench.house.dialect.outages.rate_limited(RETRY_AFTER_SECONDS)
    silent = {name: value for name, value in answer.headers.items() if name.lower() != "retry-after"}

    assert await _limited(bench, replace(answer, headers=silent)) is None


async def _limited(bench: Bench, answer: WireAnswer) -> float | None:
    """What the desk was told of how long; then it sends nothing."""
    gateway = bench.gateway()
    await gateway.load_markets()
    bench.faults.add(_answer(answer))

    with pytest.raises(RateLimitError) as caught:
        await gateway.fetch_balances()

    asked = len(bench.requests.select())
    with pytest.raises(RateLimitError, match="Nothing was sent"):
        await gateway.fetch_balances()
    assert len(bench.requests.select()) == asked
    return caught.value.retry_after


@case("S75", "takes maintenance for what it is, and reads again afterwards")
async def _(bench: Bench) -> None:
    gateway = bench.gateway()
    await gateway.load_markets()
    fault = bench.faults.add(_answer(bench.house.dialect.outages.maintenance(), times=None))

    with pytest.raises(VenueDownError):
        await gateway.fetch_balances()

    bench.faults.remove(fault)
    assert await gateway.fetch_balances()


@case("S76", "gives up on an answer that does not come")
async def _(bench: Bench) -> None:
    gateway = bench.impatient_gateway()
    await gateway.load_markets()
    bench.faults.add(Fault(effect=Effect.HANG, stage=Stage.BEFORE))

    with pytest.raises(VenueDownError):
        await gateway.fetch_balances()


@case("S77", "takes a broken connection for a broken connection")
async def _(bench: Bench) -> None:
    gateway = bench.gateway()
    await gateway.load_markets()
    bench.faults.add(Fault(effect=Effect.DROP, stage=Stage.BEFORE, times=None))

    with pytest.raises(VenueDownError):
        await gateway.fetch_balances()


@case("S78", "takes the page of a load balancer for no answer")
async def _(bench: Bench) -> None:
    gateway = bench.gateway()
    await gateway.load_markets()
    bench.faults.add(_answer(gateway_page(_chance())))

    with pytest.raises(VenueDownError):
        await gateway.fetch_balances()


@case("S79", "believes no balances of an answer that breaks off")
async def _(bench: Bench) -> None:
    gateway = bench.gateway()
    await gateway.load_markets()
    bench.faults.add(Fault(effect=Effect.TRUNCATE, stage=Stage.AFTER))

    with pytest.raises((MalformedAnswerError, VenueDownError)):
        await gateway.fetch_balances()


@case("S80", "believes no book of an answer that breaks off")
async def _(bench: Bench) -> None:
    data = bench.market_data()
    await data.load_markets()
    bench.crowd("buy", bench.stand.amount, bench.ticks(-1))
    bench.faults.add(Fault(effect=Effect.TRUNCATE, stage=Stage.AFTER))

    with pytest.raises((MalformedAnswerError, VenueDownError)):
        await data.fetch_book(bench.stand.symbol)


# --- Orders whose answer is lost


async def _lost_and_found(bench: Bench, fault: Fault) -> None:
    """The order is in the book, nobody told us, and it is found under its client id, once."""
    gateway, request = bench.impatient_gateway(), _order(bench)
    await gateway.load_markets()
    bench.faults.add(fault)

    with pytest.raises(LOST_ANSWER):
        await gateway.place(request)

    found = await bench.settled(gateway, ref_of(request))
    assert (found.status, found.client_id) == (VenueOrderStatus.OPEN, request.client_id)
    assert [order.client_id for order in bench.orders()] == [request.client_id]


@case("S81", "looks an order up whose answer does not come", Need.TRADING)
async def _(bench: Bench) -> None:
    await _lost_and_found(bench, Fault(effect=Effect.HANG, stage=Stage.AFTER))


@case("S82", "looks an order up whose connection breaks after it arrived", Need.TRADING)
async def _(bench: Bench) -> None:
    await _lost_and_found(bench, Fault(effect=Effect.DROP, stage=Stage.AFTER))


@case("S83", "looks an order up that a load balancer answers in the venue's stead", Need.TRADING)
async def _(bench: Bench) -> None:
    await _lost_and_found(bench, _answer(gateway_page(_chance()), Stage.AFTER))


@case("S84", "looks an order up whose answer breaks off", Need.TRADING)
async def _(bench: Bench) -> None:
    await _lost_and_found(bench, Fault(effect=Effect.TRUNCATE, stage=Stage.AFTER))


@case("S85", "looks an order up of which the venue itself does not know the outcome", Need.TRADING)
async def _(bench: Bench) -> None:
    answer = bench.house.dialect.outages.unknown_outcome(_chance())

    await _lost_and_found(bench, _answer(answer, Stage.AFTER))


@case("S86", "learns that an order never arrived whose connection broke before", Need.TRADING)
async def _(bench: Bench) -> None:
    gateway, request = bench.gateway(), _order(bench)
    await gateway.load_markets()
    bench.faults.add(Fault(effect=Effect.DROP, stage=Stage.BEFORE))

    with pytest.raises(OutcomeUnknownError):
        await gateway.place(request)

    with pytest.raises(OrderNotFoundError):
        await gateway.fetch_order(ref_of(request))
    assert bench.orders() == []


@case("S87", "places nothing during maintenance", Need.TRADING)
async def _(bench: Bench) -> None:
    gateway, request = bench.gateway(), _order(bench)
    await gateway.load_markets()
    bench.faults.add(_answer(bench.house.dialect.outages.maintenance()))

    with pytest.raises((VenueDownError, OutcomeUnknownError)):
        await gateway.place(request)

    with pytest.raises(OrderNotFoundError):
        await gateway.fetch_order(ref_of(request))


@case("S88", "sends an order once, whatever becomes of it", Need.TRADING)
async def _(bench: Bench) -> None:
    gateway, request = bench.gateway(), _order(bench)
    await gateway.load_markets()
    bench.requests.clear()
    bench.faults.add(_answer(gateway_page(_chance()), times=None))

    with pytest.raises(OutcomeUnknownError):
        await gateway.place(request)

    assert len(bench.requests.select()) == 1


@case("S89", "has one order where the request was delivered twice", Need.TRADING)
async def _(bench: Bench) -> None:
    gateway, request = bench.gateway(), _order(bench)
    await gateway.load_markets()
    bench.faults.add(Fault(effect=Effect.DUPLICATE))

    report = await bench.place(gateway, request)

    assert report.status is VenueOrderStatus.OPEN
    assert [order.client_id for order in bench.orders()] == [request.client_id]


@case("S90", "has one order where only the second delivery is answered", Need.TRADING)
async def _(bench: Bench) -> None:
    """That answer is a duplicate's or an unclear one: never one that says that there is no order."""
    gateway, request = bench.gateway(), _order(bench)
    await gateway.load_markets()
    bench.faults.add(Fault(effect=Effect.DUPLICATE_LAST))

    with may_be_refused_by(Rule.DUPLICATE), suppress(*LOST_ANSWER):
        await gateway.place(request)

    found = await bench.settled(gateway, ref_of(request))
    assert found.status is VenueOrderStatus.OPEN
    assert len(bench.orders()) == 1


@case("S91", "looks up how an order ended whose cancel was not answered", Need.TRADING)
async def _(bench: Bench) -> None:
    gateway, request = bench.impatient_gateway(), _order(bench)
    placed = await bench.place(gateway, request)
    bench.faults.add(Fault(effect=Effect.HANG, stage=Stage.AFTER))

    with pytest.raises(OutcomeUnknownError):
        await gateway.cancel(ref_of(request, placed.venue_id))

    assert bench.taken_in(request).state is State.CANCELED
    ended = await bench.ended(gateway, ref_of(request, placed.venue_id))
    assert ended.status is VenueOrderStatus.CANCELED


@case("S92", "sends nothing without its lease", Need.TRADING)
async def _(bench: Bench) -> None:
    gateway = bench.gateway(licence=_EndedLicence())
    await gateway.load_markets()
    bench.requests.clear()

    with pytest.raises(NotLicensedError):
        await gateway.place(_order(bench))
    with pytest.raises(NotLicensedError):
        await gateway.fetch_balances()

    assert bench.requests.select() == []


class _EndedLicence:
    def check(self) -> Any:
        raise NotLicensedError("the lease has ended")
