"""Carries out a plan: cancels, then places; a replacement only when its predecessor's cancel is confirmed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bots.engine import ledger, submit
from bots.engine.account import Account
from bots.engine.clock import uptime, utc_now
from bots.engine.funds import Funds
from bots.engine.hold import Hold
from bots.engine.reconcile import Plan
from bots.lifecycle import OrderState
from bots.models import Bot, RoundTrip, Severity
from bots.strategies.base import Quote
from exchanges.errors import RateLimitError, VenueError


@dataclass(frozen=True, kw_only=True)
class Errand:
    """For whom a plan is carried out, and with what.

    hold: of what is placed for it. trip: the round trip that the orders open or close; None: none.
    still_allowed: the limits' word once more, because a cancel may tell of a fill that nobody knew of.
    """

    bot: Bot
    symbol: str
    funds: Funds
    hold: Hold
    still_allowed: Callable[[list[Quote]], list[Quote]]
    trip: RoundTrip | None = None


async def carry_out(account: Account, plan: Plan, errand: Errand) -> submit.Placed:
    """What was placed, whatever became of it. Raises as `submit` does."""
    market = account.markets[errand.symbol]
    may_place = not errand.hold.is_on(uptime())
    pairs = plan.replace if may_place else ()
    to_cancel = [
        account.orders[order.client_id] for order in (*plan.cancel, *(pair.cancel for pair in pairs))
    ]
    await submit.cancel(account, to_cancel)
    ended = [order for order in to_cancel if OrderState(order.state).is_final]
    errand.funds.released(market, ended)
    gone = {order.client_id for order in ended}
    quotes = [pair.place for pair in pairs if pair.cancel.client_id in gone]
    if may_place:
        quotes += plan.place
    if to_cancel:
        quotes = errand.still_allowed(quotes)
    placed = await submit.place(account, errand.bot, errand.symbol, quotes, trip=errand.trip)
    errand.funds.taken(market, placed.orders)
    if placed.refusals:
        await _refused(account, errand, placed.refusals[0])
    elif quotes:
        errand.hold.placed_well()
    return placed


async def _refused(account: Account, errand: Errand, error: VenueError) -> None:
    """The venue said no: the bot waits before it tries again, and says so once."""
    what = RateLimitError.__name__ if isinstance(error, RateLimitError) else error.sentence  # it counts down
    if errand.hold.refused(uptime(), what):
        event = account.event(
            "order_refused", error.sentence, at=utc_now(), bot_id=errand.bot.pk, severity=Severity.WARNING
        )
        await account.database.run(ledger.save_event, event)
