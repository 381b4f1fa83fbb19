"""A venue that answers nonsense: the connection is isolated, and the books are the venue's afterwards.

At the lab, true answers are bent in a few places: wrong types, missing fields, negative amounts, unknown
states, numbers as words. What is well-typed and absurd: see test_absurd_reports.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from bots.engine import observe
from bots.models import BotEvent
from database.thread import DatabaseThread
from exchanges.venues import wire as wire_module
from exchanges.venues.pace import Pace
from tests.bots.engine.lab_books import LabDesk, Market, desks_at, key_of, quiet_rounds, secret_of, trade
from tests.chaos.verdict import Verdict
from tests.lab.faults import Effect, Fault
from tests.lab.lab import Lab
from tests.lab.orders import Side

SIGNED = [
    ("GET", "/api/v3/account"),
    ("GET", "/api/v3/openOrders"),
    ("GET", "/api/v3/order"),
    ("GET", "/api/v3/myTrades"),
    ("POST", "/api/v3/order"),
    ("DELETE", "/api/v3/order"),
]


@pytest.fixture(autouse=True)
def impatient(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lab is asked as often as a venue is, in less time."""
    monkeypatch.setattr(wire_module, "build_connector", lab.connector)
    monkeypatch.setattr(Pace, "seconds_to_wait", lambda *_pace, **_reads: 0.0)
    for name in ("GRACE", "LATE_TRADES", "CANCEL_PATIENCE"):
        monkeypatch.setattr(observe, name, timedelta(0))


@pytest_asyncio.fixture
async def desks(lab: Lab, database: DatabaseThread, transactional_db: None) -> AsyncIterator[Desks]:
    async with desks_at(lab, database, "victim", "neighbour") as (victim, neighbour):
        yield Desks(victim, neighbour)


class Desks(NamedTuple):
    victim: LabDesk
    neighbour: LabDesk


async def endure(desks: Desks, fault: Fault, *, rounds: int, seed: int) -> None:
    """A calm start, nonsense for some rounds, and calm again until the books are settled."""
    lab, market = desks.victim.lab, Market(desks.victim.lab, random.Random(seed))
    lab.faults.reseed(seed)
    await trade(desks, market, 1)
    lab.faults.add(fault)
    await trade(desks, market, rounds)
    lab.faults.clear()
    assert fault.struck
    await quiet_rounds(desks, 5)


def nonsense(mutations: int, **where: Any) -> Fault:
    return Fault(effect=Effect.NONSENSE, times=None, mutations=mutations, **where)


def are_clear(events: Iterable[BotEvent]) -> bool:
    """A sentence or two for a person, and no word of a traceback, a database or a secret."""
    bad = ("Traceback", "Internal error", "database", "\n", key_of("victim"), secret_of("victim"))
    return all(e.text.endswith(".") and not any(word in e.text for word in bad) for e in events)


@pytest.mark.parametrize(("method", "path"), SIGNED)
async def test_nonsense_on_one_call_isolates_its_connection_and_loses_nothing(
    desks: Desks, method: str, path: str
) -> None:
    fault = nonsense(8, method=method, path=path, key=key_of("victim"))
    await endure(desks, fault, rounds=4, seed=1)
    assert await desks.victim.verdict() == Verdict()
    assert await desks.victim.events()
    assert are_clear(await desks.victim.events())
    assert await desks.neighbour.verdict() == Verdict()
    assert await desks.neighbour.events() == []


@pytest.mark.parametrize("seed", [2, 3, 6])
async def test_nonsense_on_some_of_all_calls_loses_nothing(desks: Desks, seed: int) -> None:
    fault = nonsense(seed, probability=0.3, key=key_of("victim"))
    await endure(desks, fault, rounds=8, seed=seed)
    assert await desks.victim.verdict() == Verdict()
    assert are_clear(await desks.victim.events())
    assert await desks.neighbour.verdict() == Verdict()
    assert await desks.neighbour.events() == []


async def test_while_one_connection_gets_nonsense_its_neighbour_misses_no_round(desks: Desks) -> None:
    """It asks as often as it would in peace, and quotes on both sides throughout."""
    requests = desks.victim.lab.requests
    await endure(desks, nonsense(8, key=key_of("victim")), rounds=4, seed=1)
    balances = requests.select(key=key_of("neighbour"), method="GET", path="/api/v3/account")
    assert len(balances) == 1 + 4 + 5
    assert {order.side for order in desks.neighbour.lab.exchange.open_orders("neighbour")} == set(Side)


async def test_a_nonsense_book_places_nothing_wrong(desks: Desks) -> None:
    await endure(desks, nonsense(3, path="/api/v3/depth"), rounds=5, seed=4)
    for desk in desks:
        assert await desk.verdict() == Verdict()
        assert are_clear(await desk.events())
