"""What a strict venue refuses, what it holds for an order, and what a fill moves. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, InvalidOperation

from exchanges.errors import InvalidOrderError, RejectedError, Rule, VenueClosedError
from exchanges.types import Book, Fee, Market, OrderRequest, OrderType, Side
from exchanges.venues.paper_matching import crosses

DEFAULT_BALANCES = {"USDT": "10000"}
UNIT = Decimal("1e-18")  # the smallest amount that a money column holds
TOP = Decimal("1e20")  # and what it does not
_WIDE = Context(prec=76)


@dataclass(frozen=True, kw_only=True)
class Exchanged:
    """What a fill moves. changes: per currency what the account gains (or, negative, gives)."""

    cost: Decimal
    fee: Fee
    changes: Mapping[str, Decimal]


def exchanged(
    side: Side, base: str, quote: str, *, price: Decimal, amount: Decimal, fee_rate: Decimal
) -> Exchanged:
    """The fee is taken from what is received: base on a buy, quote on a sell."""
    cost = product(price, amount, ROUND_FLOOR)
    received, gained, given, paid = (
        (base, amount, quote, cost) if side is Side.BUY else (quote, cost, base, amount)
    )
    fee = Fee(currency=received, amount=product(gained, fee_rate, ROUND_CEILING))
    changes = {received: _WIDE.subtract(gained, fee.amount), given: paid.copy_negate()}
    return Exchanged(cost=cost, fee=fee, changes=changes)


def hold(side: Side, base: str, quote: str, *, price: Decimal, remaining: Decimal) -> tuple[str, Decimal]:
    """(currency, amount) that a resting order blocks. Costs round down and holds up: no fill can overdraw."""
    return (quote, product(price, remaining, ROUND_CEILING)) if side is Side.BUY else (base, remaining)


def product(left: Decimal, right: Decimal, rounding: str) -> Decimal:
    return _WIDE.multiply(left, right).quantize(UNIT, rounding=rounding, context=_WIDE)


def starting_balances(wanted: object) -> Mapping[str, Decimal]:
    """{"USDT": "10000"} as money. Raises RejectedError where it is none."""
    given = wanted or DEFAULT_BALANCES
    balances = (
        {str(currency): _amount(value) for currency, value in given.items()}
        if isinstance(given, Mapping)
        else {}
    )
    if not balances or not all(currency and 0 <= amount < TOP for currency, amount in balances.items()):
        raise RejectedError(
            f"The connection's paper balances are {wanted}; write them as currencies and amounts of zero or "
            'more, for example {"USDT": "10000", "BTC": "0.5"}.'
        )
    return balances


def _amount(value: object) -> Decimal:
    """-1 where the value is no number."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return Decimal(-1)
    return amount if amount.is_finite() else Decimal(-1)


def check_order(request: OrderRequest, market: Market, book: Book) -> None:
    """Raises InvalidOrderError with the first rule that the order breaks."""
    if not market.active:
        raise VenueClosedError(f"{market.symbol} is not traded at the moment; choose another market.")
    _check_form(request)
    _check_amount(request.amount, market)
    if request.price is not None:
        _check_price(request.price, market)
    _check_cost(request, market, book)
    _check_post_only(request, book)


def _check_form(request: OrderRequest) -> None:
    is_limit = request.type is OrderType.LIMIT
    if is_limit is (request.price is None):
        raise InvalidOrderError("A limit order needs a price, and a market order has none.")
    if request.post_only and not is_limit:
        raise InvalidOrderError("Only a limit order can be post-only.")


def _check_amount(amount: Decimal, market: Market) -> None:
    if amount <= 0 or (market.min_amount is not None and amount < market.min_amount):
        raise InvalidOrderError(
            f"The amount {amount} {market.base} is below the minimum {market.min_amount} of {market.symbol}.",
            rule=Rule.MIN_AMOUNT,
        )
    if market.max_amount is not None and amount > market.max_amount:
        raise InvalidOrderError(
            f"The amount {amount} {market.base} is above the maximum {market.max_amount} of {market.symbol}.",
            rule=Rule.MAX_AMOUNT,
        )
    if amount != market.floor_amount(amount):
        raise InvalidOrderError(
            f"The amount {amount} is no multiple of {market.symbol}'s step {market.amount_step_at(amount)}.",
            rule=Rule.AMOUNT_STEP,
        )


def _check_price(price: Decimal, market: Market) -> None:
    if price <= 0:
        raise InvalidOrderError(f"The price {price} is not above zero.", rule=Rule.PRICE_RANGE)
    if price != market.floor_price(price):
        raise InvalidOrderError(
            f"The price {price} is no multiple of {market.symbol}'s step {market.price_step_at(price)}.",
            rule=Rule.PRICE_STEP,
        )


def _check_cost(request: OrderRequest, market: Market, book: Book) -> None:
    opposite = book.best_ask if request.side is Side.BUY else book.best_bid
    price = opposite if request.price is None else request.price
    if price is None or market.min_cost is None:
        return
    cost = product(price, request.amount, ROUND_FLOOR)
    if cost < market.min_cost:
        raise InvalidOrderError(
            f"The order's cost {cost.normalize():f} {market.quote} is below the minimum {market.min_cost} "
            f"of {market.symbol}.",
            rule=Rule.MIN_COST,
        )


def _check_post_only(request: OrderRequest, book: Book) -> None:
    opposite = book.best_ask if request.side is Side.BUY else book.best_bid
    if not request.post_only or request.price is None or opposite is None:
        return
    if crosses(request.side, request.price, opposite):
        raise InvalidOrderError(
            f"A post-only {request.side} at {request.price} would trade at once with {opposite}.",
            rule=Rule.POST_ONLY,
        )
