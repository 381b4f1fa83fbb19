"""All that happened on the exchange, in order: what a test compares the product's own story with."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


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
    """

    time_ms: int
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
    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def write(self, entry: Entry) -> None:
        self._entries.append(entry)

    def entries(self, *, event: Event | None = None, account: str | None = None) -> list[Entry]:
        return [
            entry
            for entry in self._entries
            if (event is None or entry.event is event) and (account is None or entry.account == account)
        ]
