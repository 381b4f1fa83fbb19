"""The last word before anything is sent: each quote is allowed, or refused with the rule and a sentence.

A rule is one small function in RULES: it sees the quote, the context and what the quotes before it take up
already, and answers with a sentence where it refuses. The first rule that refuses is the one that is shown.
Quotes that rest already are looked at first, so that a limit keeps out what is new before what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bots.engine.limit_context import LimitContext, LimitRule, Taken, hold_of
from bots.engine.reconcile import is_unsettled
from bots.strategies.base import OpenOrder, Quote
from bots.strategies.depth import others_best
from bots.strategies.figures import per_cent, plain
from exchanges.types import ZERO, Side


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    quote: Quote
    rule: LimitRule
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """allowed: in the order in which they were given."""

    allowed: tuple[Quote, ...] = ()
    refusals: tuple[Refusal, ...] = ()


Rule = Callable[[Quote, LimitContext, Taken], str | None]
Rules = Sequence[tuple[LimitRule, Rule]]


def check(quotes: Sequence[Quote], context: LimitContext) -> Verdict:
    """Which quotes may rest. Refused ones must not: an order that rests for one is to be cancelled."""
    return _check(quotes, context, RULES)


def check_exits(quotes: Sequence[Quote], context: LimitContext) -> Verdict:
    """The same for what closes a position: it reduces what the other rules limit, and must not wait for them.
    What it sells was bought, whatever the balances that were read before say."""
    return _check(quotes, context, EXIT_RULES)


def _check(quotes: Sequence[Quote], context: LimitContext, rules: Rules) -> Verdict:
    taken = _taken_by_unsettled(context.open_orders)
    allowed: set[int] = set()
    refusals: dict[int, Refusal] = {}
    for place in _resting_first(quotes, context.open_orders):
        quote = quotes[place]
        refusal = _refusal(quote, context, taken, rules)
        if refusal is None:
            allowed.add(place)
            taken = taken.with_quote(quote, context.market)
        else:
            refusals[place] = refusal
    return Verdict(
        allowed=tuple(quotes[place] for place in sorted(allowed)),
        refusals=tuple(refusals[place] for place in sorted(refusals)),
    )


def _refusal(quote: Quote, context: LimitContext, taken: Taken, rules: Rules) -> Refusal | None:
    for rule, refuses in rules:
        sentence = refuses(quote, context, taken)
        if sentence is not None:
            return Refusal(quote=quote, rule=rule, sentence=sentence)
    return None


def _resting_first(quotes: Sequence[Quote], open_orders: Sequence[OpenOrder]) -> list[int]:
    """Places of the quotes: those nearest to a resting order first, while unsettled orders take up room."""

    def distance(place: int) -> Decimal:
        quote = quotes[place]
        prices = [o.price for o in open_orders if o.side is quote.side and not is_unsettled(o)]
        return min((abs(price - quote.price) for price in prices), default=quote.price)

    places = range(len(quotes))
    return sorted(places, key=distance) if any(map(is_unsettled, open_orders)) else list(places)


def _taken_by_unsettled(open_orders: Sequence[OpenOrder]) -> Taken:
    unsettled = [order for order in open_orders if is_unsettled(order)]
    return Taken(
        orders=len(unsettled),
        buys=sum((o.remaining for o in unsettled if o.side is Side.BUY), ZERO),
        sells=sum((o.remaining for o in unsettled if o.side is Side.SELL), ZERO),
    )


# --- Rules: connection, bot, book


def kill_switch(_quote: Quote, context: LimitContext, _taken: Taken) -> str | None:
    return f"The kill switch is on: {context.kill_switch}" if context.kill_switch else None


def connection_disabled(_quote: Quote, context: LimitContext, _taken: Taken) -> str | None:
    return None if context.connection_enabled else "The connection is switched off."


def bot_not_running(_quote: Quote, context: LimitContext, _taken: Taken) -> str | None:
    return None if context.bot_running else "The bot is not running: it places nothing new."


def market_closed(_quote: Quote, context: LimitContext, _taken: Taken) -> str | None:
    market = context.market
    return None if market.active else f"{market.symbol} is closed, or listed no more, at the venue."


def no_book(_quote: Quote, context: LimitContext, _taken: Taken) -> str | None:
    return f"There is no book of {context.market.symbol}." if context.book is None else None


def stale_book(_quote: Quote, context: LimitContext, _taken: Taken) -> str | None:
    age = context.book.age_seconds(context.now) if context.book else 0.0
    limit = context.limits.max_book_age_seconds
    return f"The book is {age:.1f} s old, the limit is {limit} s." if age > limit else None


def crossed_book(_quote: Quote, context: LimitContext, _taken: Taken) -> str | None:
    book = context.book
    if book is None or not book.is_crossed:
        return None
    return f"The book is crossed: bid {plain(book.bids[0].price)}, ask {plain(book.asks[0].price)}."


def daily_loss(_quote: Quote, context: LimitContext, _taken: Taken) -> str | None:
    limit = context.limits.daily_loss_limit
    if limit is None or -context.day_profit < limit:
        return None
    currency = context.market.quote
    return (
        f"Today's loss of {plain(-context.day_profit)} {currency} has reached this bot's limit of "
        f"{plain(limit)} {currency}: it places nothing until midnight UTC."
    )


# --- Rules: the venue's steps and minimums


def price_step(quote: Quote, context: LimitContext, _taken: Taken) -> str | None:
    if quote.price > 0 and context.market.floor_price(quote.price) == quote.price:
        return None
    step = context.market.price_step_at(quote.price)
    return f"The price {plain(quote.price)} is not a positive multiple of the tick size {plain(step)}."


def amount_step(quote: Quote, context: LimitContext, _taken: Taken) -> str | None:
    if quote.amount > 0 and context.market.floor_amount(quote.amount) == quote.amount:
        return None
    step = context.market.amount_step_at(quote.amount)
    return f"The amount {plain(quote.amount)} is not a positive multiple of the lot size {plain(step)}."


def min_amount(quote: Quote, context: LimitContext, _taken: Taken) -> str | None:
    least = context.market.min_amount
    if least is None or quote.amount >= least:
        return None
    base = context.market.base
    return f"The order of {plain(quote.amount)} {base} is below the venue's minimum of {plain(least)} {base}."


def max_amount(quote: Quote, context: LimitContext, _taken: Taken) -> str | None:
    most = context.market.max_amount
    if most is None or quote.amount <= most:
        return None
    base = context.market.base
    return f"The order of {plain(quote.amount)} {base} is above the venue's maximum of {plain(most)} {base}."


def min_cost(quote: Quote, context: LimitContext, _taken: Taken) -> str | None:
    least = context.market.min_cost
    if least is None or quote.cost >= least:
        return None
    currency = context.market.quote
    return (
        f"The order of {plain(quote.cost)} {currency} is below the venue's minimum of "
        f"{plain(least)} {currency}."
    )


# --- Rules: the price


def price_band(quote: Quote, context: LimitContext, _taken: Taken) -> str | None:
    centre = _centre(context)
    if centre is None:
        return "The book is empty and there is no last price: nothing to measure this price against."
    distance = abs(quote.price - centre)
    if distance <= context.limits.price_band_pct * centre:
        return None
    return (
        f"The price {plain(quote.price)} is {distance / centre:.2%} away from the market at {plain(centre)}, "
        f"the limit is {per_cent(context.limits.price_band_pct)}."
    )


def _centre(context: LimitContext) -> Decimal | None:
    """The middle of the book, else the one side there is, else the last price."""
    book = context.book
    if book is None:
        return context.last_price
    return book.mid or book.best_bid or book.best_ask or context.last_price


def post_only(quote: Quote, context: LimitContext, _taken: Taken) -> str | None:
    """Against others' orders; reconcile keeps a quote from meeting our own."""
    if not quote.post_only or context.book is None:
        return None
    best = others_best(context.book, quote.side.opposite, context.open_orders)
    if best is None:
        return None
    if quote.side is Side.BUY and quote.price >= best:
        return f"The bid at {plain(quote.price)} would take the ask at {plain(best)}, and it is post-only."
    if quote.side is Side.SELL and quote.price <= best:
        return f"The ask at {plain(quote.price)} would take the bid at {plain(best)}, and it is post-only."
    return None


# --- Rules: this bot's limits and the account's funds


def max_order_cost(quote: Quote, context: LimitContext, _taken: Taken) -> str | None:
    most = context.limits.max_order_cost
    if most is None or quote.cost <= most:
        return None
    currency = context.market.quote
    return (
        f"The order of {plain(quote.cost)} {currency} is above this bot's limit of {plain(most)} {currency}."
    )


def max_open_orders(_quote: Quote, context: LimitContext, taken: Taken) -> str | None:
    most = context.limits.max_open_orders
    if taken.orders < most:
        return None
    return f"It would be open order {taken.orders + 1}, this bot's limit is {most}."


def max_position(quote: Quote, context: LimitContext, taken: Taken) -> str | None:
    most = context.limits.max_position
    if most is None:
        return None
    held = context.position + context.unrecorded_fills
    if quote.side is Side.BUY:
        reached = held + taken.buys + quote.amount
        is_within = reached <= most
    else:
        reached = held - taken.sells - quote.amount
        is_within = reached >= -most
    if is_within:
        return None
    base = context.market.base
    return (
        f"With all open {quote.side} orders filled, the position would be {plain(reached)} {base}, "
        f"this bot's limit is {plain(most)} {base}."
    )


def free_balance(quote: Quote, context: LimitContext, taken: Taken) -> str | None:
    resting = [o for o in context.open_orders if o.side is quote.side and not is_unsettled(o)]
    if quote.side is Side.BUY:
        currency = context.market.quote
        needed = hold_of(quote.price, quote.amount, context.market)
        held = sum((hold_of(o.price, o.remaining, context.market) for o in resting), ZERO)
        left = context.free_quote + held - taken.quote_funds
    else:
        currency = context.market.base
        needed = quote.amount
        held = sum((o.remaining for o in resting), ZERO)
        left = context.free_base + held - taken.base_funds
    if needed <= left:
        return None
    return f"It needs {plain(needed)} {currency}, and {plain(max(left, ZERO))} {currency} is free."


RULES: Rules = (
    (LimitRule.KILL_SWITCH, kill_switch),
    (LimitRule.CONNECTION_DISABLED, connection_disabled),
    (LimitRule.BOT_NOT_RUNNING, bot_not_running),
    (LimitRule.MARKET_CLOSED, market_closed),
    (LimitRule.NO_BOOK, no_book),
    (LimitRule.STALE_BOOK, stale_book),
    (LimitRule.CROSSED_BOOK, crossed_book),
    (LimitRule.DAILY_LOSS, daily_loss),
    (LimitRule.PRICE_STEP, price_step),
    (LimitRule.AMOUNT_STEP, amount_step),
    (LimitRule.MIN_AMOUNT, min_amount),
    (LimitRule.MAX_AMOUNT, max_amount),
    (LimitRule.MIN_COST, min_cost),
    (LimitRule.PRICE_BAND, price_band),
    (LimitRule.POST_ONLY, post_only),
    (LimitRule.MAX_ORDER_COST, max_order_cost),
    (LimitRule.MAX_OPEN_ORDERS, max_open_orders),
    (LimitRule.MAX_POSITION, max_position),
    (LimitRule.FREE_BALANCE, free_balance),
)
_OF_EXITS = {
    LimitRule.KILL_SWITCH, LimitRule.CONNECTION_DISABLED, LimitRule.PRICE_STEP, LimitRule.AMOUNT_STEP,
    LimitRule.MIN_AMOUNT, LimitRule.MAX_AMOUNT, LimitRule.MIN_COST,
}  # fmt: skip
EXIT_RULES: Rules = [(rule, refuses) for rule, refuses in RULES if rule in _OF_EXITS]
