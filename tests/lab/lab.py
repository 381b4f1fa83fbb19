"""A whole lab: a house for each venue, and the server before them all."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp

from tests.lab.accounts import ApiKey
from tests.lab.authority import Authority
from tests.lab.clock import Clock
from tests.lab.crowd import Crowd, Temper
from tests.lab.exchange import Exchange
from tests.lab.faults import FaultPlan
from tests.lab.hosts import ALL_HOSTS
from tests.lab.house import House
from tests.lab.record import Requests
from tests.lab.resolver import lab_connector
from tests.lab.server import LabServer
from tests.lab.venues import VENUES
from tests.lab.weather import Sky

USUAL = "binance"


class Lab:
    """`async with Lab() as lab:`; where no venue is named, Binance's house is meant."""

    def __init__(self) -> None:
        self.houses = {venue: House(*parts, Clock()) for venue, parts in VENUES.items()}
        self._folder = tempfile.TemporaryDirectory(prefix="botdesk-lab-")
        self._authority = Authority(Path(self._folder.name), ALL_HOSTS)
        self._server = LabServer((house.dialect for house in self.houses.values()), self._authority)
        self.sky = Sky({venue: house.dialect for venue, house in self.houses.items()})
        self.faults.behind.append(self.sky)

    async def __aenter__(self) -> Lab:
        await self._server.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for house in self.houses.values():
            await house.close()
        await self._server.__aexit__(kind, error, trace)
        self._folder.cleanup()

    def house(self, venue: str = USUAL) -> House:
        return self.houses[venue]

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def ca_file(self) -> Path:
        return self._authority.ca_file

    @property
    def requests(self) -> Requests:
        return self._server.requests

    @property
    def faults(self) -> FaultPlan:
        return self._server.faults

    def connector(self, **options: Any) -> aiohttp.TCPConnector:
        """What `exchanges.venues.wire.build_connector` is replaced with; the caller closes it."""
        return lab_connector(self.port, self.ca_file, **options)

    def conserves_balances(self) -> bool:
        """Nothing was made or lost since the deposits, in any house."""
        return all(house.conserves_balances() for house in self.houses.values())

    # --- The usual house

    @property
    def exchange(self) -> Exchange:
        return self.house().exchange

    @property
    def clock(self) -> Clock:
        return self.house().clock

    @property
    def crowds(self) -> Mapping[str, Crowd]:
        return self.house().crowds

    def open_account(
        self, name: str, *, key: str, secret: str, balances: Mapping[str, Decimal] | None = None, **more: Any
    ) -> ApiKey:
        return self.house().open_account(name, key=key, secret=secret, balances=balances, **more)

    def gather_crowd(
        self, symbol: str, price: Decimal, *, seed: int = 1, temper: Temper | None = None
    ) -> Crowd:
        return self.house().gather_crowd(symbol, price, seed=seed, temper=temper)
