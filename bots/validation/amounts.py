"""Whether a venue takes an order of this size; each reason why not is one sentence."""

from __future__ import annotations

from decimal import Decimal

from bots.strategies.figures import plain
from exchanges.types import Market


def amount_refusal(market: Market, amount: Decimal, price: Decimal | None) -> str:
    """Of an order in base currency. price: quote per base, None while it is not known."""
    order = f"An order of {plain(amount)} {market.base}"
    if market.min_amount is not None and amount < market.min_amount:
        return f"{order} is below the venue's minimum of {plain(market.min_amount)} {market.base}."
    if market.max_amount is not None and amount > market.max_amount:
        return f"{order} is above the venue's maximum of {plain(market.max_amount)} {market.base}."
    if market.floor_amount(amount) != amount:
        step = plain(market.amount_step_at(amount))
        return f"{order} is off the lot: {market.symbol} is traded in steps of {step} {market.base}."
    if market.min_cost is not None and price is not None and amount * price < market.min_cost:
        return (
            f"{order} costs about {plain(amount * price)} {market.quote} at the last known price, "
            f"below the venue's minimum of {plain(market.min_cost)} {market.quote}."
        )
    return ""


def entry_refusal(market: Market, cost: Decimal, price: Decimal | None) -> str:
    """Of an entry in quote currency, whose amount is rounded down to the lot."""
    entry = f"An entry of {plain(cost)} {market.quote}"
    if market.min_cost is not None and cost < market.min_cost:
        least = f"{plain(market.min_cost)} {market.quote}"
        return f"{entry} is below the minimum of {least} in {market.symbol}: raise the entry size."
    if price is None:
        return ""
    amount, lot = market.floor_amount(cost / price), market.amount_step_at(cost / price)
    least_amount = max(market.min_amount or lot, lot)
    if amount < least_amount:
        return (
            f"{entry} buys {plain(amount)} {market.base} at the last known price, below the minimum of "
            f"{plain(least_amount)} {market.base} in {market.symbol}: raise the entry size."
        )
    if market.min_cost is not None and amount * price < market.min_cost:
        return (
            f"{entry} comes to {plain(round(amount * price, 8))} {market.quote} in whole lots, below the "
            f"minimum of {plain(market.min_cost)} {market.quote} in {market.symbol}: raise the entry size."
        )
    return ""
