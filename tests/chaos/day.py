"""`python -m tests.chaos.day --cycles 500000 [--database-url …]`: a desk's day on a virtual clock.

Prints a line for each sample and a verdict; --report keeps it all as JSON. Exit code 1 when memory, a table
without money, sockets or anything else grew that must not, or when the books differ at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "platform"))


def main() -> int:
    given = _arguments()
    from tests.e2e.desk import database_for

    with (
        tempfile.TemporaryDirectory(prefix="botdesk-day-") as folder,
        database_for(Path(folder), given.database_url) as url,
    ):
        os.environ |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        return _run(given)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="day")
    parser.add_argument("--cycles", type=int, default=500_000)
    parser.add_argument("--cycle-seconds", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="of real time, at most")
    parser.add_argument("--database-url", default="")
    parser.add_argument("--report", type=Path)
    return parser.parse_args()


def _run(given: argparse.Namespace) -> int:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    from tests.chaos.day_measures import Sample, as_json, table
    from tests.chaos.day_run import Plan, live_a_day

    def tell(sample: Sample) -> None:
        line = table([sample]).splitlines()
        sys.stdout.write(
            "\n".join(line[1:] if sample.cycles > 1.5 * plan.cycles / plan.samples else line) + "\n"
        )
        sys.stdout.flush()

    call_command("migrate", verbosity=0)
    plan = Plan(cycles=given.cycles, cycle_seconds=given.cycle_seconds, seconds=60 * given.minutes)
    day = live_a_day(plan, tell=tell)
    connections.close_all()
    last = day.samples[-1]
    cost = f"{1000 * last.cpu_seconds / last.cycles:.2f} ms of CPU each"
    summary = f"{last.cycles} cycles in {last.seconds:.0f} s, {cost}."
    verdict = day.wrong or ["Nothing grew, and the books agree."]
    sys.stdout.write("\n".join([summary, *verdict]) + "\n")
    if given.report:
        given.report.write_text(
            json.dumps({"wrong": day.wrong, "samples": as_json(day.samples)}, indent=2) + "\n"
        )
    return 1 if day.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
