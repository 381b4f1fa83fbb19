"""`python -m tests.bench [--only cpu kills …] [--bots 10 100] [--minutes 3] [--json FILE]`.

Prints the machine and the table of budgets with what was measured here; where one is missed, a profile says
where the time goes. It asserts nothing: the exit code is 0 whatever was found.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "platform"))


def main() -> int:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    from tests.bench.plan import Plan, server_for
    from tests.bench.report import bench

    given = _arguments()
    file = given.pop("json")
    only, url = given.pop("only"), given.pop("database_url")
    with tempfile.TemporaryDirectory(prefix="botdesk-bench-") as folder, server_for(url) as server:
        report = bench(Plan(folder=Path(folder), server=server, **given), only=only)
    sys.stdout.write(report.text + "\n")
    if file:
        file.write_text(report.json + "\n")
    return 0


def _arguments() -> dict[str, Any]:
    from tests.bench.plan import Plan
    from tests.bench.report import PARTS

    usual = Plan(folder=Path())
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART")
    parser.add_argument("--bots", nargs="+", type=int, default=usual.bots, help="sizes of desks")
    parser.add_argument("--minutes", type=float, default=usual.minutes, help="of real time, for lateness")
    parser.add_argument("--cycles", type=int, default=usual.cycles, help="of each desk, at least")
    parser.add_argument("--trades", type=int, default=usual.trades)
    parser.add_argument("--pages", type=int, default=usual.pages, help="calls of each")
    parser.add_argument("--kills", type=int, default=usual.kills, help="of each kind")
    parser.add_argument("--changes", type=int, default=usual.changes, help="of a book, for quickness")
    parser.add_argument("--database-url", default="", help="else a PostgreSQL of its own, or else SQLite")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return vars(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
