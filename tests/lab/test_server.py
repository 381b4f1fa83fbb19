"""The lab's one door: TLS, hosts, faults and the record of requests."""

from __future__ import annotations

import ssl
import time

import aiohttp
import pytest

from tests.lab.faults import Effect, Fault, Stage, drop_after_accept
from tests.lab.lab import Lab
from tests.lab.resolver import lab_connector

PING = "https://api.binance.com/api/v3/ping"
TIME = "https://api.binance.com/api/v3/time"


async def test_a_stranger_does_not_trust_the_lab(lab: Lab) -> None:
    connector = lab_connector(lab.port, lab.ca_file)
    async with aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(PING, ssl=ssl.create_default_context())


async def test_a_host_without_a_dialect_is_told_so(lab: Lab, lab_session: aiohttp.ClientSession) -> None:
    del lab._server._by_host["api.kraken.com"]
    async with lab_session.get("https://api.kraken.com/0/public/Time") as response:
        assert response.status == 421
    assert lab.requests.select() == []


async def test_an_unknown_path_is_not_found(lab_session: aiohttp.ClientSession) -> None:
    async with lab_session.get("https://api.binance.com/api/v9/nothing") as response:
        assert (response.status, response.content_type) == (404, "text/html")


async def test_a_fault_strikes_the_requests_it_names_and_no_others(
    lab: Lab, lab_session: aiohttp.ClientSession
) -> None:
    lab.faults.add(drop_after_accept(path="/api/v3/ping"))
    async with lab_session.get(TIME) as response:
        assert response.status == 200
    with pytest.raises(aiohttp.ServerDisconnectedError):
        # Not a GET: aiohttp sends those again on its own.
        await lab_session.post(PING)
    async with lab_session.get(PING) as response:
        assert response.status == 200


async def test_a_fault_lets_some_requests_pass_first(lab: Lab, lab_session: aiohttp.ClientSession) -> None:
    lab.faults.add(Fault(effect=Effect.ANSWER, stage=Stage.BEFORE, skip=1, times=2))
    statuses = []
    for _ in range(4):
        async with lab_session.get(PING) as response:
            statuses.append(response.status)
    assert statuses == [200, 500, 500, 200]


async def test_a_delay_only_delays(lab: Lab, lab_session: aiohttp.ClientSession) -> None:
    lab.faults.add(Fault(effect=Effect.DELAY, seconds=0.2))
    started = time.monotonic()
    async with lab_session.get(PING) as response:
        assert response.status == 200
    assert time.monotonic() - started >= 0.2


async def test_requests_are_recorded_as_they_came(lab: Lab, lab_session: aiohttp.ClientSession) -> None:
    before = time.time()
    await (await lab_session.get(TIME, headers={"X-Canary": "yellow"})).read()
    (seen,) = lab.requests.select(venue="binance", method="GET", path="/api/v3/time")
    assert before <= seen.time <= time.time()
    assert (seen.key, seen.headers["x-canary"]) == (None, "yellow")
    assert lab.requests.counts() == {("binance", None, "GET", "/api/v3/time"): 1}
