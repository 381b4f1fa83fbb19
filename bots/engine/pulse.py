"""Signs of life of a whole process, written in a few statements every few seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from bots.engine.condition import Condition, row_of
from bots.engine.lease import lock_in_order
from bots.models import Bot
from exchanges.models import ConnectionHealth, ExchangeConnection, Mode

HEALTH_COLUMNS = [field.name for field in ConnectionHealth._meta.concrete_fields if not field.primary_key]


@dataclass
class Pulse:
    """What happened since the last beat: which bots had a cycle, which connections answered or failed."""

    _cycled: set[UUID] = field(default_factory=set)
    _answered: set[UUID] = field(default_factory=set)
    _failed: dict[UUID, str] = field(default_factory=dict)
    _healths: dict[UUID, Condition] = field(default_factory=dict)
    _rows: list[tuple[Condition, ConnectionHealth]] = field(default_factory=list)

    def cycled(self, bot_id: UUID) -> None:
        self._cycled.add(bot_id)

    def answered(self, connection_id: UUID) -> None:
        self._answered.add(connection_id)
        self._failed.pop(connection_id, None)

    def failed(self, connection_id: UUID, sentence: str) -> None:
        self._failed[connection_id] = sentence
        self._answered.discard(connection_id)

    def looked_after(self, connection_id: UUID, health: Condition) -> None:
        """What changed of its health is written down."""
        self._healths[connection_id] = health

    def take(self) -> Pulse:
        """What has gathered, and starts anew. In the loop's thread, which notes calls meanwhile."""
        due = sorted(key for key, health in self._healths.items() if health.is_due_on_record)
        rows = [(self._healths[key], row_of(self._healths[key], key)) for key in due]
        taken = Pulse(self._cycled, self._answered, self._failed, _rows=rows)
        self._cycled, self._answered, self._failed, self._healths = set(), set(), {}, {}
        return taken

    def write(self) -> None:
        """One statement for bots, one for connections that answered, one for each that failed, one for what
        changed of their health."""
        if self._cycled:
            Bot.objects.filter(pk__in=self._cycled).update(last_cycle_at=Now())
        if self._answered:
            with transaction.atomic():
                lock_in_order(self._answered)
                answered = ExchangeConnection.objects.filter(pk__in=self._answered)
                answered.update(last_answer_at=Now(), last_error="", balances_at=_balances_at())
        for connection_id, sentence in self._failed.items():
            ExchangeConnection.objects.filter(pk=connection_id).update(
                last_error=sentence, last_error_at=Now()
            )
        if self._rows:
            ConnectionHealth.objects.bulk_create(
                [row for _, row in self._rows],
                update_conflicts=True,
                unique_fields=["connection"],
                update_fields=HEALTH_COLUMNS,
            )
            for health, row in self._rows:
                health.written(row)


def _balances_at() -> Combinable:
    """Now, but where the balances on record are not those that were read: the real account's in a dry run."""
    if not settings.DRY_RUN:
        return Now()
    return Case(When(mode=Mode.LIVE, then=F("balances_at")), default=Now())
