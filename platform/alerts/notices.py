"""What happened, as whoever knows of it hands it over, and which rules it concerns: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

RANKS = {"info": 0, "warning": 1, "error": 2}
MANY = 5  # of one kind at once: they go as one message, wherever they happened


@dataclass(frozen=True, kw_only=True)
class Notice:
    """kind, severity, text: the event's. subject: a name for the title. url: the page to look at, or empty.

    owner_id: whose it is. connection_id, bot_id: opaque here; None where it is of no bot.
    """

    kind: str
    severity: str
    text: str
    at: datetime
    owner_id: int
    connection_id: UUID
    bot_id: UUID | None = None
    subject: str
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class QuietHours:
    """From one time of the day to another, by the clock of a place; it may be over midnight."""

    start: time
    end: time
    zone: str

    def until(self, moment: datetime) -> datetime:
        """When they are over; the moment itself where they are not on. Aware UTC in and out."""
        local = moment.astimezone(ZoneInfo(self.zone))
        if not self._covers(local.time()):
            return moment
        day = local.date() + timedelta(days=1 if local.time() >= self.end else 0)
        over = datetime.combine(day, self.end, tzinfo=ZoneInfo(self.zone))
        return max(moment, over.astimezone(moment.tzinfo))

    def _covers(self, now: time) -> bool:
        if self.start <= self.end:
            return self.start <= now < self.end
        return now >= self.start or now < self.end


class Scope(Protocol):
    """What a rule asks of a notice. kinds: none of them means all. least_severity: of RANKS."""

    @property
    def kinds(self) -> list[str]: ...
    @property
    def least_severity(self) -> str: ...
    @property
    def connection_id(self) -> UUID | None: ...
    @property
    def bot_id(self) -> UUID | None: ...
    @property
    def owner_scope_id(self) -> int | None: ...


def concerns(rule: Scope, notice: Notice) -> bool:
    """Whether the rule asks for it; who may see it is not asked here."""
    return (
        RANKS[notice.severity] >= RANKS[rule.least_severity]
        and (not rule.kinds or notice.kind in rule.kinds)
        and rule.connection_id in (None, notice.connection_id)
        and rule.bot_id in (None, notice.bot_id)
        and rule.owner_scope_id in (None, notice.owner_id)
    )


def keys(notices: Iterable[Notice]) -> Mapping[tuple[str, UUID], str]:
    """Under which key what of a kind happens at a connection is joined with more of it.

    Of one kind at one connection; of one kind anywhere when there are MANY at once, as when a switch is
    pulled for the whole desk.
    """
    places = {(notice.kind, notice.connection_id) for notice in notices}
    spread = Counter(kind for kind, _ in places)
    return {
        (kind, connection): kind if spread[kind] >= MANY else f"{kind}@{connection}"
        for kind, connection in places
    }
