"""What the desk tells people: its events, handed to the alerts' rules, and a report a day."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from alerts import filing, reports
from alerts.delivery import send_due
from alerts.models import AlertRule
from alerts.notices import Notice
from bots.daily_report import daily_report
from bots.models import KINDS, Bot, BotEvent
from exchanges.selectors import SEES_ALL

BATCH = 500
SEND_SECONDS = 20.0


def look_for_work(is_over: Callable[[], bool] = lambda: False) -> None:
    """One turn: what happened is filed, reports that are due are written, and what is due is sent.

    Safe to run twice and beside others. Takes SEND_SECONDS and one message more at most.
    """
    now = timezone.now()
    while file_news(now) == BATCH:
        pass
    write_reports(now)
    send_due(seconds=SEND_SECONDS, is_over=is_over)


def file_news(now: datetime) -> int:
    """Asks the rules about events that nobody asked them about yet; how many there were."""
    untold = BotEvent.objects.filter(told=False)
    if not untold.exists():
        return 0
    with transaction.atomic():
        rules = filing.rules_in_force()
        news = list(untold.select_related("connection", "bot").order_by("pk")[:BATCH])
        if rules:
            notices = list(_notices(news))
            filing.file(rules=rules, notices=notices, see_all=_who_sees_all(rules), now=now)
        untold.filter(pk__in=[event.pk for event in news]).update(told=True)
    return len(news)


def write_reports(now: datetime) -> None:
    for channel in reports.reports_due(now):
        lines = daily_report(channel.owner, now=now)
        reports.save_report(channel=channel, lines=lines, url=_address("admin:index"), now=now)


def _notices(news: Iterable[BotEvent]) -> Iterable[Notice]:
    kinds = _kinds_of(event.bot for event in news if event.bot is not None)
    for event in news:
        connection, bot = event.connection, event.bot
        yield Notice(
            kind=event.kind, severity=event.severity, text=event.text, at=event.at,
            owner_id=connection.owner_id, connection_id=connection.pk, bot_id=bot.pk if bot else None,
            subject=f"{bot} on {connection}" if bot else str(connection),
            url=_page_of(kinds, event),
        )  # fmt: skip


def _kinds_of(bots: Iterable[Bot]) -> dict[object, str]:
    """The name of each bot's model, under which its page is."""
    keys = {bot.pk for bot in bots}
    found: dict[object, str] = {}
    for kind in KINDS:
        named = kind.objects.filter(pk__in=keys).values_list("pk", flat=True)
        found |= dict.fromkeys(named, str(kind._meta.model_name))
    return found


def _page_of(kinds: dict[object, str], event: BotEvent) -> str:
    if event.bot_id in kinds:
        return _address(f"admin:bots_{kinds[event.bot_id]}_change", event.bot_id)
    return _address("admin:exchanges_exchangeconnection_change", event.connection_id)


def _address(view: str, *args: object) -> str:
    """Empty where nobody said under which name the desk is reached."""
    return f"{settings.SITE_URL}{reverse(view, args=args)}" if settings.SITE_URL else ""


def _who_sees_all(rules: Iterable[AlertRule]) -> set[int]:
    owners = User.objects.in_bulk({rule.channel.owner_id for rule in rules})
    return {pk for pk, owner in owners.items() if owner.has_perm(SEES_ALL)}
