"""`python -m tests.chaos --seed 1 --minutes 10 [--database-url …] [--redis-url …]`: see run.py.

Prints the report as JSON, and keeps it where --report says. Exit code 1 when anything was lost.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.chaos.planted.apps import PLANTS
from tests.chaos.run import VENUES, Plan, run
from tests.chaos.servers import NoServerError

# A bug of the engine is one at every venue; where most connections are, it is found soonest.
PLANTED_AT = ("binance",)


def main() -> int:
    parser = argparse.ArgumentParser(prog="chaos")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--redis-url", default="")
    parser.add_argument("--own-servers", action="store_true", help="PostgreSQL and Redis for this run alone")
    parser.add_argument("--plant", default="", choices=["", *PLANTS], help="a bug that the run has to find")
    parser.add_argument("--venues", nargs="+", choices=VENUES, default=VENUES, metavar="VENUE")
    parser.add_argument("--report", type=Path)
    given = parser.parse_args()
    plan = Plan(
        seed=given.seed,
        minutes=given.minutes,
        database_url=given.database_url,
        redis_url=given.redis_url,
        own_servers=given.own_servers,
        plant=given.plant,
        venues=PLANTED_AT if given.plant else tuple(given.venues),
    )
    try:
        report = run(plan)
    except NoServerError as error:
        parser.error(str(error))
    text = json.dumps(report, indent=2)
    sys.stdout.write(text + "\n")
    if given.report:
        given.report.write_text(text + "\n")
    return 0 if report["clean"] else 1


if __name__ == "__main__":
    sys.exit(main())
