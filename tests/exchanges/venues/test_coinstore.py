"""Coinstore's connector at the lab: what it sends, what it finds out, and which errors it meets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchanges.errors import (
    ClockError,
    CredentialsError,
    InvalidOrderError,
    MalformedAnswerError,
    OrderNotFoundError,
    OutcomeUnknownError,
    RateLimitError,
)
from exchanges.types import Side, TimeInForce, VenueOrderStatus
from exchanges.venues.ccxt_venue import CcxtGateway
from exchanges.venues.coinstore.connector import signature
from tests.exchanges.venues.conftest import buy, order_request
from tests.exchanges.venues.own_connectors import ACCOUNT, gateway_at, ref_of
from tests.lab.accounts import Login
from tests.lab.coinstore.dialect import CoinstoreDialect
from tests.lab.faults import Effect, Fault, Stage
from tests.lab.house import House
from tests.lab.lab import Lab
from tests.lab.orders import Kind, Ticket
from tests.lab.orders import Side as LabSide
from tests.lab.record import SeenRequest
from tests.lab.wire import WireAnswer

SYMBOL = "BTC/USDT"
PLACE = "/api/trade/order/place"
MATCHES = "/api/trade/match/accountMatches"
LONG_AGO = datetime.now(UTC) - timedelta(hours=2)


@dataclass
class Desk:
    lab: Lab
    house: House
    gateway: CcxtGateway

    @property
    def dialect(self) -> CoinstoreDialect:
        assert isinstance(self.house.dialect, CoinstoreDialect)
        return self.house.dialect

    def seen(self, path: str) -> list[SeenRequest]:
        return self.lab.requests.select(venue="coinstore", path=path)

    def crowd(self, side: str, amount: str, price: str) -> None:
        """Somebody else's limit order."""
        self._enter("crowd", side, amount, price)

    def trade(self, count: int) -> None:
        """Fills of ours, one a millisecond, past the wire."""
        for step in range(count):
            self.house.clock.skip(1)
            self.crowd("sell", "0.001", f"{50_000 + step}")
            self._enter(ACCOUNT, "buy", "0.001", f"{50_000 + step}")

    def _enter(self, account: str, side: str, amount: str, price: str) -> None:
        self.house.exchange.place(
            Ticket(
                account=account,
                symbol=SYMBOL,
                side=LabSide(side),
                kind=Kind.LIMIT,
                amount=Decimal(amount),
                price=Decimal(price),
            )
        )

    def answer_once(self, content: object, *, path: str, stage: Stage = Stage.AFTER) -> None:
        """The next answer at this path, whatever the venue does."""
        answer = WireAnswer(
            headers={"Content-Type": "text/plain"}, body=json.dumps(content, separators=(",", ":")).encode()
        )
        self.lab.faults.add(Fault(effect=Effect.ANSWER, stage=stage, answer=answer, path=path, times=1))


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    async with Lab() as lab:
        yield lab
        assert lab.house("coinstore").conserves_balances()


@pytest.fixture
async def desk(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    house = lab.house("coinstore")
    house.exchange.open_account("crowd", is_crowd=True)
    for currency in ("BTC", "USDT"):
        house.exchange.ledger.deposit("crowd", currency, Decimal(10_000_000))
    async with gateway_at(lab, house, monkeypatch) as gateway:
        yield Desk(lab, house, gateway)


# --- What is sent


async def test_an_order_is_sent_with_every_digit_as_text_under_its_client_id(desk: Desk) -> None:
    request = buy("0.123456", "40000.01")

    await desk.gateway.place(request)

    (seen,) = desk.seen(PLACE)
    body = json.loads(seen.body)
    assert abs(body.pop("timestamp") - desk.house.clock.now_ms()) < 5000
    assert body == {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "ordType": "LIMIT",
        "ordQty": "0.123456",
        "clOrdId": request.client_id,
        "ordPrice": "40000.01",
    }
    assert seen.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("changes", "kind", "time_in_force"),
    [
        ({"post_only": True}, "POST_ONLY", None),
        ({"time_in_force": TimeInForce.IOC}, "LIMIT", "IOC"),
        ({"price": None, "side": Side.SELL}, "MARKET", None),
    ],
)
async def test_each_kind_of_order_is_named_as_the_venue_does(
    desk: Desk, changes: dict[str, Any], kind: str, time_in_force: str | None
) -> None:
    desk.crowd("buy", "1", "39000")
    changes = {"side": Side.BUY, "price": "40000"} | changes
    side, price = changes.pop("side"), changes.pop("price")

    await desk.gateway.place(order_request(side, "0.5", price, **changes))

    body = json.loads(desk.seen(PLACE)[0].body)
    assert (body["ordType"], body.get("timeInForce"), "ordPrice" in body) == (
        kind,
        time_in_force,
        kind != "MARKET",
    )


async def test_a_market_buy_is_not_sent_as_the_venue_would_take_its_amount_for_money(desk: Desk) -> None:
    with pytest.raises(InvalidOrderError, match="use a limit"):
        await desk.gateway.place(order_request(Side.BUY, "0.5", None))

    assert desk.seen(PLACE) == []


async def test_a_cancel_names_the_order_by_its_number(desk: Desk) -> None:
    request = buy("0.5", "40000")
    placed = await desk.gateway.place(request)

    await desk.gateway.cancel(ref_of(request, placed.venue_id))

    (seen,) = desk.seen("/api/trade/order/cancel")
    assert json.loads(seen.body) == {"symbol": "BTCUSDT", "ordId": int(placed.venue_id)}
    assert desk.house.exchange.open_orders(ACCOUNT) == []


async def test_an_empty_object_is_sent_and_signed_where_there_are_no_parameters(desk: Desk) -> None:
    await desk.gateway.fetch_balances()

    (seen,) = desk.seen("/api/spot/accountList")
    sent = int(seen.headers["x-cs-expires"])
    secret = desk.dialect.new_login(1).secret
    assert (seen.method, seen.body) == ("POST", "{}")
    assert seen.headers["x-cs-sign"] == signature(secret, sent, "{}")


async def test_public_requests_carry_no_key(desk: Desk) -> None:
    desk.crowd("buy", "0.1", "39000")

    await desk.gateway.fetch_book(SYMBOL)

    assert [seen.key for seen in desk.seen("/api/v1/market/depth/BTCUSDT")] == [None]


# --- What is read


async def test_an_order_is_submitted_first_and_open_a_moment_later(desk: Desk) -> None:
    desk.dialect.limits.accept_ms = 60_000
    request = buy("0.5", "40000")

    placed = await desk.gateway.place(request)
    early = await desk.gateway.fetch_order(ref_of(request))
    (listed,) = await desk.gateway.fetch_open_orders([SYMBOL])
    desk.dialect.limits.accept_ms = 0
    late = await desk.gateway.fetch_order(ref_of(request, placed.venue_id))

    assert placed.status is early.status is listed.status is VenueOrderStatus.SUBMITTED
    assert late.status is VenueOrderStatus.OPEN
    assert {placed.venue_id} == {early.venue_id, listed.venue_id, late.venue_id}


async def test_a_post_only_order_that_would_take_is_accepted_and_then_rejected(desk: Desk) -> None:
    desk.crowd("sell", "1", "50000")
    desk.dialect.limits.accept_ms = 0
    request = buy("0.5", "50000", post_only=True)

    await desk.gateway.place(request)

    ended = await desk.gateway.fetch_order(ref_of(request))
    assert (ended.status, ended.filled) == (VenueOrderStatus.REJECTED, Decimal(0))


async def test_the_printed_name_of_a_new_orders_number_is_understood_too(desk: Desk) -> None:
    desk.answer_once({"code": "0", "data": {"order_id": 11594964764657880}}, path=PLACE)

    placed = await desk.gateway.place(buy("0.5", "40000"))

    assert placed.venue_id == "11594964764657880"


@pytest.mark.parametrize(
    "data",
    [[], {}, None, {"ordStatus": "NOT_FOUND"}, [{"ordState": "NOT_FOUND"}]],
    ids=["list", "object", "null", "v2", "v1"],
)
async def test_that_there_is_no_such_order_may_be_said_in_several_ways(desk: Desk, data: object) -> None:
    desk.answer_once({"code": 0, "data": data}, path="/api/v2/trade/order/orderInfo")

    with pytest.raises(OrderNotFoundError):
        await desk.gateway.fetch_order(ref_of(buy("0.5", "40000")))


async def test_an_answer_without_data_says_nothing_about_an_order(desk: Desk) -> None:
    desk.answer_once({"code": 0}, path="/api/v2/trade/order/orderInfo")

    with pytest.raises(MalformedAnswerError):
        await desk.gateway.fetch_order(ref_of(buy("0.5", "40000")))


async def test_a_price_is_found_among_those_of_all_markets(desk: Desk) -> None:
    rows = [{"id": 1, "symbol": "trxusdt", "price": "1"}, {"id": 4, "symbol": "btcusdt", "price": "400"}]
    desk.answer_once({"code": 0, "message": "", "data": rows}, path="/api/v1/ticker/price;symbol=BTCUSDT")

    assert (await desk.gateway.fetch_ticker(SYMBOL)).last == 400


async def test_volumes_of_markets_that_are_not_listed_are_passed_over(desk: Desk) -> None:
    day = {"volume": "2", "amount": "800", "low": "400", "high": "400", "close": "400"}
    rows = [{"symbol": "btcUSDT", **day}, {"symbol": "GONEUSDT", **day}]
    desk.answer_once({"code": 0, "data": rows}, path="/api/v1/market/tickers")

    assert await desk.gateway.fetch_day_volumes() == {SYMBOL: 800}


async def test_the_venues_clock_is_that_of_its_answers(desk: Desk) -> None:
    desk.house.clock.offset_ms = 90_000

    ahead = await desk.gateway.fetch_time() - datetime.now(UTC)

    assert timedelta(seconds=88) < ahead < timedelta(seconds=91)


# --- Trades over pages


async def test_trades_come_over_all_pages_each_once(desk: Desk) -> None:
    desk.trade(250)

    trades = await desk.gateway.fetch_trades(SYMBOL, since=LONG_AGO)

    assert [trade.price for trade in trades] == [Decimal(50_000 + step) for step in range(250)]


async def test_only_the_pages_that_are_new_are_turned(desk: Desk) -> None:
    desk.trade(250)
    desk.house.clock.skip(10_000)
    since = datetime.fromtimestamp(desk.house.clock.now_ms() / 1000, UTC)
    desk.trade(1)

    (trade,) = await desk.gateway.fetch_trades(SYMBOL, since=since)

    assert trade.price == 50_000
    assert len(desk.seen(MATCHES)) == 1


async def test_a_trade_that_comes_while_the_pages_are_turned_hides_none(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.trade(250)
    answer, pages = desk.dialect.answer, iter(range(3))

    def answer_and_trade(request: Any) -> WireAnswer:
        found = answer(request)
        if request.path == MATCHES and next(pages, None) is not None:
            desk.trade(30)
        return found

    monkeypatch.setattr(desk.dialect, "answer", answer_and_trade)
    trades = await desk.gateway.fetch_trades(SYMBOL, since=LONG_AGO)

    ids = [int(trade.id) for trade in trades]
    assert len(ids) == len(set(ids))
    assert {fill.trade_id for fill in desk.house.exchange.fills(ACCOUNT)[:250]} <= {
        (number - min(ids)) // 2 + 1 for number in ids
    }


async def test_all_pages_are_read_where_the_oldest_come_first(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.trade(150)
    since = datetime.fromtimestamp(desk.house.clock.now_ms() / 1000, UTC) + timedelta(seconds=2)
    desk.house.clock.skip(5_000)
    desk.trade(100)
    oldest_last = desk.house.exchange.fills(ACCOUNT)[::-1]
    monkeypatch.setattr(desk.house.exchange.market(SYMBOL), "fills_of", lambda _account: oldest_last)

    trades = await desk.gateway.fetch_trades(SYMBOL, since=since)

    assert len(trades) == 100


async def test_the_trades_of_one_order_are_asked_for_by_its_number(desk: Desk) -> None:
    for price in ("50000", "50001"):
        desk.crowd("sell", "0.001", price)
    await desk.gateway.place(buy("0.001", "50000"))
    second = buy("0.001", "50001")
    placed = await desk.gateway.place(second)

    (trade,) = await desk.gateway.fetch_order_trades(ref_of(second, placed.venue_id))

    assert trade.price == 50_001


# --- Errors


async def test_a_failed_signature_with_clocks_apart_is_the_clocks(desk: Desk) -> None:
    await desk.gateway.load_markets()
    desk.house.clock.offset_ms = -95_000

    with pytest.raises(ClockError, match=r"differs from ours by 9\d s") as caught:
        await desk.gateway.fetch_balances()
    assert caught.value.code == "401"
    with pytest.raises(ClockError):
        await desk.gateway.place(buy("0.5", "40000"))
    assert desk.house.exchange.orders(ACCOUNT) == []


async def test_a_wrong_secret_is_named_though_the_answer_is_not_marked_as_json(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = lab.house("coinstore")
    mistyped = Login(house.dialect.new_login(1).key, "not-the-secret")
    async with gateway_at(lab, house, monkeypatch, mistyped) as gateway:
        with pytest.raises(CredentialsError, match="secret") as caught:
            await gateway.fetch_balances()

    assert caught.value.code == "401"


@pytest.mark.parametrize("right", ["reading", "trading"])
async def test_a_right_that_is_missing_is_told_with_the_address(desk: Desk, right: str) -> None:
    await desk.gateway.load_markets()
    setattr(desk.dialect.keys[desk.dialect.new_login(1).key], right, False)
    ask: Callable[[], Any] = {
        "reading": desk.gateway.fetch_balances,
        "trading": lambda: desk.gateway.place(buy("0.5", "40000")),
    }[right]

    with pytest.raises(CredentialsError, match=r"IPv4 address.*Read and trade") as caught:
        await ask()

    assert caught.value.code == "1401"


async def test_an_order_whose_answer_is_an_internal_error_is_looked_up_and_found(desk: Desk) -> None:
    desk.answer_once({"message": "internal server error", "code": 500}, path=PLACE)
    request = buy("0.5", "40000")

    with pytest.raises(OutcomeUnknownError):
        await desk.gateway.place(request)

    assert (await desk.gateway.fetch_order(ref_of(request))).client_id == request.client_id
    assert len(desk.seen(PLACE)) == 1


async def test_too_many_requests_of_one_user_pause_this_connection(desk: Desk) -> None:
    await desk.gateway.load_markets()
    desk.dialect.limits.requests_per_user = 1
    await desk.gateway.fetch_balances()

    with pytest.raises(RateLimitError) as caught:
        await desk.gateway.fetch_balances()

    assert caught.value.code == "429"
    with pytest.raises(RateLimitError, match="Nothing was sent"):
        await desk.gateway.fetch_balances()
