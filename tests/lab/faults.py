"""What can go wrong with a request, on purpose: before it takes effect, or after.

A fault that strikes after has let the request do all it does: only the answer is lost or replaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tests.lab.wire import WireAnswer


class Stage(StrEnum):
    BEFORE = "before"
    AFTER = "after"


class Effect(StrEnum):
    HANG = "hang"  # no answer until the client gives up
    DROP = "drop"  # the connection is closed without an answer
    ANSWER = "answer"  # `answer` instead of the venue's own
    DELAY = "delay"  # late, but otherwise as usual


@dataclass(kw_only=True)
class Fault:
    """venue, method, path, key: which requests it strikes; None is any.

    skip: matching requests that it lets pass first; times: how many it strikes then, None is all.
    seconds: of a delay.
    """

    effect: Effect
    stage: Stage = Stage.AFTER
    venue: str | None = None
    method: str | None = None
    path: str | None = None
    key: str | None = None
    skip: int = 0
    times: int | None = 1
    seconds: float = 0.0
    answer: WireAnswer | None = None
    struck: int = 0

    def matches(self, venue: str, key: str | None, method: str, path: str) -> bool:
        pairs = ((self.venue, venue), (self.key, key), (self.method, method), (self.path, path))
        return all(wanted is None or wanted == given for wanted, given in pairs)


class FaultPlan:
    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        self._faults.clear()

    def claim(self, venue: str, key: str | None, method: str, path: str) -> Fault | None:
        """The first fault that strikes this request; it counts as struck."""
        for fault in self._faults:
            if not fault.matches(venue, key, method, path) or fault.struck == fault.times:
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.struck += 1
            return fault
        return None


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
