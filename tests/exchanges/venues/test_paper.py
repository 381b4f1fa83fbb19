"""The paper venue through the Gateway protocol, against a market written by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.db import OperationalError

from exchanges.errors import (
    InsufficientFundsError,
    InvalidOrderError,
    OrderNotFoundError,
    OutcomeUnknownError,
    RejectedError,
    Rule,
    UnknownSymbolError,
    VenueDownError,
)
from exchanges.models import ExchangeConnection, PaperTape, PaperTrade
from exchanges.types import Liquidity, OrderRef, OrderRequest, Side, TimeInForce, VenueOrderStatus
from exchanges.venues import paper_ledger as ledger
from exchanges.venues.paper import PaperGateway
from tests.exchanges.venues.paper_world import (
    START,
    SYMBOL,
    HandMarket,
    SetClock,
    gateway_on,
    in_database,
    order,
    saved_connection,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def market(clock: SetClock) -> HandMarket:
    return HandMarket(clock)


@pytest.fixture
def connection(transactional_db: None) -> ExchangeConnection:
    return saved_connection(USDT="10000", ABC="1000")


@pytest.fixture
def paper(connection: ExchangeConnection, market: HandMarket, clock: SetClock) -> Iterator[PaperGateway]:
    with gateway_on(connection, market, clock) as gateway:
        yield gateway


def ref_of(request: OrderRequest) -> OrderRef:
    return OrderRef(client_id=request.client_id, symbol=request.symbol)


async def test_an_account_starts_with_its_connections_balances(paper: PaperGateway) -> None:
    balances = await paper.fetch_balances()

    assert {name: (b.free, b.used) for name, b in balances.items()} == {
        "USDT": (Decimal(10000), Decimal(0)),
        "ABC": (Decimal(1000), Decimal(0)),
    }


async def test_without_balances_of_its_own_an_account_starts_with_ten_thousand(
    market: HandMarket, clock: SetClock
) -> None:
    with gateway_on(await in_database(saved_connection), market, clock) as paper:
        balances = await paper.fetch_balances()

    assert {name: b.free for name, b in balances.items()} == {"USDT": 10000}


async def test_starting_balances_that_are_no_numbers_are_refused_in_a_sentence(
    market: HandMarket, clock: SetClock
) -> None:
    connection = await in_database(lambda: saved_connection(USDT="much"))
    with (
        gateway_on(connection, market, clock) as paper,
        pytest.raises(RejectedError, match="write them as currencies and amounts"),
    ):
        await paper.fetch_permissions()


async def test_a_paper_key_may_trade_and_not_withdraw(paper: PaperGateway) -> None:
    permissions = await paper.fetch_permissions()

    assert (permissions.can_trade, permissions.can_withdraw) == (True, False)


async def test_a_days_volumes_are_the_markets_own(paper: PaperGateway, market: HandMarket) -> None:
    market.trade(Side.BUY, "100.10", "3")

    assert await paper.fetch_day_volumes() == {SYMBOL: Decimal("300.30")}


async def test_an_order_away_from_the_market_rests_and_holds_its_cost(paper: PaperGateway) -> None:
    request = order(Side.BUY, "10", "90")

    report = await paper.place(request)

    assert (report.status, report.filled, report.average) == (VenueOrderStatus.OPEN, Decimal(0), None)
    usdt = (await paper.fetch_balances())["USDT"]
    assert (usdt.free, usdt.used) == (Decimal(9100), Decimal(900))
    assert [found.client_id for found in await paper.fetch_open_orders([SYMBOL])] == [request.client_id]
    assert (await paper.fetch_order(ref_of(request))).status is VenueOrderStatus.OPEN


async def test_an_order_in_a_market_that_was_delisted_stays_until_it_is_cancelled_and_stops_nobody(
    paper: PaperGateway, market: HandMarket
) -> None:
    request = order(Side.BUY, "10", "90")
    await paper.place(request)
    market.is_delisted = True

    assert (await paper.fetch_balances())["USDT"].used == 900
    assert (await paper.fetch_order(ref_of(request))).status is VenueOrderStatus.OPEN
    await paper.cancel(ref_of(request))
    assert (await paper.fetch_balances())["USDT"].used == 0


async def test_an_order_away_from_the_market_does_not_fill(
    paper: PaperGateway, market: HandMarket, clock: SetClock
) -> None:
    request = order(Side.BUY, "10", "90")
    await paper.place(request)
    clock.advance(1)
    market.trade(Side.SELL, "99.80", "500")

    assert (await paper.fetch_order(ref_of(request))).filled == 0


async def test_a_thousand_units_against_a_book_of_ten_fill_ten(
    paper: PaperGateway, market: HandMarket
) -> None:
    market.bids = [("99.90", "10")]

    report = await paper.place(order(Side.SELL, "1000"))

    assert (report.status, report.filled, report.average) == (
        VenueOrderStatus.CANCELED,
        Decimal(10),
        Decimal("99.90"),
    )


async def test_a_taker_gets_each_levels_price_and_pays_the_taker_fee_in_what_it_receives(
    paper: PaperGateway,
) -> None:
    request = order(Side.BUY, "15", "101")

    report = await paper.place(request)

    assert (report.status, report.filled) == (VenueOrderStatus.FILLED, Decimal(15))
    trades = await paper.fetch_order_trades(ref_of(request))
    assert [(t.price, t.amount, t.fees[0].currency, t.fees[0].amount) for t in trades] == [
        (Decimal("100.10"), Decimal(10), "ABC", Decimal("0.02")),
        (Decimal("100.20"), Decimal(5), "ABC", Decimal("0.01")),
    ]
    assert all(t.liquidity is Liquidity.TAKER for t in trades)
    balances = await paper.fetch_balances()
    assert balances["ABC"].free == Decimal("1014.97")
    assert balances["USDT"].free == 10000 - Decimal("1001.00") - Decimal("501.00")


async def test_what_was_taken_of_a_level_is_gone_until_the_level_changes(
    paper: PaperGateway, market: HandMarket
) -> None:
    market.asks = [("100.10", "10")]
    first = await paper.place(order(Side.BUY, "8"))
    second = await paper.place(order(Side.BUY, "8"))
    market.asks = [("100.10", "9")]
    third = await paper.place(order(Side.BUY, "8"))

    assert [report.filled for report in (first, second, third)] == [8, 2, 8]


async def test_the_rest_of_a_limit_order_rests(paper: PaperGateway) -> None:
    report = await paper.place(order(Side.BUY, "15", "100.10"))

    assert (report.status, report.filled) == (VenueOrderStatus.OPEN, Decimal(10))
    assert (await paper.fetch_balances())["USDT"].used == Decimal("500.50")


async def test_the_rest_of_an_immediate_order_is_canceled(paper: PaperGateway) -> None:
    report = await paper.place(order(Side.BUY, "15", "100.10", time_in_force=TimeInForce.IOC))

    assert (report.status, report.filled) == (VenueOrderStatus.CANCELED, Decimal(10))
    assert (await paper.fetch_balances())["USDT"].used == 0


async def test_a_trade_through_the_price_fills_as_maker_up_to_its_amount(
    paper: PaperGateway, market: HandMarket, clock: SetClock
) -> None:
    request = order(Side.BUY, "10", "99.90")
    await paper.place(request)
    clock.advance(1)
    market.trade(Side.SELL, "99.80", "4")

    report = await paper.fetch_order(ref_of(request))

    assert (report.status, report.filled, report.average) == (
        VenueOrderStatus.OPEN,
        Decimal(4),
        Decimal("99.90"),
    )
    (trade,) = await paper.fetch_trades(SYMBOL, since=START)
    assert (trade.liquidity, trade.fees[0].amount) == (Liquidity.MAKER, Decimal("0.004"))


async def test_a_trade_fills_once_however_often_the_account_is_asked(
    paper: PaperGateway, market: HandMarket, clock: SetClock
) -> None:
    request = order(Side.BUY, "10", "99.90")
    await paper.place(request)
    clock.advance(1)
    market.trade(Side.SELL, "99.80", "4")
    for _ in range(3):
        report = await paper.fetch_order(ref_of(request))
    market.trade(Side.SELL, "99.80", "3")  # of the same instant, shown later
    assert report.filled == 4
    assert (await paper.fetch_order(ref_of(request))).filled == 7


async def test_nothing_is_written_when_the_tape_says_nothing_of_our_orders(
    paper: PaperGateway, market: HandMarket, clock: SetClock
) -> None:
    await paper.place(order(Side.BUY, "10", "90"))
    clock.advance(1)
    market.trade(Side.SELL, "99.80", "4")
    await paper.fetch_open_orders([SYMBOL])

    assert await in_database(PaperTrade.objects.count) == 0
    assert await in_database(PaperTape.objects.count) == 0


async def test_an_account_without_open_orders_asks_the_market_nothing(
    paper: PaperGateway, market: HandMarket
) -> None:
    await paper.fetch_balances()
    await paper.fetch_open_orders([SYMBOL])

    assert market.calls == 0


async def test_a_cancel_keeps_the_partial_fill_and_frees_the_rest(
    paper: PaperGateway, market: HandMarket, clock: SetClock
) -> None:
    request = order(Side.SELL, "10", "100.10")
    await paper.place(request)
    clock.advance(1)
    market.trade(Side.BUY, "100.20", "4")

    await paper.cancel(ref_of(request))

    report = await paper.fetch_order(ref_of(request))
    assert (report.status, report.filled) == (VenueOrderStatus.CANCELED, Decimal(4))
    balances = await paper.fetch_balances()
    assert (balances["ABC"].free, balances["ABC"].used) == (Decimal(996), Decimal(0))
    assert balances["USDT"].free == 10000 + Decimal("400.40") - Decimal("0.4004")


async def test_a_just_filled_order_cannot_be_canceled_and_says_filled(
    paper: PaperGateway, market: HandMarket, clock: SetClock
) -> None:
    request = order(Side.BUY, "10", "99.90")
    await paper.place(request)
    clock.advance(1)
    market.trade(Side.SELL, "99.80", "10")

    with pytest.raises(OrderNotFoundError):
        await paper.cancel(ref_of(request))

    assert (await paper.fetch_order(ref_of(request))).status is VenueOrderStatus.FILLED


async def test_an_order_nobody_placed_is_not_found(paper: PaperGateway) -> None:
    stranger = ref_of(order(Side.BUY, "1", "90"))
    for call in (paper.fetch_order, paper.cancel, paper.fetch_order_trades):
        with pytest.raises(OrderNotFoundError):
            await call(stranger)
    with pytest.raises(OrderNotFoundError):
        await paper.fetch_order(OrderRef(client_id="", symbol=SYMBOL, venue_id="no number"))


@pytest.mark.parametrize(
    ("request_", "rule"),
    [
        (order(Side.BUY, "0.05", "90"), Rule.MIN_AMOUNT),
        (order(Side.BUY, "6000", "0.01"), Rule.MAX_AMOUNT),
        (order(Side.BUY, "1.05", "90"), Rule.AMOUNT_STEP),
        (order(Side.BUY, "1", "90.005"), Rule.PRICE_STEP),
        (order(Side.BUY, "1", "-1"), Rule.PRICE_RANGE),
        (order(Side.BUY, "1", "4"), Rule.MIN_COST),
        (order(Side.BUY, "1", "100.10", post_only=True), Rule.POST_ONLY),
        (order(Side.SELL, "1", "99.90", post_only=True), Rule.POST_ONLY),
        (order(Side.SELL, "1", post_only=True), Rule.OTHER),
    ],
)
async def test_a_rule_that_is_broken_is_named(
    paper: PaperGateway, request_: OrderRequest, rule: Rule
) -> None:
    with pytest.raises(InvalidOrderError) as caught:
        await paper.place(request_)

    assert caught.value.rule is rule
    assert await paper.fetch_open_orders([SYMBOL]) == []


async def test_a_client_id_is_taken_once(paper: PaperGateway) -> None:
    request = order(Side.BUY, "1", "90")
    await paper.place(request)

    with pytest.raises(InvalidOrderError) as caught:
        await paper.place(request)

    assert caught.value.rule is Rule.DUPLICATE
    assert len(await paper.fetch_open_orders([SYMBOL])) == 1


async def test_an_unknown_symbol_is_refused(paper: PaperGateway) -> None:
    with pytest.raises(UnknownSymbolError):
        await paper.place(order(Side.BUY, "1", "90", symbol="NO/SUCH"))


async def test_held_money_cannot_be_spent_twice(paper: PaperGateway) -> None:
    await paper.place(order(Side.BUY, "60", "90"))
    await paper.place(order(Side.SELL, "600", "110"))

    with pytest.raises(InsufficientFundsError, match="4600 is free"):
        await paper.place(order(Side.BUY, "60", "90"))
    with pytest.raises(InsufficientFundsError, match="400 is free"):
        await paper.place(order(Side.SELL, "600", "110"))


async def test_a_trade_list_only_grows_at_its_end(
    paper: PaperGateway, market: HandMarket, clock: SetClock
) -> None:
    await paper.place(order(Side.BUY, "10", "99.90"))
    clock.advance(5)
    await paper.place(order(Side.BUY, "1"))
    market.trade(Side.SELL, "99.80", "4", seconds_ago=3)  # the market shows it late

    trades = await paper.fetch_trades(SYMBOL, since=START)

    assert [trade.amount for trade in trades] == [1, 4]
    assert trades[0].time <= trades[1].time


async def test_a_market_that_does_not_answer_leaves_the_account_as_it_was(
    paper: PaperGateway, market: HandMarket
) -> None:
    await paper.place(order(Side.BUY, "10", "90"))
    market.fail_tape = True
    with pytest.raises(VenueDownError):
        await paper.place(order(Side.BUY, "10", "90"))
    market.fail_tape = False

    assert len(await paper.fetch_open_orders([SYMBOL])) == 1


async def test_a_database_that_does_not_answer_leaves_an_order_unknown_and_a_read_failed(
    paper: PaperGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await paper.fetch_permissions()
    monkeypatch.setattr(ledger, "accept", _no_database)
    monkeypatch.setattr(ledger, "balances", _no_database)

    with pytest.raises(OutcomeUnknownError):
        await paper.place(order(Side.BUY, "1", "90"))
    with pytest.raises(VenueDownError):
        await paper.fetch_balances()


def _no_database(*_: object) -> None:
    raise OperationalError("server closed the connection unexpectedly")


async def test_another_process_goes_on_where_one_was_killed(
    connection: ExchangeConnection, market: HandMarket, clock: SetClock
) -> None:
    request = order(Side.BUY, "10", "99.90")
    with gateway_on(connection, market, clock) as first:
        await first.place(request)
        clock.advance(1)
        market.trade(Side.SELL, "99.80", "4")
        await first.fetch_open_orders([SYMBOL])
    clock.advance(1)
    market.trade(Side.SELL, "99.80", "3")
    with gateway_on(connection, market, clock) as second:
        report = await second.fetch_order(ref_of(request))
        balances = await second.fetch_balances()

    assert report.filled == 7
    assert balances["ABC"].free == 1000 + 7 - Decimal("0.007")
    assert balances["USDT"].used == 3 * Decimal("99.90")


async def test_two_processes_on_one_account_share_its_money_and_each_trade(
    connection: ExchangeConnection, market: HandMarket, clock: SetClock
) -> None:
    with gateway_on(connection, market, clock) as first, gateway_on(connection, market, clock) as second:
        requests = [order(Side.BUY, "30", "99.90") for _ in range(6)]
        placed = await asyncio.gather(
            *(gateway.place(request) for gateway, request in zip([first, second] * 3, requests, strict=True)),
            return_exceptions=True,
        )
        clock.advance(1)
        market.trade(Side.SELL, "99.80", "50")
        await asyncio.gather(*(gateway.fetch_open_orders([SYMBOL]) for gateway in [first, second] * 3))
        trades = await first.fetch_trades(SYMBOL, since=START)
        balances = await second.fetch_balances()

    assert sum(isinstance(answer, InsufficientFundsError) for answer in placed) == 3
    assert sum(trade.amount for trade in trades) == 50
    assert balances["USDT"].total == 10000 - 50 * Decimal("99.90")
    assert balances["ABC"].total == 1000 + 50 - Decimal("0.05")


async def test_an_order_is_matched_against_the_book_of_its_arrival(
    connection: ExchangeConnection, market: HandMarket, clock: SetClock
) -> None:
    async def moving_sleep(seconds: float) -> None:
        assert seconds > 0
        market.asks = [("100.30", "10")]

    with gateway_on(connection, market, clock) as paper:
        await paper.fetch_permissions()
        paper._sleep = moving_sleep
        report = await paper.place(order(Side.BUY, "1", "100.10"))

    assert (report.status, report.filled) == (VenueOrderStatus.OPEN, Decimal(0))
