"""Messages are sent beside a shift, and no cycle waits for them: real threads, a real process that sends, a
venue in memory and a receiver on loopback."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from django_q.brokers.orm import ORM
from pytest_django import Settings

from alerts.models import AlertChannel, AlertMessage, AlertRule
from bots import alerting, messenger, tasks
from bots.engine import lease as leases
from bots.engine import runtime as runtime_module
from bots.engine import shift
from bots.engine.duty import Ending
from bots.engine.runtime import Runtime
from bots.models import Bot, BotEvent, SpreadBot
from exchanges.models import ExchangeConnection
from exchanges.types import OrderReport
from tests.alerts.conftest import make_channel
from tests.alerts.receiver import Receiver, receiving
from tests.bots.engine.conftest import make_connection
from tests.bots.engine.fake_venue import FakeGateway, FakeVenue

pytestmark = pytest.mark.e2e  # it measures, so nothing else is to run beside it
SHIFT_SECONDS = 10.0
ROUND_SECONDS = 2.5  # one is due each second, on a machine that does other things as well


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.ALERTS_ALLOW_PRIVATE = True
    with receiving() as it:
        yield it


@pytest.fixture
def channel(connection: ExchangeConnection, receiver: Receiver) -> AlertChannel:
    channel = make_channel(connection.owner, f"{receiver.url}?rto=60")  # Apprise itself gives up after 4 s
    AlertRule.objects.create(name="All", channel=channel, least_severity="warning", cooldown_seconds=0)
    return channel


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch, venue: FakeVenue, transactional_db: None) -> None:
    for name in ("TEND_SECONDS", "BOARD_SECONDS", "SHARE_SECONDS", "PULSE_SECONDS"):
        monkeypatch.setattr(runtime_module, name, 0.05)
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.2)
    monkeypatch.setattr(shift, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(messenger.Messenger.__init__, "__defaults__", (0.1,))
    monkeypatch.setattr(runtime_module, "open_market_data", lambda *_args, **_options: FakeGateway(venue))
    broker = ORM()
    monkeypatch.setattr(shift, "get_broker", lambda: broker)


@pytest.fixture
def runtime(connection: ExchangeConnection, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    runtime = Runtime()
    runtime.start()
    monkeypatch.setattr(shift, "runtime_of_this_process", lambda: runtime)
    yield runtime
    assert runtime.close(10, ending=Ending.HAND_OVER)


def an_event(connection: ExchangeConnection) -> None:
    BotEvent.objects.create(
        connection=connection, at=timezone.now(), kind="breaker_open", severity="error", text="It broke."
    )


def until(is_so: object, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_a_shift_tells_people_what_happened(
    connection: ExchangeConnection, runtime: Runtime, channel: AlertChannel, receiver: Receiver
) -> None:
    an_event(connection)
    tasks.run_shift(0.5)
    until(lambda: AlertMessage.objects.filter(state="sent").exists(), 30)
    assert receiver.titles == ["Error: Main"]


def test_cycles_go_on_while_a_webhook_hangs(
    bot: SpreadBot,
    runtime: Runtime,
    venue: FakeVenue,
    channel: AlertChannel,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Bot.objects.update(cycle_seconds=1)
    receiver.hangs = True
    an_event(bot.connection)
    rounds_at: list[float] = []
    ask = FakeGateway.fetch_open_orders

    async def timed(gateway: FakeGateway, symbols: Collection[str]) -> Sequence[OrderReport]:
        rounds_at.append(time.monotonic())
        return await ask(gateway, symbols)

    monkeypatch.setattr(FakeGateway, "fetch_open_orders", timed)
    tasks.run_shift(SHIFT_SECONDS)
    ended_at = time.monotonic()
    (hung_at,) = receiver.taken_at  # it has the message, and says nothing
    assert AlertMessage.objects.get().state == "sending"
    assert len(venue.resting()) == 2
    meanwhile = [hung_at, *(at for at in rounds_at if at > hung_at), ended_at]
    assert len(meanwhile) > 4
    assert max(after - before for before, after in pairwise(meanwhile)) < ROUND_SECONDS
    assert runtime.held == 1
    receiver.let_go.set()
    until(lambda: AlertMessage.objects.get().state != "sending", 30)


def test_a_shift_ends_in_time_though_a_message_is_being_sent(
    connection: ExchangeConnection, runtime: Runtime, channel: AlertChannel, receiver: Receiver
) -> None:
    receiver.hangs = True
    an_event(connection)
    began = time.monotonic()
    with messenger.Messenger(every_seconds=0.01):
        until(lambda: receiver.taken, 30)
        began = time.monotonic()
    assert time.monotonic() - began < messenger.LAST_WORDS_SECONDS + 0.5
    receiver.let_go.set()
    until(lambda: AlertMessage.objects.get().state != "sending", 30)


def test_nothing_to_tell_writes_nothing(connection: ExchangeConnection, channel: AlertChannel) -> None:
    alerting.look_for_work()
    assert not AlertMessage.objects.exists()
    channel.refresh_from_db()
    assert channel.last_result == ""


def test_a_person_is_told_of_another_connection_of_theirs(receiver: Receiver, channel: AlertChannel) -> None:
    an_event(make_connection("Second"))
    alerting.look_for_work()
    assert receiver.titles == ["Error: Second"]
    assert User.objects.count() == 1
