"""Any venue of ccxt as a `Gateway`: asks through the door, reads exactly, and translates every error."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from exchanges.errors import (
    CredentialsError,
    InvalidOrderError,
    MalformedAnswerError,
    NotOfferedError,
    OrderNotFoundError,
    RateLimitError,
    Rule,
    UnknownSymbolError,
    VenueError,
)
from exchanges.gateway import AccountPermissions, ConnectionSpec, Credentials, Licence, Proxy
from exchanges.types import (
    Balance,
    Book,
    Market,
    OrderRef,
    OrderReport,
    OrderRequest,
    PublicTrade,
    Ticker,
    TradeReport,
)
from exchanges.venues import ccxt_answers as answers
from exchanges.venues.ccxt_errors import ANY_FAILURE, Call, translate
from exchanges.venues.dialects import dialect_of
from exchanges.venues.door import Client, Passage, open_client, passage
from exchanges.venues.facts import Venue
from exchanges.venues.market_lists import casts_doubt, unless_gone
from exchanges.venues.plausible import plausible_order, plausible_trade
from exchanges.venues.trade_pages import fetch_back, fetch_pages, in_order
from vault.keyring import VaultError

if TYPE_CHECKING:
    from exchanges.venues.wire import Wire

T = TypeVar("T")
log = logging.getLogger(__name__)

PAUSE_WITHOUT_RETRY_AFTER_SECONDS = 10.0


class CcxtMarketData:
    """What the venue shows to everybody, through the wire's public client for the venue and proxy."""

    def __init__(self, venue: Venue, *, proxy: Proxy | None, wire: Wire, connection: str = "") -> None:
        self._venue = venue
        self._proxy = proxy
        self._wire = wire
        self._connection = connection
        self._dialect = dialect_of(venue.id)
        self._has_markets = False
        self._opened: Client | None = None

    @property
    def _client(self) -> Client:
        """Opened at its first use. Raises CredentialsError where the vault cannot open its secrets."""
        if self._opened is None:
            try:
                self._opened = self._open()
            except VaultError as error:
                raise CredentialsError(str(error), connection=self._connection) from None
        return self._opened

    def _open(self) -> Client:
        return self._wire.public_client(self._venue.id, self._proxy)

    @property
    def budget_used(self) -> float:
        return self._opened.budget_used() if self._opened else 0.0

    async def load_markets(self) -> Mapping[str, Market]:
        lists = self._wire.market_lists
        if not self._has_markets:
            await self._ask("load_markets", self._share_markets)
            self._has_markets = True
        elif lists.is_due(self._venue.id):
            lists.renew_beside(self._venue.id, self._renew_markets())
        return lists.markets(self._venue.id)

    @property
    def _key_for_markets(self) -> Credentials | None:
        """Where the market list is not to be had without one."""
        return None

    async def _share_markets(self) -> None:
        client = self._client
        await self._wire.load_markets(self._venue.id, self._proxy, self._key_for_markets)
        self._wire.market_lists.give(self._venue.id, client)

    async def _renew_markets(self) -> None:
        """Beside what was asked for; the list stays where it cannot be had."""
        renew = self._wire.renew_markets
        try:
            await self._ask("load_markets", lambda: renew(self._venue.id, self._proxy, self._key_for_markets))
        except (VenueError, VaultError) as error:
            log.warning("The market list of %s stays as it was: %s", self._venue.title, error)

    async def fetch_time(self) -> datetime:
        async def ask() -> Any:
            return await self._client.fetch_time()

        return await self._ask("fetch_time", ask, answers.time_of)

    async def fetch_ticker(self, symbol: str) -> Ticker:
        await self._market(symbol)
        return await self._ask(
            "fetch_ticker",
            lambda: self._client.fetch_ticker(symbol),
            lambda answer: answers.ticker_of(answer, symbol, datetime.now(UTC)),
        )

    async def fetch_book(self, symbol: str) -> Book:
        await self._market(symbol)
        return await self._ask(
            "fetch_book",
            lambda: self._client.fetch_order_book(symbol),
            lambda answer: answers.book_of(answer, symbol, datetime.now(UTC)),
        )

    async def fetch_public_trades(self, symbol: str, *, since: datetime) -> Sequence[PublicTrade]:
        await self._market(symbol)
        size, window = self._dialect.public_trades_per_page, self._dialect.public_trades_window
        cursor = self._dialect.public_trades_cursor
        if cursor is not None:
            ask = partial(self._client.fetch_trades, symbol, answers.milliseconds(since), size)
            return await self._ask(
                "fetch_public_trades",
                lambda: fetch_back(ask, cursor, page_size=size),
                lambda rows: in_order(answers.public_trade_of(row, symbol) for row in rows),
            )

        async def page(start: int, until: int | None) -> list[PublicTrade]:
            params = {} if until is None else {"until": until}
            rows = await self._client.fetch_trades(symbol, start, size, params)
            return [answers.public_trade_of(row, symbol) for row in rows]

        return await self._ask(
            "fetch_public_trades", lambda: fetch_pages(page, since=since, page_size=size, window=window)
        )

    async def fetch_day_volumes(self) -> Mapping[str, Decimal]:
        markets = await self.load_markets()
        if self._client.has.get("fetchTickers") is not True:
            raise NotOfferedError(
                self._dialect.why_no_day_volumes.format(venue=self._venue.title),
                connection=self._connection,
                call="fetch_day_volumes",
            )
        return await self._ask(
            "fetch_day_volumes",
            self._client.fetch_tickers,
            lambda answer: answers.day_volumes_of(answer, markets),
        )

    async def close(self) -> None:
        """The public client is the wire's."""

    async def _market(self, symbol: str) -> Market:
        """Raises UnknownSymbolError; nothing is sent for a market that the venue does not list."""
        market = (await self.load_markets()).get(symbol)
        if market is None or not market.active:
            self._wire.market_lists.doubt(self._venue.id)
        if market is None:
            raise UnknownSymbolError(
                f"{self._venue.title} has no spot market {symbol}: check the symbol of the bot.",
                connection=self._connection,
            )
        return market

    async def _ask(
        self,
        name: str,
        ask: Callable[[], Awaitable[Any]],
        read: Callable[[Any], T] = lambda answer: answer,
        *,
        writes: bool = False,
        urgent: bool = False,
    ) -> T:
        """The answer, read. Raises VenueError; its traceback has no trace of ccxt's error, which may show
        the request. urgent: what reads goes first, as what writes does."""
        seen = Passage(urgent=writes or urgent, places=name == "place")
        token = passage.set(seen)
        try:
            return read(await ask())
        except ANY_FAILURE as error:
            call = Call(
                name=name,
                title=self._venue.title,
                connection=self._connection,
                dialect=self._dialect,
                writes=writes,
            )
            problem = translate(error, call, seen)
        finally:
            passage.reset(token)
        self._obey(problem)
        if casts_doubt(problem):
            self._wire.market_lists.doubt(self._venue.id)
        if isinstance(problem, CredentialsError):
            self._key_refused()
        raise problem

    def _key_refused(self) -> None:
        """Somebody's, if any, that was lent to the public client."""
        self._wire.pass_key_over(self._venue.id, self._proxy)

    def _obey(self, problem: VenueError) -> None:
        """A venue that wants to be left alone is, and asked more slowly afterwards; a limit that we keep by
        ourselves pauses nothing more. Who asks without a key is counted by his address."""
        if not isinstance(problem, RateLimitError) or not problem.code:
            return
        client = self._client
        pace = client.address_pace if problem.of_address or not client.apiKey else client.own_pace
        pace.slow_down()
        pace.pause(problem.retry_after or PAUSE_WITHOUT_RETRY_AFTER_SECONDS)


class CcxtGateway(CcxtMarketData):
    """One account: its client, key, pace and licence are its own; sockets and markets are shared."""

    def __init__(
        self, venue: Venue, spec: ConnectionSpec, *, wire: Wire, licence: Licence | None = None
    ) -> None:
        super().__init__(venue, proxy=spec.proxy, wire=wire, connection=spec.name)
        self._id = spec.id
        self._credentials = spec.credentials
        self._licence = licence

    def _open(self) -> Client:
        return open_client(
            self._venue.id,
            wire=self._wire,
            proxy=self._proxy,
            credentials=self._credentials,
            licence=self._licence,
        )

    @property
    def _key_for_markets(self) -> Credentials | None:
        """Our own: what comes of it is no other connection's trouble."""
        return self._credentials if self._venue.market_data_needs_key else None

    def _key_refused(self) -> None:
        """It was ours."""

    async def close(self) -> None:
        client, self._opened, self._has_markets = self._opened, None, False
        if self._venue.market_data_needs_key:
            self._wire.take_key_back(self._venue.id, self._proxy, self._id, self._credentials)
        if client is not None:
            await client.close()

    async def fetch_permissions(self) -> AccountPermissions:
        ask = self._dialect.fetch_permissions
        if ask is not None:
            return await self._ask("fetch_permissions", lambda: ask(self._client))
        await self.fetch_balances()
        return AccountPermissions(can_trade=None, can_withdraw=None)

    async def fetch_balances(self) -> Mapping[str, Balance]:
        await self.load_markets()
        params = dict(self._dialect.balance_params)
        return await self._ask(
            "fetch_balances", lambda: self._client.fetch_balance(params), self._balances_of
        )

    def _balances_of(self, answer: Any) -> Mapping[str, Balance]:
        if not self._dialect.has_balances(answer["info"]):
            raise answers.malformed("there is no list of balances")
        return answers.balances_of(answer)

    async def fetch_open_orders(self, symbols: Collection[str]) -> Sequence[OrderReport]:
        if not symbols:
            return []
        markets = {symbol: await self._market(symbol) for symbol in symbols}
        wanted = markets.keys()
        at_once = len(wanted) >= self._dialect.open_orders_at_once
        reports: list[OrderReport] = []
        for only in [None] if at_once else sorted(wanted):
            answer = self._ask(
                "fetch_open_orders",
                partial(self._open_orders, only),
                lambda rows: [self._order_of(row, row["symbol"]) for row in rows if row["symbol"] in wanted],
            )
            reports += await (answer if only is None else unless_gone(answer, markets[only], []))
        return reports

    async def _open_orders(self, symbol: str | None) -> list[Any]:
        """In ccxt's form; of all markets where none is named."""
        cursor = self._dialect.open_orders_cursor
        if cursor is None:
            rows: list[Any] = await self._client.fetch_open_orders(symbol)
            return rows
        ask = partial(self._client.fetch_open_orders, symbol, None, None)
        return await fetch_back(ask, cursor, page_size=self._dialect.open_orders_per_page)

    async def fetch_order(self, ref: OrderRef) -> OrderReport:
        market = await self._market(ref.symbol)
        by_name = ref.venue_id is None and not self._dialect.finds_by_client_id
        found = await unless_gone(self._search(ref) if by_name else self._fetch_order(ref), market, None)
        if found is None:
            raise OrderNotFoundError(
                f"{self._venue.title} has no market {ref.symbol} any more.", connection=self._connection
            )
        return found

    async def _fetch_order(self, ref: OrderRef) -> OrderReport:
        venue_id, params = _address(ref)
        return await self._ask(
            "fetch_order",
            lambda: self._client.fetch_order(venue_id, ref.symbol, params),
            lambda answer: _named(self._order_of(answer, ref.symbol), ref),
        )

    async def _search(self, ref: OrderRef, *, urgent: bool = False) -> OrderReport:
        """By client id where ccxt has no way of its own to look one up."""
        client, by_client_id = self._client, self._dialect.fetch_by_client_id
        if by_client_id is not None:
            return await self._ask(
                "fetch_order",
                lambda: by_client_id(client, ref),
                lambda answer: _named(self._order_of(answer, ref.symbol), ref),
                urgent=urgent,
            )
        for lister in (client.fetch_open_orders, client.fetch_closed_orders):
            rows: list[Any] = await self._ask("fetch_order", partial(lister, ref.symbol), urgent=urgent)
            for row in rows:
                if row.get("clientOrderId") == ref.client_id:
                    return self._order_of(row, ref.symbol)
        raise OrderNotFoundError(
            f"{self._venue.title} lists no order with this client id.", connection=self._connection
        )

    async def fetch_trades(self, symbol: str, *, since: datetime) -> Sequence[TradeReport]:
        market = await self._market(symbol)
        return await unless_gone(self._trades(market, since), market, [])

    async def _trades(self, market: Market, since: datetime) -> Sequence[TradeReport]:
        symbol = market.symbol
        size, cursor = self._dialect.trades_per_page, self._dialect.trades_cursor
        if cursor is not None:
            asked = None if self._dialect.trades_of_all_markets else symbol
            ask = partial(self._client.fetch_my_trades, asked, answers.milliseconds(since) - 1, None)
            return await self._ask(
                "fetch_trades",
                lambda: fetch_back(ask, cursor, page_size=size),
                lambda rows: in_order(
                    self._trade_of(row, market) for row in rows if asked or row["symbol"] == symbol
                ),
            )

        async def page(start: int, until: int | None) -> list[TradeReport]:
            params = {} if until is None else {"until": until}
            rows = await self._client.fetch_my_trades(symbol, start, size, params)
            return [self._trade_of(row, market) for row in rows]

        return await self._ask(
            "fetch_trades",
            lambda: fetch_pages(page, since=since, page_size=size, window=self._dialect.trades_window),
        )

    async def fetch_order_trades(self, ref: OrderRef) -> Sequence[TradeReport]:
        """ref.venue_id is known."""
        market = await self._market(ref.symbol)
        size = self._dialect.trades_per_page
        if not self._client.has.get("fetchOrderTrades"):
            return await self._order_trades_from_list(ref)
        trades = await self._ask(
            "fetch_order_trades",
            lambda: self._client.fetch_order_trades(ref.venue_id, ref.symbol, None, size),
            lambda rows: [self._trade_of(row, market) for row in rows],
        )
        if len(trades) >= size:
            return await self._order_trades_from_list(ref)
        return in_order(_of_order(trades, ref))

    async def _order_trades_from_list(self, ref: OrderRef) -> Sequence[TradeReport]:
        order = await self.fetch_order(ref)
        if order.time is None:
            raise MalformedAnswerError(
                f"{self._venue.title} does not say when the order was placed, so its trades cannot be found.",
                connection=self._connection,
            )
        return _of_order(await self.fetch_trades(ref.symbol, since=order.time), ref)

    async def place(self, request: OrderRequest) -> OrderReport:
        self._check(request, await self._market(request.symbol))
        params = self._dialect.place_params(request)
        amount, price = exact(request.amount), exact(request.price) if request.price is not None else None
        return await self._ask(
            "place",
            lambda: self._client.create_order(
                request.symbol, request.type.value, request.side.value, amount, price, params
            ),
            lambda answer: plausible_order(answers.placement_of(answer, request), self._dialect),
            writes=True,
        )

    def _check(self, request: OrderRequest, market: Market) -> None:
        """ccxt rounds what is off the step; we send what was decided or nothing."""
        if request.price is not None and market.floor_price(request.price) != request.price:
            raise self._refusal(
                Rule.PRICE_STEP, f"the price {request.price} is off the tick of {market.price_step}"
            )
        if market.floor_amount(request.amount) != request.amount:
            raise self._refusal(
                Rule.AMOUNT_STEP, f"the amount {request.amount} is off the step of {market.amount_step}"
            )
        if request.post_only and not self._venue.supports_post_only:
            raise self._refusal(Rule.POST_ONLY, "this venue has no post-only orders")

    def _refusal(self, rule: Rule, what: str) -> InvalidOrderError:
        return InvalidOrderError(
            f"The order was not sent to {self._venue.title}: {what}.",
            rule=rule,
            connection=self._connection,
            call="place",
        )

    async def cancel(self, ref: OrderRef) -> OrderReport | None:
        await self._market(ref.symbol)
        if ref.venue_id is None and not self._dialect.finds_by_client_id:
            ref = replace(ref, venue_id=(await self._search(ref, urgent=True)).venue_id)
        venue_id, params = _address(ref)
        return await self._ask(
            "cancel",
            lambda: self._client.cancel_order(venue_id, ref.symbol, params),
            lambda answer: self._ended(answer, ref),
            writes=True,
        )

    def _ended(self, answer: Any, ref: OrderRef) -> OrderReport | None:
        """Only venues whose answer is known to be the order's last state are believed."""
        if not self._dialect.cancel_reports_order:
            return None
        return _named(self._order_of(answer, ref.symbol), ref)

    def _order_of(self, answer: Any, symbol: str) -> OrderReport:
        return plausible_order(answers.order_of(answer, symbol), self._dialect)

    def _trade_of(self, answer: Any, market: Market) -> TradeReport:
        return plausible_trade(answers.trade_of(answer, market.symbol), self._dialect, market)


def exact(value: Decimal) -> float | str:
    """What ccxt is given: a float where that loses nothing, else the digits."""
    short = float(value)
    return short if Decimal(repr(short)) == value else f"{value:f}"


def _address(ref: OrderRef) -> tuple[str, dict[str, Any]]:
    return (ref.venue_id, {}) if ref.venue_id is not None else ("", {"clientOrderId": ref.client_id})


def _named(report: OrderReport, ref: OrderRef) -> OrderReport:
    """A cancelled order may come back under the cancel's own client id. Asked for by the venue's id alone,
    an order says its own."""
    return replace(report, client_id=ref.client_id) if ref.client_id else report


def _of_order(trades: Iterable[TradeReport], ref: OrderRef) -> list[TradeReport]:
    return [trade for trade in trades if trade.order_venue_id == ref.venue_id]
