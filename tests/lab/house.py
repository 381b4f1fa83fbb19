"""One venue in the lab: an exchange, the dialect that speaks for it, and the crowds that trade on it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from tests.lab.accounts import ApiKey, FeeSchedule, Login
from tests.lab.clock import Clock
from tests.lab.crowd import Crowd, Temper
from tests.lab.exchange import Exchange
from tests.lab.rules import MarketRules
from tests.lab.wire import Dialect


class House:
    """speaks: a dialect's class. The clock is the venue's own."""

    def __init__(
        self, speaks: Callable[[Exchange], Dialect], markets: Iterable[MarketRules], clock: Clock
    ) -> None:
        self.clock = clock
        self.exchange = Exchange(clock)
        for rules in markets:
            self.exchange.list_market(rules)
        self.dialect = speaks(self.exchange)
        self.crowds: dict[str, Crowd] = {}
        self._walks: dict[str, asyncio.Task[None]] = {}

    @property
    def venue(self) -> str:
        return self.dialect.venue

    def open_account(
        self,
        name: str,
        *,
        key: str,
        secret: str,
        passphrase: str = "",
        balances: Mapping[str, Decimal] | None = None,
        fees: FeeSchedule | None = None,
        **rights: Any,
    ) -> ApiKey:
        """An account with a key; rights: the fields of ApiKey, as trading=False."""
        self.exchange.open_account(name, fees)
        for currency, amount in (balances or {}).items():
            self.exchange.ledger.deposit(name, currency, amount)
        login = Login(key, secret, passphrase)
        api_key = ApiKey(**login._asdict(), account=name, created_ms=self.clock.now_ms(), **rights)
        self.dialect.keys.add(api_key)
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

    async def close(self) -> None:
        for symbol in list(self._walks):
            await self.stop_crowd(symbol)

    def conserves_balances(self) -> bool:
        """Nothing was made or lost since the deposits."""
        ledger = self.exchange.ledger
        return all(ledger.total(name) == ledger.deposited(name) for name in ledger.currencies())
