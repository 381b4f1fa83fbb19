"""All that happened on the exchange, in order: what a test compares the product's own story with."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from tests.lab.clock import Clock
from tests.lab.orders import Order, PublicTrade, Ticket


class Event(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """order_id: 0 for a refused order, which never had one. key: the API key; empty for the lab's own crowd.

    amount, price: of the order, or of the fill; reason: why it was refused.
    time_ms: by the venue's clock; at_ms: by this machine's, whatever the venue's says.
    """

    time_ms: int
    at_ms: int
    event: Event
    account: str
    key: str
    symbol: str
    client_id: str
    order_id: int = 0
    side: str = ""
    kind: str = ""
    amount: Decimal | None = None
    price: Decimal | None = None
    trade_id: int = 0
    reason: str = ""


class Journal:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: list[Entry] = []

    def note(self, event: Event, order: Order, trade: PublicTrade | None = None) -> None:
        """trade: of a fill, whose amount and price stand in place of the order's."""
        entry = _entry(self._clock, event, order.ticket)
        entry = replace(entry, order_id=order.id, client_id=order.client_id, amount=order.amount)
        if trade is not None:
            entry = replace(entry, amount=trade.amount, price=trade.price, trade_id=trade.id)
        self._entries.append(entry)

    def note_refusal(self, ticket: Ticket, reason: str) -> None:
        self._entries.append(replace(_entry(self._clock, Event.REFUSED, ticket), reason=reason))

    def entries(
        self,
        *,
        event: Event | None = None,
        account: str | None = None,
        key: str | None = None,
        after: int = 0,
    ) -> list[Entry]:
        """In the order of events. after: how many of the whole journal to leave out."""
        return [
            entry
            for entry in itertools.islice(self._entries, after, None)
            if event in (None, entry.event) and account in (None, entry.account) and key in (None, entry.key)
        ]

    def __len__(self) -> int:
        return len(self._entries)


def _entry(clock: Clock, event: Event, ticket: Ticket) -> Entry:
    return Entry(
        time_ms=clock.now_ms(),
        at_ms=clock.true_ms(),
        event=event,
        account=ticket.account,
        key=ticket.key,
        symbol=ticket.symbol,
        client_id=ticket.client_id,
        side=ticket.side,
        kind=ticket.kind,
        amount=ticket.amount,
        price=ticket.price,
    )
