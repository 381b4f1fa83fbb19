"""Whether a scalper's exits can do what they say: what contradicts itself is refused, what is odd is told."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from bots.models import ScalperBot
from bots.strategies.figures import per_cent
from bots.strategies.scalper_settings import Direction
from bots.strategies.sense import contradictions, loss_at_entry, oddities
from bots.validation import columns
from exchanges.types import Side

SHARES = ("stop_loss_pct", "trailing_delta_pct")
POSITIVE = ("take_profit_pct", "time_limit_seconds")


def exit_mistakes(bot: ScalperBot, taker_fee: Decimal) -> columns.Mistakes:
    """taker_fee: the highest of its markets, as a fraction."""
    yield from columns.not_shares(bot, SHARES)
    yield from columns.not_positive(bot, POSITIVE)
    yield from columns.negative(bot, ("trailing_activation_pct",))
    yield from _missing_barriers(bot)
    for side in _sides(bot):
        yield from contradictions(bot.barriers, side, taker_fee)


def _missing_barriers(bot: ScalperBot) -> columns.Mistakes:
    if bot.trailing_delta_pct is not None and bot.trailing_activation_pct is None:
        sentence = "Say above which profit the trailing stop begins to follow: 0 begins above break-even."
        yield "trailing_activation_pct", sentence
    if bot.trailing_activation_pct is not None and bot.trailing_delta_pct is None:
        sentence = (
            "There is a trailing activation and no trailing stop: say how far behind the price it follows, "
            "or empty the activation."
        )
        yield "trailing_delta_pct", sentence
    last_resorts = (bot.stop_loss_pct, bot.trailing_delta_pct, bot.time_limit_seconds)
    if all(barrier is None for barrier in last_resorts):
        sentence = (
            "A position that falls would never be closed: set a stop loss, a trailing stop or a time limit."
        )
        yield "stop_loss_pct", sentence
    if bot.rests_take_profit and bot.take_profit_pct is None:
        yield "rests_take_profit", "There is no take profit that could rest in the book: set one."


def exit_warnings(bot: ScalperBot, taker_fee: Decimal) -> Iterator[str]:
    """Of the side that it opens first; of both they would be the same twice."""
    side = _sides(bot)[0]
    yield from oddities(bot.barriers, side, taker_fee)
    with_spread = loss_at_entry(side, taker_fee, spread=bot.max_spread_pct)
    fees, stop_loss = loss_at_entry(side, taker_fee), bot.stop_loss_pct
    if stop_loss is not None and fees < stop_loss <= with_spread:
        yield (
            f"The stop loss of {per_cent(stop_loss)} is within the fees and the widest spread, about "
            f"{per_cent(round(with_spread, 5))}: a position may be closed as soon as it is open."
        )


def _sides(bot: ScalperBot) -> list[Side]:
    return [side for side in Side if Direction(bot.direction).allows(side)]
