"""Connections that share a venue and a way out begin one after another."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.engine.duty import Ending
from bots.engine.starts import LONGEST_START_SECONDS, START_PAUSE_SECONDS, start_delays
from tests.bots.engine.conftest import Desk


def test_connections_of_one_venue_begin_a_pause_apart() -> None:
    assert start_delays(["binance", "okx", "binance", "binance"]) == pytest.approx([0, 0, 0.1, 0.2])


@given(st.lists(st.sampled_from(["binance", "okx", "kraken"]), max_size=300))
def test_the_first_of_each_place_begins_at_once_and_the_last_in_time(places: list[str]) -> None:
    delays = start_delays(places)
    for place in set(places):
        own = [delay for one, delay in zip(places, delays, strict=True) if one == place]
        gaps = [later - earlier for earlier, later in pairwise(own)]
        assert own[0] == 0
        assert own[-1] <= LONGEST_START_SECONDS
        assert all(0 < gap <= START_PAUSE_SECONDS + 1e-9 for gap in gaps)


async def test_a_duty_waits_before_its_first_request(desk: Desk) -> None:
    await desk.look_at_board()
    desk.duty.start_delay_seconds = 0.2
    task = asyncio.create_task(desk.duty.run())
    await asyncio.sleep(0.1)
    assert desk.venue.calls == []
    await asyncio.sleep(0.5)
    assert desk.venue.counts()["place"] == 2
    desk.duty.end(Ending.HAND_OVER)
    await task


async def test_a_duty_that_is_told_to_end_does_not_wait_for_its_turn(desk: Desk) -> None:
    await desk.look_at_board()
    desk.duty.start_delay_seconds = 60.0
    task = asyncio.create_task(desk.duty.run())
    await asyncio.sleep(0)
    desk.duty.end(Ending.HAND_OVER)
    await asyncio.wait_for(task, timeout=5)
    assert desk.venue.calls == []
