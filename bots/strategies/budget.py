"""What the funds allow."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Context, Decimal, localcontext

from bots.strategies.base import Quote
from exchanges.types import ZERO, Market, Side

_WIDE = Context(prec=76, rounding=ROUND_FLOOR)


def affordable_amount(
    quote: Quote, *, funds: Decimal, market: Market, fee: Decimal = ZERO, all_or_none: bool = False
) -> Decimal:
    """How much of the quote the funds pay for, in base, floored to the lot; with all_or_none all or nothing.

    funds: quote currency for a bid, which costs price x amount x (1 + fee); base currency for an ask.
    """
    with localcontext(_WIDE):
        if needed_funds(quote, fee) <= funds:
            return quote.amount
        if all_or_none or funds <= 0:
            return ZERO
        return market.floor_amount(funds / quote.price / (1 + fee) if quote.side is Side.BUY else funds)


def needed_funds(quote: Quote, fee: Decimal = ZERO) -> Decimal:
    """Quote currency for a bid, its fee included; base currency for an ask."""
    return quote.cost * (1 + fee) if quote.side is Side.BUY else quote.amount
