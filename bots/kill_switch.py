"""The kill switch: stops everything new in the database itself, then empties the venues' books of our orders.

It needs no worker. What workers are alive see it within a second and cancel too; who comes first does it.
Whoever must not load ccxt takes `bots.switches` and `bots.kill_apart`.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.utils import timezone

from bots.engine.kill import Ended, cancel_orders
from bots.models import KillSwitch, Order
from bots.switches import Target, engage_kill_switch, outcome_of, release_kill_switch, target_of

__all__ = ["CANCEL_SECONDS", "Target", "cancel_covered", "pull_kill_switch", "release_kill_switch"]

CANCEL_SECONDS = 25.0


def pull_kill_switch(
    *, actor: User | None, target: Target, reason: str, seconds: float = CANCEL_SECONDS
) -> tuple[KillSwitch, list[Ended]]:
    """Returns when our orders are gone, or after `seconds` or so, with what became of each.

    Pulled again while it is on, it cancels again. Raises ValidationError where no reason is given.
    """
    switch = engage_kill_switch(actor=actor, target=target, reason=reason)
    return switch, cancel_covered(switch, seconds=seconds)


def cancel_covered(switch: KillSwitch, *, seconds: float = CANCEL_SECONDS) -> list[Ended]:
    """Cancels our orders under a switch that is on; what became of each is kept in its row too."""
    ended = cancel_orders(_covered(switch), seconds=seconds)
    switch.outcome = [outcome_of(one.order, one.sentence, is_certain=one.is_certain) for one in ended]
    switch.cancelled_at = timezone.now()
    switch.save(update_fields=["outcome", "cancelled_at"])
    return ended


def _covered(switch: KillSwitch) -> list[Order]:
    """What is live, and what was when the switch was pulled."""
    live = {order.client_id: order for order in target_of(switch).live_orders()}
    others = {row["order"] for row in switch.outcome} - live.keys()
    ended = Order.objects.filter(client_id__in=others).select_related("connection", "bot")
    return [*live.values(), *ended]
