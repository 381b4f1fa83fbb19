"""Turns through many markets, a batch at a time, and says where it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from exchanges.types import Market


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """symbols: to look at now; next_place: where the next batch begins, by the market's symbol, so that
    markets that come and go move nobody's place by much."""

    symbols: tuple[str, ...]
    next_place: str
    sentence: str


def next_batch(symbols: Sequence[str], place: str, size: int) -> Batch:
    """Of the markets in their order, `size` from `place` on, round the end; all when there are no more.

    place: a symbol, or the empty one for the beginning; one that is gone stands for the next after it.
    """
    ordered = sorted(set(symbols))
    total = len(ordered)
    if not total:
        return Batch(symbols=(), next_place="", sentence="no market to scan")
    if total <= size:
        return Batch(symbols=tuple(ordered), next_place="", sentence=f"scanning all {total}")
    start = next((index for index, symbol in enumerate(ordered) if symbol >= place), 0)
    chosen = tuple(ordered[(start + step) % total] for step in range(size))
    last = (start + size - 1) % total + 1
    return Batch(
        symbols=chosen,
        next_place=ordered[last % total],
        sentence=f"scanning {start + 1}–{last} of {total}",  # noqa: RUF001 - a range
    )


def chosen_symbols(
    markets: Mapping[str, Market], volumes: Mapping[str, Decimal], *, quote: str, least: Decimal
) -> tuple[str, ...]:
    """In their order, those that are traded against `quote`; volumes: of 24 hours, in it. What nothing was
    traded of is left out, whatever the least is."""
    return tuple(
        symbol
        for symbol, market in sorted(markets.items())
        if market.quote == quote and market.active and volumes.get(symbol, 0) >= least and volumes.get(symbol)
    )
