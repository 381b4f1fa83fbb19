"""Signs of life of a whole process, written in a few statements every few seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from bots.engine.lease import lock_in_order
from bots.models import Bot
from exchanges.models import ExchangeConnection, Mode


@dataclass
class Pulse:
    """What happened since the last beat: which bots had a cycle, which connections answered or failed."""

    _cycled: set[UUID] = field(default_factory=set)
    _answered: set[UUID] = field(default_factory=set)
    _failed: dict[UUID, str] = field(default_factory=dict)

    def cycled(self, bot_id: UUID) -> None:
        self._cycled.add(bot_id)

    def answered(self, connection_id: UUID) -> None:
        self._answered.add(connection_id)
        self._failed.pop(connection_id, None)

    def failed(self, connection_id: UUID, sentence: str) -> None:
        self._failed[connection_id] = sentence
        self._answered.discard(connection_id)

    def take(self) -> Pulse:
        """What has gathered, and starts anew."""
        taken = Pulse(self._cycled, self._answered, self._failed)
        self._cycled, self._answered, self._failed = set(), set(), {}
        return taken

    def write(self) -> None:
        """One statement for bots, one for connections that answered, one for each that failed."""
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


def _balances_at() -> Combinable:
    """Now, but where the balances on record are not those that were read: the real account's in a dry run."""
    if not settings.DRY_RUN:
        return Now()
    return Case(When(mode=Mode.LIVE, then=F("balances_at")), default=Now())
