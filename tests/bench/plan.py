"""What a bench is asked to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.servers import NoServerError, Postgres
from tests.e2e.desk import copy_tables_and_admin, database_for

BOTS = (10, 100, 1000, 2000)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """bots: sizes of desks, ascending. minutes: of real time, for what is measured in it, after
    a warm-up in which the workers find each other, share the connections, and every bot quotes.

    cycles: of each desk, for what is measured on a virtual clock. trades, pages: rows, and calls of each
    page. kills: of each kind. changes: of a book, that an order follows.

    server: URL of a PostgreSQL, each measurement gets a database of its own there;
    empty: SQLite files in `folder`.
    """

    folder: Path
    server: str = ""
    bots: tuple[int, ...] = BOTS
    minutes: float = 3.0
    warm_up_seconds: float = 45.0
    cycles: int = 2_000
    trades: int = 1_000_000
    pages: int = 20
    kills: int = 3
    changes: int = 100

    @property
    def database_name(self) -> str:
        return "PostgreSQL" if self.server else "SQLite"

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a fresh one; an SQLite file has its tables already."""
        with database_for(self.folder, self.server) as url:
            if not self.server:
                copy_tables_and_admin(url)
            yield url
        for file in self.folder.glob("desk.sqlite3*"):
            file.unlink()


@contextmanager
def server_for(given: str) -> Iterator[str]:
    """The PostgreSQL that was named, or else one started for this bench; empty where there is none."""
    if given:
        yield given if given.startswith("postgres") else ""
        return
    with suppress(NoServerError):
        own = Postgres()
        try:
            own.start()
            yield own.url
        finally:
            own.remove()
        return
    yield ""
