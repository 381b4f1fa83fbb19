"""The end: bots that stop, and workers that stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from uuid import UUID

from bots.engine import ledger, submit
from bots.engine.account import Account
from bots.engine.balances import look_at_balances
from bots.engine.clock import uptime, utc_now
from bots.engine.lease import LeaseLostError
from bots.engine.observe import collect_trades, observe
from bots.engine.sheet import Sheet
from bots.lifecycle import OrderState
from bots.models import Bot, BotState, Order
from exchanges.errors import ConnectivityError, VenueError
from exchanges.gateway import NotLicensedError

log = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 0.2
AFTER_FAILURE_SECONDS = 0.8


async def finish_stopping(account: Account, sheet: Sheet) -> bool:
    """True when the bot, told to stop, has nothing left to settle and is stopped."""
    bot = sheet.bot
    if bot.state != BotState.STOPPING or not _is_settled(account.orders_of(bot.pk), bot):
        return False
    for symbol in sheet.symbols & account.markets.keys():
        await collect_trades(account, symbol)
    event = account.event("stopped", "Stopped.", at=utc_now(), bot_id=bot.pk)
    return await account.database.run(ledger.finish_stopping, account.lease, bot, event)


def _is_settled(orders: Collection[Order], bot: Bot) -> bool:
    if bot.leaves_orders:
        return all(order.state == OrderState.OPEN for order in orders)
    return not orders


async def wind_down(account: Account, bots: Collection[Bot], *, seconds: float) -> None:
    """The worker stops: nothing new; quotes are cancelled where their bot says so; what is in flight is
    looked up. What is not settled in time is left to the next holder of the lease."""
    give_up_at = uptime() + seconds
    try:
        leaving = await _leaving(account, bots)
        while not await _settled_for_sure(account, leaving) and uptime() < give_up_at:  # noqa: ASYNC110 - a venue has no event
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        await look_at_balances(account)
    except (LeaseLostError, NotLicensedError):
        log.info("%s was taken over before it was settled", account.name)
    except VenueError as error:
        log.warning("%s could not be settled before the stop: %s", account.name, error.sentence)


async def cancel_strays(account: Account, able: Collection[UUID], at_work: Collection[UUID]) -> None:
    """Orders that no cycle looks after rest only where their bot leaves them in the book, or where they close
    a position of one that is at work, and whose cycle broke: better an old exit than none."""
    strays = [
        order
        for order in account.orders.values()
        if order.bot_id not in able and not (order.closes and order.bot_id in at_work)
    ]
    if any(_is_to_cancel(order, ()) for order in strays):
        leaving = await account.database.run(
            ledger.bots_that_leave_orders, {order.bot_id for order in strays}
        )
        await submit.cancel(account, [order for order in strays if _is_to_cancel(order, leaving)])


async def _leaving(account: Account, bots: Collection[Bot]) -> set[UUID]:
    """Bots whose orders stay; those that have stopped and left theirs in the book among them."""
    leaving = {bot.pk for bot in bots if bot.leaves_orders}
    stopped = {order.bot_id for order in account.orders.values()} - {bot.pk for bot in bots}
    if stopped:
        leaving |= await account.database.run(ledger.bots_that_leave_orders, stopped)
    return leaving


async def _settled_for_sure(account: Account, leaving: Collection[UUID]) -> bool:
    """False while the venue does not answer: it is asked again."""
    try:
        return await _settled(account, leaving)
    except ConnectivityError as error:
        log.warning("%s is not settled yet: %s", account.name, error.sentence)
        await asyncio.sleep(AFTER_FAILURE_SECONDS)
        return False


async def _settled(account: Account, leaving: Collection[UUID]) -> bool:
    """Exits stay: they look after a position until the next worker does."""
    to_cancel = [o for o in account.orders.values() if _is_to_cancel(o, leaving) and not o.closes]
    await submit.cancel(account, to_cancel)
    symbols = {order.symbol for order in account.orders.values()} & account.markets.keys()
    if symbols:
        await observe(account, symbols)
    rest = [o for o in account.orders.values() if o.bot_id in leaving or o.closes]
    return len(rest) == len(account.orders) and all(o.state == OrderState.OPEN for o in rest)


def _is_to_cancel(order: Order, leaving: Collection[UUID]) -> bool:
    is_resting = order.state == OrderState.OPEN and order.cancel_requested_at is None
    return is_resting and order.bot_id not in leaving
