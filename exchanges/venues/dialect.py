"""The form in which a venue's module states what is odd about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from exchanges.errors import Rule, VenueError
from exchanges.gateway import AccountPermissions
from exchanges.pacing import Budget
from exchanges.types import OrderRef, OrderRequest, TimeInForce
from exchanges.types import OrderType as Type
from exchanges.venues.meters import Meter


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What one of the venue's error codes means.

    sentence: with {venue}, {text} (the venue's own words) and {address} (the one that it says it saw) to be
        filled in.
    rule: for InvalidOrderError.
    outcome_unknown: an order or cancel that is answered so may have been carried out all the same.
    of_address: the limit that was met is that of everybody who asks from there, not the key's.
    """

    error: type[VenueError]
    sentence: str
    rule: Rule | None = None
    outcome_unknown: bool = False
    of_address: bool = False


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """The error as the venue wrote it."""

    code: str
    text: str


def no_refusal(_answer: object) -> Refusal | None:
    return None


def place_params(request: OrderRequest) -> dict[str, Any]:
    """What ccxt's `create_order` is told beside symbol, type, side, amount and price."""
    params: dict[str, Any] = {"clientOrderId": request.client_id}
    if request.post_only:
        params["postOnly"] = True
    if request.time_in_force is TimeInForce.IOC and request.type is Type.LIMIT:
        params["timeInForce"] = "IOC"
    return params


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """A list that the venue shows newest first, a page at a time.

    older: from all rows so far, in ccxt's form, to the parameters that ask for the page before them.
    params: those of every page.
    """

    older: Callable[[Sequence[Mapping[str, Any]]], Mapping[str, Any]]
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class BookStreaming:
    """How a venue tells books by itself.

    client_class: gives ccxt.pro's class, imported when it is first asked for, with what it lacks, and with
        book_topic(symbol), ccxt's name for the subscription, and unsubscription(symbol), what ends it.
    depth: levels of each side that are kept; asked_depth: what ccxt is told to ask for, where it matters.
    refills: levels that come into that depth are told; where not, what is known of a book wears out.
    most_symbols: books on one connection; pause_seconds: between two messages of ours on it.
    speaks_when_quiet: something is said every few seconds, whether or not anything happens.
    """

    client_class: Callable[[], type[Any]]
    depth: int
    asked_depth: int | None = None
    refills: bool
    most_symbols: int
    pause_seconds: float
    speaks_when_quiet: bool


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """What is odd about one venue.

    client_class: gives our own class in ccxt's style, imported when it is first asked for; None: ccxt's.
    options: ccxt's, beside those that every client gets; has: ccxt's feature table, corrected.
    key_budget: what one key may ask, in ccxt's costs, where that is not what one address may.
    order_budget: how many orders one key may place, where the venue counts them beside its requests.
    meters: counts that the venue tells with its answers.
    address_statuses: HTTP statuses, without a code of the venue's that we know, by which it refuses whoever
        asks from there.
    read_refusal: finds the venue's code and text in a parsed answer.
    rulings_by_text: (code, part of the text, ruling), asked before rulings_by_code.
    client_errors_have_no_effect: an HTTP 4xx with a code is a refusal, whatever the code.
    ids_are_numbers: orders and trades are numbered, with fewer than 20 digits.
    fee_coin: where set, each trade states a fee, never a rebate: in base, in quote or in this currency.
    place_params: what an order needs beside the usual arguments.
    finds_by_client_id: one request finds or cancels an order by the client id (`clientOrderId`).
    fetch_by_client_id: asks for an order by client id, where that takes another call; an order in ccxt's
        form. Without both, the lists of open and ended orders are searched.
    cancel_reports_order: the answer to a cancel is the order as it ended.
    open_orders_at_once: from how many markets on one request for all of them costs less than one for each.
    trades_per_page, trades_window: the most rows of one answer, and the longest time that one request may
        span (None: no such limit); public_…: the same for everybody's trades; open_orders_per_page: so too.
    trades_of_all_markets: own trades cannot be asked for by market; a page holds those of all.
    trades_cursor, public_trades_cursor, open_orders_cursor: where set, such lists are paged by it instead,
        so many rows at a time.
    fetch_permissions: asks what the key may do; None: the venue has no such call.
    has_balances: whether an answer, as the venue wrote it, is a list of balances; ccxt makes an empty
        account of what is none.
    balance_params: what ccxt must be told to get free and used balances.
    reset_header: in lower case; tells when a budget that is used up is full again, as seconds since 1970,
        where the venue has no Retry-After; resets_at: the same where a refusal's text tells it, else nothing.
    why_no_day_volumes: with {venue}; said where a connector has no `fetchTickers`.
    needs_last_http_response: ccxt reads it to tell this venue's errors apart.
    book_streaming: None: books are only asked for.
    """

    client_class: Callable[[], type[Any]] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    has: Mapping[str, bool] = field(default_factory=dict)
    key_budget: Budget | None = None
    order_budget: Budget | None = None
    meters: tuple[Meter, ...] = ()
    address_statuses: frozenset[int] = frozenset({418})
    read_refusal: Callable[[object], Refusal | None] = no_refusal
    rulings_by_code: Mapping[str, Ruling] = field(default_factory=dict)
    rulings_by_text: tuple[tuple[str, str, Ruling], ...] = ()
    client_errors_have_no_effect: bool = False
    ids_are_numbers: bool = False
    fee_coin: str | None = None
    place_params: Callable[[OrderRequest], dict[str, Any]] = place_params
    finds_by_client_id: bool = False
    fetch_by_client_id: Callable[[Any, OrderRef], Awaitable[Any]] | None = None
    cancel_reports_order: bool = False
    open_orders_at_once: int = 2
    trades_per_page: int = 100
    trades_window: timedelta | None = None
    public_trades_per_page: int = 100
    public_trades_window: timedelta | None = None
    open_orders_per_page: int = 100
    trades_of_all_markets: bool = False
    trades_cursor: Cursor | None = None
    public_trades_cursor: Cursor | None = None
    open_orders_cursor: Cursor | None = None
    fetch_permissions: Callable[[Any], Awaitable[AccountPermissions]] | None = None
    has_balances: Callable[[object], bool] = lambda _answer: True
    balance_params: Mapping[str, Any] = field(default_factory=dict)
    reset_header: str = ""
    resets_at: Callable[[Refusal], str] = lambda _refusal: ""
    why_no_day_volumes: str = (
        "{venue} does not tell the volumes of all its markets at once: name the markets of the bot instead."
    )
    needs_last_http_response: bool = False
    book_streaming: BookStreaming | None = None

    def ruling(self, refusal: Refusal) -> Ruling | None:
        for code, part, ruling in self.rulings_by_text:
            if code == refusal.code and part.lower() in refusal.text.lower():
                return ruling
        return self.rulings_by_code.get(refusal.code)
