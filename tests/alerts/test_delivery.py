"""The outbox: sent at least once, by one at a time, with patience that ends."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.utils import timezone

from alerts import courier, delivery
from alerts.delivery import CLAIM, MOST_ATTEMPTS, claim, deliver, pause, send_due
from alerts.models import AlertChannel, AlertMessage, MessageState
from tests.alerts.conftest import make_channel
from tests.alerts.receiver import Receiver

pytestmark = pytest.mark.django_db
LONG = 60.0


def a_message(channel: AlertChannel, title: str = "Warning: Main", **fields: Any) -> AlertMessage:
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    given: dict[str, Any] = {"created_at": long_ago, "not_before": long_ago, "lines": ["It broke."]}
    return AlertMessage.objects.create(channel=channel, key="k", title=title, **(given | fields))


def claimed(now: datetime) -> AlertMessage:
    message = claim(now)
    assert message is not None
    return message


def test_what_is_due_is_sent_and_the_channel_says_so(channel: AlertChannel, receiver: Receiver) -> None:
    message = a_message(channel)
    assert send_due(seconds=LONG) == 1
    message.refresh_from_db()
    channel.refresh_from_db()
    assert receiver.titles == ["Warning: Main"]
    assert (message.state, message.last_error, channel.last_result) == ("sent", "", "JSON took it.")


def test_what_is_not_due_waits(channel: AlertChannel, receiver: Receiver) -> None:
    a_message(channel, not_before=timezone.now() + timedelta(minutes=1))
    assert send_due(seconds=LONG) == 0
    assert receiver.taken == []


def test_one_of_two_that_claim_gets_it(channel: AlertChannel) -> None:
    a_message(channel)
    now = timezone.now()
    claimed(now)
    assert claim(now) is None


def test_what_a_killed_worker_had_claimed_is_sent_by_another(
    channel: AlertChannel, receiver: Receiver
) -> None:
    message = a_message(channel)
    claimed(timezone.now() - 2 * CLAIM)
    assert send_due(seconds=LONG) == 1
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("sent", 2)
    assert len(receiver.taken) == 1


def test_a_verdict_that_comes_after_another_took_over_changes_nothing(
    channel: AlertChannel, receiver: Receiver
) -> None:
    a_message(channel)
    slow = claimed(timezone.now() - 2 * CLAIM)
    claimed(timezone.now())
    deliver(slow)
    assert AlertMessage.objects.get().state == MessageState.SENDING


def test_a_message_that_fails_is_tried_again_after_a_growing_pause(
    channel: AlertChannel, receiver: Receiver
) -> None:
    receiver.answers = [503, 503]
    message = a_message(channel)
    waits = []
    for _ in range(2):
        before = timezone.now()
        deliver(claimed(before))
        message.refresh_from_db()
        waits.append(message.not_before - before)
        assert (message.state, message.last_error) == ("waiting", "JSON answered with status 503.")
        AlertMessage.objects.update(not_before=before)
        AlertChannel.objects.update(retry_at=None)
    assert [round(wait / pause(attempt)) for attempt, wait in enumerate(waits, 1)] == [1, 1]
    assert deliver(claimed(timezone.now())).ok
    assert len(receiver.taken) == 1


def test_tries_end(channel: AlertChannel, receiver: Receiver) -> None:
    receiver.answers = [500]
    message = a_message(channel, attempts=MOST_ATTEMPTS - 1)
    send_due(seconds=LONG)
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("failed", MOST_ATTEMPTS)
    assert sum((pause(attempt) for attempt in range(1, MOST_ATTEMPTS)), timedelta()) < timedelta(minutes=20)


def test_an_address_that_is_refused_is_not_tried_again(ada: User) -> None:
    message = a_message(make_channel(ada, "json://127.0.0.1:9/hook"))
    send_due(seconds=LONG)
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("failed", 1)
    assert "private" in message.last_error


def test_a_dead_channel_rests_and_the_others_are_served(
    ada: User, channel: AlertChannel, receiver: Receiver
) -> None:
    dead = make_channel(ada, "json://127.0.0.1:9/hook", name="Dead")
    for number in range(3):
        a_message(dead, f"dead {number}")
    a_message(channel, "alive", not_before=timezone.now())
    assert send_due(seconds=LONG) == 2
    dead.refresh_from_db()
    assert receiver.titles == ["alive"]
    assert dead.failures == 1
    assert dead.last_result == "JSON could not be reached, or refused the message."


@pytest.mark.parametrize("change", [{"enabled": False}, {"archived_at": datetime(2026, 1, 1, tzinfo=UTC)}])
def test_a_channel_that_is_disabled_or_archived_sends_nothing(
    channel: AlertChannel, receiver: Receiver, change: dict[str, Any]
) -> None:
    a_message(channel)
    AlertChannel.objects.update(**change)
    assert send_due(seconds=LONG) == 0
    assert receiver.taken == []


def test_a_turn_that_is_over_sends_no_more(channel: AlertChannel, receiver: Receiver) -> None:
    a_message(channel)
    assert send_due(seconds=LONG, is_over=lambda: True) == 0
    assert receiver.taken == []


@pytest.mark.django_db(transaction=True)
def test_four_that_send_at_once_send_each_message_once(channel: AlertChannel, receiver: Receiver) -> None:
    titles = [f"number {number}" for number in range(6)]
    for title in titles:
        a_message(channel, title)

    def work() -> None:
        for _ in range(20):  # whoever comes second at a claim finds nothing and looks again
            send_due(seconds=LONG)
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(receiver.titles) == titles
    assert delivery.claim(timezone.now()) is None


SENDER = """
import django
django.setup()
from django.conf import settings
settings.ALERTS_ALLOW_PRIVATE = True
from alerts.delivery import send_due
send_due(seconds=60)
"""


def a_process_that_sends() -> subprocess.Popen[bytes]:
    """On this test's database."""
    known = connection.settings_dict
    url = f"sqlite:///{known['NAME']}"
    if connection.vendor == "postgresql":
        url = (
            f"postgres://{known['USER']}:{known['PASSWORD']}@{known['HOST']}:{known['PORT']}/{known['NAME']}"
        )
    environment = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    environment["PYTHONPATH"] = f"{courier.FOLDER}:{courier.FOLDER.parent}"
    return subprocess.Popen([sys.executable, "-c", SENDER], env=environment)


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_while_it_sends_loses_no_message(ada: User, receiver: Receiver) -> None:
    message = a_message(make_channel(ada, f"{receiver.url}?rto=60"))
    receiver.hangs = True
    process = a_process_that_sends()
    try:
        deadline = time.monotonic() + 60
        while not receiver.taken:
            assert time.monotonic() < deadline, "it was not sent"
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    message.refresh_from_db()
    assert (message.state, send_due(seconds=LONG)) == ("sending", 0)
    receiver.hangs = False
    AlertMessage.objects.update(claimed_until=timezone.now())  # a minute later
    assert send_due(seconds=LONG) == 1
    message.refresh_from_db()
    assert message.state == "sent"
