"""What a test of a connection found: one form of it for the admin, the command line and the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Part(StrEnum):
    """What is tried, in this order."""

    PROXY = "Proxy"
    TLS = "TLS"
    TIME = "Time"
    MARKETS = "Markets"
    KEY = "Key"
    PERMISSIONS = "Permissions"
    ADDRESS = "Address"
    BALANCES = "Balances"


class Outcome(StrEnum):
    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    NOT_NEEDED = "not needed"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, kw_only=True)
class Step:
    """sentence: what came of it, and what to do where it failed. milliseconds: what it took."""

    name: str
    outcome: Outcome
    sentence: str
    milliseconds: int = 0

    @property
    def failed(self) -> bool:
        return self.outcome is Outcome.FAILED

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "outcome": self.outcome.value,
            "sentence": self.sentence,
            "milliseconds": self.milliseconds,
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Step:
        """Raises LookupError and ValueError where it is none."""
        return cls(
            name=str(given["name"]),
            outcome=Outcome(given["outcome"]),
            sentence=str(given["sentence"]),
            milliseconds=int(given["milliseconds"]),
        )


@dataclass(frozen=True, kw_only=True)
class Holding:
    """What an account holds of a currency, and how much of it orders tie up; both as exact text."""

    currency: str
    total: str
    used: str

    def __str__(self) -> str:
        in_orders = f" ({self.used} in orders)" if self.used != "0" else ""
        return f"{self.total} {self.currency}{in_orders}"


@dataclass(frozen=True, kw_only=True)
class TestReport:
    """steps: one for each part, or one alone where nothing could be tried.

    holdings: None where the balances were not read. warnings: of what no venue tells, as two connections
    with one key.
    """

    __test__ = False  # pytest would take it for a test

    steps: tuple[Step, ...]
    holdings: tuple[Holding, ...] | None = None
    warnings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not any(step.failed for step in self.steps)

    @property
    def latency_ms(self) -> int | None:
        """Of one question and its answer on an open connection; None where there was none."""
        step = next((step for step in self.steps if step.name == Part.TIME), None)
        answered = step is not None and step.outcome in (Outcome.PASSED, Outcome.WARNING)
        return step.milliseconds if step and answered else None

    @property
    def cause(self) -> str:
        """Of the first failure, with its remedy; empty where there is none."""
        failed = next((step for step in self.steps if step.failed), None)
        return f"{failed.name}: {failed.sentence}" if failed else ""

    @property
    def cautions(self) -> tuple[str, ...]:
        """What works and ought to be changed all the same."""
        noted = (step.sentence for step in self.steps if step.outcome is Outcome.WARNING)
        return (*noted, *self.warnings)

    def as_json(self) -> dict[str, Any]:
        return {
            "connected": self.ok,
            "cause": self.cause,
            "latency_ms": self.latency_ms,
            "steps": [step.as_json() for step in self.steps],
            "balances": None if self.holdings is None else [asdict(holding) for holding in self.holdings],
            "warnings": list(self.warnings),
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> TestReport:
        """Of what `as_json` made. Raises LookupError, TypeError and ValueError where it is something else."""
        held = given["balances"]
        return cls(
            steps=tuple(Step.from_json(step) for step in given["steps"]),
            holdings=None if held is None else tuple(Holding(**each) for each in held),
            warnings=tuple(str(each) for each in given["warnings"]),
        )
