"""The price around which a bot quotes."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum

from bots.strategies.base import Snapshot


class ReferenceKind(StrEnum):
    """Where the reference price comes from; the values are those of the bot's column."""

    MID = "mid"
    LAST = "last"
    BID = "bid"
    ASK = "ask"
    OWN_TRADE = "own_trade"  # the middle of the book before the first
    OTHER_MARKET = "other_market"


def reference_price(snapshot: Snapshot, kind: ReferenceKind) -> Decimal | None:
    """Quote per base; None while it is not known."""
    return _REFERENCES[kind](snapshot)


def _mid(snapshot: Snapshot) -> Decimal | None:
    return snapshot.book.mid if snapshot.book else None


_REFERENCES: dict[ReferenceKind, Callable[[Snapshot], Decimal | None]] = {
    ReferenceKind.MID: _mid,
    ReferenceKind.LAST: lambda snapshot: snapshot.last_price,
    ReferenceKind.BID: lambda snapshot: snapshot.book.best_bid if snapshot.book else None,
    ReferenceKind.ASK: lambda snapshot: snapshot.book.best_ask if snapshot.book else None,
    ReferenceKind.OWN_TRADE: lambda snapshot: snapshot.last_own_price or _mid(snapshot),
    ReferenceKind.OTHER_MARKET: lambda snapshot: snapshot.other_mid,
}
UNKNOWN = {
    ReferenceKind.MID: "the book has no middle, as it lacks bids or asks",
    ReferenceKind.LAST: "the last trade's price is not known",
    ReferenceKind.BID: "the book has no bid",
    ReferenceKind.ASK: "the book has no ask",
    ReferenceKind.OWN_TRADE: "this bot has no trade yet, and the book has no middle",
    ReferenceKind.OTHER_MARKET: "the other market's middle is not known",
}
