"""Trades as CSV, a row at a time: a million of them take no more memory than a thousand."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from django.db.models import QuerySet

from bots.models import Trade
from exchanges.models import Mode
from exchanges.types import Side
from rest.fields import plain

ROWS_AT_ONCE = 2000
# What a spreadsheet would take for a formula where a name or a venue's word begins with it.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
Row = Callable[[Trade], Mapping[str, str]]


def every_column(trade: Trade) -> dict[str, str]:
    return {
        "time": trade.time.isoformat(),
        "connection": words(trade.connection.name),
        "venue": words(trade.connection.venue),
        "mode": "dry run" if trade.is_dry_run else trade.connection.mode,
        "bot": words(trade.bot.name),
        "symbol": words(trade.symbol),
        "side": words(trade.side),
        "price": plain(trade.price),
        "amount": plain(trade.amount),
        "cost": plain(trade.cost),
        "fee_amount": plain(trade.fee_amount),
        "fee_currency": words(trade.fee_currency),
        "realised_profit": plain(trade.realised_profit),
        "liquidity": words(trade.liquidity),
        "trade_id": words(trade.venue_id),
        "order_id": str(trade.order_id),
    }


def koinly(trade: Trade) -> dict[str, str]:
    """Koinly's universal format; what was paid is sent, what was got is received.

    Source: https://support.koinly.io, “How to create a custom CSV file with your data”.
    """
    base, _, quote = trade.symbol.partition("/")
    bought = trade.side == Side.BUY
    sent, received = ((trade.cost, quote), (trade.amount, base))[:: 1 if bought else -1]
    return {
        "Date": f"{trade.time:%Y-%m-%d %H:%M:%S} UTC",
        "Sent Amount": plain(sent[0]),
        "Sent Currency": words(sent[1]),
        "Received Amount": plain(received[0]),
        "Received Currency": words(received[1]),
        "Fee Amount": plain(trade.fee_amount) if trade.fee_amount > Decimal(0) else "",
        "Fee Currency": words(trade.fee_currency) if trade.fee_amount > Decimal(0) else "",
        "Net Worth Amount": "",
        "Net Worth Currency": "",
        "Label": "",
        "Description": words(f"{trade.connection.name}, {trade.bot.name}"),
        "TxHash": words(trade.venue_id),
    }


FORMATS: dict[str, Row] = {"all": every_column, "koinly": koinly}
HEADERS: dict[Row, tuple[str, ...]] = {
    every_column: (
        "time", "connection", "venue", "mode", "bot", "symbol", "side", "price", "amount", "cost",
        "fee_amount", "fee_currency", "realised_profit", "liquidity", "trade_id", "order_id",
    ),
    koinly: (
        "Date", "Sent Amount", "Sent Currency", "Received Amount", "Received Currency", "Fee Amount",
        "Fee Currency", "Net Worth Amount", "Net Worth Currency", "Label", "Description", "TxHash",
    ),
}  # fmt: skip


def exported(trades: QuerySet[Trade], columns: str) -> QuerySet[Trade]:
    """The oldest first; a tax tool takes all that it reads for real, so play money is kept from it."""
    if columns == "koinly":
        trades = trades.filter(connection__mode=Mode.LIVE, is_dry_run=False)
    return trades.order_by("time", "pk")


def csv_lines(trades: QuerySet[Trade], row: Row) -> Iterator[str]:
    """The header, then a line a trade."""
    yield _line(HEADERS[row])
    for trade in trades.iterator(chunk_size=ROWS_AT_ONCE):
        yield _line(row(trade).values())


def words(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def _line(cells: object) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)  # type: ignore[arg-type]
    return line.getvalue()
