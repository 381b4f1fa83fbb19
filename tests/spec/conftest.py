"""The bench that every case is put to, at each venue's stand."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from exchanges.venues import wire as wire_module
from exchanges.venues.wire import Wire
from tests.lab.authority import Authority
from tests.lab.clock import Clock
from tests.lab.hosts import ALL_HOSTS
from tests.lab.house import House
from tests.lab.resolver import lab_connector
from tests.lab.server import LabServer
from tests.lab.venues import VENUES
from tests.spec.bench import Bench, Trust
from tests.spec.stands import Stand


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), ALL_HOSTS)


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Of the same name, and not the lab's."""
    return Authority(tmp_path_factory.mktemp("stranger"), ALL_HOSTS)


@pytest_asyncio.fixture
async def bench(
    stand: Stand, authority: Authority, stranger: Authority, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bench]:
    """Production URLs, over TLS, on loopback. Afterwards nothing was made or lost at the venue."""
    house = House(*VENUES[stand.venue], Clock())
    trust = Trust(ca_file=authority.ca_file, strangers=stranger.ca_file)
    async with LabServer([house.dialect], authority) as server:
        port = server.port
        monkeypatch.setattr(
            wire_module, "build_connector", lambda **options: lab_connector(port, trust.ca_file, **options)
        )
        async with Wire() as wire:
            bench = Bench(stand, house, server, wire, trust)
            yield bench
            await bench.close()
    assert house.conserves_balances()
