"""What a bot holds of one market, at average cost, and what it has earned.

A fill that enlarges a holding adds its cost. A fill that reduces it releases the share of the cost that
belongs to the amount that leaves: the difference to what came in is realised profit. Amount and cost are
negative where more was sold than bought; then a buy reduces. A fill through zero does both.

Every sum is kept at the column's 18 places, so that `realised_profit + fees_quote - cost` is, to the last
digit, what all fills together brought in, however they were split.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Context, Decimal, localcontext

from exchanges.types import ZERO, Side

_WIDE = Context(prec=120)  # a product of two full columns, and a ratio to far beyond 18 places
_QUANTUM = Decimal(1).scaleb(-18)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fill:
    """A trade as accounting sees it.

    cost: quote, before fees. fee_quote, fee_base: paid in those currencies, negative for a rebate; fees in
    any other currency stay in the trade log.
    """

    side: Side
    amount: Decimal
    cost: Decimal
    fee_quote: Decimal = ZERO
    fee_base: Decimal = ZERO


@dataclass(frozen=True, kw_only=True, slots=True)
class Holding:
    """amount: base, after fees paid in base. cost: quote, what the amount cost; it has the amount's sign.

    realised_profit: quote, after the fees paid in quote. fees_quote, fees_base: what was paid so far.
    """

    amount: Decimal = ZERO
    cost: Decimal = ZERO
    realised_profit: Decimal = ZERO
    fees_quote: Decimal = ZERO
    fees_base: Decimal = ZERO

    @property
    def average(self) -> Decimal | None:
        """Cost of one unit, in quote per base; None for an empty holding."""
        return ratio(self.cost, self.amount) if self.amount else None


def apply_fill(holding: Holding, fill: Fill) -> tuple[Holding, Decimal]:
    """The holding after the fill, and what the fill earned: fees in quote are taken off at once."""
    with localcontext(_WIDE):
        sign = 1 if fill.side is Side.BUY else -1
        arriving = _exact(sign * fill.amount - fill.fee_base)
        income = _exact(-sign * fill.cost)
        amount, cost, earned = _moved(holding.amount, holding.cost, arriving, income)
        realised = _exact(earned - fill.fee_quote)
        after = replace(
            holding,
            amount=amount,
            cost=cost,
            realised_profit=holding.realised_profit + realised,
            fees_quote=holding.fees_quote + _exact(fill.fee_quote),
            fees_base=holding.fees_base + _exact(fill.fee_base),
        )
    return after, realised


def unrealised(holding: Holding, mark: Decimal) -> Decimal:
    """What closing at `mark` (quote per base) would add, in quote, before fees."""
    with localcontext(_WIDE):
        return _exact(holding.amount * mark - holding.cost)


def total_profit(holding: Holding, mark: Decimal) -> Decimal:
    """Realised and unrealised together, in quote."""
    with localcontext(_WIDE):
        return holding.realised_profit + unrealised(holding, mark)


def ratio(number: Decimal, by: Decimal) -> Decimal:
    """At the column's places; `by` is not 0."""
    with localcontext(_WIDE):
        return _exact(number / by)


def _moved(
    amount: Decimal, cost: Decimal, arriving: Decimal, income: Decimal
) -> tuple[Decimal, Decimal, Decimal]:
    """(amount, cost, earned) after `arriving` base came (or went, negative) for `income` quote."""
    if not arriving:  # all that was bought went into the fee
        return amount, cost, income
    if amount == 0 or (amount > 0) == (arriving > 0):
        return amount + arriving, cost - income, ZERO
    if abs(arriving) <= abs(amount):
        released = _exact(cost * -arriving / amount)
        return amount + arriving, cost - released, income - released
    closing_income = _exact(income * -amount / arriving)
    return amount + arriving, closing_income - income, closing_income - cost


def _exact(value: Decimal) -> Decimal:
    return value.quantize(_QUANTUM)
