"""A connection that has not answered for minutes: its bots are stopped, and people are told."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from audit.services import record
from bots.engine.account import event_of
from bots.engine.clock import utc_now
from bots.engine.lease import Lease, fenced
from bots.models import Bot, BotEvent, BotState, Severity
from exchanges.health import SILENCE_SECONDS

MINUTES = f"{SILENCE_SECONDS / 60:.0f} minutes"


def stop_unanswered(lease: Lease, bot_ids: Collection[UUID], cause: str) -> list[UUID]:
    """Those of these bots that were running are stopping now, and everybody can read why; their ids.

    A bot stops as when a person stops it: what rests is looked up and cancelled once the venue answers.
    """
    with fenced(lease):
        running = list(Bot.objects.filter(pk__in=bot_ids, state=BotState.RUNNING).order_by("name"))
        stopped = [bot for bot in running if _stop(bot)]
        told = [_told_of(lease, bot, cause) for bot in stopped]
        BotEvent.objects.bulk_create([_told(lease, stopped, cause), *told])
    return [bot.pk for bot in stopped]


def _stop(bot: Bot) -> bool:
    if not Bot.objects.filter(pk=bot.pk, state=BotState.RUNNING).update(state=BotState.STOPPING):
        return False
    states = {"before": {"state": str(BotState.RUNNING)}, "after": {"state": str(BotState.STOPPING)}}
    record(actor=None, action="bot.stopping", target=bot, **states)
    return True


def _told(lease: Lease, stopped: Collection[Bot], cause: str) -> BotEvent:
    names = ", ".join(f"“{bot}”" for bot in stopped)
    done = (
        f"These bots are stopped: {names}. Their orders are looked up, and cancelled where a bot says so, "
        "once it answers; start them again then."
        if stopped
        else "It is asked again and again; look at the exchange's status page, the proxy and the key."
    )
    text = f"No answer for {MINUTES}. {cause} {done}"
    return event_of(lease, "no_answer", text, at=utc_now(), severity=Severity.ERROR)


def _told_of(lease: Lease, bot: Bot, cause: str) -> BotEvent:
    text = (
        f"Stopping: the connection gave no answer for {MINUTES}. {cause} Start the bot again when the "
        "connection works."
    )
    return event_of(lease, "stopping", text, at=utc_now(), bot_id=bot.pk, severity=Severity.ERROR)
