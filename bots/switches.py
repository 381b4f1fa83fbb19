"""What a kill switch covers, and that nothing new is placed for it from the moment at which it is pulled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from audit.services import record
from bots.models import Bot, BotEvent, KillSwitch, Order, Scope, Severity
from exchanges.models import ExchangeConnection

UNDER_WAY = "It is being cancelled."


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a switch covers: a bot, a connection, an owner's connections, or (nothing named) the desk."""

    bot: Bot | None = None
    connection: ExchangeConnection | None = None
    owner: User | None = None

    @property
    def scope(self) -> Scope:
        if self.bot:
            return Scope.BOT
        if self.connection:
            return Scope.CONNECTION
        return Scope.OWNER if self.owner else Scope.DESK

    def connections(self) -> models.QuerySet[ExchangeConnection]:
        rows = ExchangeConnection.objects.order_by("pk")
        if self.bot:
            return rows.filter(pk=self.bot.connection_id)
        if self.connection:
            return rows.filter(pk=self.connection.pk)
        return rows.filter(owner=self.owner) if self.owner else rows

    def bots(self) -> models.QuerySet[Bot]:
        """Those that are at work."""
        rows = Bot.objects.at_work().select_related("connection").order_by("name")
        return rows.filter(pk=self.bot.pk) if self.bot else rows.filter(connection__in=self.connections())

    def live_orders(self) -> models.QuerySet[Order]:
        orders = Order.objects.live().select_related("connection", "bot")
        if self.bot:
            return orders.filter(bot=self.bot)
        return orders.filter(connection__in=self.connections())


def engage_kill_switch(*, actor: User | None, target: Target, reason: str) -> KillSwitch:
    """From now on nothing new is intended for what it covers; whoever calls this sees to `cancel_covered`.

    Raises ValidationError where no reason is given.
    """
    if not reason.strip():
        raise ValidationError("Say why the kill switch is pulled.")
    return _engage(actor, target, reason.strip())


def target_of(switch: KillSwitch) -> Target:
    return Target(bot=switch.bot, connection=switch.connection, owner=switch.owner)


def outcome_of(order: Order, sentence: str, *, is_certain: bool) -> dict[str, Any]:
    """As it is kept in a switch's row. is_certain: the venue said that it is gone."""
    return {
        "order": order.client_id,
        "text": str(order),
        "connection": str(order.connection),
        "connection_id": str(order.connection_id),
        "sentence": sentence,
        "is_certain": is_certain,
    }


@transaction.atomic
def _engage(actor: User | None, target: Target, reason: str) -> KillSwitch:
    """Takes each connection's row: an intent is committed before, and its order is cancelled, or never."""
    connections = list(target.connections().select_for_update(of=("self",)))
    named = {"bot": target.bot, "connection": target.connection, "owner": target.owner}
    switch = KillSwitch.objects.engaged().filter(scope=target.scope, **named).first()
    if switch is None:
        switch = KillSwitch.objects.create(scope=target.scope, **named, reason=reason, engaged_by=actor)
    switch.cancelling_since, switch.cancelled_at = timezone.now(), None
    # Workers may be quicker than whoever reports: what was live now is told of all the same.
    switch.outcome = [outcome_of(order, UNDER_WAY, is_certain=False) for order in target.live_orders()]
    switch.save(update_fields=["cancelling_since", "cancelled_at", "outcome"])
    record(actor=actor, action="kill_switch.pulled", target=switch, after={"reason": reason})
    BotEvent.objects.bulk_create(
        BotEvent(
            connection=connection, bot=target.bot, at=timezone.now(), severity=Severity.WARNING,
            kind="kill_switch", text=f"Kill switch pulled: {reason}",
        )
        for connection in connections
    )  # fmt: skip
    return switch


@transaction.atomic
def release_kill_switch(*, actor: User | None, switch: KillSwitch) -> None:
    """What it covered goes on as it was. Twice is once."""
    if (
        not KillSwitch.objects.engaged()
        .filter(pk=switch.pk)
        .update(released_at=timezone.now(), released_by=actor)
    ):
        return
    record(actor=actor, action="kill_switch.released", target=switch, before={"reason": switch.reason})
    BotEvent.objects.bulk_create(
        BotEvent(
            connection=connection, bot=switch.bot, at=timezone.now(), kind="kill_switch",
            text="Kill switch released.",
        )
        for connection in target_of(switch).connections()
    )  # fmt: skip
