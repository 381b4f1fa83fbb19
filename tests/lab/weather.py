"""Faults that keep striking at given rates until the weather clears. The same seed strikes the same
requests of each target, counted by key, method and path, whatever the others do meanwhile."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.lab.faults import Effect, Fault, Stage, Streams, Strike, Target
from tests.lab.pages import firewall_page, gateway_page
from tests.lab.wire import Dialect


@dataclass(frozen=True, kw_only=True)
class Severity:
    """late_seconds, drip_seconds: at most, at least a tenth of it; retry_after: whole seconds, at most.

    mutations: of one nonsense answer, at most.
    """

    late_seconds: float = 3.0
    drip_seconds: float = 12.0
    retry_after: int = 3
    mutations: int = 3


Kind = Callable[[random.Random, Severity, Dialect], Fault]


def _simple(effect: Effect, stage: Stage) -> Kind:
    return lambda chance, severity, dialect: Fault(effect=effect, stage=stage)


def _answer(stage: Stage, choose: Callable[[random.Random, Severity, Dialect], object]) -> Kind:
    def build(chance: random.Random, severity: Severity, dialect: Dialect) -> Fault:
        answer = choose(chance, severity, dialect)
        return Fault(effect=Effect.ANSWER, stage=stage, answer=answer)  # type: ignore[arg-type]

    return build


def _slow(effect: Effect, stage: Stage, most: Callable[[Severity], float]) -> Kind:
    def build(chance: random.Random, severity: Severity, dialect: Dialect) -> Fault:
        seconds = most(severity) * chance.uniform(0.1, 1)
        return Fault(effect=effect, stage=stage, seconds=seconds)

    return build


def _duplicate(chance: random.Random, severity: Severity, dialect: Dialect) -> Fault:
    return Fault(effect=chance.choice((Effect.DUPLICATE, Effect.DUPLICATE_LAST)))


def _nonsense(chance: random.Random, severity: Severity, dialect: Dialect) -> Fault:
    return Fault(effect=Effect.NONSENSE, mutations=chance.randint(1, severity.mutations))


KINDS: dict[str, Kind] = {
    "hang_before": _simple(Effect.HANG, Stage.BEFORE),
    "hang_after": _simple(Effect.HANG, Stage.AFTER),
    "drop_before": _simple(Effect.DROP, Stage.BEFORE),
    "drop_after": _simple(Effect.DROP, Stage.AFTER),
    "error_before": _answer(Stage.BEFORE, lambda chance, _, dialect: dialect.outages.not_done(chance)),
    "error_after": _answer(Stage.AFTER, lambda chance, _, dialect: dialect.outages.unknown_outcome(chance)),
    "page_before": _answer(Stage.BEFORE, lambda chance, _, dialect: gateway_page(chance)),
    "page_after": _answer(Stage.AFTER, lambda chance, _, dialect: gateway_page(chance)),
    "firewall": _answer(Stage.BEFORE, lambda chance, _, dialect: firewall_page()),
    "rate_limited": _answer(
        Stage.BEFORE,
        lambda chance, severity, dialect: dialect.outages.rate_limited(
            chance.randint(1, severity.retry_after)
        ),
    ),
    "banned": _answer(
        Stage.BEFORE,
        lambda chance, severity, dialect: dialect.outages.banned(
            chance.randint(1, severity.retry_after), dialect.exchange.clock.now_ms()
        ),
    ),
    "late_request": _slow(Effect.DELAY, Stage.BEFORE, lambda severity: severity.late_seconds),
    "late_answer": _slow(Effect.DELAY, Stage.AFTER, lambda severity: severity.late_seconds),
    "drip": _slow(Effect.DRIP, Stage.AFTER, lambda severity: severity.drip_seconds),
    "truncated": _simple(Effect.TRUNCATE, Stage.AFTER),
    "broken_off": _simple(Effect.BREAK_OFF, Stage.AFTER),
    "duplicate": _duplicate,
    "nonsense": _nonsense,
}


@dataclass(frozen=True, kw_only=True)
class Region:
    """Where a weather reigns; None is anywhere."""

    venue: str | None = None
    key: str | None = None
    method: str | None = None
    path: str | None = None

    def covers(self, target: Target) -> bool:
        wanted = (self.venue, self.key, self.method, self.path)
        return all(mine is None or mine == given for mine, given in zip(wanted, target, strict=True))


class Weather:
    """rates: by kind, the chance that it strikes a request; together at most 1."""

    def __init__(self, *, seed: int, rates: Mapping[str, float], severity: Severity | None = None) -> None:
        unknown = sorted(set(rates) - set(KINDS))
        if unknown:
            raise ValueError(f"there is no weather called {', '.join(unknown)}; known: {', '.join(KINDS)}")
        if min(rates.values(), default=0) < 0 or sum(rates.values()) > 1:
            raise ValueError("rates are chances: none negative, and together at most 1")
        self._rates = dict(rates)
        self._severity = severity or Severity()
        self._streams = Streams(seed)

    def draw(self, target: Target, dialect: Dialect) -> Strike | None:
        """For the next request of this target."""
        stream = self._streams.of(target)
        chance = random.Random(stream.random())  # one draw each, so that no kind shifts the next ones
        point = chance.random()
        for name, rate in self._rates.items():
            if point < rate:
                fault = KINDS[name](chance, self._severity, dialect)
                fault.name = name
                return Strike(fault, chance)
            point -= rate
        return None


class Sky:
    """The weathers of all regions; where several reign, the one that was set last.

    dialects: by venue, for what each says in bad weather.
    """

    def __init__(self, dialects: Mapping[str, Dialect]) -> None:
        self._dialects = dialects
        self._weathers: dict[Region, Weather] = {}

    def set(self, weather: Weather, region: Region) -> None:
        self._weathers.pop(region, None)
        self._weathers[region] = weather

    def clear(self, venue: str | None = None) -> None:
        """Of one venue, or everywhere."""
        for region in [region for region in self._weathers if venue in (None, region.venue)]:
            del self._weathers[region]

    def claim(self, target: Target) -> Strike | None:
        for region, weather in reversed(self._weathers.items()):
            if region.covers(target):
                return weather.draw(target, self._dialects[target.venue])
        return None
