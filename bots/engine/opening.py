"""Where a scalper opens positions: every market that was looked at since, and what keeps it from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from bots.engine import ledger, trips
from bots.engine.account import Account
from bots.engine.clock import uptime, utc_now
from bots.engine.execution import Errand, carry_out
from bots.engine.funds import Funds
from bots.engine.limit_context import LimitContext
from bots.engine.limits import Refusal, check
from bots.engine.reconcile import Plan
from bots.engine.scalping_sheet import ScalpingSheet
from bots.engine.snapshot import others_book
from bots.engine.tape import Tape
from bots.engine.tending import count_what_filled
from bots.models import RoundTrip, TripState
from bots.strategies.base import Quote
from bots.strategies.entries import View, look_for_entry
from bots.strategies.protections import Lock, locks
from bots.strategies.scalper_settings import ScalperSettings
from exchanges.types import Book, Market


@dataclass
class Opened:
    """reasons: of the markets that were looked at, by symbol, what kept it from opening."""

    quotes: list[Quote] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)


async def open_positions(account: Account, sheet: ScalpingSheet, funds: Funds) -> Opened:
    """In the markets of which there is a newer book than the last one that was looked at."""
    opened = Opened()
    tape = sheet.tape
    if tape is None:
        return opened
    held = await _locks(account, sheet)
    settings = sheet.bot.strategy_settings
    for symbol in _news(account, sheet, tape):
        await _look(account, sheet, account.markets[symbol], settings, held, funds, opened)
    return opened


def _news(account: Account, sheet: ScalpingSheet, tape: Tape) -> list[str]:
    busy = {trip.symbol for trip in account.trips_of(sheet.bot.pk)}
    news = []
    for symbol in sheet.watched:
        book = tape.book(symbol)
        if book is None or symbol in busy or sheet.looked_at.get(symbol) == book.time:
            continue
        if symbol in account.markets:
            sheet.looked_at[symbol] = book.time
            news.append(symbol)
    return news


async def _locks(account: Account, sheet: ScalpingSheet) -> Sequence[Lock]:
    """Those of now; each is told of once, when it begins."""
    now, wanted = utc_now(), sheet.bot.protections
    if sheet.closed is None:
        since = now - timedelta(seconds=wanted.window_seconds)
        sheet.closed = await account.database.run(trips.closed_since, sheet.bot.pk, since)
    held = locks(sheet.closed, wanted, now)
    told = {_told(lock) for lock in held}
    for sentence in sorted(told - sheet.told_locks):
        event = account.event("locked", sentence, at=now, bot_id=sheet.bot.pk)
        await account.database.run(ledger.save_event, event)
    sheet.told_locks = frozenset(told)
    return held


def _told(lock: Lock) -> str:
    where = lock.symbol or (f"markets in {lock.quote}" if lock.quote else "any market")
    return f"It opens nothing in {where} until {lock.until:%H:%M:%S} UTC: {lock.reason}."


async def _look(
    account: Account,
    sheet: ScalpingSheet,
    market: Market,
    settings: ScalperSettings,
    held: Sequence[Lock],
    funds: Funds,
    opened: Opened,
) -> None:
    view = _view(account, sheet, market, held, funds)
    chance = look_for_entry(view, settings)
    opened.reasons[market.symbol] = chance.reason
    hold = sheet.entry_holds[market.symbol]
    if chance.quote is None or view.book is None or hold.is_on(uptime()):
        return
    verdict = check([chance.quote], _context(account, sheet, market, view.book, funds))
    opened.refusals += verdict.refusals
    if not verdict.allowed:
        return
    trip = RoundTrip(
        bot_id=sheet.bot.pk,
        connection_id=account.lease.connection_id,
        symbol=market.symbol,
        side=chance.quote.side,
        state=TripState.OPENING,
        opened_because=chance.reason,
        created_at=utc_now(),
    )
    errand = Errand(
        bot=sheet.bot, symbol=market.symbol, funds=funds, hold=hold, still_allowed=list, trip=trip
    )
    await carry_out(account, Plan(place=verdict.allowed), errand)
    opened.quotes += verdict.allowed
    await count_what_filled(account, trip)


def _view(account: Account, sheet: ScalpingSheet, market: Market, held: Sequence[Lock], funds: Funds) -> View:
    tape = sheet.tape
    book = tape.book(market.symbol) if tape else None
    return View(
        now=utc_now(),
        market=market,
        book=others_book(account, book) if book else None,
        mids=tape.mids(market.symbol) if tape else (),
        free_base=funds.free(market.base),
        free_quote=funds.free(market.quote),
        median_ms=account.health.median_ms,
        positions=len(account.trips_of(sheet.bot.pk)),
        connection_positions=len(account.trips),
        locks=held,
    )


def _context(
    account: Account, sheet: ScalpingSheet, market: Market, book: Book, funds: Funds
) -> LimitContext:
    """max_open_orders counts over all of its markets."""
    limits = sheet.limits
    live = [order for order in account.live_orders() if order.bot_id == sheet.bot.pk]
    return LimitContext(
        now=utc_now(),
        market=market,
        book=book,
        limits=replace(limits, max_open_orders=limits.max_open_orders - len(live)),
        kill_switch=sheet.kill_switch,
        connection_enabled=sheet.connection_enabled,
        bot_running=sheet.is_running,
        position=account.position(sheet.bot.pk, market.symbol).holding.amount,
        free_base=funds.free(market.base),
        free_quote=funds.free(market.quote),
    )
