"""Budgets on a real wire: orders before reads, what the venue counts, and whom a refusal concerns."""

from __future__ import annotations

import asyncio

import pytest

from exchanges.errors import RateLimitError
from exchanges.pacing import SLOWER, Budget
from exchanges.venues.pace import Pace
from tests.exchanges.venues.conftest import SYMBOL, Lab, OpenGateway, buy
from tests.exchanges.venues.own_connectors import ref_of
from tests.lab.faults import Effect, Fault, Stage, too_many_requests
from tests.lab.wire import WireAnswer

ORDER, BOOK, PING = "/api/v3/order", "/api/v3/depth", "/api/v3/time"


@pytest.fixture
def stopped(lab: Lab) -> None:
    """The venue's clock: no window of its counts ends during the test."""
    clock = lab.exchange.clock
    now = clock.now_ms()
    clock._source = lambda: now


async def test_an_order_and_its_cancel_go_before_two_hundred_reads(
    lab: Lab, open_binance: OpenGateway
) -> None:
    gateway = open_binance()
    await gateway.load_markets()
    gateway._client.own_pace = Pace(Budget(rate=100, burst=50))
    lab.server.requests.clear()

    reads = [asyncio.create_task(gateway.fetch_book(SYMBOL)) for _ in range(200)]
    await asyncio.sleep(0.3)
    request = buy("0.5", "40000")
    placed = await gateway.place(request)
    await gateway.cancel(ref_of(request, placed.venue_id))
    went_before = len(lab.server.requests.select(path=BOOK))
    await asyncio.gather(*reads)

    assert went_before < 150
    assert len(lab.server.requests.select(path=BOOK)) == 200
    assert len(lab.server.requests.select(path=ORDER)) == 2


@pytest.mark.usefixtures("stopped")
async def test_what_others_at_the_address_used_is_noticed(lab: Lab, open_binance: OpenGateway) -> None:
    gateway = open_binance()
    await gateway.load_markets()
    assert gateway.budget_used < 0.2
    lab.dialect.binance.weights.charge("127.0.0.1", "api", 5900)

    await gateway.fetch_time()

    assert gateway.budget_used == 1
    assert gateway._client.address_pace.seconds_to_wait(1, reads=True) > 2


@pytest.mark.usefixtures("stopped")
async def test_what_another_program_placed_with_the_key_is_noticed(
    lab: Lab, open_binance: OpenGateway
) -> None:
    gateway = open_binance()
    await gateway.load_markets()
    unfilled = lab.exchange.accounts["desk"].unfilled
    unfilled[10_000, lab.exchange.clock.now_ms() // 10_000] = 95

    await gateway.place(buy("0.5", "40000"))

    assert gateway._client.order_pace is not None
    assert gateway._client.order_pace.seconds_to_wait(1) > 1


def limit(code: int, *, path: str) -> Fault:
    body = f'{{"code":{code},"msg":"Too many."}}'.encode()
    headers = {"Content-Type": "application/json;charset=UTF-8", "Retry-After": "30"}
    answer = WireAnswer(status=429, headers=headers, body=body)
    return Fault(effect=Effect.ANSWER, stage=Stage.BEFORE, answer=answer, path=path)


async def test_a_limit_of_the_address_pauses_all_who_ask_from_there(
    lab: Lab, open_binance: OpenGateway
) -> None:
    first, second = open_binance(), open_binance()
    await second.load_markets()
    lab.server.faults.add(too_many_requests(30, path=PING))

    with pytest.raises(RateLimitError) as caught:
        await first.fetch_time()
    assert (caught.value.of_address, caught.value.retry_after) == (True, 30)

    with pytest.raises(RateLimitError, match="Nothing was sent"):
        await second.fetch_balances()
    with pytest.raises(RateLimitError, match="Nothing was sent"):
        await second.place(buy("0.5", "40000"))


async def test_a_limit_of_one_account_pauses_no_other(lab: Lab, open_binance: OpenGateway) -> None:
    first, second = open_binance(), open_binance()
    await first.load_markets()
    lab.server.faults.add(limit(-1015, path=ORDER))

    with pytest.raises(RateLimitError) as caught:
        await first.place(buy("0.5", "40000"))
    assert not caught.value.of_address

    with pytest.raises(RateLimitError, match="Nothing was sent"):
        await first.fetch_balances()
    await second.fetch_balances()


async def test_after_a_refusal_we_ask_more_slowly(lab: Lab, open_binance: OpenGateway) -> None:
    gateway = open_binance()
    await gateway.load_markets()
    fault = too_many_requests(30, path=PING)
    fault.times = 5
    lab.server.faults.add(fault)

    refused = await asyncio.gather(*(gateway.fetch_time() for _ in range(5)), return_exceptions=True)

    assert len(lab.server.requests.select(path=PING)) == len(refused) == 5
    assert gateway._client.address_pace._state.speed == SLOWER
