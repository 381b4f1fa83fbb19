"""What can go wrong with a request, on purpose: before it takes effect, or after.

A fault that strikes after has let the request do all it does: only the answer is lost or replaced.
Faults are planned one by one here; weather.py keeps striking at given rates.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from tests.lab.wire import WireAnswer


class Stage(StrEnum):
    BEFORE = "before"
    AFTER = "after"


class Effect(StrEnum):
    HANG = "hang"  # no answer until the client gives up
    DROP = "drop"  # the connection is closed without an answer
    ANSWER = "answer"  # `answer` instead of the venue's own
    DELAY = "delay"  # late, but otherwise as usual; BEFORE, the request itself arrives late
    DRIP = "drip"  # the true answer, its bytes spread over `seconds`
    TRUNCATE = "truncate"  # half of the true answer, with a Content-Length that says so
    BREAK_OFF = "break_off"  # half of the true answer, then the connection is closed
    DUPLICATE = "duplicate"  # delivered twice; the client sees the first answer
    DUPLICATE_LAST = "duplicate_last"  # delivered twice; the client sees the second answer
    NONSENSE = "nonsense"  # the true answer, bent in `mutations` places


class Target(NamedTuple):
    """Where a request goes: what faults are told apart by."""

    venue: str
    key: str | None
    method: str
    path: str


@dataclass(kw_only=True)
class Fault:
    """venue, method, path, key: which requests it strikes; None is any.

    skip: matching requests that it lets pass first; times: how many it strikes then, None is all.
    probability: that it strikes a matching request at all; decided by the plan's seed.
    seconds: of a delay or a drip; mutations: of nonsense. name: for the record of requests.
    """

    effect: Effect
    stage: Stage = Stage.AFTER
    venue: str | None = None
    method: str | None = None
    path: str | None = None
    key: str | None = None
    skip: int = 0
    times: int | None = 1
    probability: float = 1.0
    seconds: float = 0.0
    mutations: int = 1
    answer: WireAnswer | None = None
    name: str = ""
    struck: int = 0

    def matches(self, target: Target) -> bool:
        wanted = (self.venue, self.key, self.method, self.path)
        return all(mine is None or mine == given for mine, given in zip(wanted, target, strict=True))

    @property
    def title(self) -> str:
        return self.name or f"{self.effect} {self.stage}"


class Strike(NamedTuple):
    """A fault that strikes one request; chance: for all that is left open about it."""

    fault: Fault
    chance: random.Random


class Source(Protocol):
    """Where strikes come from."""

    def claim(self, target: Target) -> Strike | None: ...


class Streams:
    """A stream of chance for each target, so that one client's timing does not change another's fate."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._streams: dict[Target, random.Random] = {}

    def of(self, target: Target) -> random.Random:
        if target not in self._streams:
            self._streams[target] = random.Random(f"{self._seed} {target}")
        return self._streams[target]


class FaultPlan:
    """The faults that were asked for one by one, then the sources behind them, as the weather."""

    def __init__(self, seed: int = 0) -> None:
        self._faults: list[Fault] = []
        self._streams = Streams(seed)
        self.behind: list[Source] = []

    def add(self, fault: Fault) -> Fault:
        self._faults.append(fault)
        return fault

    def add_first(self, fault: Fault) -> Fault:
        """Before all others."""
        self._faults.insert(0, fault)
        return fault

    def remove(self, fault: Fault) -> None:
        self._faults.remove(fault)

    def clear(self, venue: str | None = None) -> None:
        """Those of one venue, or all."""
        self._faults = [fault for fault in self._faults if venue not in (None, fault.venue)]

    def reseed(self, seed: int) -> None:
        self._streams = Streams(seed)

    def claim(self, target: Target) -> Strike | None:
        """The first fault that strikes this request; it counts as struck."""
        for fault in self._faults:
            if self._strikes(fault, target):
                fault.struck += 1
                return Strike(fault, random.Random(self._streams.of(target).random()))
        return next(filter(None, (source.claim(target) for source in self.behind)), None)

    def _strikes(self, fault: Fault, target: Target) -> bool:
        if not fault.matches(target) or fault.struck == fault.times:
            return False
        if fault.skip:
            fault.skip -= 1
            return False
        return fault.probability >= 1 or self._streams.of(target).random() < fault.probability


def hang_after_accept(**where: str) -> Fault:
    return Fault(effect=Effect.HANG, stage=Stage.AFTER, **where)  # type: ignore[arg-type]


def drop_after_accept(**where: str) -> Fault:
    return Fault(effect=Effect.DROP, stage=Stage.AFTER, **where)  # type: ignore[arg-type]


def server_error(status: int = 502, *, stage: Stage = Stage.BEFORE, **where: str) -> Fault:
    answer = WireAnswer(status=status, headers={"Content-Type": "text/html"}, body=b"<html>error</html>")
    return Fault(effect=Effect.ANSWER, stage=stage, answer=answer, **where)  # type: ignore[arg-type]


def too_many_requests(retry_after: int, **where: str) -> Fault:
    """In Binance's words."""
    body = b'{"code":-1003,"msg":"Too much request weight used; current limit is 6000 request weight '
    body += b'per 1 MINUTE. Please use WebSocket Streams for live updates to avoid polling the API."}'
    headers = {"Content-Type": "application/json;charset=UTF-8", "Retry-After": str(retry_after)}
    answer = WireAnswer(status=429, headers=headers, body=body)
    return Fault(effect=Effect.ANSWER, stage=Stage.BEFORE, answer=answer, **where)  # type: ignore[arg-type]
