"""Trades as accounting takes them, in the order in which the venue made them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal, localcontext

from bots.accounting import Fill
from bots.models import Trade
from database.money import MAX_DIGITS
from exchanges.types import ZERO, Market, Side


def fill_of(trade: Trade, market: Market) -> Fill:
    return Fill(
        side=Side(trade.side),
        amount=trade.amount,
        cost=trade.cost,
        fee_base=trade.fee_amount if trade.fee_currency == market.base else ZERO,
        fee_quote=trade.fee_amount if trade.fee_currency == market.quote else ZERO,
    )


def in_venue_order(trades: Iterable[Trade]) -> list[Trade]:
    return sorted(trades, key=venue_order)


def venue_order(trade: Trade) -> tuple[datetime, int, str]:
    """Trades of one instant in the order of their ids, numbers by size."""
    return trade.time, len(trade.venue_id), trade.venue_id


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """Exact: Python's 28 digits would not hold a full column."""
    with localcontext(prec=2 * MAX_DIGITS):
        return sum(amounts, ZERO)
