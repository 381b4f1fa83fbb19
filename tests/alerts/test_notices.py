"""Quiet hours by the clock of a place, and which rule asks for what: pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID, uuid4

import pytest

from alerts.notices import MANY, Notice, QuietHours, concerns, keys

HERE, THERE = uuid4(), uuid4()
NIGHT = QuietHours(start=time(22), end=time(7), zone="Europe/Berlin")
NOTICE = Notice(
    kind="breaker_open", severity="warning", text="It is left alone.", at=datetime(2026, 7, 1, tzinfo=UTC),
    owner_id=1, connection_id=HERE, bot_id=None, subject="Main",
)  # fmt: skip


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "over"),
    [
        ("2026-07-01T19:59", "2026-07-01T19:59"),  # 21:59 in summer: not yet
        ("2026-07-01T20:00", "2026-07-02T05:00"),
        ("2026-07-01T23:30", "2026-07-02T05:00"),  # after midnight in Berlin
        ("2026-07-02T05:00", "2026-07-02T05:00"),  # 7:00: over
        ("2026-01-01T20:30", "2026-01-01T20:30"),  # 21:30 in winter
        ("2026-01-01T21:00", "2026-01-02T06:00"),
        ("2026-10-24T22:00", "2026-10-25T06:00"),  # the night in which the clock is put back
        ("2026-03-28T22:00", "2026-03-29T05:00"),  # and the one in which it is put forward
    ],
)
def test_quiet_hours_over_midnight_follow_the_clock_of_their_place(moment: str, over: str) -> None:
    assert NIGHT.until(utc(moment)) == utc(over)


@pytest.mark.parametrize(
    ("moment", "over"),
    [("12:59", "12:59"), ("13:00", "14:30"), ("14:29", "14:30"), ("14:30", "14:30"), ("23:00", "23:00")],
)
def test_quiet_hours_within_a_day_end_on_that_day(moment: str, over: str) -> None:
    siesta = QuietHours(start=time(13), end=time(14, 30), zone="UTC")
    assert siesta.until(utc(f"2026-07-01T{moment}")) == utc(f"2026-07-01T{over}")


@dataclass
class Rule:
    kinds: list[str] = field(default_factory=list)
    least_severity: str = "warning"
    connection_id: UUID | None = None
    bot_id: UUID | None = None
    owner_scope_id: int | None = None


@pytest.mark.parametrize(
    ("rule", "asks"),
    [
        (Rule(), True),
        (Rule(least_severity="info"), True),
        (Rule(least_severity="error"), False),
        (Rule(kinds=["stopped", "breaker_open"]), True),
        (Rule(kinds=["stopped"]), False),
        (Rule(connection_id=HERE), True),
        (Rule(connection_id=THERE), False),
        (Rule(bot_id=THERE), False),
        (Rule(owner_scope_id=1), True),
        (Rule(owner_scope_id=2), False),
    ],
)
def test_a_rule_asks_by_kind_severity_and_place(rule: Rule, asks: bool) -> None:
    assert concerns(rule, NOTICE) is asks


def test_a_rule_of_a_bot_asks_for_that_bots_events() -> None:
    assert concerns(Rule(bot_id=THERE), replace(NOTICE, bot_id=THERE))


def keys_of(places: list[Any]) -> set[str]:
    return set(keys([replace(NOTICE, connection_id=place) for place in places]).values())


def test_what_happens_at_two_connections_is_told_apart() -> None:
    assert keys_of([HERE, THERE, HERE]) == {f"breaker_open@{HERE}", f"breaker_open@{THERE}"}


def test_what_happens_at_many_connections_at_once_is_one_message() -> None:
    assert keys_of([uuid4() for _ in range(MANY)]) == {"breaker_open"}
