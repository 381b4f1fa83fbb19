"""The addresses' budgets in the database, where the processes of a desk meet."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from math import inf

from django.db import transaction
from django.db.models.functions import Now

from exchanges.models import AddressBudget
from exchanges.sharing import Answer, Ask, Held, Place, Table, settle

CHANGING = ["held", "paused_until", "speed", "slowed_at", "updated_at"]


def agree(me: str, asks: Mapping[Place, Ask], alive: Collection[str]) -> Mapping[Place, Answer]:
    """For all ways out of one process in one transaction: their rows are locked and read, and written."""
    with transaction.atomic():
        answers, written = {}, []
        for place, row, now in _rows(asks):
            table, answers[place] = settle(_table(row), asks[place], me=me, alive=alive, now=now)
            written.append(_with(row, table))
        AddressBudget.objects.bulk_create(
            written, update_conflicts=True, unique_fields=["venue", "route"], update_fields=CHANGING
        )
        return answers


def leave(me: str) -> None:
    """What the process held is the others' at once."""
    with transaction.atomic():
        for row in AddressBudget.objects.select_for_update().order_by("pk"):
            if row.held.pop(me, None):
                row.save(update_fields=["held"])


def _rows(places: Collection[Place]) -> Iterable[tuple[Place, AddressBudget, float]]:
    """Locked, in one order for everybody; with the database's time."""
    found = _read(places)
    if missing := set(places) - {place for place, _row, _now in found}:
        AddressBudget.objects.bulk_create(
            [AddressBudget(venue=place.venue, route=place.route, updated_at=Now()) for place in missing],
            ignore_conflicts=True,
        )
        found = _read(places)
    return found


def _read(places: Collection[Place]) -> list[tuple[Place, AddressBudget, float]]:
    rows = AddressBudget.objects.filter(venue__in={place.venue for place in places})
    rows = rows.filter(route__in={place.route for place in places})
    locked = rows.select_for_update().order_by("pk").annotate(now=Now())
    named = ((Place(row.venue, row.route), row, row.now.timestamp()) for row in locked)
    return [(place, row, now) for place, row, now in named if place in places]


def _table(row: AddressBudget) -> Table:
    return Table(
        held={who: Held(**held) for who, held in row.held.items()},
        paused_until=_seconds(row.paused_until, never=0.0),
        speed=row.speed,
        slowed_at=_seconds(row.slowed_at, never=-inf),
    )


def _with(row: AddressBudget, table: Table) -> AddressBudget:
    return AddressBudget(
        venue=row.venue,
        route=row.route,
        held={who: _plain(held) for who, held in table.held.items()},
        paused_until=_moment(table.paused_until, never=0.0),
        speed=table.speed,
        slowed_at=_moment(table.slowed_at, never=-inf),
        updated_at=Now(),
    )


def _plain(held: Held) -> dict[str, float]:
    return {"part": held.part, "wants": held.wants, "until": held.until}


def _seconds(moment: datetime | None, *, never: float) -> float:
    return never if moment is None else moment.timestamp()


def _moment(seconds: float, *, never: float) -> datetime | None:
    return None if seconds == never else datetime.fromtimestamp(seconds, UTC)
