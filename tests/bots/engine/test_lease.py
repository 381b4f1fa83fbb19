"""Leases: one holder at a time, fenced writes, and a deadline on the holder's own clock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from django.db import connections
from django.utils import timezone

from bots.engine import lease as leases
from bots.engine.clock import uptime
from bots.engine.lease import Lease, LeaseLostError, acquire, fenced, give_back, renew
from bots.models import BotEvent, BotState, Order, SpreadBot
from exchanges.gateway import HTTP_TIMEOUT_SECONDS, NotLicensedError
from exchanges.models import ExchangeConnection
from tests.bots.engine.conftest import make_bot, make_connection, take_lease

T = TypeVar("T")
MOST = 100


def expire(lease: Lease) -> None:
    past = timezone.now() - timedelta(seconds=1)
    ExchangeConnection.objects.filter(pk=lease.connection_id).update(lease_expires_at=past)


def row(lease: Lease) -> ExchangeConnection:
    return ExchangeConnection.objects.get(pk=lease.connection_id)


@pytest.fixture
def lease(bot: SpreadBot) -> Lease:
    return take_lease(bot.connection)


# --- Who gets one


def test_of_two_that_race_for_a_lease_exactly_one_gets_it(bot: SpreadBot) -> None:
    for _ in range(10):
        ExchangeConnection.objects.update(lease_owner=None, lease_expires_at=None)
        start = threading.Barrier(4)

        def race(start: threading.Barrier = start) -> list[Lease]:
            try:
                start.wait(timeout=5)
                return acquire(uuid4(), most=MOST)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(4) as pool:
            races = [pool.submit(race) for _ in range(4)]
            winners = [lease for race in races for lease in race.result(timeout=20)]
        assert len(winners) == 1
        assert row(winners[0]).lease_owner == winners[0].owner


def test_many_that_race_for_many_leases_share_them(transactional_db: None) -> None:
    for number in range(12):
        make_bot(make_connection(f"Connection {number}"))
    start = threading.Barrier(3)

    def race() -> list[Lease]:
        try:
            start.wait(timeout=5)
            return [lease for _ in range(6) for lease in acquire(uuid4(), most=2)]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        taken = [
            lease.connection_id for race in [pool.submit(race) for _ in range(3)] for lease in race.result()
        ]
    assert len(taken) == len(set(taken)) == 12


@pytest.mark.django_db
def test_no_more_are_taken_than_asked_for() -> None:
    for number in range(3):
        make_bot(make_connection(f"Connection {number}"))
    assert len(acquire(uuid4(), most=2)) == 2
    assert len(acquire(uuid4(), most=2)) == 1


def test_a_lease_that_is_held_is_not_taken(lease: Lease) -> None:
    assert acquire(uuid4(), most=MOST) == []


def test_what_is_held_by_the_time_of_the_update_is_not_taken(lease: Lease) -> None:
    assert not leases._take(uuid4(), lease.connection_id)
    assert row(lease).lease_owner == lease.owner


def test_an_expired_lease_is_taken_and_its_fence_grows(lease: Lease) -> None:
    expire(lease)
    (taken,) = acquire(uuid4(), most=MOST)
    assert taken.connection_id == lease.connection_id
    assert taken.fence == lease.fence + 1


def test_a_lease_that_was_given_back_is_free_at_once(lease: Lease) -> None:
    give_back(lease)
    (taken,) = acquire(uuid4(), most=MOST)
    assert taken.fence == lease.fence + 1


def test_giving_back_late_does_not_end_the_successors_lease(lease: Lease) -> None:
    expire(lease)
    (taken,) = acquire(uuid4(), most=MOST)
    give_back(lease)
    assert row(taken).lease_owner == taken.owner


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fields", [{"enabled": False}, {"archived_at": timezone.now()}], ids=["disabled", "archived"]
)
def test_a_connection_that_is_out_of_use_is_not_leased(fields: dict[str, Any]) -> None:
    make_bot(make_connection(**fields))
    assert acquire(uuid4(), most=MOST) == []
    assert leases.connections_with_work() == 0


@pytest.mark.django_db
def test_a_connection_without_work_is_not_leased() -> None:
    make_bot(make_connection(), state=BotState.STOPPED)
    make_connection("Empty")
    assert acquire(uuid4(), most=MOST) == []
    assert leases.connections_with_work() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("state", [BotState.RUNNING, BotState.PAUSED, BotState.STOPPING])
def test_a_connection_with_a_bot_at_work_is_leased(state: BotState) -> None:
    make_bot(make_connection(), state=state)
    assert len(acquire(uuid4(), most=MOST)) == 1


@pytest.mark.django_db
def test_a_connection_with_an_unsettled_order_is_leased() -> None:
    bot = make_bot(make_connection(), state=BotState.STOPPED)
    Order.objects.create(
        connection=bot.connection, bot=bot, fence=1, symbol="BTC/USDT", side="buy", price=1, amount=1,
        created_at=timezone.now(),
    )  # fmt: skip
    assert len(acquire(uuid4(), most=MOST)) == 1


# --- Renewing


def test_renewing_keeps_ours_and_reports_the_lost(transactional_db: None) -> None:
    for number in range(3):
        make_bot(make_connection(f"Connection {number}"))
    owner = uuid4()
    kept, robbed, retaken = acquire(owner, most=MOST)
    ExchangeConnection.objects.filter(pk=robbed.connection_id).update(lease_owner=uuid4(), lease_fence=9)
    ExchangeConnection.objects.filter(pk=retaken.connection_id).update(lease_fence=9)
    deadlines = [robbed.deadline, retaken.deadline]
    assert renew(owner, [kept, robbed, retaken]) == {kept.connection_id}
    assert [robbed.deadline, retaken.deadline] == deadlines


def test_renewing_puts_the_expiry_off(lease: Lease) -> None:
    soon = timezone.now() + timedelta(seconds=1)
    ExchangeConnection.objects.update(lease_expires_at=soon)
    renew(lease.owner, [lease])
    expires = row(lease).lease_expires_at
    assert expires is not None
    assert expires > soon + timedelta(seconds=leases.LEASE_SECONDS - 5)


def test_renewing_nothing_asks_nothing(django_assert_num_queries, db: None) -> None:  # type: ignore[no-untyped-def]
    with django_assert_num_queries(0):
        assert renew(uuid4(), []) == set()


# --- The deadline


def test_the_deadline_leaves_time_for_a_request_before_the_expiry() -> None:
    assert leases.SENDING_SECONDS + HTTP_TIMEOUT_SECONDS < leases.LEASE_SECONDS
    assert leases.RENEW_SECONDS < leases.SENDING_SECONDS


def test_the_deadline_is_measured_from_before_the_lease_was_asked_for(
    bot: SpreadBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "_take", _slowly(leases._take, monkeypatch))
    asked_at = uptime()
    (lease,) = acquire(uuid4(), most=MOST)
    assert lease.deadline < asked_at + leases.SENDING_SECONDS + 1


def test_the_deadline_is_measured_from_before_the_renewal_was_sent(
    lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_at = uptime()
    monkeypatch.setattr(leases, "_expiry", _slowly(leases._expiry, monkeypatch))
    renew(lease.owner, [lease])
    assert lease.deadline < asked_at + leases.SENDING_SECONDS + 1


def _slowly(function: Callable[..., T], monkeypatch: pytest.MonkeyPatch) -> Callable[..., T]:
    """The function, but the clock goes on by a minute while it runs."""

    def slow(*args: object) -> T:
        result = function(*args)
        monkeypatch.setattr(leases, "uptime", lambda: uptime() + 60)
        return result

    return slow


def test_within_the_deadline_sending_is_allowed(lease: Lease) -> None:
    lease.check()


def test_past_the_deadline_nothing_may_be_sent(lease: Lease) -> None:
    lease.deadline = uptime()
    with pytest.raises(NotLicensedError):
        lease.check()


def test_a_lease_that_was_given_back_allows_nothing(lease: Lease) -> None:
    give_back(lease)
    with pytest.raises(NotLicensedError):
        lease.check()


# --- Fenced writes


def write_event(lease: Lease, *, unexpired: bool = False) -> None:
    with fenced(lease, unexpired=unexpired):
        BotEvent.objects.create(connection_id=lease.connection_id, at=timezone.now(), kind="x", text="x")


def test_the_holder_may_write(lease: Lease) -> None:
    write_event(lease, unexpired=True)
    assert BotEvent.objects.count() == 1


def test_a_former_holder_writes_nothing(lease: Lease) -> None:
    expire(lease)
    acquire(uuid4(), most=MOST)
    with pytest.raises(LeaseLostError):
        write_event(lease)
    assert not BotEvent.objects.exists()


def test_the_same_owner_with_an_older_fence_writes_nothing(lease: Lease) -> None:
    expire(lease)
    acquire(lease.owner, most=MOST)
    with pytest.raises(LeaseLostError):
        write_event(lease)


def test_after_the_expiry_what_happened_is_still_written_while_nobody_took_over(lease: Lease) -> None:
    expire(lease)
    write_event(lease)
    with pytest.raises(LeaseLostError):
        write_event(lease, unexpired=True)
    assert BotEvent.objects.count() == 1


def write_and_fail(lease: Lease) -> None:
    with fenced(lease):
        BotEvent.objects.create(connection_id=lease.connection_id, at=timezone.now(), kind="x", text="x")
        raise ZeroDivisionError


def test_an_error_inside_undoes_what_was_written(lease: Lease) -> None:
    with pytest.raises(ZeroDivisionError):
        write_and_fail(lease)
    assert not BotEvent.objects.exists()


def test_nobody_takes_a_lease_over_while_its_holder_writes(lease: Lease) -> None:
    """Expired meanwhile or not: the row is locked until the write is done."""
    expire(lease)
    inside, written = threading.Event(), threading.Event()
    order: list[str] = []

    def take() -> list[Lease]:
        inside.wait(timeout=5)
        written.set()
        try:
            taken: list[Lease] = []
            while not taken:
                taken = acquire(uuid4(), most=MOST)
            order.append("taken")
            return taken
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        taking = pool.submit(take)
        with fenced(lease):
            inside.set()
            written.wait(timeout=5)
            threading.Event().wait(0.2)
            order.append("written")
        (taken,) = taking.result(timeout=20)
    assert order == ["written", "taken"]
    assert taken.fence == lease.fence + 1
    assert isinstance(taken.owner, UUID)
