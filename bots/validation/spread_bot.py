"""What a spread bot must be before it is saved or started."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from bots.models import Reference, SpreadBot
from bots.validation import columns
from bots.validation.amounts import amount_refusal
from exchanges import selectors as exchanges
from exchanges.types import ZERO, Side
from exchanges.venues.registry import venue, venue_or_none

ONE = Decimal(1)
FRACTIONS = (
    "bid_spread_pct", "ask_spread_pct", "minimum_spread_pct", "level_spread_pct", "requote_tolerance_pct",
)  # fmt: skip
POSITIVE = (
    "order_amount", "inventory_range_multiplier", "price_band_pct", "max_order_cost", "max_position",
    "daily_loss_limit", "price_ceiling", "price_floor",
)  # fmt: skip
NOT_NEGATIVE = ("bid_optimization_depth", "ask_optimization_depth")
OVERRIDES_FORM = 'Write one entry an order: [["buy", "0.005", "0.7"], …] is side, distance, amount.'


def mistakes(bot: SpreadBot) -> Iterator[tuple[str, str]]:
    yield from _range_mistakes(bot)
    yield from _ladder_mistakes(bot)
    if bot.connection_id and (sentence := _post_only_refusal(bot)):
        yield "post_only", sentence
    base, _, quote = bot.symbol.partition("/")
    if not (base and quote):
        yield "symbol", "Write the market as ccxt does, base and quote with a slash: BTC/USDT."
    if bot.reference == Reference.OTHER_MARKET:
        if bot.reference_connection_id is None:
            yield "reference_connection", "Choose the connection through which the other market is read."
        if not bot.reference_symbol:
            yield "reference_symbol", "Name the other market, for example BTC/USDT."


def _range_mistakes(bot: SpreadBot) -> Iterator[tuple[str, str]]:
    yield from columns.not_fractions(bot, FRACTIONS)
    yield from columns.not_positive(bot, POSITIVE)
    yield from columns.negative(bot, NOT_NEGATIVE)
    if not ZERO <= bot.inventory_target_pct <= ONE:
        yield "inventory_target_pct", "The inventory target must be from 0 to 1: 0.5 is one half."


def _ladder_mistakes(bot: SpreadBot) -> Iterator[tuple[str, str]]:
    if bot.bid_spread_pct == ZERO and bot.ask_spread_pct == ZERO:
        yield "ask_spread_pct", "With both spreads 0 the bid would not be below the ask; raise one of them."
    if bot.price_ceiling is not None and bot.price_floor is not None and bot.price_ceiling <= bot.price_floor:
        yield "price_ceiling", "The price ceiling must be above the price floor."
    if bot.order_amount > ZERO and smallest_amount(bot) <= ZERO:
        yield "level_amount", "With this amount step the last level's amount would not be more than 0."
    if bot.level_overrides and not _overrides_are_well_formed(bot.level_overrides):
        yield "level_overrides", OVERRIDES_FORM


def _overrides_are_well_formed(overrides: object) -> bool:
    if not isinstance(overrides, list):
        return False
    try:
        return all(
            side in set(Side) and ZERO <= _number(distance) < ONE and _number(amount) > ZERO
            for side, distance, amount in overrides
        )
    except (InvalidOperation, TypeError, ValueError):
        return False


def _number(written: object) -> Decimal:
    """Raises TypeError for a float, which would not be what was written."""
    if not isinstance(written, str):
        raise TypeError
    return Decimal(written)


def amounts(bot: SpreadBot) -> tuple[Decimal, ...]:
    """The size of each of its orders, in base currency."""
    if bot.level_overrides:
        return tuple(Decimal(amount) for _, _, amount in bot.level_overrides)
    return tuple(bot.order_amount + level * bot.level_amount for level in range(bot.levels))


def smallest_amount(bot: SpreadBot) -> Decimal:
    first: Decimal = bot.order_amount
    last: Decimal = first + (bot.levels - 1) * bot.level_amount
    return min(first, last)


def _post_only_refusal(bot: SpreadBot) -> str:
    its_venue = venue_or_none(bot.connection.venue)
    if not bot.post_only or its_venue is None or its_venue.supports_post_only:
        return ""
    return (
        f"{its_venue.title} has no post-only orders: take post-only away from this bot, and keep its spreads "
        "wide enough to pay a taker's fee now and then."
    )


def settings_refusal(bot: SpreadBot, last_price: Decimal | None) -> str:
    """Why it may not start at this venue. last_price: quote per base, if known."""
    return _post_only_refusal(bot) or _market_refusal(bot, last_price)


def _market_refusal(bot: SpreadBot, last_price: Decimal | None) -> str:
    if not exchanges.markets_known(bot.connection.venue):
        return ""  # the worker will load them, and its own checks have the last word
    market = exchanges.market(bot.connection.venue, bot.symbol)
    title = venue(bot.connection.venue).title
    if market is None:
        return f"{title} has no market {bot.symbol}: correct the bot's symbol."
    if not market.active:
        return f"{title} does not trade {bot.symbol} at the moment."
    for amount in sorted(amounts(bot)):
        refusal = amount_refusal(market, amount, last_price)
        if refusal:
            return refusal
    return ""
