"""Whether barriers can do what they say: what contradicts itself, and what is odd, one sentence each.

Percentages are fractions, `fee` is that of each way.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from bots.strategies.barriers import ONE, Barriers, Watch, price_at_profit, profit_pct
from bots.strategies.figures import per_cent
from exchanges.types import ZERO, Side


def loss_at_entry(side: Side, fee: Decimal, spread: Decimal = ZERO) -> Decimal:
    """What closing at once would lose, as a fraction of the entry's cost.

    What is bought at the ask is closed at the bid, `spread` below it; a short position the other way round.
    """
    watch = Watch(side=side, entry=ONE, fee=fee)
    return -profit_pct(watch, ONE - spread if watch.is_long else ONE + spread)


def contradictions(barriers: Barriers, side: Side, fee: Decimal) -> Iterator[tuple[str, str]]:
    """What can only do harm: the barrier's name in `Barriers`, and why."""
    at_once = loss_at_entry(side, fee)
    if barriers.stop_loss_pct is not None and ZERO < barriers.stop_loss_pct <= at_once:
        sentence = (
            f"A stop loss of {per_cent(barriers.stop_loss_pct)} closes each position at once: the fees of "
            f"both ways are {_about(at_once)} already. Set it above that."
        )
        yield "stop_loss_pct", sentence
    if side is Side.SELL and barriers.take_profit_pct is not None and barriers.take_profit_pct >= ONE:
        yield "take_profit_pct", "A short position cannot earn 100 % or more: set the take profit below 1."


def oddities(barriers: Barriers, side: Side, fee: Decimal) -> Iterator[str]:
    """What can be meant, and should be looked at again."""
    yield from _about_fees(barriers, side, fee)
    yield from _about_the_trailing_stop(barriers, side, fee)
    if barriers.stop_loss_pct is None and barriers.time_limit_seconds is None:
        if barriers.trailing_delta_pct is not None:
            yield (
                "A position that never rises above its trailing activation is never closed: think of a stop "
                "loss or a time limit."
            )
        else:
            yield "A position that loses is never closed: think of a stop loss or a time limit."


def _about_fees(barriers: Barriers, side: Side, fee: Decimal) -> Iterator[str]:
    fees, target = loss_at_entry(side, fee), barriers.take_profit_pct
    if target is not None and target < fees:
        yield (
            f"The take profit of {per_cent(target)} is less than the fees of both ways, {_about(fees)}: most "
            "of what a position earns is paid in fees."
        )


def _about_the_trailing_stop(barriers: Barriers, side: Side, fee: Decimal) -> Iterator[str]:
    delta, activation = barriers.trailing_delta_pct, barriers.trailing_activation_pct
    if delta is None:
        return
    if barriers.take_profit_pct is not None and activation >= barriers.take_profit_pct:
        yield (
            f"The trailing stop begins above {per_cent(activation)}, and the take profit closes at "
            f"{per_cent(barriers.take_profit_pct)}: the trailing stop never closes anything."
        )
        return
    watch = Watch(side=side, entry=ONE, fee=fee)
    armed_at = price_at_profit(watch, activation)
    first = profit_pct(watch, armed_at * (ONE - delta if watch.is_long else ONE + delta))
    if first < ZERO:
        yield (
            f"The trailing stop first stands {_about(-first)} below break-even: it may close at a loss. For "
            "none, raise its activation above its distance."
        )


def _about(fraction: Decimal) -> str:
    return f"about {per_cent(round(fraction, 5))}"
