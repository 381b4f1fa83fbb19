"""Bots are created, changed and copied; what changed is on record."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from audit.services import record
from bots.models import KINDS, AnyBot, Bot, BotState, Order, RoundTrip, ScalperBot, SpreadBot
from bots.services.locked import locked
from bots.validation import check_bot
from exchanges.models import ExchangeConnection

# By kind: what a person may set.
FIELDS: dict[type[Bot], tuple[str, ...]] = {
    kind: tuple(
        field.name
        for field in kind._meta.concrete_fields
        if field.editable and not field.primary_key and field.name != "bot_ptr"
    )
    for kind in KINDS
}
# With another market or connection, what rests would be in a place where nobody looks.
MARKETS_OF: dict[type[Bot], tuple[str, ...]] = {
    SpreadBot: ("symbol",),
    ScalperBot: ("markets", "symbols", "quote_currency"),
}
Kind = TypeVar("Kind", SpreadBot, ScalperBot)


@transaction.atomic
def create_spread_bot(*, actor: User | None, **fields: Any) -> SpreadBot:
    """fields: the model's own names. Raises ValidationError with one sentence a field."""
    return _created(SpreadBot(), actor, fields)


@transaction.atomic
def create_scalper_bot(*, actor: User | None, **fields: Any) -> ScalperBot:
    """fields: the model's own names. Raises ValidationError with one sentence a field."""
    return _created(ScalperBot(), actor, fields)


@transaction.atomic
def clone_bot(*, bot: Bot, actor: User | None, name: str = "") -> AnyBot:
    """Another bot with the same settings, stopped. name: empty for “… copy”. Raises ValidationError."""
    original = locked(bot)
    fields = {field: getattr(original, field) for field in FIELDS[type(original)]}
    copy = type(original)()
    _set(copy, fields | {"name": name or _free_name(original)})
    check_bot(copy)
    copy.save()
    record(
        actor=actor, action="bot.cloned", target=copy, before={"original": str(original.pk)},
        after=_fields_of(copy),
    )  # fmt: skip
    return copy


@transaction.atomic
def update_bot(*, bot: Bot, actor: User | None, **fields: Any) -> AnyBot:
    """Takes effect at the bot's next cycle. Raises ValidationError with one sentence a field."""
    current = locked(bot)
    if current.archived_at is not None:
        raise ValidationError(f"“{current}” is archived, and an archived bot is not changed.")
    before = _fields_of(current)
    _set(current, fields)
    check_bot(current)
    after = _fields_of(current)
    changed = [name for name in FIELDS[type(current)] if before[name] != after[name]]
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


def _created(bot: Kind, actor: User | None, fields: dict[str, Any]) -> Kind:
    _set(bot, fields)
    check_bot(bot)
    bot.save()
    record(actor=actor, action="bot.created", target=bot, after=_fields_of(bot))
    return bot


def _free_name(bot: AnyBot) -> str:
    """Of this connection's names the first that is free: “… copy”, “… copy 2”, …"""
    room = Bot._meta.get_field("name").max_length or 0
    first = f"{bot.name[: room - 10]} copy"
    taken = set(Bot.objects.filter(connection=bot.connection).values_list("name", flat=True))
    number = 1
    while (name := first if number == 1 else f"{first} {number}") in taken:
        number += 1
    return name


def _set(bot: AnyBot, fields: dict[str, Any]) -> None:
    unknown = set(fields).difference(FIELDS[type(bot)])
    if unknown:
        raise TypeError(f"not a {bot._meta.verbose_name}'s settings: {', '.join(sorted(unknown))}")
    for name, value in fields.items():
        setattr(bot, name, value)


def _fields_of(bot: AnyBot) -> dict[str, Any]:
    """As an audit row shows them: relations by name, numbers without trailing zeros."""
    return {name: _plain(getattr(bot, name)) for name in FIELDS[type(bot)]}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(value) if isinstance(value, ExchangeConnection) else value


def _refuse_a_move_at_work(bot: AnyBot, changed: Collection[str]) -> None:
    moved = [name for name in ("connection", *MARKETS_OF[type(bot)]) if name in changed]
    if not moved:
        return
    if isinstance(bot, ScalperBot) and "connection" not in moved:
        _refuse_other_markets(bot, moved)
        return
    if bot.state != BotState.STOPPED or _has_something_open(bot):
        sentence = "Stop the bot and let its orders settle before it moves to another market."
        raise ValidationError(dict.fromkeys(moved, sentence))
    if "connection" in moved and Order.objects.filter(bot=bot).exists():
        raise ValidationError(
            {"connection": "Orders are recorded for this bot on its connection; create another bot."}
        )


def _refuse_other_markets(bot: ScalperBot, moved: Collection[str]) -> None:
    """While it runs too: what it does not hold it may leave."""
    if _has_something_open(bot):
        sentence = "It has open positions or orders: pause it until they are closed, then change its markets."
        raise ValidationError(dict.fromkeys(moved, sentence))


def _has_something_open(bot: AnyBot) -> bool:
    if Order.objects.unsettled().filter(bot=bot).exists():
        return True
    return RoundTrip.objects.at_work().filter(bot=bot).exists()
