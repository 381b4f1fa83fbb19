"""What docs/deploy.md says of backups, typed as it stands: dumped, wiped, restored, the books are equal."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.chaos.servers import NoServerError, Postgres
from tests.deploy.page import ROOT, commands
from tests.e2e.desk import Desk, database_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SECRET = "the-exchange-secret-of-the-backup"
PLAN = [{"name": "Real", "venue": "binance", "key": "the-exchange-key", "secret": SECRET, "bots": []}]
PLANT = (
    "from tests.chaos.plant import plant; plant({plan}); from tests.bench.rows import seed; seed(trades=200)"
)
ROWS = "from tests.canaries.planted import rows; print(rows())"
LATER = "from bots.models import Trade, Order; Trade.objects.all().delete(); Order.objects.all().delete()"
REVEAL = (
    "from exchanges.models import ExchangeConnection as C; "
    "from exchanges.selectors import connection_spec as spec; "
    "print(spec(C.objects.get(name='Real')).credentials.api_secret.reveal())"
)
OTHER_KEY = "b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItISE="


@contextmanager
def server(kind: str) -> Iterator[str]:
    """The URL of a PostgreSQL: the environment's, or one of the test's own; empty for SQLite."""
    given = os.environ.get("DATABASE_URL", "")
    if kind == "sqlite" or given.startswith("postgres"):
        yield given if kind == "postgresql" else ""
        return
    try:
        own = Postgres()
        own.start()
    except NoServerError as error:
        pytest.skip(str(error))
    try:
        yield own.url
    finally:
        own.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """With trades, orders, positions, events, and a connection's secrets."""
    kind: str = request.param
    if kind == "postgresql" and not (shutil.which("pg_dump") and shutil.which("pg_restore")):
        pytest.skip("There is no pg_dump on this machine: install PostgreSQL's client.")
    with server(kind) as url, database_for(tmp_path, url) as database:
        desk = Desk(tmp_path, database, {})
        desk.prepare()
        tell(desk, PLANT.format(plan=json.dumps(json.dumps(PLAN))))
        yield desk


def tell(desk: Desk, code: str) -> str:
    return desk.manage("shell", "-v0", "-c", code)


def type_in(desk: Desk, block: str) -> None:
    """The commands of the page, for the desk's own kind of database."""
    url = desk.database_url
    kind = "postgresql" if url.startswith("postgres") else "sqlite"
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DATABASE_URL": url,
        "SQLITE_FILE": url.removeprefix("sqlite:///"),
        "BACKUP": str(desk.folder / "backup"),
    }
    line = ["sh", "-e", "-c", commands(f"{block}-{kind}")]
    done = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def wipe(desk: Desk) -> None:
    if desk.database_url.startswith("postgres"):
        with psycopg.connect(desk.database_url, autocommit=True) as database:
            database.execute("DROP SCHEMA public CASCADE")
            database.execute("CREATE SCHEMA public")
    else:
        Path(desk.database_url.removeprefix("sqlite:///")).unlink()


def test_what_was_wiped_is_back_to_the_last_row_and_its_secrets_with_their_key_only(desk: Desk) -> None:
    before = tell(desk, ROWS)
    assert before.count("bots_trade ") == 200
    type_in(desk, "backup")
    assert SECRET.encode() not in (desk.folder / "backup").read_bytes()
    wipe(desk)

    type_in(desk, "restore")

    assert tell(desk, ROWS) == before
    assert tell(desk, REVEAL).strip() == SECRET
    stranger = Desk(desk.folder, desk.database_url, {}, FIELD_ENCRYPTION_KEYS=OTHER_KEY)
    with pytest.raises(AssertionError, match="FIELD_ENCRYPTION_KEYS"):
        tell(stranger, REVEAL)


def test_what_was_done_since_is_undone(desk: Desk) -> None:
    before = tell(desk, ROWS)
    type_in(desk, "backup")
    tell(desk, LATER)
    assert tell(desk, ROWS) != before

    type_in(desk, "restore")

    assert tell(desk, ROWS) == before
