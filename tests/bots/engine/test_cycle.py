"""Cycles of bots, run by hand at a fake venue."""

from __future__ import annotations

from decimal import Decimal

from tests.bots.engine.conftest import Desk

D = Decimal


async def test_a_bot_quotes_both_sides(desk: Desk) -> None:
    await desk.round()
    assert [(o.side, o.price, o.amount) for o in desk.venue.resting()] == [
        ("buy", D("99"), D(1)),
        ("sell", D("101"), D(1)),
    ]
    assert await desk.states() == ["open", "open"]


async def test_an_idle_round_writes_nothing_and_asks_the_database_nothing(desk: Desk) -> None:
    await desk.rounds(2)
    assert await desk.queries_of_a_round() == []
