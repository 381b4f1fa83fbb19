"""The commands that make trouble: faults, weather, lags, strange books, races, rights that come and go."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from tests.lab.display import Look
from tests.lab.faults import Effect, Fault, Stage
from tests.lab.lab import USUAL, Lab
from tests.lab.races import Odds
from tests.lab.views import Lag
from tests.lab.weather import Region, Severity, Weather
from tests.lab.wire import WireAnswer

KEY_RIGHTS = ("reading", "trading", "withdrawals", "is_revoked")


class TroubleCommands:
    """All of it is one venue's; the others are left alone."""

    def __init__(self, lab: Lab, venue: str = USUAL) -> None:
        self._lab = lab
        self._house = lab.house(venue)
        self._maintenance: list[Fault] = []

    # --- Requests and answers

    def add_fault(
        self,
        *,
        effect: str,
        stage: str = "after",
        status: int = 0,
        headers: dict[str, str] | None = None,
        body: str = "",
        **where: Any,
    ) -> None:
        """where: Fault's fields, as path, key, skip, times, probability; the rest: of an answer."""
        answer = WireAnswer(status=status, headers=headers or {}, body=body.encode()) if status else None
        fault = Fault(
            effect=Effect(effect), stage=Stage(stage), answer=answer, venue=self._house.venue, **where
        )
        self._lab.faults.add(fault)

    def clear_faults(self) -> None:
        """Those of add_fault and a maintenance, not the weather."""
        self._lab.faults.clear(self._house.venue)
        self._maintenance.clear()

    def seed_faults(self, *, seed: int) -> None:
        """What decides where probabilities of add_fault strike; starts each target's stream anew."""
        self._lab.faults.reseed(seed)

    def set_weather(
        self,
        *,
        seed: int,
        rates: dict[str, float],
        key: str | None = None,
        method: str | None = None,
        path: str | None = None,
        **severity: Any,
    ) -> None:
        """rates: chance of each kind of weather.KINDS per request; severity: fields of weather.Severity.

        In place of the weather of the same region (key, method, path); of several regions that cover a
        request, the one set last counts.
        """
        weather = Weather(seed=seed, rates=rates, severity=Severity(**severity))
        region = Region(venue=self._house.venue, key=key, method=method, path=path)
        self._lab.sky.set(weather, region)

    def clear_weather(self) -> None:
        self._lab.sky.clear(self._house.venue)

    def maintenance(self, *, on: bool) -> None:
        """Every request is answered as the venue does then, and has no effect."""
        for fault in self._maintenance:
            self._lab.faults.remove(fault)
        self._maintenance.clear()
        if on:
            fault = Fault(
                effect=Effect.ANSWER,
                stage=Stage.BEFORE,
                times=None,
                venue=self._house.venue,
                answer=self._house.dialect.outages.maintenance(),
                name="maintenance",
            )
            self._maintenance.append(self._lab.faults.add_first(fault))

    # --- What is shown

    def set_lag(
        self,
        *,
        orders_ms: int = 0,
        trades_ms: int = 0,
        balances_ms: int = 0,
        scatters_trades: bool = False,
        key: str | None = None,
    ) -> None:
        """How far behind the matching engine an account's lists are: see views.Lag. No key: all keys that
        have no lag of their own."""
        lag = Lag(
            orders_ms=orders_ms,
            trades_ms=trades_ms,
            balances_ms=balances_ms,
            scatters_trades=scatters_trades,
        )
        self._house.dialect.views.set_lag(lag, key)

    def clear_lag(self) -> None:
        self._house.dialect.views.clear()

    def freeze_book(self, *, symbol: str) -> None:
        """Shown as it is now, its update id included; trading goes on behind it."""
        self._show(symbol, Look.FROZEN)

    def empty_book(self, *, symbol: str, side: str | None = None) -> None:
        """side: `bids` or `asks`, the one that is hidden; None is both."""
        looks = {None: Look.EMPTY, "bids": Look.ASKS_ONLY, "asks": Look.BIDS_ONLY}
        self._show(symbol, looks[side])

    def cross_book(self, *, symbol: str) -> None:
        self._show(symbol, Look.CROSSED)

    def restore_book(self, *, symbol: str) -> None:
        self._show(symbol, Look.TRUE)

    def _show(self, symbol: str, look: Look) -> None:
        market = self._house.exchange.market(symbol)
        market.display.change(look, market.update_id)

    # --- Streams

    def lose_stream_texts(self, *, count: int) -> None:
        """So many of the next texts on WebSockets never leave."""
        self._house.exchange.news.interference.lost = count

    def silence_streams(self, *, on: bool) -> None:
        """Connections stay, and nothing is told on them."""
        self._house.exchange.news.interference.is_silent = on

    def cut_streams(self) -> None:
        self._house.exchange.news.interference.cut()

    # --- What happens

    def race_cancels(
        self, *, probability: float, whole: float = 0.5, key: str | None = None, seed: int = 0
    ) -> None:
        """The chance that a fill comes just before a cancel; whole: that it leaves nothing to cancel
        (-2011), otherwise about half. Probability 0 ends the races."""
        odds = Odds(probability=probability, whole=whole, key=key) if probability else None
        self._house.dialect.races.set(odds, seed=seed)

    def set_clock(self, *, offset_ms: int) -> None:
        """How far the venue's clock is ahead of this machine's."""
        self._house.clock.offset_ms = offset_ms

    def change_key(self, *, key: str, **rights: bool) -> None:
        """As is_revoked=True or trading=False."""
        found = self._house.dialect.keys[key]
        for name, value in rights.items():
            if name not in KEY_RIGHTS:
                raise ValueError(f"a key has no right called {name}")
            setattr(found, name, value)

    def change_account(self, *, account: str, can_trade: bool) -> None:
        """Whether the venue lets it trade, whatever its keys may do."""
        self._house.exchange.accounts[account].can_trade = can_trade

    def change_market(self, *, symbol: str, **rules: Any) -> None:
        """MarketRules' fields, as is_trading=False or price_step="0.1"; resting orders stay."""
        market = self._house.exchange.market(symbol)
        market.rules = replace(market.rules, **{name: _number(value) for name, value in rules.items()})

    def delist_market(self, *, symbol: str) -> None:
        """For good."""
        self._house.exchange.delist_market(symbol)

    def set_limits(self, **limits: int) -> None:
        """Limits' fields, as weight=1000000 for many clients at one address."""
        for name, value in limits.items():
            if not hasattr(self._house.dialect.limits, name):
                raise ValueError(f"there is no limit called {name}")
            setattr(self._house.dialect.limits, name, value)

    def calm(self) -> None:
        """Ends all of the above, for a run to settle: faults, weather, lags, races, the books' looks, silent
        streams and the clock. Rights, rules and limits stay as they were changed."""
        self.clear_faults()
        self.clear_weather()
        self.clear_lag()
        self.race_cancels(probability=0)
        self.set_clock(offset_ms=0)
        self._house.exchange.news.interference.clear()
        for symbol in self._house.exchange.markets:
            self.restore_book(symbol=symbol)


def _number(value: Any) -> Any:
    return Decimal(value) if isinstance(value, str) else value
