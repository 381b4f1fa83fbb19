"""What people do to bots. Doors check permissions; each service is one transaction with its audit row.

State changes are conditional updates: of two clicks one counts, and no worker's write is lost.
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from audit.services import record
from bots.models import Bot, BotEvent, BotState, Order, Severity, SpreadBot
from bots.selectors import last_known_price
from bots.validation import check_spread_bot, start_refusal
from exchanges.models import ExchangeConnection

FIELDS = tuple(
    field.name
    for field in SpreadBot._meta.concrete_fields
    if field.editable and not field.primary_key and field.name != "bot_ptr"
)
# With another market or connection, what rests would be in a place where nobody looks.
FIXED_AT_WORK = ("connection", "symbol")


@transaction.atomic
def create_spread_bot(*, actor: User | None, **fields: Any) -> SpreadBot:
    """fields: the model's own names. Raises ValidationError with one sentence a field."""
    bot = SpreadBot()
    _set(bot, fields)
    check_spread_bot(bot)
    bot.save()
    record(actor=actor, action="bot.created", target=bot, after=_fields_of(bot))
    return bot


@transaction.atomic
def update_spread_bot(*, bot: Bot, actor: User | None, **fields: Any) -> SpreadBot:
    """Takes effect at the bot's next cycle. Raises ValidationError with one sentence a field."""
    current = _locked(bot)
    if current.archived_at is not None:
        raise ValidationError(f"“{current}” is archived, and an archived bot is not changed.")
    before = _fields_of(current)
    _set(current, fields)
    check_spread_bot(current)
    after = _fields_of(current)
    changed = [name for name in FIELDS if before[name] != after[name]]
    _refuse_a_move_at_work(current, changed)
    if changed:
        current.save(update_fields=changed)
        record(
            actor=actor,
            action="bot.updated",
            target=current,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
    return current


@transaction.atomic
def start_bot(*, bot: Bot, actor: User | None) -> None:
    """Raises ValidationError: one sentence why it may not start."""
    current = _locked(bot)
    if current.state == BotState.STOPPING:
        raise ValidationError(f"“{current}” is still stopping: wait until it is stopped.")
    refusal = start_refusal(current, last_price=last_known_price(current)[0])
    if refusal:
        raise ValidationError(refusal)
    _move(current, {BotState.STOPPED, BotState.PAUSED}, BotState.RUNNING, actor, "started")


@transaction.atomic
def pause_bot(*, bot: Bot, actor: User | None) -> None:
    """It places nothing new until it is started again."""
    current = _locked(bot)
    if current.state in {BotState.STOPPED, BotState.STOPPING}:
        raise ValidationError(f"“{current}” is {current.state}, so there is nothing to pause.")
    _move(current, {BotState.RUNNING}, BotState.PAUSED, actor, "paused")


@transaction.atomic
def stop_bot(*, bot: Bot, actor: User | None) -> None:
    """A worker settles its orders and ends it; where there is nothing to settle, it is stopped at once."""
    current = _locked(bot)
    at_work = {BotState.RUNNING, BotState.PAUSED}
    if _has_nothing_to_settle(current):
        _move(current, at_work | {BotState.STOPPING}, BotState.STOPPED, actor, "stopped")
    else:
        _move(current, at_work, BotState.STOPPING, actor, "stopping")


@transaction.atomic
def archive_bot(*, bot: Bot, actor: User | None) -> None:
    """What deleting means. One that is at work is stopped first. Twice is once."""
    current = _locked(bot)
    if current.archived_at is not None:
        return
    if current.state != BotState.STOPPED:
        stop_bot(bot=current, actor=actor)
    Bot.objects.filter(pk=current.pk, archived_at=None).update(archived_at=timezone.now())
    record(actor=actor, action="bot.archived", target=current)


def _locked(bot: Bot) -> SpreadBot:
    """Its connection's row first, which archiving a connection and taking a lease lock too."""
    ExchangeConnection.objects.select_for_update(of=("self",)).get(pk=bot.connection_id)
    locked = SpreadBot.objects.select_for_update(of=("self", "bot_ptr")).select_related("connection")
    return locked.get(pk=bot.pk)


def _move(
    bot: SpreadBot,
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


def _has_nothing_to_settle(bot: SpreadBot) -> bool:
    """It never ran, no order of it is unsettled, and no worker could be placing its first one now."""
    if bot.last_cycle_at is not None or Order.objects.unsettled().filter(bot=bot).exists():
        return False
    leased = ExchangeConnection.objects.filter(pk=bot.connection_id, lease_owner__isnull=False)
    return not leased.filter(lease_expires_at__gt=Now()).exists()


def _set(bot: SpreadBot, fields: dict[str, Any]) -> None:
    unknown = set(fields).difference(FIELDS)
    if unknown:
        raise TypeError(f"not a spread bot's settings: {', '.join(sorted(unknown))}")
    for name, value in fields.items():
        setattr(bot, name, value)


def _fields_of(bot: SpreadBot) -> dict[str, Any]:
    """As an audit row shows them: relations by name, numbers without trailing zeros."""
    return {name: _plain(getattr(bot, name)) for name in FIELDS}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(value) if isinstance(value, ExchangeConnection) else value


def _refuse_a_move_at_work(bot: SpreadBot, changed: Collection[str]) -> None:
    moved = [name for name in FIXED_AT_WORK if name in changed]
    if not moved:
        return
    if bot.state != BotState.STOPPED or Order.objects.unsettled().filter(bot=bot).exists():
        sentence = "Stop the bot and let its orders settle before it moves to another market."
        raise ValidationError(dict.fromkeys(moved, sentence))
    if "connection" in moved and Order.objects.filter(bot=bot).exists():
        raise ValidationError(
            {"connection": "Orders are recorded for this bot on its connection; create another bot."}
        )
