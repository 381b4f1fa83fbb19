"""What one venue's reports must hold, beyond what any venue's must, to be believed."""

from __future__ import annotations

from exchanges.types import Market, OrderReport, TradeReport
from exchanges.venues.ccxt_answers import malformed
from exchanges.venues.dialect import Dialect


def plausible_order(report: OrderReport, dialect: Dialect) -> OrderReport:
    """Raises MalformedAnswerError."""
    _check_id(report.venue_id, dialect, "the order's id")
    return report


def plausible_trade(trade: TradeReport, dialect: Dialect, market: Market) -> TradeReport:
    """Raises MalformedAnswerError."""
    _check_id(trade.id, dialect, "a trade's id")
    _check_id(trade.order_venue_id, dialect, "a trade's order")
    for fee in trade.fees:
        paid_from = {market.base: trade.amount, market.quote: trade.cost}.get(fee.currency)
        if paid_from is not None and abs(fee.amount) >= paid_from:
            raise malformed("a trade's fee is larger than the trade")
    if dialect.fee_coin is not None:
        _check_fees(trade, {market.base, market.quote, dialect.fee_coin})
    return trade


def _check_id(value: str, dialect: Dialect, name: str) -> None:
    if dialect.ids_are_numbers and not (value.isdecimal() and len(value) < 20):
        raise malformed(f"{name} is no number")


def _check_fees(trade: TradeReport, currencies: set[str]) -> None:
    if not trade.fees:
        raise malformed("a trade without its fee")
    for fee in trade.fees:
        if fee.amount < 0 or fee.currency not in currencies:
            raise malformed("a trade's fee is negative, or in a currency that is not paid here")
