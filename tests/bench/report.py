"""Runs the parts of a bench and puts their findings together."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass

from tests.bench.findings import Finding, profiles, table
from tests.bench.kills import kills
from tests.bench.lateness import lateness
from tests.bench.machine import machine
from tests.bench.pages import pages
from tests.bench.plan import Plan
from tests.bench.quickness import quickness
from tests.bench.scale import cpu, memory

PARTS: Mapping[str, Callable[[Plan], list[Finding]]] = {
    "cpu": cpu,
    "memory": memory,
    "lateness": lateness,
    "quickness": quickness,
    "kills": kills,
    "pages": pages,
}


@dataclass(frozen=True)
class Report:
    """machine: what was measured on, by name."""

    machine: dict[str, str]
    findings: list[Finding]

    @property
    def text(self) -> str:
        """Markdown: the machine, the table, and the profiles of what was missed."""
        head = "\n".join(f"- {name}: {value}" for name, value in self.machine.items())
        return "\n\n".join(part for part in (head, table(self.findings), profiles(self.findings)) if part)

    @property
    def json(self) -> str:
        findings = [asdict(finding) for finding in self.findings]
        return json.dumps({"machine": self.machine, "findings": findings}, indent=2)


def bench(plan: Plan, *, only: Collection[str] = tuple(PARTS)) -> Report:
    """The parts in their order; which one is under way is told on stderr."""
    measured_on = machine() | {"database": plan.database_name}
    found: list[Finding] = []
    for name in [name for name in PARTS if name in only]:
        sys.stderr.write(f"{name} …\n")
        found += PARTS[name](plan)
    return Report(measured_on, found)
