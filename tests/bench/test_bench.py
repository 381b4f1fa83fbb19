"""The bench with tiny numbers: it runs and tells what it found. No time is judged here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.findings import Finding, percentile, table
from tests.bench.plan import Plan
from tests.bench.report import bench


def tiny(folder: Path) -> Plan:
    return Plan(
        folder=folder,
        bots=(2, 4),
        minutes=0.1,
        warm_up_seconds=6,
        cycles=8,
        trades=20,
        pages=1,
        kills=1,
        changes=2,
    )


@pytest.mark.parametrize("part", ["cpu", "memory", "lateness", "quickness", "pages"])
def test_each_part_fills_its_lines_of_the_table(part: str, tmp_path: Path) -> None:
    report = bench(tiny(tmp_path), only=[part])
    assert report.findings
    assert all(found.what in report.text and found.measured in report.text for found in report.findings)
    assert len(json.loads(report.json)["findings"]) == len(report.findings)
    assert part != "cpu" or "No order was placed." in report.text, "idle bots place none"


def test_a_missed_budget_says_so() -> None:
    missed = Finding(what="cycle", budget="1 ms", measured="2 ms", is_met=False)
    assert table([missed]).splitlines()[-1] == "| cycle | 1 ms | 2 ms | **missed** |"


def test_the_95th_percentile_is_the_nearest_rank() -> None:
    assert percentile([float(n) for n in range(1, 101)], 95) == 95
    assert percentile([3.0], 95) == 3
