"""Looks at the markets of a scalper, a batch at a time, beside the rounds of its connection.

A scan is advice: nothing that an order needs waits for it, and what goes wrong in it is this bot's alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from bots.engine.account import Account
from bots.engine.clock import uptime, utc_now
from bots.engine.measured import waited_for
from bots.engine.record import unforeseen
from bots.engine.scalping_sheet import ScalpingSheet
from bots.engine.sheet import Sheet
from bots.engine.tape import Rotation, Scans, Tape
from bots.models.scalper_bot import Markets
from bots.strategies.rotation import chosen_symbols
from exchanges.errors import RateLimitError, VenueError
from exchanges.health import LARGEST_BATCH, SMALLEST_BATCH, batch_size
from exchanges.models import ExchangeConnection
from exchanges.types import Book
from logs.about import about

log = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 2.0
LONGEST_WAIT_SECONDS = 60.0
AT_ONCE = 3
SHARE_OF_BUDGET = 0.5  # that may be used while a scan asks for more
GIVE_WAY_SECONDS = 0.2


@dataclass
class Scanner:
    """run() it in a task while the connection's books agree. wake: called when there is something new."""

    account: Account
    sheet: ScalpingSheet
    connection: ExchangeConnection
    scans: Scans
    wake: Callable[[], None]
    _failures: int = 0
    _listening: dict[str, Callable[[], None]] = field(default_factory=dict)

    async def run(self) -> None:
        wait = 0.0
        try:
            while True:
                await asyncio.sleep(wait)
                wait = await self._guarded_look()
        finally:
            self._listen(())

    async def _guarded_look(self) -> float:
        """One batch; seconds to wait for the next."""
        if self.account.health.is_left_alone:
            return self.account.health.seconds_to_wait
        began = uptime()
        try:
            await self._look()
        except VenueError as error:
            return self._wait_after(error)
        self._failures = 0
        self.sheet.scan_went_well()
        return max(self.sheet.bot.cycle_seconds - (uptime() - began), 0.0)

    def _wait_after(self, error: VenueError) -> float:
        self._failures += 1
        self.sheet.scan_sentence = f"the scan waits: {error.sentence}"
        if isinstance(error, RateLimitError) and error.retry_after is not None:
            return error.retry_after
        return min(FIRST_WAIT_SECONDS * 2.0 ** min(self._failures - 1, 10), LONGEST_WAIT_SECONDS)

    async def _look(self) -> None:
        sheet, tape = self.sheet, self.scans.tape(self.connection.venue)
        tape.window_seconds = max(tape.window_seconds, sheet.bot.window_seconds)
        sheet.tape = tape
        sheet.watched = symbols = await self._symbols()
        self._listen(self._worth_listening(symbols))
        rotation = self._rotation()
        batch = rotation.take(symbols, self._batch_size())
        sheet.scan_sentence, sheet.scan_place = batch.sentence, batch.next_place
        try:
            await self._look_at(batch.symbols, tape)
        except VenueError:
            rotation.give_back(batch)
            raise
        finally:
            self.wake()

    def _rotation(self) -> Rotation:
        """Shared by all who choose their markets in the same way, wherever these are by now."""
        bot = self.sheet.bot
        chosen: Hashable = (bot.quote_currency, bot.min_day_volume)
        if bot.markets == Markets.LISTED:
            chosen = frozenset(bot.listed_symbols)
        key = (self.connection.owner_id, self.connection.venue, bot.markets, chosen)
        return self.scans.rotation(key, place=bot.scan_place)

    def _batch_size(self) -> int:
        return SMALLEST_BATCH if self._failures else batch_size(self.account.health.score)

    def _worth_listening(self, symbols: Sequence[str]) -> set[str]:
        """Where its position is open, and every market where they are few."""
        trips = {trip.symbol for trip in self.account.trips_of(self.sheet.bot.pk)}
        return trips if len(symbols) > LARGEST_BATCH else {*trips, *symbols}

    def _listen(self, symbols: Collection[str]) -> None:
        """To these and to no others: their books wake the bot as they change."""
        for symbol in [symbol for symbol in self._listening if symbol not in symbols]:
            self._listening.pop(symbol)()
        for symbol in symbols:
            if symbol not in self._listening:
                self._listening[symbol] = self.account.feed.listen(symbol, partial(self._told, symbol))

    def _told(self, symbol: str) -> None:
        book = self.account.feed.last_book(symbol)
        if book is not None:
            self.scans.tape(self.connection.venue).note(book, utc_now())
            self.wake()

    async def _symbols(self) -> Sequence[str]:
        """In their order, so that all who look at the same ones have the same."""
        bot, markets = self.sheet.bot, self.account.markets
        if bot.markets == Markets.LISTED:
            listed = list(dict.fromkeys(bot.listed_symbols))
            self.sheet.unknown = [symbol for symbol in listed if symbol not in markets]
            return sorted(symbol for symbol in listed if symbol in markets and markets[symbol].active)
        volumes = await self.account.feed.fetch_day_volumes()
        return chosen_symbols(markets, volumes, quote=bot.quote_currency, least=bot.min_day_volume)

    async def _look_at(self, symbols: Sequence[str], tape: Tape) -> None:
        """Those that nobody has just looked at, a few at once. What is found is kept, whatever becomes of the
        others."""
        age, now = self.sheet.bot.cycle_seconds / 2, utc_now()
        books = {symbol: tape.book(symbol) for symbol in symbols}
        due = [
            symbol for symbol, book in books.items() if book is None or not 0 <= book.age_seconds(now) <= age
        ]
        for few in (due[start : start + AT_ONCE] for start in range(0, len(due), AT_ONCE)):
            await self._give_way()
            answers = await asyncio.gather(
                *(self._fetch_book(symbol, age) for symbol in few), return_exceptions=True
            )
            for answer in answers:
                if isinstance(answer, Book):
                    tape.note(answer, utc_now())
            for answer in answers:
                if isinstance(answer, BaseException):
                    raise answer

    async def _fetch_book(self, symbol: str, age: float) -> Book:
        with waited_for(self.account.health):
            return await self.account.feed.fetch_book(symbol, max_age=age)

    async def _give_way(self) -> None:
        """Until the rounds of the connections have room enough: what they ask for is not to queue behind."""
        while max(self.account.feed.budget_used, self.account.gateway.budget_used) > SHARE_OF_BUDGET:  # noqa: ASYNC110 - budgets have no event
            await asyncio.sleep(GIVE_WAY_SECONDS)


@dataclass
class Scanners:
    """Those of one connection's scalpers, each a task of its own."""

    _tasks: dict[UUID, asyncio.Task[None]] = field(default_factory=dict)

    def keep_up(
        self,
        account: Account,
        connection: ExchangeConnection,
        sheets: Mapping[UUID, Sheet],
        scans: Scans,
        nudge: Callable[[UUID], None],
    ) -> None:
        """One for each scalper that runs. One that ended in a way that nobody foresaw is begun anew, more and
        more rarely: the bot's exits do not wait for it."""
        wanted = {
            key: sheet
            for key, sheet in sheets.items()
            if isinstance(sheet, ScalpingSheet) and sheet.is_running and not sheet.is_broken(uptime())
        }
        for key in self._tasks.keys() - wanted.keys():
            self._tasks.pop(key).cancel()
        for key, sheet in wanted.items():
            if key in self._tasks and self._tasks[key].done():
                _bury(self._tasks.pop(key), sheet)
            if key not in self._tasks and not sheet.scan_hold.is_on(uptime()):
                scanner = Scanner(account, sheet, connection, scans, partial(nudge, key))
                with about(bot_id=key):
                    self._tasks[key] = asyncio.create_task(scanner.run(), name=f"scanner {key}")

    async def stop(self) -> None:
        tasks, self._tasks = list(self._tasks.values()), {}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _bury(task: asyncio.Task[None], sheet: ScalpingSheet) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        log.error("the scan of bot %s failed", sheet.bot.pk, exc_info=error)
        sheet.scan_broke(unforeseen(error), uptime())
