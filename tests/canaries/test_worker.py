"""No worker writes a secret down, whether it trades or fails."""

from __future__ import annotations

import io
import json
import logging
import time
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import Failure
from django_q.monitor import save_task

from bots.engine import shift
from bots.engine.runtime import Runtime
from bots.models import BotEvent, Order, SpreadBot
from bots.tasks import run_shift
from exchanges.models import ExchangeConnection
from logs.written import formatter
from tests.canaries import (
    API_KEY,
    API_SECRET,
    PASSWORD,
    USERNAME,
    WRONG_KEY,
    WRONG_PASSWORD,
    leaks,
)
from tests.canaries.planted import change_secret, rows
from tests.lab.background import BackgroundLab
from vault.redaction import RedactingHandler

pytestmark = pytest.mark.django_db(transaction=True)


def run_worker_until(done: Callable[[], bool]) -> None:
    runtime = Runtime()
    runtime.start()
    try:
        give_up_at = time.monotonic() + 30
        while not done() and time.monotonic() < give_up_at:
            runtime.extend(5)
            time.sleep(0.05)
        assert done()
    finally:
        assert runtime.close(20)


def test_a_worker_that_trades_writes_no_secret(
    bot: SpreadBot, client: Client, lab: BackgroundLab, logs: io.StringIO
) -> None:
    run_worker_until(lambda: Order.objects.filter(state="open").count() == 2)
    page = client.get(reverse("admin:bots_spreadbot_change", args=[bot.pk])).content.decode()
    assert leaks(page + logs.getvalue() + rows()) == []


@pytest.mark.parametrize(
    "changed",
    [{"proxy_password": WRONG_PASSWORD}, {"api_key": WRONG_KEY}, {"api_secret": WRONG_KEY}],
    ids="-".join,
)
def test_a_worker_that_fails_writes_no_secret(
    connection: ExchangeConnection, bot: SpreadBot, client: Client, logs: io.StringIO, changed: dict[str, str]
) -> None:
    change_secret(connection, **changed)
    run_worker_until(lambda: ExchangeConnection.objects.exclude(last_error="").exists())
    assert BotEvent.objects.filter(kind="connection_failed").exists()
    pages = [
        client.get(reverse(name)).content.decode()
        for name in ("admin:exchanges_exchangeconnection_changelist", "admin:bots_botevent_changelist")
    ]
    assert leaks("\n".join(pages) + logs.getvalue() + rows()) == []


def test_a_mistake_of_our_own_in_a_worker_shows_no_secret(
    bot: SpreadBot, logs: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in the connection's last error, nor in an event, nor in the log's traceback."""

    async def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError(f"proxy http://{USERNAME}:{PASSWORD}@proxy.example, key {API_KEY!r}")

    monkeypatch.setattr("bots.engine.duty.take_over", broken)
    run_worker_until(lambda: ExchangeConnection.objects.exclude(last_error="").exists())
    assert "RuntimeError" in ExchangeConnection.objects.get().last_error
    assert "RuntimeError" in logs.getvalue()
    assert leaks(logs.getvalue() + rows()) == []


def test_a_failed_task_keeps_no_secret(
    client: Client, logs: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(seconds: float) -> None:
        try:
            raise KeyError(PASSWORD)
        except KeyError:
            raise RuntimeError(f"the key is {API_KEY}, the secret {quote(API_SECRET, safe='')}") from None

    monkeypatch.setattr(shift, "run", broken)
    now = timezone.now()
    task: dict[str, Any] = {"id": "1", "name": "shift", "func": shift.TASK, "args": (1,), "kwargs": {}}
    task |= {"started": now, "stopped": now}
    try:
        run_shift(1)
    except Exception as error:  # noqa: BLE001 - as django-q2's worker does, and what it keeps of it
        task |= {"result": f"{error} : {traceback.format_exc()}", "success": False}
    save_task(task, get_broker())
    failure = Failure.objects.get()
    assert "RuntimeError" in failure.result
    page = client.get(reverse("admin:django_q_failure_change", args=[failure.pk])).content.decode()
    assert leaks(page + logs.getvalue() + rows()) == []


def test_a_failing_worker_tells_programs_which_connection_it_was_and_no_secret(
    connection: ExchangeConnection, bot: SpreadBot, logs: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the JSON form, from the duty's own lines and from the bot's cycle."""

    async def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError(f"proxy http://{USERNAME}:{PASSWORD}@proxy.example, key {API_KEY!r}")

    (handler,) = [each for each in logging.root.handlers if isinstance(each, RedactingHandler)]
    monkeypatch.setattr(handler, "formatter", formatter("JSON"))
    monkeypatch.setattr("bots.engine.duty.cycle", broken)
    run_worker_until(lambda: BotEvent.objects.filter(kind="stood_aside").exists())

    lines = [json.loads(line) for line in logs.getvalue().splitlines()]
    (failed, *_) = [line for line in lines if line["message"] == f"a cycle of bot {bot.pk} failed"]
    assert (failed["connection_id"], failed["bot_id"]) == (str(connection.pk), str(bot.pk))
    assert "RuntimeError" in failed["exc_info"]
    assert {line["connection_id"] for line in lines if "connection_id" in line} == {str(connection.pk)}
    assert leaks(logs.getvalue()) == []
