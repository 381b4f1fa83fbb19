"""What a runtime does for one connection while it holds its lease: an asyncio task of its own.

It first brings the books together, then runs rounds: one look at the account for all bots, then each bot's
cycle. Whatever fails here stays here: this is the edge at which errors are recorded and isolated.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from functools import partial
from uuid import UUID

from django.db import Error as AnyDatabaseError

from bots.engine import ledger
from bots.engine.account import Account, event_of
from bots.engine.balances import finish_looking, keep_snapshot, look_at_balances, seconds_to_next_look
from bots.engine.board import Board, identity
from bots.engine.bulletin import bulletin
from bots.engine.clock import uptime, utc_now
from bots.engine.condition import Condition, condition_on_record
from bots.engine.credentials import try_credentials
from bots.engine.cycle import cycle, sheet_of
from bots.engine.feed import Feed
from bots.engine.funds import Funds
from bots.engine.lease import Lease, LeaseLostError
from bots.engine.ledger import BotNotRunningError
from bots.engine.observe import observe, symbols_of_the_denied
from bots.engine.patience import Patience
from bots.engine.pulse import Pulse
from bots.engine.record import keep_marks, unforeseen
from bots.engine.scan import Scanners
from bots.engine.settle import cancel_strays, finish_stopping, wind_down
from bots.engine.sheet import Sheet
from bots.engine.silence import stop_unanswered
from bots.engine.takeover import Office, follow_markets, open_account, take_over
from bots.models import BotState, Severity
from database.thread import outage_sentence, tell_outage
from exchanges.errors import (
    OF_THE_CONNECTION,
    RateLimitError,
    VenueError,
)
from exchanges.gateway import NotLicensedError
from exchanges.models import ExchangeConnection
from exchanges.venues.registry import UnknownVenueError
from logs.about import about
from vault.keyring import VaultError

log = logging.getLogger(__name__)

LOOKUP_SECONDS = 1.0  # how soon to look again while an order's outcome is open
WATCH_SECONDS = 10.0  # how often, where no bot is at work but orders were left in the book
SETTLE_SECONDS = 10.0

NOT_THE_BOTS_OWN = (LeaseLostError, NotLicensedError, BotNotRunningError, AnyDatabaseError)


class Ending(Enum):
    """Why a duty ends: its runtime hands the connection over, or the worker is told to stop."""

    HAND_OVER = "hand_over"
    STOP = "stop"


@dataclass(kw_only=True)
class Duty:
    """run() it in a task; wake() it when a bot's state changed; end() it, or cancel the task when its lease
    is lost. start_delay_seconds: how long it waits for those that begin before it."""

    lease: Lease
    office: Office
    board: Board
    pulse: Pulse
    start_delay_seconds: float = 0.0
    ending: Ending | None = None
    sheets: dict[UUID, Sheet] = field(default_factory=dict)
    health: Condition | None = None  # as soon as the connection is opened
    _account: Account | None = None
    _identity: object = None
    _agrees: bool = False
    _is_idle: bool = False
    _owes_balances: bool = False  # a bot has stopped since they were read
    _patience: Patience = field(default_factory=Patience)
    _last_failure: str = ""
    _look_due_at: float = 0.0  # when orders and balances are to be looked at, whoever is due
    _nudged: set[UUID] = field(default_factory=set)
    _scanners: Scanners = field(default_factory=Scanners)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Until told to end, or until there is nothing left to do."""
        try:
            if self.start_delay_seconds:
                await self._sleep(self.start_delay_seconds)
            while self.ending is None and not self._is_idle:
                await self._sleep(await self._guarded_round())
            if self.ending is Ending.STOP and self._account and self._agrees:
                self._account.health.has_last_word = True
                bots = self.board.bots(self.lease.connection_id)
                await wind_down(self._account, bots, seconds=SETTLE_SECONDS)
        finally:
            await self._close()

    @property
    def feed(self) -> Feed | None:
        """Where its books are from; None while the connection is not open."""
        return self._account.feed if self._account else None

    @property
    def is_idle(self) -> bool:
        """It has nothing left to do, and ends by itself."""
        return self._is_idle

    def end(self, ending: Ending) -> None:
        self.ending = ending
        self._wake.set()

    def nudge(self, bot_id: UUID) -> None:
        """Something moved in a market of this bot: its cycle is due, though the account need not be."""
        self._nudged.add(bot_id)
        self._wake.set()

    def wake(self) -> None:
        """Look again now."""
        self._look_due_at = 0.0
        for sheet in self.sheets.values():
            sheet.due_at = 0.0
        self._wake.set()

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _guarded_round(self) -> float:
        """One round; seconds to wait for the next."""
        try:
            wait = await self._round()
            await self._recovered()
            await self._tell_health()
        except (LeaseLostError, NotLicensedError):
            self._is_idle = True
            return 0.0
        except BotNotRunningError:
            return LOOKUP_SECONDS
        except RateLimitError as error:
            return await self._paused(error)
        except (VenueError, VaultError, UnknownVenueError) as error:
            return await self._failed(str(error), self._patience.seconds_after(error, self.health))
        except AnyDatabaseError as error:
            tell_outage(error)
            return await self._failed(outage_sentence(error), self._patience.seconds())
        except Exception as error:
            log.exception("a round of connection %s failed", self.lease.connection_id)
            return await self._failed(unforeseen(error), self._patience.seconds())
        return wait

    # --- A round

    async def _round(self) -> float:
        connection = await self._read_board()
        left = (connection.paused_until - utc_now()).total_seconds() if connection.paused_until else 0.0
        left = left if left > 0 else await self._seconds_left_alone()
        if left > 0:
            return left
        account = await self._agreed_account(connection)
        if not account.orders and not (self.sheets and connection.enabled):
            return await self._without_work(account, connection)
        due = self._due()
        if uptime() >= self._look_due_at or any(sheet.is_due(uptime()) for sheet in due):
            await self._look_around(account)
        self._scanners.keep_up(account, connection, self.sheets, self.office.scans, self.nudge)
        if not await self._cycles(account, due):
            return 0.0
        for sheet in list(self.sheets.values()):
            if await finish_stopping(account, sheet):
                del self.sheets[sheet.bot.pk]
                self._owes_balances = True
        await self._settle_balances(account)
        await keep_snapshot(account, connection)
        return self._until_next(account)

    def _due(self) -> list[Sheet]:
        """By the clock, or by what moved in a market."""
        now, (nudged, self._nudged) = uptime(), (self._nudged, set())
        return [
            sheet
            for key, sheet in self.sheets.items()
            if sheet.is_due(now) or (key in nudged and not sheet.is_broken(now))
        ]

    async def _look_around(self, account: Account) -> None:
        """At the whole account, for all bots at once."""
        symbols = set().union(*(sheet.symbols for sheet in self.sheets.values()))
        symbols |= {order.symbol for order in account.orders.values()} | symbols_of_the_denied(account)
        account.forget_markets_but(symbols)
        await self._look_at_account(account, symbols & account.markets.keys())
        self._look_due_at = uptime() + (seconds_to_next_look(account) if self.sheets else WATCH_SECONDS)
        await cancel_strays(account, self._able(), self.sheets.keys())

    async def _without_work(self, account: Account, connection: ExchangeConnection) -> float:
        """The duty ends; where a worker is to look at the balances now and then, when that is done."""
        if connection.enabled and connection.balances_due_at:
            await look_at_balances(account)
            self._owes_balances = False
            self.pulse.answered(self.lease.connection_id)
            if not await finish_looking(account, connection):
                return WATCH_SECONDS
        await self._settle_balances(account)
        self._is_idle = True
        return 0.0

    async def _settle_balances(self, account: Account) -> None:
        """What a stopped bot's orders held is free; a venue that does not say so now is asked again."""
        if self._owes_balances:
            await look_at_balances(account)
            self._owes_balances = False

    async def _read_board(self) -> ExchangeConnection:
        """The bots as they are wanted now. A connection that was changed is opened anew."""
        bots = self.board.bots(self.lease.connection_id)
        self.sheets = {bot.pk: (self.sheets.get(bot.pk) or sheet_of(bot)).wanted(bot) for bot in bots}
        connection = self.board.connection(self.lease.connection_id)
        if connection is None:
            raise LeaseLostError("the connection is not on the board")
        for bot in bots:
            self.sheets[bot.pk].connection_enabled = connection.enabled
            self.sheets[bot.pk].kill_switch = self.board.kill_switch(bot, connection)
        if self._account and identity(connection) != self._identity:
            self._account.health.let_try()
            await self._close()
        return connection

    async def _agreed_account(self, connection: ExchangeConnection) -> Account:
        if self.health is None:
            self.health = await self.office.database.run(condition_on_record, self.lease)
        if self._account is None:
            self._identity = identity(connection)
            self._account = await open_account(self.lease, connection, self.office, self.health)
        if not self._agrees:
            await take_over(self._account, connection.venue)
            await try_credentials(self._account, connection)
            self._agrees, self._look_due_at = True, 0.0
        else:
            await follow_markets(self._account, connection.venue)
        return self._account

    async def _look_at_account(self, account: Account, symbols: set[str]) -> None:
        """Balances before orders: a fill in between makes the funds look smaller, never larger."""
        await look_at_balances(account)
        if symbols:
            await observe(account, symbols)
        self.pulse.answered(self.lease.connection_id)

    def _able(self) -> list[UUID]:
        """The bots at work, but those whose cycle is broken: nobody minds their orders."""
        return [key for key, sheet in self.sheets.items() if not sheet.is_broken(uptime())]

    async def _cycles(self, account: Account, due: Sequence[Sheet]) -> bool:
        """In turn; False where one's broke, and those after it had none."""
        funds, known, broke = Funds(account), set(account.orders), False
        last_counted = account.watch.last_step
        for sheet in due:
            with about(bot_id=sheet.bot.pk):
                broke = not await self._cycle(account, sheet, funds)
            if broke:
                break
        await keep_marks(account, due)
        if account.orders.keys() - known or account.watch.last_step != last_counted:
            self._look_due_at = 0.0  # the balances that were read know nothing of them
        return not broke

    async def _cycle(self, account: Account, sheet: Sheet, funds: Funds) -> bool:
        """A refusal that concerns this bot alone becomes its decision; the others go on.

        False where its cycle broke: it may have stopped half-way, so the books are brought together anew.
        """
        sheet.is_nudged = not sheet.is_due(uptime())
        sheet.schedule(uptime())
        try:
            await cycle(account, sheet, self.office, funds)
        except (*OF_THE_CONNECTION, *NOT_THE_BOTS_OWN):
            raise
        except VenueError as error:
            await self._stand_aside(account, sheet, error.sentence)
        except Exception as error:
            log.exception("a cycle of bot %s failed", sheet.bot.pk)
            sheet.broke(uptime())
            self._agrees = False
            await self._stand_aside(account, sheet, unforeseen(error), severity=Severity.ERROR)
            return False
        sheet.went_well()
        self.pulse.cycled(sheet.bot.pk)
        return True

    async def _stand_aside(
        self, account: Account, sheet: Sheet, sentence: str, severity: Severity = Severity.WARNING
    ) -> None:
        if sheet.written == (sentence,):
            return
        event = account.event("stood_aside", sentence, at=utc_now(), bot_id=sheet.bot.pk, severity=severity)
        await account.database.run(ledger.save_stand_aside, self.lease, [sheet.bot.pk], sentence, [event])
        sheet.written = (sentence,)

    def _until_next(self, account: Account) -> float:
        now = uptime()
        if account.awaits_news:
            self._look_due_at = min(self._look_due_at, now + LOOKUP_SECONDS)
        waits = [max(sheet.due_at, sheet.broken_until) - now for sheet in self.sheets.values()]
        return max(min([*waits, self._look_due_at - now]), 0.0)

    # --- When the venue, or anything else, fails

    async def _failed(self, sentence: str, wait: float, *, what: str = "") -> float:
        """Says so where `what` failed is new (the sentence, if nothing else is said).

        The books are brought together anew before the next cycle.
        """
        self._agrees = False
        self._patience.failures += 1
        await self._scanners.stop()
        self.pulse.failed(self.lease.connection_id, sentence)
        for sheet in self.sheets.values():
            sheet.written, sheet.due_at = (), 0.0
        what = what or sentence
        await self._tell_health()
        await self._stop_where_silent()
        await self._stop_what_rests_nowhere()
        if what == self._last_failure:
            return wait
        self._last_failure = what
        event = event_of(self.lease, "connection_failed", sentence, at=utc_now(), severity=Severity.ERROR)
        bots = list(self.sheets)
        if not await self._wrote(partial(ledger.save_stand_aside, self.lease, bots, sentence, [event])):
            self._last_failure = ""
        return wait

    async def _wrote(self, write: Callable[[], object]) -> bool:
        """Writes what a failure means. The database may be what failed: that must not end the duty."""
        try:
            await self.office.database.run(write)
        except LeaseLostError:
            self._is_idle = True
            return False
        except AnyDatabaseError as error:
            tell_outage(error)
            return False
        return True

    async def _seconds_left_alone(self) -> float:
        """0 unless the breaker is open. A bot that must stop, and may, does not wait for it."""
        if self.health is None:
            return 0.0
        await self._tell_health()
        if self.health.is_left_alone:
            await self._stop_where_silent()
            await self._stop_what_rests_nowhere()
        return self.health.seconds_to_rest()

    async def _tell_health(self) -> None:
        if self.health is None:
            return
        if self._account is not None:
            self.health.budget_used = self._account.gateway.budget_used
        self.pulse.looked_after(self.lease.connection_id, self.health)
        events = bulletin(self.lease, self.health)
        if not events or await self._wrote(partial(ledger.save_events, events)):
            self.health.told()

    async def _stop_where_silent(self) -> None:
        """Once for the bots that run; for a connection without any, once until it answers."""
        running = {key: sheet.bot for key, sheet in self.sheets.items() if sheet.is_running}
        if self.health is None or not self.health.is_news_of_silence(bool(running)):
            return
        if await self._wrote(partial(stop_unanswered, self.lease, running, self.health.cause)):
            self.health.silence_told()
            for bot in running.values():
                bot.state = BotState.STOPPING

    async def _stop_what_rests_nowhere(self) -> None:
        """A bot that was told to stop, and has no order that is not settled, needs no venue to end."""
        for sheet in [sheet for sheet in self.sheets.values() if sheet.bot.state == BotState.STOPPING]:
            event = event_of(self.lease, "stopped", "Stopped.", at=utc_now(), bot_id=sheet.bot.pk)
            try:
                if await self.office.database.run(ledger.finish_stopping, self.lease, sheet.bot, event):
                    del self.sheets[sheet.bot.pk]
            except (LeaseLostError, AnyDatabaseError):
                return

    async def _paused(self, error: RateLimitError) -> float:
        """The wait is written down. The limit counts down in its sentence: it is one failure all the same."""
        wait = self._patience.seconds_after(error, self.health)
        wait = await self._failed(error.sentence, wait, what=RateLimitError.__name__)
        await self._wrote(partial(ledger.save_pause, self.lease, utc_now() + timedelta(seconds=wait)))
        return wait

    async def _recovered(self) -> None:
        if not (self._patience.failures and self._agrees):
            return  # nothing went wrong, or nothing was asked since
        self._patience.end()
        self._last_failure = ""
        event = event_of(self.lease, "connection_recovered", "The connection works again.", at=utc_now())
        await self.office.database.run(ledger.save_event, event)

    async def _close(self) -> None:
        account, self._account = self._account, None
        self._agrees = False
        await self._scanners.stop()
        if account:
            await account.gateway.close()
