"""Sends what is due, one message after the other. Any number of processes may do so at once.

A message is claimed by a conditional UPDATE before it is sent, for a time. Whoever dies in between leaves it
to be claimed again: it is sent at least once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone

from alerts.courier import Verdict, send
from alerts.filing import body
from alerts.models import AlertChannel, AlertMessage, MessageState
from vault.redaction import redact

CLAIM = timedelta(minutes=1)  # longer than a message may take
MOST_ATTEMPTS = 6
FIRST_WAIT = timedelta(seconds=30)  # doubled with each: the last try is a quarter of an hour after the first


def send_due(*, seconds: float, is_over: Callable[[], bool] = lambda: False) -> int:
    """For so long, until nothing is due, or until it is over; how many were tried. The last one may take
    longer."""
    until, tried = time.monotonic() + seconds, 0
    while time.monotonic() < until and not is_over():
        message = claim(timezone.now())
        if message is None:
            break
        deliver(message)
        tried += 1
    return tried


def claim(now: datetime) -> AlertMessage | None:
    """One that is due, for this caller alone; None where nothing is, or where another was faster."""
    free = Q(state=MessageState.WAITING) | Q(state=MessageState.SENDING, claimed_until__lt=now)
    rested = Q(channel__retry_at=None) | Q(channel__retry_at__lte=now)
    due = AlertMessage.objects.filter(free, rested, not_before__lte=now, channel__enabled=True)
    found = due.filter(channel__archived_at=None).order_by("not_before", "pk").first()
    if found is None:
        return None
    claimed = AlertMessage.objects.filter(free, pk=found.pk, attempts=found.attempts).update(
        state=MessageState.SENDING, claimed_until=now + CLAIM, attempts=F("attempts") + 1
    )
    # Read again: more may have joined it until it was claimed.
    return AlertMessage.objects.select_related("channel").get(pk=found.pk) if claimed else None


def deliver(message: AlertMessage) -> Verdict:
    verdict = send(
        message.channel.url, title=message.title, body=redact(body(message)), severity=message.severity
    )
    now = timezone.now()
    _note(message.channel_id, verdict, now)
    is_over = verdict.outcome != "failed" or message.attempts >= MOST_ATTEMPTS
    state = MessageState.SENT if verdict.ok else MessageState.FAILED if is_over else MessageState.WAITING
    AlertMessage.objects.filter(pk=message.pk, attempts=message.attempts).update(
        state=state,
        last_error="" if verdict.ok else verdict.sentence,
        ended_at=now if is_over else None,
        not_before=message.not_before if is_over else now + pause(message.attempts),
    )
    return verdict


def pause(attempts: int) -> timedelta:
    return FIRST_WAIT * (1 << (attempts - 1))


def _note(channel_id: UUID, verdict: Verdict, now: datetime) -> None:
    """A channel that fails rests, so that what is dead does not hold up the others."""
    AlertChannel.objects.filter(pk=channel_id).update(
        last_result=verdict.sentence,
        last_result_at=now,
        failures=0 if verdict.ok else F("failures") + 1,
        retry_at=None if verdict.ok else now + FIRST_WAIT,
    )
