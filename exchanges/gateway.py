"""The one protocol through which the rest of the code sees a venue.

Every method raises only `exchanges.errors.VenueError`, or `NotLicensedError` where nothing was sent.
A gateway never retries on its own and never guesses: an answer that it cannot read is an error.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from exchanges.types import (
    Balance,
    Book,
    Market,
    OrderRef,
    OrderReport,
    OrderRequest,
    PublicTrade,
    Ticker,
    Touch,
    TradeReport,
)
from vault.secret import Secret

# No request of a gateway takes longer; a lease must outlive it.
HTTP_TIMEOUT_SECONDS = 8.0


class NotLicensedError(Exception):
    """The right to act for this connection has ended; nothing was sent."""


class Licence(Protocol):
    """The right to send for one connection, checked right before each request leaves."""

    def check(self) -> None:
        """Raises NotLicensedError when it has ended."""


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """The way out. `url` has no credentials in it; those are raw and apart.

    ca: whom to trust where the proxy itself speaks TLS, a file's path or PEM text; empty: the usual.
    ipv4_only: the proxy is reached over IPv4, whatever addresses its name has.
    set_where: where a person changes it, as a sentence about it ends.
    """

    url: str
    username: str = ""
    password: Secret = field(default_factory=Secret.empty)
    ca: str = ""
    ipv4_only: bool = False
    set_where: str = "at the connection"

    @property
    def key(self) -> tuple[object, ...]:
        """Two proxies of one key are the same way out; the password stays sealed in it."""
        return (self.url, self.username, self.password.sealed(), self.ca, self.ipv4_only)


@dataclass(frozen=True, kw_only=True)
class Credentials:
    api_key: Secret = field(default_factory=Secret.empty)
    api_secret: Secret = field(default_factory=Secret.empty)
    passphrase: Secret = field(default_factory=Secret.empty)

    @property
    def is_empty(self) -> bool:
        return not (self.api_key or self.api_secret)


@dataclass(frozen=True, kw_only=True)
class ConnectionSpec:
    """What it takes to open a gateway: a connection's row, without the row."""

    id: str
    name: str
    venue: str
    is_paper: bool
    credentials: Credentials
    proxy: Proxy | None = None


@dataclass(frozen=True, kw_only=True)
class AccountPermissions:
    """What the venue says the key may do; None where it does not say.

    is_address_bound: it works from the addresses only that are listed at the venue.
    """

    can_trade: bool | None
    can_withdraw: bool | None
    is_address_bound: bool | None = None


class MarketData(Protocol):
    """What a venue shows to everybody."""

    @property
    def budget_used(self) -> float:
        """What of its rate limit is spoken for, the key's or the address's: 0 is nothing, at 1 reads wait."""

    async def load_markets(self) -> Mapping[str, Market]: ...

    async def fetch_time(self) -> datetime:
        """The venue's clock, aware UTC."""

    async def fetch_ticker(self, symbol: str) -> Ticker: ...

    async def fetch_book(self, symbol: str) -> Book: ...

    async def fetch_public_trades(self, symbol: str, *, since: datetime) -> Sequence[PublicTrade]:
        """Oldest first; at least those of the last minutes, where the venue keeps more."""

    async def fetch_day_volumes(self) -> Mapping[str, Decimal]:
        """What was traded in the last 24 hours by symbol, in quote. Markets of which the venue tells nothing
        are left out; NotOfferedError where it tells of none."""

    async def close(self) -> None: ...


class BookStream(Protocol):
    """Books as a venue tells them by itself, through one way out: once whole, then change by change."""

    async def next_touch(self, symbol: str) -> Touch:
        """Subscribes where that was not done; returns with the book whole, later with each change of it,
        or several at once. Raises VenueError, also where the first does not come, and then the symbol is to
        be dropped."""

    def book(self, symbol: str) -> Book | None:
        """As it was told until now; None where it cannot be trusted."""

    def silent_seconds(self) -> float:
        """Since the venue was last heard, by whatever message."""

    async def drop(self, symbol: str) -> None:
        """Unsubscribes, and forgets the book."""

    async def close(self) -> None: ...


class Gateway(MarketData, Protocol):
    """A venue with an account."""

    async def fetch_permissions(self) -> AccountPermissions:
        """Asks the venue something that needs the key, and says what the key may do."""

    async def fetch_balances(self) -> Mapping[str, Balance]: ...

    async def fetch_open_orders(self, symbols: Collection[str]) -> Sequence[OrderReport]:
        """All open orders in these symbols, in as few requests as the venue allows."""

    async def fetch_order(self, ref: OrderRef) -> OrderReport:
        """By venue id where known, else by client id. OrderNotFoundError only on the venue's own word."""

    async def fetch_trades(self, symbol: str, *, since: datetime) -> Sequence[TradeReport]:
        """Our fills from `since` (inclusive) until now, oldest first, over all pages."""

    async def fetch_order_trades(self, ref: OrderRef) -> Sequence[TradeReport]:
        """All fills of one order whose venue id is known, oldest first."""

    async def place(self, request: OrderRequest) -> OrderReport:
        """OutcomeUnknownError when the request may have arrived; RejectedError when it has no effect."""

    async def cancel(self, ref: OrderRef) -> OrderReport | None:
        """The order as it ended, where the venue's answer says so; None where it only accepts the cancel.

        OrderNotFoundError when it is not open any more; OutcomeUnknownError as in `place`.
        """
