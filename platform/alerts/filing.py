"""Turns notices into messages: by the rules, joined in bursts, and put off to the end of quiet hours."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from alerts.models import AlertMessage, AlertRule, MessageState
from alerts.notices import RANKS, Notice, concerns, keys

SHOWN_LINES = 10
QUIET = "quiet hours"
TITLE_LENGTH = 200
URL_LENGTH = 300


def rules_in_force() -> Sequence[AlertRule]:
    """Locked, so that two processes file one after the other: call it in a transaction, before the news is
    read."""
    rules = AlertRule.objects.in_use().filter(channel__enabled=True, channel__archived_at=None)
    return list(rules.select_related("channel").select_for_update(of=("self",)).order_by("pk"))


def file(
    *, rules: Iterable[AlertRule], notices: Sequence[Notice], see_all: Collection[int], now: datetime
) -> None:
    """Writes the messages. see_all: the people who may see what belongs to others."""
    joined = keys(notices)
    for rule in rules:
        owner_id = rule.channel.owner_id
        for notice in notices:
            may_see = notice.owner_id == owner_id or owner_id in see_all
            if may_see and concerns(rule, notice):
                _file_one(rule, notice, joined[notice.kind, notice.connection_id], now)


def _file_one(rule: AlertRule, notice: Notice, key: str, now: datetime) -> None:
    last = AlertMessage.objects.filter(rule=rule, key=key).order_by("-created_at", "-pk").first()
    due = now
    if last is not None:
        due = max(now, (last.ended_at or last.created_at) + timedelta(seconds=rule.cooldown_seconds))
    quiet = rule.quiet_hours
    if quiet is not None and (notice.severity != "error" or rule.errors_wait):
        over = quiet.until(due)
        if over > due:
            key, due = QUIET, over
    if not _joined(rule, notice, key):
        AlertMessage.objects.create(
            channel=rule.channel, rule=rule, key=key, title=_title(notice), lines=[_line(notice)],
            severity=notice.severity, url=notice.url[:URL_LENGTH], created_at=now, not_before=due,
        )  # fmt: skip


def _joined(rule: AlertRule, notice: Notice, key: str) -> bool:
    """Whether a message that still waits took it up. One that is being sent is not changed any more."""
    waiting = AlertMessage.objects.filter(rule=rule, key=key, state=MessageState.WAITING)
    message = waiting.select_for_update().order_by("pk").first()
    if message is None:
        return False
    lines = message.lines
    if len(lines) < SHOWN_LINES:
        lines = [*lines, _line(notice)]
    worst = max(message.severity, notice.severity, key=lambda severity: RANKS[severity])
    title = f"Summary of {QUIET}" if key == QUIET else message.title
    url = message.url if message.url == notice.url else ""
    changed = waiting.filter(pk=message.pk).update(
        lines=lines, count=message.count + 1, severity=worst, title=title, url=url
    )
    return bool(changed)


def _title(notice: Notice) -> str:
    return f"{notice.severity.capitalize()}: {notice.subject}"[:TITLE_LENGTH]


def _line(notice: Notice) -> str:
    return f"{notice.at:%Y-%m-%d %H:%M:%S} UTC, {notice.subject}: {notice.text}"


def body(message: AlertMessage) -> str:
    """As it is sent."""
    more = message.count - len(message.lines)
    parts = list(message.lines)
    if more:
        parts.append(f"… and {more} more of the kind." if message.key != QUIET else f"… and {more} more.")
    if message.url:
        parts.append(message.url)
    return "\n".join(parts)
