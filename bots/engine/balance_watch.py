"""What a runtime remembers of an account's balances from look to look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from bots.engine.balance_book import Record
from bots.transfers import Books, Step
from exchanges.selectors import last_prices
from exchanges.valuation import Price


@dataclass
class BalanceWatch:
    """totals: free and held together, without zeros. steps: trades since the baseline, in order.
    is_stale: fills were counted since the balances were read.
    prices: the last known, in the quote currency; asked: currencies whose price was asked for this hour.
    """

    totals: Mapping[str, Decimal] = field(default_factory=dict)
    books: Books = field(default_factory=Books)
    steps: list[Step] = field(default_factory=list)
    last_step: int = 0
    explained_at: datetime | None = None
    is_read: bool = False
    is_stale: bool = False
    prices: dict[str, Price] = field(default_factory=dict)
    pricing: tuple[datetime, str] | None = None
    asked: set[str] = field(default_factory=set)
    snapshot_hour: datetime | None = None
    _record: Record | None = None

    def take(self, record: Record) -> None:
        """Goes on where the last holder of the lease ended."""
        self.books, self.explained_at = Books(baseline=record.baseline), record.at
        self.steps, self.last_step = list(record.steps), record.last_step
        self._record, self.is_read = record, True
        self.snapshot_hour = record.snapshot.hour if record.snapshot else None

    def begin_pricing(self, hour: datetime, quote: str) -> None:
        """A new hour asks for each price anew; in another quote currency the old ones say nothing."""
        snapshot = self._record.snapshot if self._record else None
        if self.pricing is None and snapshot:
            self.prices = last_prices(snapshot, quote)
        elif self.pricing and self.pricing[1] != quote:
            self.prices = {}
        self.pricing, self.asked = (hour, quote), set()
