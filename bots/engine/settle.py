"""The end: bots that stop, and workers that stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection

from bots.engine import ledger, submit
from bots.engine.account import Account
from bots.engine.clock import uptime, utc_now
from bots.engine.lease import LeaseLostError
from bots.engine.observe import collect_trades, look_at_balances, observe
from bots.lifecycle import OrderState
from bots.models import BotState, OnStop, Order, SpreadBot
from exchanges.errors import VenueError
from exchanges.gateway import NotLicensedError

log = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 0.2


async def finish_stopping(account: Account, bot: SpreadBot) -> bool:
    """True when the bot, told to stop, has nothing left to settle and is stopped."""
    if bot.state != BotState.STOPPING or not _is_settled(account.orders_of(bot.pk), bot):
        return False
    if bot.symbol in account.markets:
        await collect_trades(account, bot.symbol)
    event = account.event("stopped", "Stopped.", at=utc_now(), bot_id=bot.pk)
    return await account.database.run(ledger.finish_stopping, account.lease, bot, event)


def _is_settled(orders: Collection[Order], bot: SpreadBot) -> bool:
    if bot.on_stop == OnStop.LEAVE:
        return all(order.state == OrderState.OPEN for order in orders)
    return not orders


async def wind_down(account: Account, bots: Collection[SpreadBot], *, seconds: float) -> None:
    """The worker stops: nothing new; quotes are cancelled where their bot says so; what is in flight is
    looked up. What is not settled in time is left to the next holder of the lease."""
    leaving = {bot.pk for bot in bots if bot.on_stop == OnStop.LEAVE}
    give_up_at = uptime() + seconds
    try:
        while not await _settled(account, leaving) and uptime() < give_up_at:  # noqa: ASYNC110 - a venue has no event
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        await look_at_balances(account)
    except (LeaseLostError, NotLicensedError):
        log.info("%s was taken over before it was settled", account.name)
    except VenueError as error:
        log.warning("%s could not be settled before the stop: %s", account.name, error.sentence)


async def _settled(account: Account, leaving: Collection[object]) -> bool:
    await submit.cancel(account, [o for o in account.orders.values() if _is_to_cancel(o, leaving)])
    symbols = {order.symbol for order in account.orders.values()} & account.markets.keys()
    if symbols:
        await observe(account, symbols)
    return all(o.state == OrderState.OPEN and o.bot_id in leaving for o in account.orders.values())


def _is_to_cancel(order: Order, leaving: Collection[object]) -> bool:
    is_resting = order.state == OrderState.OPEN and order.cancel_requested_at is None
    return is_resting and order.bot_id not in leaving
