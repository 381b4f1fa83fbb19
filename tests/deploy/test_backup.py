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
from cryptography.fernet import Fernet

from tests.chaos.servers import NoServerError, Postgres
from tests.deploy.page import ROOT, commands
from tests.e2e.desk import Desk, database_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SECRET = "the-exchange-secret-of-the-backup"
PLAN = [{"name": "Real", "venue": "binance", "key": "the-exchange-key", "secret": SECRET, "bots": []}]
PLANT = (
    "from tests.chaos.plant import plant; plant({plan}); from tests.bench.rows import seed; seed(trades=200)"
)
ALL = (
    "from django.db import connection; print(sorted(connection.introspection.table_names())); "
    "from tests.canaries.planted import rows; print(rows())"
)
LATER = (
    "from bots.models import Trade, Order; Trade.objects.all().delete(); Order.objects.all().delete(); "
    "from django.db import connection; connection.cursor().execute('CREATE TABLE newer (id integer)')"
)
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


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """With trades, orders, positions, events, and a connection's secrets. Each test leaves it so."""
    kind: str = request.param
    if kind == "postgresql" and not (shutil.which("pg_dump") and shutil.which("pg_restore")):
        pytest.skip("There is no pg_dump on this machine: install PostgreSQL's client.")
    folder = tmp_path_factory.mktemp("desk")
    with server(kind) as url, database_for(folder, url) as database:
        desk = Desk(folder, database, {})
        desk.prepare()
        tell(desk, PLANT.format(plan=json.dumps(json.dumps(PLAN))))
        yield desk


def tell(desk: Desk, code: str) -> str:
    return desk.manage("shell", "-v0", "-c", code)


def type_in(desk: Desk, block: str) -> None:
    done = typed(desk, block)
    assert done.returncode == 0, done.stderr


def typed(desk: Desk, block: str) -> subprocess.CompletedProcess[str]:
    """The commands of the page, for the desk's own kind of database."""
    url = desk.database_url
    kind = "postgresql" if url.startswith("postgres") else "sqlite"
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DATABASE_URL": url,
        "SQLITE_FILE": url.removeprefix("sqlite:///"),
        "BACKUP": str(desk.folder / "backup"),
    }
    line = ["sh", "-c", commands(f"{block}-{kind}")]
    return subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def taken(desk: Desk) -> Path:
    """A backup as the page says, in place of the last one."""
    backup = desk.folder / "backup"
    backup.unlink(missing_ok=True)
    type_in(desk, "backup")
    return backup


def wipe(desk: Desk) -> None:
    if desk.database_url.startswith("postgres"):
        with psycopg.connect(desk.database_url, autocommit=True) as database:
            database.execute("DROP SCHEMA public CASCADE")
            database.execute("CREATE SCHEMA public")
    else:
        Path(desk.database_url.removeprefix("sqlite:///")).unlink()


def test_what_was_wiped_is_back_to_the_last_row_and_its_secrets_with_their_key_only(desk: Desk) -> None:
    before = tell(desk, ALL)
    assert before.count("bots_trade ") == 200
    backup = taken(desk)
    assert SECRET.encode() not in backup.read_bytes()
    assert oct(backup.stat().st_mode & 0o777) == "0o600"
    wipe(desk)

    type_in(desk, "restore")

    assert tell(desk, ALL) == before
    assert tell(desk, REVEAL).strip() == SECRET
    stranger = Desk(desk.folder, desk.database_url, {}, FIELD_ENCRYPTION_KEYS=OTHER_KEY)
    with pytest.raises(AssertionError, match="FIELD_ENCRYPTION_KEYS"):
        tell(stranger, REVEAL)


def test_what_was_done_since_is_undone_by_a_whole_backup_and_kept_by_a_broken_one(desk: Desk) -> None:
    before = tell(desk, ALL)
    backup = taken(desk)
    whole = backup.read_bytes()
    tell(desk, LATER)
    since = tell(desk, ALL)
    assert since != before

    backup.write_bytes(whole[: len(whole) // 2])
    assert typed(desk, "restore").returncode != 0
    assert tell(desk, ALL) == since

    backup.write_bytes(whole)
    type_in(desk, "restore")
    assert tell(desk, ALL) == before


def test_the_backup_of_a_file_that_is_not_there_is_refused_and_makes_none(tmp_path: Path) -> None:
    nobody = Desk(tmp_path, f"sqlite:///{tmp_path}/nobody.sqlite3", {})
    assert "unable to open database file" in typed(nobody, "backup").stderr
    assert list(tmp_path.iterdir()) == []


def test_the_keys_of_the_page_are_taken() -> None:
    done = subprocess.run(["sh", "-c", commands("keys")], capture_output=True, text=True, check=True)
    keys = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert list(keys) == ["SECRET_KEY", "FIELD_ENCRYPTION_KEYS"]
    assert len(keys["SECRET_KEY"]) >= 50
    assert Fernet(keys["FIELD_ENCRYPTION_KEYS"]).encrypt(b"-")
