"""What a key's orders came to over time, out of the journal: for those who check a run afterwards."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from tests.lab.journal import Entry, Event
from tests.lab.orders import ZERO, Side

OrderKey = tuple[str, int]


@dataclass(kw_only=True)
class Tally:
    """accepted, refused: numbers of orders. duplicates: client ids that were accepted more than once.

    max_open_orders: at one time, over all symbols; max_open_by_symbol: at one time in each.
    lowest_position, highest_position: by symbol, what was bought less what was sold since the start, in
    base, without commissions; zero at the start counts.
    """

    accepted: int = 0
    refused: int = 0
    duplicates: dict[str, int] = field(default_factory=dict)
    max_open_orders: int = 0
    max_open_by_symbol: dict[str, int] = field(default_factory=dict)
    position: dict[str, Decimal] = field(default_factory=dict)
    lowest_position: dict[str, Decimal] = field(default_factory=dict)
    highest_position: dict[str, Decimal] = field(default_factory=dict)


def tally(entries: Iterable[Entry], client_ids: Collection[str] | None = None) -> Tally:
    """client_ids: only of these orders; None is all."""
    result = Tally()
    accepted: Counter[str] = Counter()
    remaining: dict[OrderKey, Decimal] = {}
    opened: defaultdict[str, int] = defaultdict(int)
    for entry in entries:
        if client_ids is not None and entry.client_id not in client_ids:
            continue
        if entry.event is Event.REFUSED:
            result.refused += 1
        elif entry.event is Event.ACCEPTED:
            accepted[entry.client_id] += 1
            remaining[_order(entry)] = entry.amount or ZERO
            _open(result, opened, entry.symbol)
        elif entry.event is Event.FILLED:
            _move(result, entry)
            remaining[_order(entry)] -= entry.amount or ZERO
            if not remaining[_order(entry)]:
                opened[entry.symbol] -= 1
        else:
            opened[entry.symbol] -= 1
    result.accepted = accepted.total()
    result.duplicates = {client_id: count for client_id, count in accepted.items() if count > 1}
    return result


def _open(result: Tally, opened: dict[str, int], symbol: str) -> None:
    opened[symbol] += 1
    most = result.max_open_by_symbol
    most[symbol] = max(most.get(symbol, 0), opened[symbol])
    result.max_open_orders = max(result.max_open_orders, sum(opened.values()))


def _move(result: Tally, entry: Entry) -> None:
    amount = entry.amount or ZERO
    position = result.position.get(entry.symbol, ZERO) + (amount if entry.side == Side.BUY else -amount)
    result.position[entry.symbol] = position
    result.lowest_position[entry.symbol] = min(result.lowest_position.get(entry.symbol, ZERO), position)
    result.highest_position[entry.symbol] = max(result.highest_position.get(entry.symbol, ZERO), position)


def _order(entry: Entry) -> OrderKey:
    return entry.symbol, entry.order_id
