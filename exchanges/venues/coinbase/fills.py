"""Which rows of Coinbase's list of fills are trades of ours, and what they must hold to be believed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from exchanges.venues.ccxt_answers import amount_of, malformed

Row = Mapping[str, Any]

FILL = "FILL"
OTHER_TYPES = ("REVERSAL", "CORRECTION", "SYNTHETIC")
LIQUIDITY = ("MAKER", "TAKER", "UNKNOWN_LIQUIDITY_INDICATOR")
ID = re.compile(r"[0-9A-Za-z-]{16,80}")


def believed(rows: Iterable[Row], product_id: str | None) -> list[Row]:
    """Those that filled an order, of those sized in base: ours always are.

    product_id: that of every row, where only one was asked for. Raises MalformedAnswerError.
    """
    rows = list(rows)
    for row in rows:
        _check(row, product_id)
    return [row for row in rows if row["trade_type"] == FILL and not row["size_in_quote"]]


def _check(row: Row, product_id: str | None) -> None:
    if row["trade_type"] not in (FILL, *OTHER_TYPES):
        raise malformed("a fill of an unknown type")
    if row["liquidity_indicator"] not in LIQUIDITY:
        raise malformed("a fill that neither made nor took")
    if not isinstance(row["size_in_quote"], bool):
        raise malformed("a fill whose size is in nobody knows what")
    amount_of(row["commission"], "a fill's commission")  # retail accounts get no rebates
    if product_id is not None and row["product_id"] != product_id:
        raise malformed(f"a fill of another market than {product_id}")
    for name in ("trade_id", "order_id"):
        if not isinstance(row[name], str) or not ID.fullmatch(row[name]):
            raise malformed(f"a fill whose {name} names nothing")
