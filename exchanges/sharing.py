"""How the processes of a desk divide what a venue allows their address. Pure: the clock is an argument.

Each holds a part of the budget until a time, and renews it before; what is held never adds up to more than
the whole. So none has to ask anybody when it sends, and a process that is gone leaves its part to the others.
Who wants more gets what the others do not want; where all want more, all get the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import NamedTuple

from exchanges.pacing import PaceState, slow_down, speed_at

HELD_SECONDS = 6.0
LEAST = 0.25  # of an even part: what a process keeps that asks for nothing


class Place(NamedTuple):
    """A venue, and a way out to it: the digest of a proxy, empty without one."""

    venue: str
    route: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """part: of the whole, 0 to 1; wants: how much would be used, 0 to 1; until: in the store's seconds."""

    part: float
    wants: float
    until: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """What is known of one address at one venue. held: by process; the rest as in `PaceState`."""

    held: Mapping[str, Held] = field(default_factory=dict)
    paused_until: float = 0.0
    speed: float = 1.0
    slowed_at: float = -inf


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """pause_seconds: how long the venue told this process to wait, where that is news; is_slowed: it has
    refused for its limit since the last time."""

    wants: float
    pause_seconds: float = 0.0
    is_slowed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """part: this process's; fair: whether that is what it is to get, or others have yet to leave it some;
    sharers: how many processes there are, this one included."""

    part: float
    fair: bool
    sharers: int
    pause_seconds: float
    speed: float


def settle(table: Table, ask: Ask, *, me: str, alive: Collection[str], now: float) -> tuple[Table, Answer]:
    """The table as it is after this question, and the answer. alive: of whom more is heard than his part."""
    state = PaceState(paused_until=table.paused_until, speed=table.speed, slowed_at=table.slowed_at)
    if ask.is_slowed:
        state = slow_down(state, now=now)
    paused_until = max(table.paused_until, now + ask.pause_seconds)
    others = {
        who: held for who, held in table.held.items() if who != me and held.until > now and who in alive
    }
    claim = claim_of(ask.wants, [other.wants for other in others.values()])
    part = max(0.0, min(claim, 1.0 - sum(other.part for other in others.values())))
    mine = Held(part=part, wants=ask.wants, until=now + HELD_SECONDS)
    answer = Answer(
        part=part,
        fair=part >= claim / 2,
        sharers=len(others) + 1,
        pause_seconds=max(0.0, paused_until - now),
        speed=speed_at(state, now),
    )
    held = {**others, me: mine}
    return (
        replace(table, held=held, paused_until=paused_until, speed=state.speed, slowed_at=state.slowed_at),
        answer,
    )


def claim_of(mine: float, others: Iterable[float]) -> float:
    """The part of one who wants so much among others who want theirs: nobody's is cut for one who has more.
    What nobody wants is divided evenly."""
    wants = [mine, *others]
    even = 1.0 / len(wants)
    wants = sorted(max(want, LEAST * even) for want in wants)
    mine = max(mine, LEAST * even)
    left, heads = 1.0, len(wants)
    for want in wants:
        if want >= left / heads:
            return min(mine, left / heads)
        left, heads = left - want, heads - 1
    return mine + left / len(wants)
