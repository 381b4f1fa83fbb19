"""What a scalper bot must be before it is saved or started, and what is odd about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from bots.models import Markets, ScalperBot
from bots.strategies.figures import per_cent, plain
from bots.validation import columns
from bots.validation.amounts import entry_refusal
from bots.validation.exits import exit_mistakes, exit_warnings
from bots.validation.market_list import (
    known_markets,
    market_mistakes,
    market_refusal,
    market_warnings,
)
from exchanges.health import LARGEST_BATCH
from exchanges.types import ZERO, Market
from exchanges.venues.registry import venue_or_none

SHARES = ("entry_move_pct",)
FRACTIONS = ("through_pct", "max_spread_pct", "most_drawdown_pct")
POSITIVE = ("order_cost", "price_band_pct", "max_order_cost", "max_position", "daily_loss_limit")
NOT_NEGATIVE = ("min_day_volume", "min_touch_cost", "min_free_quote")
# Each protection, and the times that it needs.
TIMES_OF = {
    "most_stops": ("stops_window_seconds", "stops_pause_seconds"),
    "most_drawdown_pct": ("drawdown_window_seconds", "drawdown_pause_seconds"),
    "most_losses": ("losses_pause_seconds",),
}
LONGEST_ROUND_TRIP_MS = 8000  # then a request is given up


def mistakes(bot: ScalperBot) -> columns.Mistakes:
    yield from columns.not_shares(bot, SHARES)
    yield from columns.not_fractions(bot, FRACTIONS)
    yield from columns.not_positive(bot, POSITIVE)
    yield from columns.negative(bot, NOT_NEGATIVE)
    known = known_markets(bot)
    yield from market_mistakes(bot, known)
    yield from _entry_mistakes(bot)
    yield from exit_mistakes(bot, taker_fee(bot, known))
    for protection, times in TIMES_OF.items():
        if getattr(bot, protection):
            yield from columns.not_positive(bot, times)


def _entry_mistakes(bot: ScalperBot) -> columns.Mistakes:
    if bot.window_seconds < bot.cycle_seconds and not _is_told_of_changes(bot):
        sentence = (
            f"A window of {bot.window_seconds} s is shorter than the {bot.cycle_seconds} s between two looks "
            "at the market: lengthen the window, or look more often."
        )
        yield "window_seconds", sentence
    if bot.entry_move_pct >= bot.price_band_pct > ZERO:
        sentence = (
            f"An entry move of {per_cent(bot.entry_move_pct)} is never seen: moves beyond the price band of "
            f"{per_cent(bot.price_band_pct)} are taken for faults of the venue."
        )
        yield "entry_move_pct", sentence
    if bot.max_order_cost is not None and ZERO < bot.max_order_cost < bot.order_cost:
        sentence = (
            f"The largest order is {plain(bot.max_order_cost)}, less than the entry size of "
            f"{plain(bot.order_cost)}: every entry would be refused."
        )
        yield "max_order_cost", sentence
    if bot.max_latency_ms > LONGEST_ROUND_TRIP_MS:
        sentence = (
            f"No answer takes longer than {LONGEST_ROUND_TRIP_MS} ms, so this gate would never shut: "
            "set it lower, or to 0 for none."
        )
        yield "max_latency_ms", sentence
    if bot.most_positions > bot.most_connection_positions:
        yield "most_positions", "A bot cannot have more positions than its connection may have."


def _is_told_of_changes(bot: ScalperBot) -> bool:
    """Few markets are listened to where the venue tells of their books by itself."""
    its_venue = venue_or_none(bot.connection.venue) if bot.connection_id else None
    if its_venue is None or not its_venue.streams_books:
        return False
    return bot.markets == Markets.LISTED and len(bot.listed_symbols) <= LARGEST_BATCH


def settings_refusal(bot: ScalperBot, prices: Mapping[str, Decimal]) -> str:
    """Why it may not start at this venue. prices: by symbol, quote per base, those that are known."""
    known = known_markets(bot)
    return market_refusal(bot, known) or _size_refusal(bot, known, prices) or _exit_refusal(bot, known)


def _exit_refusal(bot: ScalperBot, markets: Sequence[Market]) -> str:
    """When it was saved, the fees may not have been known."""
    return next((sentence for _, sentence in exit_mistakes(bot, taker_fee(bot, markets))), "")


def _size_refusal(bot: ScalperBot, markets: Sequence[Market], prices: Mapping[str, Decimal]) -> str:
    """Of listed markets each must take the entry, of all of a quote currency one at least."""
    refusals = list(
        filter(None, (entry_refusal(each, bot.order_cost, prices.get(each.symbol)) for each in markets))
    )
    is_refused = bool(refusals) if bot.markets == Markets.LISTED else 0 < len(refusals) == len(markets)
    return refusals[0] if is_refused else ""


def warnings(bot: ScalperBot) -> Iterator[str]:
    known = known_markets(bot)
    yield from market_warnings(bot, known)
    yield from _rotation_warnings(bot, known)
    yield from exit_warnings(bot, taker_fee(bot, known))


def _rotation_warnings(bot: ScalperBot, markets: Sequence[Market]) -> Iterator[str]:
    count = len(bot.listed_symbols) if bot.markets == Markets.LISTED else len(markets)
    seconds = -(-count // LARGEST_BATCH) * bot.cycle_seconds
    most = "up to " if bot.markets == Markets.ALL and bot.min_day_volume else ""
    if count > LARGEST_BATCH and seconds > bot.window_seconds:
        yield (
            f"It looks at {most}{count} markets in turns of {LARGEST_BATCH}, so at each of them every "
            f"{seconds} s, longer than its window of {bot.window_seconds} s: it sees moves of that time "
            "instead."
        )


def taker_fee(bot: ScalperBot, markets: Sequence[Market]) -> Decimal:
    """The highest of its markets, as far as they are known; else the venue's usual one; else 0."""
    its_venue = venue_or_none(bot.connection.venue) if bot.connection_id else None
    usual = its_venue.taker_fee if its_venue is not None else None
    return max((market.taker_fee for market in markets), default=usual or ZERO)
