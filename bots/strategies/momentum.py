"""How far a market's middle moved in the last seconds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple


class Mid(NamedTuple):
    """The middle of a book at a time."""

    at: datetime
    price: Decimal


def move_pct(mids: Sequence[Mid], now: datetime, window_seconds: float) -> Decimal | None:
    """From the middle as it was `window_seconds` ago to the last one, as a fraction of the former.

    mids: in any order; those of one moment count once. None while the market was not seen for a whole
    window: the oldest middle within it would make a move of a few seconds look like that of a minute.
    """
    ordered = sorted(mid for mid in mids if mid.at <= now)
    start = now - timedelta(seconds=window_seconds)
    before = [mid for mid in ordered if mid.at <= start]
    after = [mid for mid in ordered if mid.at > start]
    if not before or not after:
        return None
    first, last = before[-1].price, after[-1].price
    return (last - first) / first if first else None


def within(mids: Sequence[Mid], now: datetime, window_seconds: float) -> tuple[Mid, ...]:
    """What a later look still needs: the window, and the last one before it."""
    start = now - timedelta(seconds=window_seconds)
    ordered = sorted(mids)
    before = [mid for mid in ordered if mid.at <= start]
    return (*before[-1:], *(mid for mid in ordered if mid.at > start))
