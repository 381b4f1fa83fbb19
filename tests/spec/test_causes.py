"""Each cause leads to the right error and to one sentence that names it or says what to do."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from exchanges.errors import InvalidOrderError, VenueError
from exchanges.types import OrderRef, Side
from exchanges.venues.ccxt_venue import CcxtGateway
from exchanges.venues.registry import venue
from tests.lab.faults import Effect, Fault, Stage
from tests.spec.bench import Bench
from tests.spec.causes.cause import EVERYWHERE, Asked, Cause
from tests.spec.causes.told import CAUSES, NEVER, told_at, untold_at
from tests.spec.stands import STANDS, Stand

TOLD = [
    pytest.param(stand, cause, id=f"{stand.venue}: {cause.title}")
    for stand in STANDS
    for cause in told_at(stand)
]


@pytest.mark.parametrize(("stand", "cause"), TOLD)
async def test_a_cause_is_named_with_what_to_do(stand: Stand, cause: Cause, bench: Bench) -> None:
    gateway = bench.gateway()
    await gateway.load_markets()
    if cause.after_a_good_call:
        await gateway.fetch_balances()
    bench.faults.add(Fault(effect=Effect.ANSWER, stage=Stage.BEFORE, answer=cause.answer, times=None))

    with pytest.raises(VenueError) as caught:
        await ask(bench, gateway, cause.asked)

    error = caught.value
    assert isinstance(error, cause.error), error
    if cause.rule is not None:
        assert isinstance(error, InvalidOrderError)
        assert error.rule is stand.rule(cause.rule)
    assert re.search(cause.says, error.sentence)
    assert venue(stand.venue).title in error.sentence
    assert re.fullmatch(r"[^{}\n]{20,400}\.", error.sentence)


async def ask(bench: Bench, gateway: CcxtGateway, what: Asked) -> object:
    ref = OrderRef(client_id=uuid4().hex, symbol=bench.stand.symbol, venue_id=bench.stand.unknown_order)
    request = bench.request(Side.BUY, bench.stand.amount, bench.ticks(-100))
    if what is Asked.PLACE:
        return await gateway.place(request)
    if what is Asked.CANCEL:
        return await gateway.cancel(ref)
    return await (gateway.fetch_order(ref) if what is Asked.ORDER else gateway.fetch_balances())


@pytest.mark.parametrize("venue_id", CAUSES)
def test_no_cause_of_a_venue_is_listed_twice(venue_id: str) -> None:
    titles = [cause.title for cause in (*CAUSES[venue_id], *EVERYWHERE)]
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize("stand", STANDS, ids=lambda stand: stand.venue)
def test_each_usual_cause_is_told_at_a_venue_or_has_a_reason_why_not(stand: Stand) -> None:
    assert {cause.title for cause in untold_at(stand)} == NEVER.get(stand.venue, {}).keys()
