"""The database's disk is full: nothing is sent that is not written down, and it goes on when there is space.

The refusals are in the words of each database; that SQLite says them is tried on a file that may not grow.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection, connections
from django.test import Client

from config import boot
from database import thread
from tests.bots.engine.conftest import Desk

WRITES = ("INSERT", "UPDATE", "DELETE")
WORDS = {
    "sqlite": "database or disk is full",
    "postgresql": 'could not extend file "base/5/16384": No space left on device',
}


class Disk:
    """is_full: every statement that would write is refused."""

    def __init__(self) -> None:
        self.is_full = False

    def __call__(
        self, execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        if self.is_full and sql.startswith(WRITES):
            raise OperationalError(WORDS[connection.vendor])
        return execute(sql, parameters, many, context)


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture(autouse=True)
def untold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread, "_outage_told_at", float("-inf"))


async def put_under(desk: Desk, disk: Disk) -> None:
    """The desk's database thread writes to that disk."""
    await desk.do(lambda: connections["default"].execute_wrappers.append(disk))


async def test_nothing_is_sent_while_nothing_can_be_written_down(
    desk: Desk, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    await put_under(desk, disk)
    disk.is_full = True
    with caplog.at_level(logging.WARNING):
        await desk.rounds(5)
    assert desk.venue.counts()["place"] == 0
    assert desk.venue.resting() == []
    assert [each.message for each in caplog.records if "full" in each.message] == [
        f"The disk of the database is full; it is asked again: {WORDS[connection.vendor]}"
    ]


async def test_quotes_that_rest_are_followed_again_once_there_is_space(desk: Desk, disk: Disk) -> None:
    await put_under(desk, disk)
    await desk.round()
    before = {report.client_id for report in desk.venue.resting()}
    assert len(before) == 2

    disk.is_full = True
    desk.venue.quoted["BTC/USDT"] = ("109.9", "110.1")
    desk.account.feed._cells.clear()
    await desk.rounds(3)
    assert desk.venue.counts()["place"] == 2

    disk.is_full = False
    await desk.rounds(6)
    resting = desk.venue.resting()
    assert len(resting) == 2
    assert before & {report.client_id for report in resting} == set()
    on_record = {order.client_id: order.state for order in await desk.orders()}
    assert {on_record[report.client_id] for report in resting if report.client_id} == {"open"}
    assert {on_record[client_id] for client_id in before if client_id} == {"canceled"}


async def test_a_fill_during_the_outage_is_counted_once_afterwards(desk: Desk, disk: Disk) -> None:
    await put_under(desk, disk)
    await desk.round()
    bid = desk.venue.resting_at("99")
    disk.is_full = True
    desk.venue.fill(bid.venue_id, "1")
    await desk.rounds(3)
    disk.is_full = False
    await desk.rounds(4)
    (order,) = await desk.orders(side="buy", state="filled")
    assert order.traded == order.filled == 1


def test_a_page_that_cannot_be_saved_says_so_in_one_sentence(transactional_db: None, disk: Disk) -> None:
    User.objects.create_superuser("boss", password="correct horse battery")
    browser = Client(raise_request_exception=False)
    browser.force_login(User.objects.get())
    with connection.execute_wrapper(disk):
        disk.is_full = True
        answer = browser.post("/admin/logout/")
    assert answer.status_code == 503
    assert answer.content.decode().startswith("The disk of the database is full: nothing can be saved")


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_a_command_says_it_in_one_sentence(words: str) -> None:
    said = boot.explain(OperationalError(words))
    assert said is not None
    assert said.startswith("The disk of the database is full (")
    assert said.endswith("free some space. What is stored is whole.")


def test_sqlite_says_these_words_and_keeps_what_it_had(tmp_path: Path) -> None:
    """Of a file that may not grow."""
    desk = sqlite3.connect(tmp_path / "desk.sqlite3", isolation_level=None)
    desk.execute("PRAGMA journal_mode=WAL")
    desk.execute("CREATE TABLE orders (text TEXT)")
    desk.execute("INSERT INTO orders VALUES ('written')")
    desk.execute("PRAGMA max_page_count=1")
    with pytest.raises(sqlite3.OperationalError, match=WORDS["sqlite"]):
        desk.executemany("INSERT INTO orders VALUES (?)", [["x" * 1000]] * 1000)
    desk.execute("DELETE FROM orders WHERE text != 'written'")
    assert desk.execute("SELECT * FROM orders").fetchall() == [("written",)]
    assert desk.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    desk.close()
