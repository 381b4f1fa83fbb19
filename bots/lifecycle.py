"""The life of an order: its states, and the one function that moves it from one to the next.

    intended ──► submitted ──► open ──► filled | canceled | expired
        │            │          │
        │            ├──► rejected
        │            └────┬─────┘
        └──► never_placed │
                          ▼
                       unknown ──► any of them | never_placed

`intended`: saved, and not known to have left. `submitted`: on its way, or accepted but not in the book yet.
`unknown`: a create or a cancel went out and nobody knows what became of it; it counts as open exposure
until the venue says. `never_placed`: it is certain that the venue does not have it; should the venue report
it after all, the venue's books are the truth, and it lives on as reported.

Reports arrive twice, late and out of order; whatever the order, the result is the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from exchanges.types import ZERO, OrderReport, VenueOrderStatus


class OrderState(StrEnum):
    INTENDED = "intended"
    SUBMITTED = "submitted"
    OPEN = "open"
    UNKNOWN = "unknown"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    NEVER_PLACED = "never_placed"

    @property
    def is_final(self) -> bool:
        return self in FINAL


S = OrderState
FINAL = frozenset({S.FILLED, S.CANCELED, S.EXPIRED, S.REJECTED, S.NEVER_PLACED})
LIVE = frozenset(S) - FINAL  # counts as open exposure

TRANSITIONS: dict[OrderState, frozenset[OrderState]] = {
    S.INTENDED: frozenset({S.SUBMITTED, S.UNKNOWN, S.NEVER_PLACED}),
    S.SUBMITTED: frozenset({S.OPEN, S.FILLED, S.CANCELED, S.EXPIRED, S.REJECTED, S.UNKNOWN}),
    S.OPEN: frozenset({S.FILLED, S.CANCELED, S.EXPIRED, S.REJECTED, S.UNKNOWN}),
    S.UNKNOWN: frozenset({S.SUBMITTED, S.OPEN, S.FILLED, S.CANCELED, S.EXPIRED, S.REJECTED, S.NEVER_PLACED}),
    S.FILLED: frozenset(),
    # A fill may be reported after the cancel that it raced.
    # Ended for us, and yet it rests at the venue, as its open list and a lookup say: it is found again.
    S.CANCELED: frozenset({S.FILLED, S.UNKNOWN}),
    S.EXPIRED: frozenset({S.FILLED, S.UNKNOWN}),
    S.REJECTED: frozenset({S.UNKNOWN}),
    # The venue has the last word, however late: an order that turns up after all is ours to look after.
    S.NEVER_PLACED: frozenset({S.OPEN, S.FILLED, S.CANCELED, S.EXPIRED}),
}

_FROM_VENUE = {
    VenueOrderStatus.SUBMITTED: S.SUBMITTED,
    VenueOrderStatus.OPEN: S.OPEN,
    VenueOrderStatus.FILLED: S.FILLED,
    VenueOrderStatus.CANCELED: S.CANCELED,
    VenueOrderStatus.EXPIRED: S.EXPIRED,
    VenueOrderStatus.REJECTED: S.REJECTED,
}


class ImpossibleTransitionError(Exception):
    """An order was to move between states that its life does not connect."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderFacts:
    """What is known of an order. filled: base, by the venue's reports; average: quote per base."""

    state: OrderState
    amount: Decimal
    filled: Decimal = ZERO
    average: Decimal | None = None
    venue_id: str | None = None


def advance(facts: OrderFacts, state: OrderState) -> OrderFacts:
    """Moves to `state`; staying is always allowed. Raises ImpossibleTransitionError."""
    if state is not facts.state and state not in TRANSITIONS[facts.state]:
        raise ImpossibleTransitionError(f"an order cannot go from {facts.state} to {state}")
    return replace(facts, state=state)


def apply_report(facts: OrderFacts, report: OrderReport) -> OrderFacts:
    """What is known after a report. An older report than what is known changes nothing.

    `filled` only grows, and `average` belongs to it; the order is filled when all of it is, whatever the
    report calls it. A report of an order that was only intended shows that it was sent.
    """
    if facts.state is S.INTENDED:
        facts = advance(facts, S.SUBMITTED)
    known = replace(
        facts,
        filled=max(facts.filled, report.filled),
        average=_average_after(facts, report),
        venue_id=facts.venue_id or report.venue_id,
    )
    return advance(known, _state_after(known, _FROM_VENUE[report.status]))


def apply_traded(facts: OrderFacts, traded: Decimal) -> OrderFacts:
    """What is known when the order's trades add up to `traded` (base): they may be ahead of its reports."""
    if traded <= facts.filled:
        return facts
    if facts.state is S.INTENDED:
        facts = advance(facts, S.SUBMITTED)
    if facts.state is S.NEVER_PLACED:
        facts = advance(facts, S.OPEN)
    known = replace(facts, filled=traded, average=None)
    return advance(known, S.FILLED) if known.filled >= known.amount else known


def _average_after(facts: OrderFacts, report: OrderReport) -> Decimal | None:
    if report.filled > facts.filled:
        return report.average  # the known one is of a smaller fill
    if report.filled == facts.filled and facts.average is None:
        return report.average
    return facts.average


def _state_after(known: OrderFacts, reported: OrderState) -> OrderState:
    if known.filled >= known.amount:
        return S.FILLED
    if known.state is S.NEVER_PLACED and reported in {S.SUBMITTED, S.REJECTED}:
        return known.state
    if known.state.is_final and known.state is not S.NEVER_PLACED:
        return known.state
    if reported is S.SUBMITTED and known.state in {S.OPEN, S.UNKNOWN}:
        return known.state if known.state is S.OPEN else S.SUBMITTED
    return reported
