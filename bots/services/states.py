"""Bots are started, paused, stopped and archived.

State changes are conditional updates: of two clicks one counts, and no worker's write is lost.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from audit.services import record
from bots.models import AnyBot, Bot, BotEvent, BotState, OnScalperStop, Order, RoundTrip, Severity
from bots.selectors import known_prices
from bots.services.locked import locked
from bots.validation import start_refusal
from exchanges.models import ExchangeConnection


@transaction.atomic
def start_bot(*, bot: Bot, actor: User | None) -> None:
    """Raises ValidationError: one sentence why it may not start."""
    current = locked(bot)
    if current.state == BotState.STOPPING:
        raise ValidationError(f"“{current}” is still stopping: wait until it is stopped.")
    refusal = start_refusal(current, prices=known_prices(current))
    if refusal:
        raise ValidationError(refusal)
    _move(current, {BotState.STOPPED, BotState.PAUSED}, BotState.RUNNING, actor, "started")


@transaction.atomic
def pause_bot(*, bot: Bot, actor: User | None) -> None:
    """It places nothing new until it is started again."""
    current = locked(bot)
    if current.state in {BotState.STOPPED, BotState.STOPPING}:
        raise ValidationError(f"“{current}” is {current.state}, so there is nothing to pause.")
    _move(current, {BotState.RUNNING}, BotState.PAUSED, actor, "paused")


@transaction.atomic
def stop_bot(*, bot: Bot, actor: User | None) -> None:
    """A worker settles its orders and ends it; where there is nothing to settle, it is stopped at once."""
    current = locked(bot)
    at_work = {BotState.RUNNING, BotState.PAUSED}
    if _has_nothing_to_settle(current):
        _move(current, at_work | {BotState.STOPPING}, BotState.STOPPED, actor, "stopped")
    else:
        _move(current, at_work, BotState.STOPPING, actor, "stopping")


@transaction.atomic
def archive_bot(*, bot: Bot, actor: User | None) -> None:
    """What deleting means. One that is at work is stopped first. Twice is once."""
    current = locked(bot)
    if current.archived_at is not None:
        return
    if current.state != BotState.STOPPED:
        stop_bot(bot=current, actor=actor)
    Bot.objects.filter(pk=current.pk, archived_at=None).update(archived_at=timezone.now())
    record(actor=actor, action="bot.archived", target=current)


def _move(
    bot: AnyBot,
    from_states: Collection[BotState],
    to: BotState,
    actor: User | None,
    verb: str,
) -> None:
    now = timezone.now()
    changes: dict[str, Any] = {"state": to}
    if to is BotState.RUNNING and bot.state == BotState.STOPPED:
        changes["started_at"] = now
    if not Bot.objects.filter(pk=bot.pk, state__in=from_states).update(**changes):
        return  # somebody else's click came first
    record(
        actor=actor, action=f"bot.{verb}", target=bot, before={"state": bot.state}, after={"state": str(to)}
    )
    who = f" by {actor}" if actor else ""
    BotEvent.objects.create(
        bot=bot, connection=bot.connection, at=now, severity=Severity.INFO, kind=verb,
        text=f"{verb.capitalize()}{who}.",
    )  # fmt: skip


def _has_nothing_to_settle(bot: AnyBot) -> bool:
    """It never ran, nothing of it is unsettled, and no worker could be placing its first order now."""
    if bot.last_cycle_at is not None or Order.objects.unsettled().filter(bot=bot).exists():
        return False
    if bot.on_stop == OnScalperStop.CLOSE and RoundTrip.objects.at_work().filter(bot=bot).exists():
        return False
    leased = ExchangeConnection.objects.filter(pk=bot.connection_id, lease_owner__isnull=False)
    return not leased.filter(lease_expires_at__gt=Now()).exists()
