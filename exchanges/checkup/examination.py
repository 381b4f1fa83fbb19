"""Asks a venue one thing after the other, and puts each failure to the part that it is about."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from exchanges.checkup.report import Outcome, Part, Step
from exchanges.checkup.verdicts import (
    Verdict,
    address_verdict,
    balances_verdict,
    clock_verdict,
    holdings_of,
    markets_verdict,
    permissions_verdict,
    tls_sentence,
)
from exchanges.errors import (
    AddressNotAllowedError,
    ConnectivityError,
    CredentialsError,
    PermissionMissingError,
    ProxyError,
    RejectedError,
    VenueDownError,
    VenueError,
)
from exchanges.gateway import AccountPermissions, Gateway, MarketData
from exchanges.types import Balance, Market
from vault.keyring import VaultError

if TYPE_CHECKING:
    from exchanges.venues.handshakes import Handshake

# A page waits for it, and routers on the way to a browser give up after 30 s.
EXAMINATION_SECONDS = 20.0
TOO_SLOW = "The test took too long and was ended here: test again, and look at the network if it stays."

T = TypeVar("T")

# What an error is about, wherever it is met first; the first that fits.
_ABOUT: tuple[tuple[type[VenueError], Part], ...] = (
    (ProxyError, Part.PROXY),
    (AddressNotAllowedError, Part.ADDRESS),
    (PermissionMissingError, Part.PERMISSIONS),
    (CredentialsError, Part.KEY),
)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """data: what the venue shows to everybody. account: None where there is no key.

    has_proxy: what is asked goes through one; is_synthetic: nothing is asked of a network.
    needs_key: this connection is of no use without one. no_orders_because: trading has ended there.
    handshakes: those of the way so far, from which the test tells the way and the venue apart.
    """

    data: MarketData
    account: Gateway | None = None
    has_proxy: bool = False
    is_synthetic: bool = False
    needs_key: bool = True
    no_orders_because: str = ""
    handshakes: Callable[[], list[Handshake]] = list


@dataclass(kw_only=True)
class Findings:
    """steps: of every part. markets, balances: what was read on the way; None where it was not."""

    steps: tuple[Step, ...] = ()
    markets: Mapping[str, Market] | None = None
    balances: Mapping[str, Balance] | None = None


class _GiveUpError(Exception):
    """A step failed, and the rest would fail for the same cause."""


async def examine(subject: Subject, *, seconds: float = EXAMINATION_SECONDS) -> Findings:
    """seconds: for all of it; what is not reached by then is not tried."""
    return await _Examination(subject, until=time.monotonic() + seconds).run()


@dataclass
class _Examination:
    subject: Subject
    until: float
    found: Findings = field(default_factory=Findings)
    steps: dict[Part, Step] = field(default_factory=dict)

    async def run(self) -> Findings:
        try:
            if self.subject.is_synthetic:
                self._need_no(Part.PROXY, Part.TLS, because="The venue's prices are computed.")
            else:
                await self._open_the_way()
            await self._compare_clocks()
            await self._load_markets()
            await self._try_the_account()
        except _GiveUpError:
            pass  # its step says why
        self.found.steps = tuple(self.steps.get(part) or self._untried(part) for part in Part)
        return self.found

    # --- Proxy and TLS

    async def _open_the_way(self) -> None:
        """One question on a new connection: how far it came says which part of the way does not work."""
        if not self.subject.has_proxy:
            self._need_no(Part.PROXY, because="The connection is direct.")
        asked, began = time.monotonic(), asyncio.get_running_loop().time()
        problem = await self._first_contact()
        spent, shaken = time.monotonic() - asked, _last(self.subject.handshakes())
        stopped = _stopped_at(problem, shaken)
        if self.subject.has_proxy and stopped in (None, Part.TLS):
            seconds = shaken.began - began if shaken else spent
            self._note(Part.PROXY, Outcome.PASSED, "The proxy leads on to the venue.", seconds)
        if stopped is None:
            self._note(Part.TLS, Outcome.PASSED, tls_sentence(shaken), shaken.seconds if shaken else spent)
        if problem is not None and (stopped or not _may_go_on(problem)):
            raise self._failure(stopped or self._part_of(problem, Part.TIME), problem.sentence, spent)

    async def _first_contact(self) -> VenueError | None:
        """What went wrong with it. A venue that has no clock to ask is asked for its markets."""
        try:
            await self._ask(self.subject.data.fetch_time)
        except VenueError as error:
            if error.code or not _may_go_on(error):
                return error
        else:
            return None
        try:
            await self._ask(self.subject.data.load_markets)
        except VenueError as error:
            return error
        return None

    # --- What everybody may ask

    async def _compare_clocks(self) -> None:
        async def look() -> Verdict:
            before = datetime.now(UTC)
            try:
                venue_time = await self.subject.data.fetch_time()
            except RejectedError as error:
                if not _may_go_on(error):
                    raise
                return Outcome.WARNING, f"The clocks could not be compared: {error.sentence}"
            return clock_verdict(venue_time - (before + (datetime.now(UTC) - before) / 2))

        await self._try(Part.TIME, look)
        if self.steps[Part.TIME].failed:
            raise _GiveUpError

    async def _load_markets(self) -> None:
        async def look() -> Verdict:
            self.found.markets = await self.subject.data.load_markets()
            return markets_verdict(self.found.markets)

        await self._try(Part.MARKETS, look)

    # --- What takes a key

    async def _try_the_account(self) -> None:
        account = self.subject.account
        if account is None and self.subject.needs_key:
            raise self._failure(Part.KEY, "No API key is set: a live connection needs one; enter it.")
        if account is None:
            of_a_key = (Part.KEY, Part.PERMISSIONS, Part.ADDRESS, Part.BALANCES)
            self._need_no(*of_a_key, because="Paper trading needs no key, and none is set.")
            return
        permissions = await self._try_the_key(account)
        self._judge(Part.PERMISSIONS, permissions_verdict(permissions, self.subject.no_orders_because))
        self._judge(Part.ADDRESS, address_verdict(permissions))
        await self._read_balances(account)

    async def _try_the_key(self, account: Gateway) -> AccountPermissions:
        told: list[AccountPermissions] = []

        async def look() -> Verdict:
            try:
                told.append(await account.fetch_permissions())
            except PermissionMissingError:
                self._note(Part.KEY, Outcome.PASSED, "The venue knows the key.")
                raise
            return Outcome.PASSED, "The venue accepts the key."

        await self._try(Part.KEY, look)
        return told[0]

    async def _read_balances(self, account: Gateway) -> None:
        async def look() -> Verdict:
            self.found.balances = await account.fetch_balances()
            return balances_verdict(holdings_of(self.found.balances))

        await self._try(Part.BALANCES, look)

    # --- How a step is taken

    async def _try(self, part: Part, look: Callable[[], Awaitable[Verdict]]) -> None:
        """Notes what came of it. Raises _GiveUpError where there was no answer that could be judged."""
        began = time.monotonic()
        try:
            verdict = await self._ask(look)
        except VenueError as error:
            raise self._failure(
                self._part_of(error, part), error.sentence, time.monotonic() - began
            ) from None
        except VaultError as error:
            raise self._failure(part, str(error)) from None
        self._judge(part, verdict, time.monotonic() - began)

    async def _ask(self, look: Callable[[], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(max(0.0, self.until - time.monotonic())):
                return await look()
        except TimeoutError:
            raise VenueDownError(TOO_SLOW) from None

    def _part_of(self, error: VenueError, noticed: Part) -> Part:
        """What the error is about, unless that is settled: then where it was noticed."""
        about = next((part for kind, part in _ABOUT if isinstance(error, kind)), noticed)
        return noticed if about in self.steps else about

    def _judge(self, part: Part, verdict: Verdict, seconds: float = 0.0) -> None:
        self._note(part, *verdict, seconds)

    def _need_no(self, *parts: Part, because: str) -> None:
        for part in parts:
            self._note(part, Outcome.NOT_NEEDED, because)

    def _failure(self, part: Part, sentence: str, seconds: float = 0.0) -> _GiveUpError:
        self._note(part, Outcome.FAILED, sentence, seconds)
        return _GiveUpError()

    def _note(self, part: Part, outcome: Outcome, sentence: str, seconds: float = 0.0) -> None:
        self.steps[part] = Step(
            name=part.value, outcome=outcome, sentence=sentence, milliseconds=round(seconds * 1000)
        )

    def _untried(self, part: Part) -> Step:
        failed = next(step.name for step in self.steps.values() if step.failed)
        return Step(name=part.value, outcome=Outcome.NOT_TRIED, sentence=f"“{failed}” has to work first.")


def _last(handshakes: list[Handshake]) -> Handshake | None:
    return handshakes[-1] if handshakes else None


def _stopped_at(problem: VenueError | None, shaken: Handshake | None) -> Part | None:
    """Where a first contact ended on its way, KEY where it never set out; None: the venue was reached."""
    if isinstance(problem, ProxyError):
        return Part.PROXY
    if problem is None or shaken is not None or problem.code:
        return None
    return Part.TLS if isinstance(problem, ConnectivityError) else Part.KEY


def _may_go_on(error: VenueError) -> bool:
    """A venue that has no clock to ask may have all else."""
    return isinstance(error, RejectedError) and not isinstance(error, CredentialsError)
