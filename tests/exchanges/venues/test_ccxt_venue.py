"""The ccxt venue trades on the lab's Binance: what it sends, what it reads, and how it fails."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchanges.errors import (
    ClockError,
    CredentialsError,
    InsufficientFundsError,
    InvalidOrderError,
    MalformedAnswerError,
    OrderNotFoundError,
    OutcomeUnknownError,
    RateLimitError,
    Rule,
    UnknownSymbolError,
    VenueDownError,
)
from exchanges.gateway import NotLicensedError
from exchanges.types import (
    Fee,
    Liquidity,
    OrderRef,
    OrderRequest,
    Side,
    TimeInForce,
    VenueOrderStatus,
)
from exchanges.venues import ccxt_venue
from exchanges.venues.registry import open_market_data
from exchanges.venues.wire import Wire
from tests.exchanges.venues.conftest import KEY, SYMBOL, Lab, OpenGateway, buy, order_request
from tests.lab.faults import Effect, Fault, Stage, drop_after_accept, server_error, too_many_requests
from tests.lab.orders import Kind, Ticket
from tests.lab.orders import Side as LabSide
from tests.lab.wire import WireAnswer

ORDER = "/api/v3/order"
LONG_AGO = datetime.now(UTC) - timedelta(hours=2)


def ref_of(request: OrderRequest, venue_id: str | None = None) -> OrderRef:
    return OrderRef(client_id=request.client_id, symbol=request.symbol, venue_id=venue_id)


def json_answer(body: str, status: int = 200, **where: Any) -> Fault:
    answer = WireAnswer(status=status, headers={"Content-Type": "application/json"}, body=body.encode())
    return Fault(effect=Effect.ANSWER, stage=Stage.AFTER, answer=answer, **where)


def desk_order(side: LabSide, amount: str, price: str) -> Ticket:
    """An order of our account that our gateway did not send."""
    return Ticket(
        account="desk",
        symbol=SYMBOL,
        side=side,
        kind=Kind.LIMIT,
        amount=Decimal(amount),
        price=Decimal(price),
    )


async def test_markets_carry_the_venues_steps_and_minimums(open_binance: OpenGateway) -> None:
    market = (await open_binance().load_markets())[SYMBOL]

    assert (market.price_step, market.amount_step) == (Decimal("0.01"), Decimal("0.00001"))
    assert (market.min_cost, market.min_amount) == (Decimal(5), Decimal("0.00001"))
    assert (market.base, market.quote, market.active) == ("BTC", "USDT", True)


async def test_loading_markets_asks_for_the_spot_list_only_and_nothing_private(
    lab: Lab, open_binance: OpenGateway
) -> None:
    await open_binance().load_markets()

    assert lab.server.requests.counts() == {("binance", None, "GET", "/api/v3/exchangeInfo"): 1}


async def test_two_gateways_share_one_market_list(lab: Lab, open_binance: OpenGateway) -> None:
    first, second = open_binance(), open_binance()

    assert await first.load_markets() is await second.load_markets()
    await second.fetch_open_orders([SYMBOL])
    assert len(lab.server.requests.select(path="/api/v3/exchangeInfo")) == 1


async def test_a_book_has_exact_levels(lab: Lab, open_binance: OpenGateway) -> None:
    lab.crowd("buy", "0.12345", "49999.99")
    lab.crowd("sell", "1.00001", "50000.01")

    book = await open_binance().fetch_book(SYMBOL)

    assert book.bids == ((Decimal("49999.99"), Decimal("0.12345")),)
    assert book.asks == ((Decimal("50000.01"), Decimal("1.00001")),)


async def test_a_resting_order_is_reported_open_under_its_client_id(open_binance: OpenGateway) -> None:
    gateway, request = open_binance(), buy("0.5", "40000", post_only=True)

    report = await gateway.place(request)

    assert report.status is VenueOrderStatus.OPEN
    assert (report.client_id, report.amount, report.filled) == (request.client_id, Decimal("0.5"), Decimal(0))
    assert await gateway.fetch_order(ref_of(request)) == await gateway.fetch_order(
        ref_of(request, report.venue_id)
    )


async def test_a_fill_is_counted_to_the_last_digit(lab: Lab, open_binance: OpenGateway) -> None:
    lab.crowd("sell", "0.33333", "50000.01")
    gateway, request = open_binance(), buy("0.5", "50000.01")

    report = await gateway.place(request)
    (trade,) = await gateway.fetch_trades(SYMBOL, since=LONG_AGO)

    (fill,) = lab.exchange.fills("desk")
    assert (report.status, report.filled) == (VenueOrderStatus.OPEN, Decimal("0.33333"))
    assert report.average == Decimal("50000.01")
    assert (trade.amount, trade.cost) == (fill.amount, fill.cost)
    assert trade.fees == (Fee(currency="BTC", amount=fill.fee),)
    assert (trade.liquidity, trade.order_venue_id) == (Liquidity.TAKER, report.venue_id)
    assert trade.time.timestamp() * 1000 == fill.time_ms


async def test_balances_are_free_and_used(open_binance: OpenGateway) -> None:
    gateway = open_binance()
    await gateway.place(buy("0.5", "40000"))

    usdt = (await gateway.fetch_balances())["USDT"]

    assert (usdt.free, usdt.used) == (Decimal(9_980_000), Decimal(20_000))


async def test_a_cancel_reports_how_the_order_ended(open_binance: OpenGateway) -> None:
    gateway, request = open_binance(), buy("0.5", "40000")
    placed = await gateway.place(request)

    ended = await gateway.cancel(ref_of(request, placed.venue_id))

    assert ended is not None
    assert (ended.status, ended.client_id) == (VenueOrderStatus.CANCELED, request.client_id)


async def test_an_order_is_cancelled_by_client_id_alone(lab: Lab, open_binance: OpenGateway) -> None:
    gateway, request = open_binance(), buy("0.5", "40000")
    await gateway.place(request)

    await gateway.cancel(ref_of(request))

    assert lab.exchange.open_orders("desk") == []


async def test_cancelling_what_is_gone_says_so(open_binance: OpenGateway) -> None:
    gateway, request = open_binance(), buy("0.5", "40000")
    await gateway.place(request)
    await gateway.cancel(ref_of(request))

    with pytest.raises(OrderNotFoundError):
        await gateway.cancel(ref_of(request))


async def test_an_order_that_never_was_is_not_found(open_binance: OpenGateway) -> None:
    with pytest.raises(OrderNotFoundError) as caught:
        await open_binance().fetch_order(ref_of(buy("1", "1")))

    assert caught.value.code == "-2013"


@pytest.mark.parametrize(("at_once", "named"), [(14, [1, 1]), (2, [0])])
async def test_open_orders_of_several_markets_are_asked_for_the_cheaper_way(
    lab: Lab, open_binance: OpenGateway, at_once: int, named: list[int]
) -> None:
    gateway = open_binance()
    gateway._dialect = replace(gateway._dialect, open_orders_at_once=at_once)
    await gateway.place(buy("0.5", "40000"))
    await gateway.place(buy("0.5", "4000", symbol="ETH/USDT"))

    orders = await gateway.fetch_open_orders([SYMBOL, "ETH/USDT"])

    assert {order.symbol for order in orders} == {SYMBOL, "ETH/USDT"}
    assert [
        seen.query.count("symbol=") for seen in lab.server.requests.select(path="/api/v3/openOrders")
    ] == named


async def test_open_orders_of_one_market_name_it(lab: Lab, open_binance: OpenGateway) -> None:
    gateway = open_binance()
    await gateway.place(buy("0.5", "40000"))
    await gateway.place(buy("0.5", "4000", symbol="ETH/USDT"))

    (order,) = await gateway.fetch_open_orders([SYMBOL])

    assert order.symbol == SYMBOL
    assert "symbol=BTCUSDT" in lab.server.requests.select(path="/api/v3/openOrders")[0].query


async def test_trades_are_collected_over_all_pages(
    lab: Lab, open_binance: OpenGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = open_binance()
    monkeypatch.setattr(gateway, "_dialect", replace(gateway._dialect, trades_per_page=3))
    for step in range(8):
        lab.exchange.clock.offset_ms = 10 * step  # no two in one millisecond
        lab.crowd("sell", "0.001", f"{50000 + step}")
        await gateway.place(buy("0.001", f"{50000 + step}"))

    trades = await gateway.fetch_trades(SYMBOL, since=LONG_AGO)

    assert [trade.price for trade in trades] == [Decimal(50000 + step) for step in range(8)]


async def test_trades_of_days_ago_are_found_window_by_window(lab: Lab, open_binance: OpenGateway) -> None:
    lab.exchange.clock.offset_ms = -3 * 86_400_000
    lab.crowd("sell", "0.001", "50000")
    lab.exchange.place(desk_order(LabSide.BUY, "0.001", "50000"))
    lab.exchange.clock.offset_ms = 0

    (trade,) = await open_binance().fetch_trades(SYMBOL, since=datetime.now(UTC) - timedelta(days=5))

    assert trade.price == 50000


async def test_the_trades_of_one_order_are_its_own(lab: Lab, open_binance: OpenGateway) -> None:
    gateway = open_binance()
    for price in ("50000", "50001"):
        lab.crowd("sell", "0.001", price)
    await gateway.place(buy("0.001", "50000"))
    second = buy("0.001", "50001")
    placed = await gateway.place(second)

    (trade,) = await gateway.fetch_order_trades(ref_of(second, placed.venue_id))

    assert trade.price == 50001


async def test_an_ioc_order_leaves_nothing_in_the_book(lab: Lab, open_binance: OpenGateway) -> None:
    lab.crowd("sell", "0.2", "50000")

    report = await open_binance().place(buy("0.5", "50000", time_in_force=TimeInForce.IOC))

    assert (report.status, report.filled) == (VenueOrderStatus.EXPIRED, Decimal("0.2"))
    assert lab.exchange.open_orders("desk") == []


async def test_a_market_order_needs_no_price(lab: Lab, open_binance: OpenGateway) -> None:
    lab.crowd("buy", "0.5", "50000")

    report = await open_binance().place(order_request(Side.SELL, "0.5", None))

    assert (report.status, report.average) == (VenueOrderStatus.FILLED, Decimal(50000))


async def test_amounts_that_no_float_holds_are_sent_digit_by_digit() -> None:
    assert ccxt_venue.exact(Decimal("12345678901.123456789")) == "12345678901.123456789"
    assert ccxt_venue.exact(Decimal("0.12345")) == 0.12345


# --- Refusals


async def test_a_wrong_key_is_named_with_what_to_check(open_binance: OpenGateway) -> None:
    with pytest.raises(CredentialsError, match="allow-list") as caught:
        await open_binance(key="AnotherKey123456" * 4).fetch_balances()

    assert (caught.value.code, caught.value.connection, caught.value.call) == (
        "-2015",
        "main",
        "fetch_balances",
    )


async def test_a_key_that_is_revoked_while_it_trades_is_no_rate_limit(
    lab: Lab, open_binance: OpenGateway
) -> None:
    gateway = open_binance()
    await gateway.fetch_balances()
    lab.dialect.keys[KEY].is_revoked = True

    with pytest.raises(CredentialsError):
        await gateway.fetch_balances()


async def test_a_wrong_secret_is_told_from_a_wrong_key(open_binance: OpenGateway) -> None:
    with pytest.raises(CredentialsError, match="secret") as caught:
        await open_binance(secret="not-the-secret").fetch_balances()

    assert caught.value.code == "-1022"


async def test_a_clock_that_is_off_is_named(lab: Lab, open_binance: OpenGateway) -> None:
    lab.exchange.clock.offset_ms = 60_000

    with pytest.raises(ClockError, match="clock"):
        await open_binance().fetch_balances()


@pytest.mark.parametrize(
    ("amount", "price", "rule"),
    [
        ("0.0001", "40000", Rule.MIN_COST),
        ("0.5", "1000000.5", Rule.PRICE_STEP),
        ("9001", "1", Rule.AMOUNT_STEP),
    ],
)
async def test_a_broken_rule_is_named(open_binance: OpenGateway, amount: str, price: str, rule: Rule) -> None:
    with pytest.raises(InvalidOrderError) as caught:
        await open_binance().place(buy(amount, price))

    assert caught.value.rule is rule


async def test_a_post_only_order_that_would_take_is_refused(lab: Lab, open_binance: OpenGateway) -> None:
    lab.crowd("sell", "1", "50000")

    with pytest.raises(InvalidOrderError) as caught:
        await open_binance().place(buy("0.5", "50000", post_only=True))

    assert caught.value.rule is Rule.POST_ONLY


async def test_a_client_id_that_is_taken_is_a_duplicate(open_binance: OpenGateway) -> None:
    gateway, request = open_binance(), buy("0.5", "40000")
    await gateway.place(request)

    with pytest.raises(InvalidOrderError) as caught:
        await gateway.place(request)

    assert caught.value.rule is Rule.DUPLICATE


async def test_an_order_beyond_the_balance_says_so(open_binance: OpenGateway) -> None:
    with pytest.raises(InsufficientFundsError):
        await open_binance().place(order_request(Side.SELL, "100.5", "40000"))


@pytest.mark.parametrize(("amount", "price"), [("0.5", "40000.005"), ("0.500001", "40000")])
async def test_what_is_off_the_step_is_not_sent_rounded(
    lab: Lab, open_binance: OpenGateway, amount: str, price: str
) -> None:
    with pytest.raises(InvalidOrderError, match="not sent"):
        await open_binance().place(buy(amount, price))

    assert lab.server.requests.select(path=ORDER) == []


async def test_an_unknown_symbol_is_not_asked_for(lab: Lab, open_binance: OpenGateway) -> None:
    with pytest.raises(UnknownSymbolError, match="DOGE/USDT"):
        await open_binance().fetch_book("DOGE/USDT")

    assert lab.server.requests.select(path="/api/v3/depth") == []


async def test_a_key_that_may_not_trade_or_may_withdraw_is_known(lab: Lab, open_binance: OpenGateway) -> None:
    lab.dialect.keys[KEY].trading = False
    lab.dialect.keys[KEY].withdrawals = True

    permissions = await open_binance().fetch_permissions()

    assert (permissions.can_trade, permissions.can_withdraw) == (False, True)


# --- Lost answers


async def test_an_order_whose_answer_is_lost_is_unknown_and_then_found(
    lab: Lab, open_binance: OpenGateway
) -> None:
    gateway, request = open_binance(), buy("0.5", "40000")
    lab.server.faults.add(drop_after_accept(method="POST", path=ORDER))

    with pytest.raises(OutcomeUnknownError):
        await gateway.place(request)

    found = await gateway.fetch_order(ref_of(request))
    assert (found.client_id, found.status) == (request.client_id, VenueOrderStatus.OPEN)
    assert len(lab.server.requests.select(method="POST", path=ORDER)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        server_error(502, stage=Stage.AFTER, method="POST", path=ORDER),
        json_answer('{"code":-1007,"msg":"Timeout waiting for response."}', 503, method="POST", path=ORDER),
        json_answer('{"symbol":"BTCUSDT","orderId":1', method="POST", path=ORDER),
        json_answer("{}", method="POST", path=ORDER),
        json_answer('{"code":-99999,"msg":"?"}', 500, method="POST", path=ORDER),
    ],
    ids=["502", "-1007", "cut", "empty", "unlisted 5xx"],
)
async def test_an_answer_that_settles_nothing_leaves_the_order_unknown(
    lab: Lab, open_binance: OpenGateway, fault: Fault
) -> None:
    lab.server.faults.add(replace(fault, struck=0))

    with pytest.raises(OutcomeUnknownError, match="looked up"):
        await open_binance().place(buy("0.5", "40000"))


async def test_a_cancel_whose_answer_is_lost_is_unknown(lab: Lab, open_binance: OpenGateway) -> None:
    gateway, request = open_binance(), buy("0.5", "40000")
    placed = await gateway.place(request)
    lab.server.faults.add(server_error(502, stage=Stage.AFTER, method="DELETE", path=ORDER))

    with pytest.raises(OutcomeUnknownError):
        await gateway.cancel(ref_of(request, placed.venue_id))


async def test_an_overloaded_venue_that_carried_nothing_out_leaves_nothing_unknown(
    lab: Lab, open_binance: OpenGateway
) -> None:
    body = '{"code":-1008,"msg":"Server is currently overloaded."}'
    fault = json_answer(body, 503, method="POST", path=ORDER)
    fault.stage = Stage.BEFORE
    lab.server.faults.add(fault)

    with pytest.raises(VenueDownError):
        await open_binance().place(buy("0.5", "40000"))


async def test_a_rate_limit_is_obeyed_before_anything_else_is_sent(
    lab: Lab, open_binance: OpenGateway
) -> None:
    gateway = open_binance()
    await gateway.load_markets()
    lab.server.faults.add(too_many_requests(30, method="POST", path=ORDER))

    with pytest.raises(RateLimitError) as caught:
        await gateway.place(buy("0.5", "40000"))
    assert caught.value.retry_after == 30

    with pytest.raises(RateLimitError, match="Nothing was sent"):
        await gateway.place(buy("0.5", "40000"))
    assert len(lab.server.requests.select(method="POST", path=ORDER)) == 1


async def test_a_book_that_cannot_be_read_is_an_error(lab: Lab, open_binance: OpenGateway) -> None:
    lab.server.faults.add(json_answer('{"bids":[["x","1"]],"asks":[]}', path="/api/v3/depth"))

    with pytest.raises(MalformedAnswerError):
        await open_binance().fetch_book(SYMBOL)


async def test_a_book_that_breaks_off_is_no_empty_book(lab: Lab, open_binance: OpenGateway) -> None:
    lab.crowd("buy", "0.1", "49999")
    lab.server.faults.add(Fault(effect=Effect.TRUNCATE, path="/api/v3/depth"))

    with pytest.raises(MalformedAnswerError, match="breaks off"):
        await open_binance().fetch_book(SYMBOL)


async def test_a_venue_that_is_down_is_asked_again_by_others(lab: Lab, open_binance: OpenGateway) -> None:
    lab.server.faults.add(server_error(502, path="/api/v3/exchangeInfo"))
    first, second = open_binance(), open_binance()

    with pytest.raises(VenueDownError):
        await first.load_markets()

    assert SYMBOL in await second.load_markets()


# --- The licence


class EndedLicence:
    def check(self) -> None:
        raise NotLicensedError("the lease has ended")


async def test_without_a_licence_nothing_is_sent(lab: Lab, open_binance: OpenGateway) -> None:
    gateway = open_binance(licence=EndedLicence())
    await gateway.load_markets()
    lab.server.requests.clear()

    with pytest.raises(NotLicensedError):
        await gateway.place(buy("0.5", "40000"))
    with pytest.raises(NotLicensedError):
        await gateway.fetch_balances()

    assert lab.server.requests.select() == []


async def test_a_licence_that_ends_while_the_request_waits_its_turn_stops_it(
    lab: Lab, open_binance: OpenGateway
) -> None:
    ends_at = time.monotonic() + 0.1

    class ShortLicence:
        def check(self) -> None:
            if time.monotonic() > ends_at:
                raise NotLicensedError("the lease has ended")

    gateway = open_binance(licence=ShortLicence())
    await gateway.load_markets()
    gateway._client.own_pace.pause(0.2)

    with pytest.raises(NotLicensedError):
        await gateway.place(buy("0.5", "40000"))

    assert lab.server.requests.select(path=ORDER) == []


# --- Market data


async def test_market_data_needs_no_key(lab: Lab, wire: Wire) -> None:
    lab.crowd("buy", "0.1", "49999")
    lab.exchange.place(desk_order(LabSide.SELL, "0.1", "49999"))
    data = open_market_data("binance", proxy=None, wire=wire)

    (trade,) = await data.fetch_public_trades(SYMBOL, since=LONG_AGO)
    ticker = await data.fetch_ticker(SYMBOL)

    assert (trade.side, trade.price) == (Side.SELL, Decimal(49999))
    assert ticker.last == Decimal(49999)
    assert abs(await data.fetch_time() - datetime.now(UTC)) < timedelta(seconds=5)
    assert all(seen.key is None for seen in lab.server.requests.select())
