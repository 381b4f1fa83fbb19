"""A whole lab: an exchange with markets and accounts, its dialects and the server before them."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp

from tests.lab.accounts import ApiKey, FeeSchedule
from tests.lab.authority import Authority
from tests.lab.binance import BinanceDialect
from tests.lab.binance.limits import Limits
from tests.lab.clock import Clock
from tests.lab.crowd import Crowd, Temper
from tests.lab.exchange import Exchange
from tests.lab.faults import FaultPlan
from tests.lab.hosts import ALL_HOSTS
from tests.lab.record import Requests
from tests.lab.resolver import lab_connector
from tests.lab.rules import MarketRules
from tests.lab.server import LabServer
from tests.lab.weather import Sky

MARKETS = (
    MarketRules(base="BTC", quote="USDT"),
    MarketRules(
        base="ETH",
        quote="USDT",
        amount_step=Decimal("0.0001"),
        min_amount=Decimal("0.0001"),
        max_market_amount=Decimal(2000),
    ),
    MarketRules(
        base="BNB",
        quote="USDT",
        amount_step=Decimal("0.001"),
        min_amount=Decimal("0.001"),
        max_market_amount=Decimal(5000),
    ),
)


class Lab:
    """`async with Lab() as lab:`; the exchange is Binance's."""

    def __init__(self, *, clock: Clock | None = None, limits: Limits | None = None) -> None:
        self.clock = clock or Clock()
        self.exchange = Exchange(self.clock)
        for rules in MARKETS:
            self.exchange.list_market(rules)
        self.binance = BinanceDialect(self.exchange, limits=limits)
        self.crowds: dict[str, Crowd] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="botdesk-lab-")
        self._authority = Authority(Path(self._folder.name), ALL_HOSTS)
        self._server = LabServer([self.binance], self._authority)
        self.sky = Sky(self.clock.now_ms)
        self.faults.behind.append(self.sky)
        self._walks: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Lab:
        await self._server.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for symbol in list(self._walks):
            await self.stop_crowd(symbol)
        await self._server.__aexit__(kind, error, trace)
        self._folder.cleanup()

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

    def open_account(
        self,
        name: str,
        *,
        key: str,
        secret: str,
        balances: Mapping[str, Decimal] | None = None,
        fees: FeeSchedule | None = None,
        **rights: Any,
    ) -> ApiKey:
        """An account with a key; rights: the fields of ApiKey, as trading=False."""
        self.exchange.open_account(name, fees)
        for currency, amount in (balances or {}).items():
            self.exchange.ledger.deposit(name, currency, amount)
        api_key = ApiKey(key=key, secret=secret, account=name, created_ms=self.clock.now_ms(), **rights)
        self.binance.keys.add(api_key)
        return api_key

    def gather_crowd(
        self, symbol: str, price: Decimal, *, seed: int = 1, temper: Temper | None = None
    ) -> Crowd:
        """A crowd whose book is laid; it moves only when told."""
        self.crowds[symbol] = crowd = Crowd(self.exchange, symbol, price, seed=seed, temper=temper)
        crowd.quote()
        return crowd

    def start_crowd(self, symbol: str, interval_seconds: float) -> None:
        """Let it step on its own."""
        self._walks[symbol] = asyncio.create_task(self.crowds[symbol].run(interval_seconds))

    async def stop_crowd(self, symbol: str) -> None:
        task = self._walks.pop(symbol)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    def conserves_balances(self) -> bool:
        """Nothing was made or lost since the deposits."""
        ledger = self.exchange.ledger
        return all(ledger.total(name) == ledger.deposited(name) for name in ledger.currencies())
