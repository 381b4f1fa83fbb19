"""A log line says what it is about, in both forms, and holds no secret in either."""

from __future__ import annotations

import asyncio
import errno
import io
import json
import logging
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from database.thread import DatabaseThread
from logs.about import about, ids
from logs.written import formatter
from vault.redaction import RedactingHandler
from vault.secret import Secret

PASSWORD = 'c4n@ry "json" / \\ pass\nword'

Log = tuple[logging.Logger, io.StringIO]


@pytest.fixture
def make() -> Callable[[str], Log]:
    Secret(PASSWORD)

    def make(form: str) -> Log:
        written = io.StringIO()
        handler = RedactingHandler(written)
        handler.setFormatter(formatter(form))
        logger = logging.Logger("desk.test", level=logging.DEBUG)  # noqa: LOG001 - one that no other test shares
        logger.addHandler(handler)
        return logger, written

    return make


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_json_line_has_its_time_level_logger_message_and_ids(make: Callable[[str], Log]) -> None:
    logger, written = make("JSON")
    with about(connection_id="c-1"), about(bot_id="b-2"):
        logger.warning("%d orders", 5)
    logger.info("after")
    first, second = lines(written)
    assert first["timestamp"].endswith("+00:00")
    assert (first["level"], first["logger"], first["message"]) == ("WARNING", "desk.test", "5 orders")
    assert (first["connection_id"], first["bot_id"]) == ("c-1", "b-2")
    assert "request_id" not in first
    assert {"connection_id", "bot_id"} & second.keys() == set()


def test_a_text_line_has_the_ids_at_its_end(make: Callable[[str], Log]) -> None:
    logger, written = make("TEXT")
    with about(request_id="r-1"):
        logger.warning("5 orders")
    logger.warning("none")
    first, second = written.getvalue().splitlines()
    assert first.endswith(" WARNING desk.test 5 orders [request_id=r-1]")
    assert second.endswith(" WARNING desk.test none")


@pytest.mark.parametrize(
    "told",
    [
        PASSWORD,
        repr(PASSWORD),
        json.dumps({"password": PASSWORD}),
        f"postgres://desk:{PASSWORD.splitlines()[0]}@db/desk",
        'apiKey=never-held"',
        "a -----BEGIN PRIVATE KEY-----\nMIGHnever",
    ],
)
def test_a_masked_json_line_is_still_json(make: Callable[[str], Log], told: str) -> None:
    logger, written = make("JSON")
    logger.warning(
        "told %s", told, extra={"also": {told: [told, Decimal("1.50")]}, "order": Secret(PASSWORD)}
    )
    (line,) = lines(written)
    text = written.getvalue()
    assert "c4n" not in text
    assert "never" not in text
    assert "***" in line["message"]
    assert "1.50" in str(line["also"])
    assert line["order"] == "***"


def test_the_traceback_of_a_json_line_is_masked(make: Callable[[str], Log]) -> None:
    logger, written = make("JSON")
    try:
        raise ValueError(f"the venue refused {PASSWORD}")
    except ValueError:
        logger.exception("refused")
    (line,) = lines(written)
    assert "Traceback" in line["exc_info"]
    assert "c4n" not in written.getvalue()


async def test_ids_follow_the_work_into_tasks_and_the_databases_thread() -> None:
    database = DatabaseThread()
    try:
        with about(connection_id="c-1"):
            task = asyncio.create_task(database.run(ids))
        assert ids() == {}
        assert await task == {"connection_id": "c-1"}
    finally:
        database.close()


async def test_what_is_everybodys_is_about_nobody() -> None:
    async def seen() -> dict[str, str]:
        return ids()

    with about(connection_id="c-1", bot_id="b-1"):
        with about(connection_id="", bot_id=""):
            task = asyncio.create_task(seen())
        assert ids() == {"connection_id": "c-1", "bot_id": "b-1"}
    assert await task == {}


class FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("form", ["TEXT", "JSON"])
def test_a_log_that_cannot_be_written_stops_nobody(form: str) -> None:
    handler = RedactingHandler(FullDisk())
    handler.setFormatter(formatter(form))
    logger = logging.Logger("desk.test")  # noqa: LOG001 - one that no other test shares
    logger.addHandler(handler)
    logger.warning("5 orders")
