"""What was found, beside what was allowed: a table for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HEAD = ("what", "budget", "measured", "")
WORDS = {True: "met", False: "**missed**", None: ""}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """is_met: None where nothing was measured, or where there is no budget.

    profile: lines that say where the time goes, where the budget is missed.
    """

    what: str
    budget: str
    measured: str
    is_met: bool | None = None
    profile: tuple[str, ...] = ()


def table(findings: Sequence[Finding]) -> str:
    """In Markdown."""
    rows = [(found.what, found.budget, found.measured, WORDS[found.is_met]) for found in findings]
    return "\n".join(f"| {' | '.join(row)} |" for row in (HEAD, ("---",) * len(HEAD), *rows))


def profiles(findings: Sequence[Finding]) -> str:
    """In Markdown, of those that have one."""
    parts = [
        f"Where the time goes: {found.what}\n\n```\n" + "\n".join(found.profile) + "\n```"
        for found in findings
        if found.profile
    ]
    return "\n\n".join(parts)


def percentile(values: Sequence[float], percent: int) -> float:
    """The nearest rank; values must not be empty."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(rank, 1) - 1]
