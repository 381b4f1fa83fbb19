"""Gathers what a strategy may look at."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import islice

from bots.engine import ledger
from bots.engine.account import Account, held_by, open_order_of
from bots.engine.clock import utc_now
from bots.engine.condition import Condition
from bots.engine.feed import Feed, Feeds
from bots.engine.measured import waited_for
from bots.lifecycle import LIVE
from bots.models import Order, Reference, SpreadBot
from bots.strategies.base import OpenOrder, Snapshot
from bots.strategies.depth import others_levels
from exchanges.errors import VenueError
from exchanges.selectors import connection_spec
from exchanges.types import Book, Market, Side


async def take(account: Account, bot: SpreadBot, market: Market, feeds: Feeds) -> Snapshot:
    """The market as this bot sees it now. A book that cannot be had now is the last one, with its age."""
    book = await current_book(
        account.feed, bot.symbol, cycle_seconds=bot.cycle_seconds, health=account.health
    )
    live = live_orders(account, bot)
    held = held_by(live)
    return Snapshot(
        now=utc_now(),
        market=market,
        book=book,
        base_balance=account.free(market.base) + held[Side.SELL],
        quote_balance=account.free(market.quote) + held[Side.BUY],
        base_total=account.total(market.base),
        quote_total=account.total(market.quote),
        last_price=await _last_price(bot, account),
        last_own_price=await _last_own_price(account, bot),
        other_mid=await _other_mid(bot, feeds),
        open_orders=open_orders(account, bot),
    )


def open_orders(account: Account, bot: SpreadBot) -> tuple[OpenOrder, ...]:
    return tuple(open_order_of(order) for order in live_orders(account, bot))


def live_orders(account: Account, bot: SpreadBot) -> list[Order]:
    return [o for o in account.orders_of(bot.pk) if o.symbol == bot.symbol and o.state in LIVE]


async def current_book(
    feed: Feed, symbol: str, *, cycle_seconds: int, health: Condition | None = None
) -> Book | None:
    """Asked for again when it is older than half a cycle, so that bots of one pace share a request.

    health: whose venue it is asked of, where that is the bot's own.
    """
    try:
        with waited_for(health) if health else nullcontext():
            return await feed.fetch_book(symbol, max_age=cycle_seconds / 2)
    except VenueError:
        return feed.last_book(symbol)


def others_book(account: Account, book: Book) -> Book:
    """Its touch without the account's own orders, of whichever bot: nobody trades with himself."""
    own = [open_order_of(order) for order in account.live_orders() if order.symbol == book.symbol]
    if not own:
        return book
    bids, asks = (tuple(islice(others_levels(book, side, own), 1)) for side in (Side.BUY, Side.SELL))
    return replace(book, bids=bids, asks=asks)


async def _last_price(bot: SpreadBot, account: Account) -> Decimal | None:
    if bot.reference != Reference.LAST:
        return None
    with waited_for(account.health):
        return (await account.feed.fetch_ticker(bot.symbol, max_age=bot.cycle_seconds / 2)).last


async def _last_own_price(account: Account, bot: SpreadBot) -> Decimal | None:
    if bot.reference != Reference.OWN_TRADE:
        return None
    return await account.database.run(ledger.last_own_price, bot.pk, bot.symbol)


async def _other_mid(bot: SpreadBot, feeds: Feeds) -> Decimal | None:
    """The middle of the reference market; None while it cannot be had fresh enough."""
    if bot.reference != Reference.OTHER_MARKET or bot.reference_connection is None:
        return None
    spec = connection_spec(bot.reference_connection)
    book = await current_book(
        feeds.feed(spec.venue, spec.proxy), bot.reference_symbol, cycle_seconds=bot.cycle_seconds
    )
    return book.mid if book and _is_fresh(book, bot, utc_now()) else None


def _is_fresh(book: Book, bot: SpreadBot, now: datetime) -> bool:
    return book.age_seconds(now) <= bot.max_book_age_seconds and not book.is_crossed
