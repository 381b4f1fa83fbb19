"""The gateway trades coins and stocks on the lab's Alpaca: what it sends, what it reads, and how it fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from database.thread import DatabaseThread
from exchanges.errors import (
    CredentialsError,
    InsufficientFundsError,
    InvalidOrderError,
    MalformedAnswerError,
    OrderNotFoundError,
    OutcomeUnknownError,
    PermissionMissingError,
    RateLimitError,
    RejectedError,
    Rule,
    UnknownSymbolError,
    VenueDownError,
    VenueError,
)
from exchanges.gateway import ConnectionSpec, Credentials
from exchanges.types import (
    Fee,
    OrderRef,
    OrderRequest,
    OrderType,
    Side,
    TimeInForce,
    VenueOrderStatus,
)
from exchanges.venues import wire as wire_module
from exchanges.venues.alpaca import bars, connector
from exchanges.venues.alpaca.dialect import DIALECT
from exchanges.venues.ccxt_venue import CcxtGateway
from exchanges.venues.pace import Pace
from exchanges.venues.registry import open_gateway, open_market_data
from exchanges.venues.wire import Wire
from tests.exchanges.venues.paces import reserve
from tests.lab.accounts import FeeSchedule
from tests.lab.alpaca import AlpacaDialect
from tests.lab.faults import Effect, Fault, Stage, drop_after_accept
from tests.lab.house import House
from tests.lab.lab import Lab
from tests.lab.orders import Kind, Ticket
from tests.lab.orders import Side as LabSide
from tests.lab.wire import WireAnswer
from tests.spec.bench import BRISK
from vault.secret import Secret

D = Decimal
COIN, STOCK = "BTC/USD", "AAPL/USD"
ORDERS = "/v2/orders"
LONG_AGO = datetime.now(UTC) - timedelta(hours=2)
BALANCES = {"USD": D(1_000_000), "BTC": D(2), "AAPL": D(10)}


@dataclass
class Desk:
    """The lab's Alpaca with an account, and gateways to it."""

    lab: Lab
    house: House
    wire: Wire
    opened: list[CcxtGateway]

    @property
    def dialect(self) -> AlpacaDialect:
        assert isinstance(self.house.dialect, AlpacaDialect)
        return self.house.dialect

    def open(self, *, key: str = "", secret: str = "", name: str = "main") -> CcxtGateway:
        login = self.dialect.new_login(1)
        spec = ConnectionSpec(
            id=name,
            name=name,
            venue="alpaca",
            is_paper=False,
            credentials=Credentials(
                api_key=Secret(key or login.key), api_secret=Secret(secret or login.secret)
            ),
        )
        gateway = open_gateway(spec, wire=self.wire)
        assert isinstance(gateway, CcxtGateway)
        self.opened.append(gateway)
        return gateway

    def place(self, side: LabSide, symbol: str, amount: str, price: str, account: str = "desk") -> None:
        """An order that our gateway did not send."""
        self.house.exchange.place(
            Ticket(
                account=account,
                symbol=symbol,
                side=side,
                kind=Kind.LIMIT,
                amount=D(amount),
                price=D(price),
            )
        )

    def sent(self, method: str, path: str) -> list[Any]:
        return self.lab.requests.select(venue="alpaca", method=method, path=path)


@pytest_asyncio.fixture
async def desk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    async with Lab() as lab:
        monkeypatch.setattr(wire_module, "build_connector", lab.connector)
        house = lab.house("alpaca")
        login = house.dialect.new_login(1)
        house.open_account("desk", key=login.key, secret=login.secret, balances=BALANCES)
        house.gather_crowd(COIN, D(50_000))
        house.gather_crowd(STOCK, D(200))
        async with Wire() as wire:
            found = Desk(lab, house, wire, [])
            yield found
            for gateway in found.opened:
                await gateway.close()
        assert lab.conserves_balances()


def buy(symbol: str, amount: str, price: str | None, **changes: Any) -> OrderRequest:
    request = OrderRequest(
        client_id=uuid4().hex,
        symbol=symbol,
        side=Side.BUY,
        type=OrderType.MARKET if price is None else OrderType.LIMIT,
        amount=D(amount),
        price=None if price is None else D(price),
    )
    return replace(request, **changes)


def ref_of(request: OrderRequest, venue_id: str | None = None) -> OrderRef:
    return OrderRef(client_id=request.client_id, symbol=request.symbol, venue_id=venue_id)


def answering(status: int, body: Any, *, stage: Stage = Stage.BEFORE, **where: Any) -> Fault:
    answer = WireAnswer(
        status=status, headers={"Content-Type": "application/json"}, body=json.dumps(body).encode()
    )
    return Fault(effect=Effect.ANSWER, stage=stage, answer=answer, **where)


# --- Markets


async def test_coins_and_stocks_are_listed_together_with_their_steps(desk: Desk) -> None:
    markets = await desk.open().load_markets()

    assert set(markets) == {"BTC/USD", "ETH/USD", "ETH/USDT", "AAPL/USD", "BRK.A/USD"}
    coin, share, whole = markets[COIN], markets[STOCK], markets["BRK.A/USD"]
    assert (coin.price_step, coin.amount_step, coin.min_amount) == (D("0.01"), D("0.000001"), D("0.000016"))
    assert (coin.min_cost, coin.maker_fee, coin.taker_fee) == (D(10), D("0.0015"), D("0.0025"))
    assert (share.price_step, share.amount_step, share.min_cost) == (D("0.01"), D("0.000001"), D(1))
    assert (share.taker_fee, whole.amount_step, whole.min_amount) == (D(0), D(1), D(1))


async def test_a_stock_whose_ticker_is_a_coins_is_no_market_and_no_balance(desk: Desk) -> None:
    """Grayscale's BTC: it would be taken for the coin."""
    row = {
        "symbol": "BTC", "asset_class": "us_equity", "side": "long", "qty": "7", "qty_available": "7",
    }  # fmt: skip
    short = row | {"symbol": "TSLA", "side": "short", "qty": "-3", "qty_available": "-3"}
    gateway = desk.open()
    await gateway.load_markets()
    desk.lab.faults.add(answering(200, [row, short], method="GET", path="/v2/positions"))

    balances = await gateway.fetch_balances()

    assert set(balances) == {"USD"}


async def test_loading_markets_takes_two_requests_and_two_gateways_share_them(desk: Desk) -> None:
    first, second = desk.open(name="first"), desk.open(name="second")

    assert await first.load_markets() is await second.load_markets()

    assert len(desk.sent("GET", "/v2/assets")) == 2


# --- Market data and hours


async def test_books_are_exact_for_coins_and_one_level_for_stocks(desk: Desk) -> None:
    desk.house.exchange.open_account("passer-by")
    desk.house.exchange.ledger.deposit("passer-by", "USD", D(100_000))
    desk.place(LabSide.BUY, COIN, "0.123456", "49999.99", "passer-by")
    gateway = desk.open()

    coin, stock = await gateway.fetch_book(COIN), await gateway.fetch_book(STOCK)

    assert coin.bids[0] == (D("49999.99"), D("0.123456"))
    assert len(coin.asks) == 10
    assert (stock.best_bid, stock.best_ask, len(stock.bids)) == (D("199.8"), D("200.2"), 1)
    assert (coin.closed, stock.closed) == ("", "")


async def test_outside_hours_a_stock_has_no_book_but_a_reason_and_a_coin_goes_on(desk: Desk) -> None:
    desk.dialect.alpaca.close_stock_market()
    gateway = desk.open()

    stock, coin = await gateway.fetch_book(STOCK), await gateway.fetch_book(COIN)
    await gateway.fetch_book(STOCK)

    assert (stock.bids, stock.asks) == ((), ())
    assert stock.closed.startswith("the US stock market is closed and opens on 20")
    assert (coin.closed, len(coin.bids)) == ("", 10)
    assert len(desk.sent("GET", "/v2/clock")) == 1


async def test_tickers_and_trades_are_read_for_both(desk: Desk) -> None:
    for symbol in (COIN, STOCK):
        desk.house.crowds[symbol].lift_ask(D("0.001") if symbol == COIN else D(1))
    gateway = desk.open()

    coin, stock = await gateway.fetch_ticker(COIN), await gateway.fetch_ticker(STOCK)
    (trade,) = await gateway.fetch_public_trades(COIN, since=LONG_AGO)

    assert (coin.bid, coin.ask, coin.last) == (D(49950), D(50050), D(50050))
    assert (stock.bid, stock.ask, stock.last) == (D("199.8"), D("200.2"), D("200.2"))
    assert (trade.side, trade.price, trade.amount) == (Side.BUY, D(50050), D("0.001"))
    assert await gateway.fetch_public_trades(STOCK, since=LONG_AGO) == []


async def test_a_coins_volume_of_a_day_is_of_that_day_whatever_the_hour_and_stocks_have_none(
    desk: Desk,
) -> None:
    for hours in (25, 20, 1):
        desk.house.clock.offset_ms = -hours * 3_600_000
        desk.house.crowds[COIN].lift_ask(D("0.001"))
    desk.house.clock.offset_ms = 0
    desk.house.crowds[STOCK].lift_ask(D(1))

    assert await desk.open().fetch_day_volumes() == {COIN: 2 * D("0.001") * D(50050)}


async def test_volumes_come_over_all_pages(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bars, "PER_PAGE", 1)
    for hours in (3, 2, 1):
        desk.house.clock.offset_ms = -hours * 3_600_000
        desk.house.crowds[COIN].lift_ask(D("0.001"))

    assert await desk.open().fetch_day_volumes() == {COIN: 3 * D("0.001") * D(50050)}


async def test_the_venues_clock_is_read(desk: Desk) -> None:
    desk.house.clock.offset_ms = 90_000

    ahead = await desk.open().fetch_time() - datetime.now(UTC)

    assert timedelta(seconds=85) < ahead < timedelta(seconds=95)


# --- Whose key


async def test_what_everybody_may_see_is_asked_with_a_lent_key(desk: Desk) -> None:
    data = open_market_data("alpaca", proxy=None, wire=desk.wire)
    with pytest.raises(CredentialsError, match="holders of a key only"):
        await data.load_markets()

    desk.open()

    assert COIN in await data.load_markets()
    assert (await data.fetch_book(STOCK)).best_bid == D("199.8")


async def test_a_paper_account_lends_its_key_too(desk: Desk) -> None:
    login = desk.dialect.new_login(1)
    keys = Credentials(api_key=Secret(login.key), api_secret=Secret(login.secret))
    spec = ConnectionSpec(id=str(uuid4()), name="paper", venue="alpaca", is_paper=True, credentials=keys)
    database = DatabaseThread("test-paper")

    paper = open_gateway(spec, wire=desk.wire, database=database)

    assert STOCK in await paper.load_markets()
    assert (await paper.fetch_book(STOCK)).best_ask == D("200.2")
    await asyncio.to_thread(database.close)


async def test_we_are_nobodys_partner(desk: Desk) -> None:
    await desk.open().fetch_balances()

    assert all("apca-partner-id" not in seen.headers for seen in desk.lab.requests.select(venue="alpaca"))


async def test_a_lent_key_that_is_refused_makes_room_for_the_next(desk: Desk) -> None:
    data = open_market_data("alpaca", proxy=None, wire=desk.wire)
    desk.open(name="wrong", secret="x" * 40)
    right = desk.open(name="right")
    await right.load_markets()

    with pytest.raises(CredentialsError):
        await data.fetch_book(STOCK)

    assert (await data.fetch_book(STOCK)).best_bid == D("199.8")


async def test_a_lent_key_goes_back_when_its_connection_closes(desk: Desk) -> None:
    data = open_market_data("alpaca", proxy=None, wire=desk.wire)
    lender = desk.open()
    await data.fetch_book(STOCK)

    await lender.close()

    with pytest.raises(CredentialsError, match="holders of a key only"):
        await data.fetch_book(STOCK)


async def test_a_connection_that_is_opened_anew_goes_on_lending(desk: Desk) -> None:
    data = open_market_data("alpaca", proxy=None, wire=desk.wire)
    before, _after = desk.open(), desk.open()

    await before.close()

    assert (await data.fetch_book(STOCK)).best_bid == D("199.8")


async def test_a_wrong_key_elsewhere_is_no_trouble_of_ours(desk: Desk) -> None:
    wrong, right = desk.open(name="wrong", secret="x" * 40), desk.open(name="right")

    with pytest.raises(CredentialsError):
        await wrong.load_markets()

    assert COIN in await right.load_markets()


async def test_a_paper_key_is_known_before_anything_is_sent(desk: Desk) -> None:
    with pytest.raises(CredentialsError, match="paper account"):
        await desk.open(key="PK" + "A" * 18).fetch_balances()

    assert desk.lab.requests.select(venue="alpaca") == []


async def test_permissions_are_the_accounts(desk: Desk) -> None:
    gateway = desk.open()
    may = await gateway.fetch_permissions()
    desk.dialect.keys[desk.dialect.new_login(1).key].trading = False

    may_not = await gateway.fetch_permissions()

    assert (may.can_trade, may.can_withdraw, may_not.can_trade) == (True, None, False)


# --- Orders


@pytest.mark.parametrize(
    ("symbol", "amount", "price", "changes", "duration"),
    [
        (COIN, "0.001", "40000", {}, "gtc"),
        (COIN, "0.001", "40000", {"time_in_force": TimeInForce.IOC}, "ioc"),
        (STOCK, "2", "150", {}, "gtc"),
        (STOCK, "0.5", "150", {}, "day"),
        (STOCK, "2", "150", {"time_in_force": TimeInForce.IOC}, "ioc"),
    ],
)
async def test_an_order_says_how_long_it_is_to_rest(
    desk: Desk, symbol: str, amount: str, price: str, changes: dict[str, Any], duration: str
) -> None:
    request = buy(symbol, amount, price, **changes)

    await desk.open().place(request)

    (sent,) = desk.sent("POST", ORDERS)
    assert json.loads(sent.body) == {
        "symbol": symbol.removesuffix("/USD") if symbol == STOCK else symbol,
        "side": "buy",
        "type": "limit",
        "qty": amount,
        "limit_price": price,
        "time_in_force": duration,
        "client_order_id": request.client_id,
    }


async def test_an_accepted_order_is_submitted_and_its_lookup_tells_the_rest(desk: Desk) -> None:
    gateway, request = desk.open(), buy(COIN, "0.001", "50050")

    placed = await gateway.place(request)
    by_id = await gateway.fetch_order(ref_of(request, placed.venue_id))
    by_client_id = await gateway.fetch_order(ref_of(request))

    assert (placed.status, placed.filled) == (VenueOrderStatus.SUBMITTED, D(0))
    assert (by_id.status, by_id.filled, by_id.average) == (VenueOrderStatus.FILLED, D("0.001"), D(50050))
    assert by_client_id == by_id


async def test_a_post_only_order_is_not_sent(desk: Desk) -> None:
    with pytest.raises(InvalidOrderError) as caught:
        await desk.open().place(buy(COIN, "0.01", "40000", post_only=True))

    assert (caught.value.rule, desk.sent("POST", ORDERS)) == (Rule.POST_ONLY, [])


async def test_an_order_is_cancelled_by_its_id_even_where_only_the_client_id_is_known(desk: Desk) -> None:
    gateway, request = desk.open(), buy(COIN, "0.01", "40000")
    placed = await gateway.place(request)

    assert await gateway.cancel(ref_of(request)) is None

    assert (await gateway.fetch_order(ref_of(request))).status is VenueOrderStatus.CANCELED
    assert len(desk.sent("DELETE", f"{ORDERS}/{placed.venue_id}")) == 1
    assert desk.sent("DELETE", ORDERS) == desk.sent("DELETE", f"{ORDERS}/") == []


async def test_without_an_id_nothing_is_cancelled(desk: Desk) -> None:
    gateway = desk.open()
    await gateway.place(buy(COIN, "0.01", "40000"))

    with pytest.raises(VenueError):
        await gateway.cancel(OrderRef(client_id="", symbol=COIN, venue_id=""))

    assert len(desk.house.exchange.open_orders("desk")) == 1


async def test_cancelling_what_is_filled_says_so(desk: Desk) -> None:
    gateway, request = desk.open(), buy(COIN, "0.001", "50050")
    placed = await gateway.place(request)

    with pytest.raises(OrderNotFoundError, match="filled"):
        await gateway.cancel(ref_of(request, placed.venue_id))


async def test_an_order_that_never_was_is_not_found(desk: Desk) -> None:
    gateway = desk.open()

    with pytest.raises(OrderNotFoundError):
        await gateway.fetch_order(ref_of(buy(COIN, "1", "1")))
    with pytest.raises(OrderNotFoundError):
        await gateway.fetch_order(OrderRef(client_id="", symbol=COIN, venue_id=str(uuid4())))


async def test_open_orders_are_read_over_all_pages(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connector, "ORDERS_PER_PAGE", 2)
    for price in range(40_000, 40_005):
        desk.place(LabSide.BUY, COIN, "0.001", str(price))
        desk.house.clock.skip(5)
    desk.place(LabSide.BUY, STOCK, "1", "100")
    gateway = desk.open()

    coins = await gateway.fetch_open_orders([COIN])
    both = await gateway.fetch_open_orders([COIN, STOCK])

    assert sorted(order.price or D(0) for order in coins) == [D(price) for price in range(40_000, 40_005)]
    assert len(both) == 6


async def test_an_order_by_value_is_nobodys_of_ours_and_stops_nothing(desk: Desk) -> None:
    gateway, request = desk.open(), buy(COIN, "0.001", "40000")
    await gateway.place(request)
    (mine,) = await desk.open(name="other")._client.traderPrivateGetV2Orders({"status": "open"})
    by_value = mine | {"id": str(uuid4()), "qty": None, "notional": "500"}
    desk.lab.faults.add(answering(200, [by_value, mine], method="GET", path=ORDERS))

    (order,) = await gateway.fetch_open_orders([COIN])

    assert order.client_id == request.client_id


# --- Fills and balances


async def test_fills_are_read_over_all_pages_each_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connector, "FILLS_PER_PAGE", 2)
    for _ in range(5):
        desk.place(LabSide.BUY, COIN, "0.001", "50100")
    desk.place(LabSide.BUY, STOCK, "1", "201")
    gateway = desk.open()

    trades = await gateway.fetch_trades(COIN, since=LONG_AGO)

    fills = [fill for fill in desk.house.exchange.fills("desk") if fill.symbol == COIN]
    assert [(trade.amount, trade.cost) for trade in trades] == [(fill.amount, fill.cost) for fill in fills]
    assert len({trade.id for trade in trades}) == 5
    assert len(desk.sent("GET", "/v2/account/activities/FILL")) == 4


async def test_fills_are_read_from_the_very_moment_that_is_asked_for(desk: Desk) -> None:
    desk.place(LabSide.BUY, COIN, "0.001", "50100")
    desk.house.clock.skip(1000)
    desk.place(LabSide.BUY, COIN, "0.001", "50100")
    second = desk.house.exchange.fills("desk")[-1]
    since = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=second.time_ms)
    gateway = desk.open()

    assert len(await gateway.fetch_trades(COIN, since=since)) == 1
    assert await gateway.fetch_trades(COIN, since=since + timedelta(milliseconds=1)) == []


@pytest.mark.parametrize(("taker", "tier"), [("0.0025", 1), ("0.0018", 4), ("0.001", 8)])
async def test_a_coins_fee_is_estimated_at_the_takers_rate_of_the_accounts_tier(
    desk: Desk, taker: str, tier: int
) -> None:
    desk.house.exchange.accounts["desk"].fees = FeeSchedule(maker=D(0), taker=D(taker))
    desk.place(LabSide.BUY, COIN, "0.001", "50100")
    desk.place(LabSide.SELL, COIN, "0.001", "49000")
    gateway = desk.open()

    bought, sold = await gateway.fetch_trades(COIN, since=LONG_AGO)

    base, quote = desk.house.exchange.fills("desk")
    assert gateway._client.tier == tier
    assert bought.fees == (Fee(currency="BTC", amount=base.fee),)
    assert sold.fees == (Fee(currency="USD", amount=quote.fee),)
    assert bought.liquidity is None


async def test_a_stock_costs_no_commission(desk: Desk) -> None:
    desk.place(LabSide.BUY, STOCK, "1", "201")

    (trade,) = await desk.open().fetch_trades(STOCK, since=LONG_AGO)

    assert trade.fees == (Fee(currency="AAPL", amount=D(0)),)


async def test_the_fills_of_one_order_are_found(desk: Desk) -> None:
    gateway, request = desk.open(), buy(COIN, "0.02", "50100")
    placed = await gateway.place(request)
    desk.place(LabSide.BUY, COIN, "0.001", "50200")

    trades = await gateway.fetch_order_trades(ref_of(request, placed.venue_id))

    assert sum(trade.amount for trade in trades) == D("0.02")


async def test_balances_are_cash_coins_and_shares_free_and_used(desk: Desk) -> None:
    gateway = desk.open()
    await gateway.place(buy(COIN, "0.01", "40000"))
    await gateway.place(buy(STOCK, "4", "300", side=Side.SELL))

    balances = await gateway.fetch_balances()

    assert (balances["USD"].free, balances["USD"].used) == (D(999_600), D(400))
    assert (balances["BTC"].free, balances["BTC"].used) == (D(2), D(0))
    assert (balances["AAPL"].free, balances["AAPL"].used) == (D(6), D(4))


# --- Failures

BY_CAUSE = [
    # status, answer, error, rule, words of the sentence
    (403, {"message": "forbidden."}, CredentialsError, None, "refuses the key"),
    (401, {"code": 40110000, "message": "request is not authorized"}, CredentialsError, None, "both again"),
    (401, {"message": "unauthorized."}, CredentialsError, None, "refuses the key"),
    (403, {"code": 40310000, "message": "insufficient buying power"}, InsufficientFundsError, None, "add"),
    (
        403,
        {"code": 40310000, "message": "insufficient balance for USD (requested: 60, available: 0)"},
        InsufficientFundsError,
        None,
        "requested: 60",
    ),
    (
        403,
        {"code": 40310000, "message": "insufficient qty available for order (requested: 5, available: 0)"},
        InsufficientFundsError,
        None,
        "too little",
    ),
    (
        403,
        {"code": 40310000, "message": "cost basis must be >= minimal amount of order 10"},
        InvalidOrderError,
        Rule.MIN_COST,
        "raise the amount",
    ),
    (
        403,
        {"code": 40310000, "message": "potential wash trade detected. use complex orders"},
        InvalidOrderError,
        Rule.OTHER,
        "quote further apart",
    ),
    (
        403,
        {"code": 40310000, "message": 'asset "X" is not fractionable'},
        InvalidOrderError,
        Rule.AMOUNT_STEP,
        "whole shares",
    ),
    (
        403,
        {"code": 40310000, "message": "new orders are rejected by user request"},
        PermissionMissingError,
        None,
        "allow trading",
    ),
    (403, {"code": 40310000, "message": "something new"}, InvalidOrderError, Rule.OTHER, "something new"),
    (
        403,
        {"code": 40310100, "message": "trade denied due to pattern day trading protection"},
        InvalidOrderError,
        Rule.OTHER,
        "day trader",
    ),
    (
        422,
        {"code": 40010001, "message": "client_order_id must be unique"},
        InvalidOrderError,
        Rule.DUPLICATE,
        "looked up",
    ),
    (
        422,
        {"code": 42210000, "message": "invalid limit_price 1.234. sub-penny increment does not fulfill"},
        InvalidOrderError,
        Rule.PRICE_STEP,
        "tick",
    ),
    (
        422,
        {"code": 42210000, "message": "qty must be >= 0.0001 with trade increment of 0.0001"},
        InvalidOrderError,
        Rule.MIN_AMOUNT,
        "amount",
    ),
    (422, {"code": 42210000, "message": 'asset "X" not found'}, UnknownSymbolError, None, "symbol"),
    (
        422,
        {"code": 42210000, "message": "invalid crypto time_in_force"},
        InvalidOrderError,
        Rule.OTHER,
        "time_in_force",
    ),
    (404, {"code": 40410000, "message": "order not found for x"}, OrderNotFoundError, None, "no such order"),
    (
        422,
        {"code": 42210000, "message": 'order is already in "filled" state'},
        OrderNotFoundError,
        None,
        "any more",
    ),
    (429, {"code": 42910000, "message": "rate limit exceeded"}, RateLimitError, None, "fewer requests"),
    (429, {"message": "too many requests."}, RateLimitError, None, "fewer requests"),
    (418, {"code": 99, "message": "x"}, RateLimitError, None, "fewer requests"),
    (400, {"code": 40099999, "message": "something new"}, RejectedError, None, "something new"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "kind", "rule", "words"), BY_CAUSE)
async def test_each_of_alpacas_refusals_is_one_error_and_one_sentence(
    desk: Desk, status: int, body: dict[str, Any], kind: type[VenueError], rule: Rule | None, words: str
) -> None:
    gateway = desk.open()
    await gateway.load_markets()
    desk.lab.faults.add(answering(status, body, method="POST", path=ORDERS))

    with pytest.raises(VenueError) as caught:
        await gateway.place(buy(COIN, "0.001", "40000"))

    assert type(caught.value) is kind
    assert getattr(caught.value, "rule", None) is rule
    assert words in caught.value.sentence


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {"code": 50010000, "message": "internal server error occurred"}),
        (503, {"message": "service unavailable"}),
        (504, {"code": 50410000, "message": "request timed out"}),
        (502, "<html>Bad Gateway</html>"),
        (200, {}),
    ],
)
async def test_trouble_within_is_down_for_a_question_and_unknown_for_an_order(
    desk: Desk, status: int, body: Any
) -> None:
    gateway, request = desk.open(), buy(COIN, "0.001", "40000")
    await gateway.load_markets()
    desk.lab.faults.add(answering(status, body, stage=Stage.AFTER, method="POST", path=ORDERS))
    if status >= 500:
        desk.lab.faults.add(answering(status, body, method="GET", path="/v2/account"))
        with pytest.raises(VenueDownError):
            await gateway.fetch_balances()

    with pytest.raises(OutcomeUnknownError, match="looked up"):
        await gateway.place(request)

    assert (await gateway.fetch_order(ref_of(request))).status is VenueOrderStatus.OPEN


async def test_an_order_whose_answer_is_lost_is_found_by_its_client_id(desk: Desk) -> None:
    gateway, request = desk.open(), buy(COIN, "0.001", "40000")
    desk.lab.faults.add(drop_after_accept(method="POST", path=ORDERS))

    with pytest.raises(OutcomeUnknownError):
        await gateway.place(request)

    found = await gateway.fetch_order(ref_of(request))
    assert (found.client_id, found.status) == (request.client_id, VenueOrderStatus.OPEN)
    assert len(desk.sent("POST", ORDERS)) == 1


async def test_an_account_asks_at_its_own_pace_and_not_at_its_addresss(desk: Desk) -> None:
    """200 requests in any minute for each; a second account at the address has as many."""
    first, second = desk.open(name="first")._client, desk.open(name="second")._client

    booked = [reserve(first.own_pace, 1) for _ in range(16)]

    assert (booked[14], booked[15] > 0) == (0, True)
    assert reserve(second.own_pace, 1) == 0
    assert DIALECT.key_budget is not None
    assert DIALECT.key_budget.rate * 60 + DIALECT.key_budget.burst < 200


async def test_a_used_up_budget_is_waited_for_until_the_next_minute(desk: Desk) -> None:
    gateway = desk.open()
    await gateway.load_markets()
    desk.dialect.limits.trading = 0

    with pytest.raises(RateLimitError) as caught:
        await gateway.fetch_balances()

    assert caught.value.retry_after is not None
    assert 0 <= caught.value.retry_after <= 60


@pytest.mark.parametrize("seed", range(20))
async def test_nonsense_is_believed_to_the_end_or_not_at_all(desk: Desk, seed: int) -> None:
    """Each answer is bent in one to three places: what comes out is an error of ours or a full report."""
    for symbol, amount, price in ((COIN, "0.001", "50100"), (STOCK, "1", "201"), (COIN, "0.001", "40000")):
        desk.place(LabSide.BUY, symbol, amount, price)
    desk.dialect.limits.trading = desk.dialect.limits.data = 10**6
    gateway = desk.open()
    await gateway.load_markets()
    gateway._client.own_pace = gateway._client.address_pace = Pace(BRISK)
    desk.lab.faults.reseed(seed)
    for mutations in (1, 2, 3):
        desk.lab.faults.add(Fault(effect=Effect.NONSENSE, times=None, probability=0.4, mutations=mutations))
    questions: list[Callable[[], Awaitable[object]]] = [
        gateway.fetch_balances, gateway.fetch_permissions, gateway.fetch_time,
        lambda: gateway.fetch_open_orders([COIN]), lambda: gateway.fetch_trades(COIN, since=LONG_AGO),
        lambda: gateway.fetch_book(STOCK), lambda: gateway.fetch_ticker(STOCK),
        lambda: gateway.fetch_trades(STOCK, since=LONG_AGO),
    ]  # fmt: skip

    told = [await _told(ask) for ask in questions * 5]

    assert {type(answer) for answer in told} > {MalformedAnswerError}


async def _told(ask: Callable[[], Awaitable[object]]) -> object:
    try:
        return await ask()
    except VenueError as error:
        return error
