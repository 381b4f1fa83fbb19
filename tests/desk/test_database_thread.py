"""The thread in which an asyncio loop's database work is done."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection

from database import thread as thread_module
from database.thread import DatabaseThread


@pytest.fixture
async def thread() -> AsyncIterator[DatabaseThread]:
    database = DatabaseThread("test-database")
    yield database
    await asyncio.to_thread(database.close)


def connection_id() -> int:
    connection.ensure_connection()
    return id(connection.connection)


def fail() -> None:
    connection.ensure_connection()
    raise OperationalError("the server closed the connection")


async def test_calls_run_one_after_another_in_one_thread_in_their_order(thread: DatabaseThread) -> None:
    ran: list[tuple[int, str]] = []

    def note(number: int) -> None:
        ran.append((number, threading.current_thread().name))

    await asyncio.gather(*(thread.run(note, number) for number in range(50)))
    assert [number for number, _ in ran] == list(range(50))
    assert {name for _, name in ran} == {"test-database_0"}


async def test_results_and_keyword_arguments_pass(thread: DatabaseThread) -> None:
    assert await thread.run(int, "ff", base=16) == 255


async def test_an_exception_arrives_as_it_is(thread: DatabaseThread) -> None:
    with pytest.raises(ZeroDivisionError):
        await thread.run(divmod, 1, 0)


async def test_the_loop_goes_on_while_the_database_is_slow(thread: DatabaseThread) -> None:
    release = threading.Event()
    waiting = asyncio.ensure_future(thread.run(release.wait, 30))
    await asyncio.sleep(0)
    assert not waiting.done()
    release.set()
    assert await waiting


@pytest.mark.django_db(transaction=True)
async def test_the_thread_keeps_a_connection_of_its_own(thread: DatabaseThread) -> None:
    first = await thread.run(connection_id)
    assert first == await thread.run(connection_id)
    assert first != await asyncio.to_thread(connection_id_and_close)


def connection_id_and_close() -> int:
    try:
        return connection_id()
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
async def test_a_broken_connection_is_opened_anew(thread: DatabaseThread) -> None:
    with pytest.raises(OperationalError):
        await thread.run(fail)
    assert await thread.run(User.objects.count) == 0


@pytest.mark.django_db(transaction=True)
async def test_what_one_call_wrote_the_next_reads(thread: DatabaseThread) -> None:
    await thread.run(User.objects.create_user, "written")
    assert await thread.run(User.objects.count) == 1


async def test_a_call_after_the_close_is_refused() -> None:
    database = DatabaseThread()
    await asyncio.to_thread(database.close)
    with pytest.raises(RuntimeError):
        await database.run(int)


@pytest.mark.django_db(transaction=True)
async def test_an_outage_is_told_once_a_minute_in_one_line(
    thread: DatabaseThread, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(thread_module, "_outage_told_at", float("-inf"))

    for _ in range(50):
        with pytest.raises(OperationalError):
            await thread.run(fail)

    assert [record.getMessage() for record in caplog.records if record.name == thread_module.__name__] == [
        "The database does not answer; it is asked again: the server closed the connection"
    ]
