"""For what a person may pull the kill switch, and which switches concern them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q

from bots.models import KillSwitch, Scope
from bots.models.kill_switch import KillSwitchQuerySet
from bots.selectors import visible_bots
from bots.switches import Target
from exchanges.selectors import SEES_ALL, visible_connections

Person = User | AnonymousUser


@dataclass(frozen=True, kw_only=True)
class Choice:
    """name: what `target_named` understands."""

    group: str
    name: str
    label: str


def choices(person: Person) -> list[Choice]:
    """The desk for who sees all of it; owners, connections and bots that this person sees."""
    connections = visible_connections(person).filter(archived_at=None).select_related("owner")
    owners = {row.owner_id: str(row.owner) for row in connections}
    desk = [Choice(group="Everything", name="desk", label="The whole desk")] if _sees_all(person) else []
    return [
        *desk,
        *(Choice(group="An owner", name=f"owner:{key}", label=name) for key, name in sorted(owners.items())),
        *(Choice(group="A connection", name=f"connection:{row.pk}", label=row.name) for row in connections),
        *(
            Choice(group="A bot", name=f"bot:{row.pk}", label=f"{row.name} at {row.connection}")
            for row in visible_bots(person).filter(archived_at=None).select_related("connection")
        ),
    ]


def target_named(name: str, person: Person) -> Target | None:
    """None where there is nothing of that name, or it is not this person's."""
    scope, _, key = name.partition(":")
    if scope == "desk":
        return Target() if _sees_all(person) else None
    if scope == "owner" and key.isdigit():
        is_theirs = visible_connections(person).filter(owner=int(key)).exists()
        owner = User.objects.filter(pk=int(key)).first()
        return Target(owner=owner) if owner and is_theirs else None
    if scope == "connection" and _is_uuid(key):
        connection = visible_connections(person).filter(pk=key).first()
        return Target(connection=connection) if connection else None
    if scope == "bot" and _is_uuid(key):
        bot = visible_bots(person).filter(pk=key).first()
        return Target(bot=bot) if bot else None
    return None


def visible_switches(person: Person) -> KillSwitchQuerySet:
    """Those of the desk, and those that cover something of this person's."""
    rows = KillSwitch.objects.select_related("owner", "connection", "bot", "engaged_by")
    if _sees_all(person):
        return rows
    seen = list(visible_connections(person).values_list("pk", flat=True))
    own = Q(owner=person.pk) | Q(connection__in=seen) | Q(bot__connection__in=seen)
    return rows.filter(Q(scope=Scope.DESK) | own)


def outcomes_seen_by(person: Person) -> Callable[[KillSwitch], list[dict[str, Any]]]:
    """Of a switch, what became of this person's orders: one of the desk covers those of others too."""
    if _sees_all(person):
        return lambda switch: list(switch.outcome)
    seen = {str(key) for key in visible_connections(person).values_list("pk", flat=True)}
    return lambda switch: [row for row in switch.outcome if row.get("connection_id") in seen]


def _sees_all(person: Person) -> bool:
    return person.has_perm(SEES_ALL)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
