"""Which channels are to have their daily report now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q

from alerts.models import AlertChannel, AlertMessage

KEY = "daily report"


def reports_due(now: datetime) -> Sequence[AlertChannel]:
    """Those whose hour has come today, where they are, and that had none today."""
    channels = AlertChannel.objects.in_use().exclude(report_hour=None)
    return [channel for channel in channels.select_related("owner") if _is_due(channel, now)]


def _is_due(channel: AlertChannel, now: datetime) -> bool:
    local = now.astimezone(ZoneInfo(channel.time_zone))
    had_it = channel.last_report_on is not None and channel.last_report_on >= local.date()
    return not had_it and channel.report_hour is not None and local.hour >= channel.report_hour


@transaction.atomic
def save_report(*, channel: AlertChannel, lines: Sequence[str], url: str, now: datetime) -> bool:
    """False where another process was faster."""
    today = now.astimezone(ZoneInfo(channel.time_zone)).date()
    free = AlertChannel.objects.filter(pk=channel.pk)
    free = free.filter(Q(last_report_on=None) | Q(last_report_on__lt=today))
    if not free.update(last_report_on=today):
        return False
    AlertMessage.objects.create(
        channel=channel, key=KEY, title=f"Botdesk: the day until {now:%Y-%m-%d %H:%M} UTC", lines=list(lines),
        count=len(lines), url=url, created_at=now, not_before=now,
    )  # fmt: skip
    return True
