"""Looks at an account's balances: keeps them, has each change explained, and takes a snapshot every hour.

A snapshot says what was seen. While the venue does not answer there is none, and the last balances stay as
they were read, with their time. A dry run has play money under a live account's name: it neither explains
nor values that.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from datetime import datetime

from bots.engine import balance_book
from bots.engine.account import Account
from bots.engine.clock import uptime, utc_now
from bots.models import BotEvent, Severity, Trade
from bots.transfers import Amounts, Baseline, Look, note, sentence
from exchanges.errors import RateLimitError, VenueError
from exchanges.models import ExchangeConnection, UnexplainedChange
from exchanges.selectors import quote_currency
from exchanges.services import save_balances
from exchanges.types import Ticker
from exchanges.valuation import market_of, price_in, valued

LOOK_SECONDS = 270.0  # with the time that a look takes, less than five minutes from one to the next
JITTER_SECONDS = 30.0
AFTER_FILLS_SECONDS = 10.0
PRICES_AT_ONCE = 5
PRICE_AGE_SECONDS = 60.0


async def look_at_balances(account: Account) -> None:
    """Written when they changed; that they were looked at is told by the connection's pulse."""
    account.watch.is_stale = False
    balances = await account.gateway.fetch_balances()
    if account.is_dry_run:
        account.balances = balances
        return  # what the real account held stays on record
    if balances != account.balances:
        account.balances = balances
        await account.database.run(
            save_balances, connection_id=account.lease.connection_id, balances=balances, at=utc_now()
        )
        account.watch.totals = {name: balance.total for name, balance in balances.items() if balance.total}
    await _explain(account)


def fills_were_counted(account: Account, trades: Iterable[Trade]) -> None:
    """Balances that were read before may lack them."""
    steps = balance_book.steps_of(trades)
    account.watch.steps += steps
    account.watch.last_step = max([account.watch.last_step, *(step.number for step in steps)])
    account.watch.is_stale = True


def seconds_to_next_look(account: Account) -> float:
    """At most: while bots are at work each of their rounds is a look."""
    return AFTER_FILLS_SECONDS if account.watch.is_stale or account.watch.books.looks else LOOK_SECONDS


# --- What changed


async def _explain(account: Account) -> None:
    watch = account.watch
    if not watch.is_read:
        watch.take(await account.database.run(balance_book.read_record, account.lease))
    known = watch.books.baseline
    if known and not watch.books.is_open and not watch.steps and known.totals == watch.totals:
        watch.explained_at = utc_now()
        return
    look = Look(at=uptime(), totals=watch.totals, number=watch.last_step)
    books, unexplained = note(watch.books, look, watch.steps)
    if books.baseline is not None and books.baseline != known:
        await _write(account, books.baseline, unexplained)
        watch.steps = [step for step in watch.steps if step.number > books.baseline.number]
        watch.explained_at = utc_now()
    watch.books = books


async def _write(account: Account, baseline: Baseline, unexplained: Amounts) -> None:
    now, since = utc_now(), account.watch.explained_at or utc_now()
    changes = [
        UnexplainedChange(
            connection_id=account.lease.connection_id,
            currency=currency,
            amount=amount,
            since=since,
            noticed_at=now,
        )
        for currency, amount in sorted(unexplained.items())
    ]
    await account.database.run(
        balance_book.save_baseline,
        account.lease,
        baseline,
        at=now,
        unexplained=changes,
        events=[_told(account, unexplained, now)] if unexplained else [],
    )


def _told(account: Account, unexplained: Amounts, at: datetime) -> BotEvent:
    fell = any(amount < 0 for amount in unexplained.values())
    severity = Severity.WARNING if fell else Severity.INFO
    return account.event("balance_unexplained", sentence(unexplained), at=at, severity=severity)


# --- Hour by hour


async def keep_snapshot(account: Account, connection: ExchangeConnection) -> None:
    """Once an hour, when every price was asked for: a few in a round, so that bots do not wait for them."""
    watch, hour = account.watch, _this_hour()
    if watch.snapshot_hour == hour or account.is_dry_run:
        return
    quote = quote_currency(connection)
    if watch.pricing != (hour, quote):
        watch.begin_pricing(hour, quote)
    if not await _priced(account, quote):
        return
    at = utc_now()
    valuation = valued(watch.totals, watch.prices, quote=quote, at=at)
    await account.database.run(balance_book.save_snapshot, account.lease, valuation, hour=hour, at=at)
    watch.snapshot_hour = hour


async def _priced(account: Account, quote: str) -> bool:
    """True when all that the account holds was asked for in this hour; a price that cannot be had now stays
    the last one known."""
    watch = account.watch
    wanted = [name for name in sorted(watch.totals) if name != quote and name not in watch.asked]
    symbols = {name: market_of(name, quote, account.markets) for name in wanted}
    batch = {name: symbol for name, symbol in symbols.items() if symbol}
    asked = dict(list(batch.items())[:PRICES_AT_ONCE])
    tickers = await asyncio.gather(
        *(account.feed.fetch_ticker(symbol, max_age=PRICE_AGE_SECONDS) for symbol in asked.values()),
        return_exceptions=True,
    )
    for name, ticker in zip(asked, tickers, strict=True):
        _keep_price(account, name, quote, ticker)
    watch.asked |= asked.keys()
    return len(batch) == len(asked)


def _keep_price(account: Account, name: str, quote: str, ticker: Ticker | BaseException) -> None:
    if isinstance(ticker, VenueError) and not isinstance(ticker, RateLimitError):
        return  # a wait that the venue asks for is the whole connection's
    if isinstance(ticker, BaseException):
        raise ticker
    price = price_in(quote, ticker)
    if price is not None:
        account.watch.prices[name] = price


def _this_hour() -> datetime:
    return utc_now().replace(minute=0, second=0, microsecond=0)


# --- Where no bot is at work


async def finish_looking(account: Account, connection: ExchangeConnection) -> bool:
    """True when everything is explained and this hour has its snapshot; then the next look has its time."""
    await keep_snapshot(account, connection)
    is_done = not account.watch.books.is_open and account.watch.snapshot_hour == _this_hour()
    if not is_done and not account.is_dry_run:
        return False
    seconds = LOOK_SECONDS - random.uniform(0.0, JITTER_SECONDS)
    await account.database.run(balance_book.save_next_look, account.lease, seconds)
    return True
