"""Whether a scalper's barriers can do what they say: what contradicts itself is refused, what is odd told."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from bots.models import DirectionChoice, ScalperBot
from bots.strategies.barriers import Watch, price_at_profit, profit_pct
from bots.strategies.figures import per_cent
from bots.validation import columns
from exchanges.types import ZERO, Side

SHARES = ("stop_loss_pct", "trailing_delta_pct")
POSITIVE = ("take_profit_pct", "time_limit_seconds")
ONE = Decimal(1)


def exit_mistakes(bot: ScalperBot, taker_fee: Decimal) -> columns.Mistakes:
    """taker_fee: the highest of its markets, as a fraction."""
    yield from columns.not_shares(bot, SHARES)
    yield from columns.not_positive(bot, POSITIVE)
    yield from columns.negative(bot, ("trailing_activation_pct",))
    yield from _missing_barriers(bot)
    at_once = loss_at_entry(taker_fee)
    if bot.stop_loss_pct is not None and ZERO < bot.stop_loss_pct <= at_once:
        sentence = (
            f"A stop loss of {per_cent(bot.stop_loss_pct)} would close each position at once: the fees of "
            f"both ways are {_about(at_once)} already. Set it above that."
        )
        yield "stop_loss_pct", sentence
    may_sell_first = bot.direction != DirectionChoice.LONG
    if may_sell_first and bot.take_profit_pct is not None and bot.take_profit_pct >= ONE:
        sentence = "What was sold cannot earn 100 % or more: set a take profit below 1, or direction long."
        yield "take_profit_pct", sentence


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
    yield from _about_costs(bot, taker_fee)
    yield from _about_the_trailing_stop(bot, taker_fee)
    if bot.stop_loss_pct is None and bot.time_limit_seconds is None and bot.trailing_delta_pct is not None:
        yield (
            "A position that never rises above its trailing activation is never closed: think of a stop loss "
            "or a time limit."
        )


def _about_costs(bot: ScalperBot, taker_fee: Decimal) -> Iterator[str]:
    fees = loss_at_entry(taker_fee)
    if bot.take_profit_pct is not None and bot.take_profit_pct < fees:
        yield (
            f"The take profit of {per_cent(bot.take_profit_pct)} is less than the fees of both ways, "
            f"{_about(fees)}: most of what a position earns is paid in fees."
        )
    # What is bought at the ask is closed at the bid.
    with_spread = loss_at_entry(taker_fee, spread=bot.max_spread_pct)
    if bot.stop_loss_pct is not None and fees < bot.stop_loss_pct <= with_spread:
        yield (
            f"The stop loss of {per_cent(bot.stop_loss_pct)} is within the fees and the widest spread, "
            f"{_about(with_spread)}: a position may be closed as soon as it is open."
        )


def _about_the_trailing_stop(bot: ScalperBot, taker_fee: Decimal) -> Iterator[str]:
    delta, activation = bot.trailing_delta_pct, bot.trailing_activation_pct
    if delta is None or activation is None:
        return
    if bot.take_profit_pct is not None and activation >= bot.take_profit_pct:
        yield (
            f"The trailing stop begins above {per_cent(activation)}, and the take profit closes at "
            f"{per_cent(bot.take_profit_pct)}: the trailing stop never closes anything."
        )
        return
    watch = Watch(side=Side.BUY, entry=ONE, fee=taker_fee)
    first = profit_pct(watch, price_at_profit(watch, activation) * (ONE - delta))
    if first < ZERO:
        yield (
            f"The trailing stop first stands {_about(-first)} below break-even: it may close at a loss. For "
            "none, raise its activation above its distance."
        )


def loss_at_entry(taker_fee: Decimal, spread: Decimal = ZERO) -> Decimal:
    """What closing at once would lose, as a fraction of the entry's cost."""
    watch = Watch(side=Side.BUY, entry=ONE, fee=taker_fee)
    return -profit_pct(watch, ONE - spread)


def _about(fraction: Decimal) -> str:
    return f"about {per_cent(round(fraction, 5))}"
