"""What is odd about Kraken: nonces in order, its own counters, old names, pages of fifty, and its errors."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import ccxt
import pytest

from exchanges.errors import (
    ClockError,
    CredentialsError,
    InvalidOrderError,
    MalformedAnswerError,
    OrderNotFoundError,
    OutcomeUnknownError,
    PermissionMissingError,
    RateLimitError,
    RejectedError,
    Rule,
    UnknownSymbolError,
    VenueClosedError,
    VenueDownError,
    VenueError,
)
from exchanges.gateway import AccountPermissions, ConnectionSpec, Credentials, Licence, NotLicensedError
from exchanges.pacing import Budget
from exchanges.types import Fee, OrderRef, OrderRequest, OrderType, Side, TimeInForce, VenueOrderStatus
from exchanges.venues import wire as wire_module
from exchanges.venues.ccxt_errors import Call, translate
from exchanges.venues.ccxt_venue import CcxtGateway
from exchanges.venues.door import HttpAnswer, Passage
from exchanges.venues.kraken import connector
from exchanges.venues.kraken.dialect import DIALECT, KEY_BUDGET
from exchanges.venues.kraken.facts import VENUE
from exchanges.venues.kraken.rulings import read_refusal
from exchanges.venues.pace import Pace
from exchanges.venues.registry import open_gateway
from exchanges.venues.wire import Wire
from tests.exchanges.venues.paces import reserve
from tests.lab.accounts import ApiKey, Login
from tests.lab.authority import Authority
from tests.lab.clock import Clock
from tests.lab.faults import Effect, Fault, Stage
from tests.lab.house import House
from tests.lab.orders import Kind, Ticket
from tests.lab.orders import Side as LabSide
from tests.lab.resolver import lab_connector
from tests.lab.server import LabServer
from tests.lab.venues import VENUES
from tests.lab.wire import WireAnswer
from vault.secret import Secret

SYMBOL = "BTC/USD"
ADD, QUERY, BALANCE = "/0/private/AddOrder", "/0/private/QueryOrders", "/0/private/BalanceEx"
TRADES, CLOSED = "/0/private/TradesHistory", "/0/private/ClosedOrders"
LONG_AGO = timedelta(hours=2)
BRISK = Budget(rate=10_000, burst=10_000)


@dataclass
class Desk:
    """Our account at the lab's Kraken, and the gateways before it."""

    house: House
    server: LabServer
    wire: Wire
    login: Login
    opened: list[CcxtGateway] = field(default_factory=list)

    @property
    def gateway(self) -> CcxtGateway:
        """The one that every test has."""
        return self.opened[0]

    @property
    def key(self) -> ApiKey:
        return self.house.dialect.keys[self.login.key]

    def open(self, secret: str = "", licence: Licence | None = None) -> CcxtGateway:
        key, given = Secret(self.login.key), Secret(secret or self.login.secret)
        credentials = Credentials(api_key=key, api_secret=given)
        spec = ConnectionSpec(id="1", name="main", venue="kraken", is_paper=False, credentials=credentials)
        gateway = open_gateway(spec, wire=self.wire, licence=licence)
        assert isinstance(gateway, CcxtGateway)
        self.opened.append(gateway)
        return gateway

    def trade(self, *, symbol: str = SYMBOL, amount: str = "0.01", client_id: str = "") -> None:
        """A fill of ours, as taker."""
        self._place("crowd", LabSide.SELL, symbol, amount)
        self._place("desk", LabSide.BUY, symbol, amount, client_id)

    def _place(self, account: str, side: LabSide, symbol: str, amount: str, client_id: str = "") -> None:
        self.house.exchange.place(
            Ticket(
                account=account,
                symbol=symbol,
                side=side,
                kind=Kind.LIMIT,
                amount=Decimal(amount),
                price=Decimal(50_000),
                client_id=client_id,
            )
        )

    def asked(self, path: str) -> list[dict[str, str]]:
        """What was sent there."""
        bodies = (parse_qs(seen.body) for seen in self.server.requests.select(path=path))
        return [{name: values[0] for name, values in body.items()} for body in bodies]

    def refuses(self, path: str, text: str) -> None:
        """The next request there."""
        self._answers(path, {"error": [text]})

    def says(self, path: str, result: object) -> None:
        """To the next request there."""
        self._answers(path, {"error": [], "result": result})

    def _answers(self, path: str, content: object) -> None:
        body = json.dumps(content).encode()
        answer = WireAnswer(headers={"Content-Type": "application/json"}, body=body)
        self.server.faults.add(Fault(effect=Effect.ANSWER, stage=Stage.BEFORE, answer=answer, path=path))


@pytest.fixture
async def desk(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    house = House(*VENUES["kraken"], Clock())
    login = house.dialect.new_login(1)
    house.open_account("desk", **login._asdict())
    house.exchange.open_account("crowd", is_crowd=True)
    for name in ("desk", "crowd"):
        for currency in ("BTC", "ETH", "PAXG", "USD"):
            house.exchange.ledger.deposit(name, currency, Decimal(10**7))
    async with LabServer([house.dialect], authority) as server, Wire() as wire:
        port, ca_file = server.port, authority.ca_file
        monkeypatch.setattr(
            wire_module, "build_connector", lambda **options: lab_connector(port, ca_file, **options)
        )
        desk = Desk(house, server, wire, login)
        desk.open()
        yield desk
        for gateway in desk.opened:
            await gateway.close()


def bid(price: str = "40000", **changes: Any) -> OrderRequest:
    fields: dict[str, Any] = {
        "client_id": uuid4().hex,
        "symbol": SYMBOL,
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "amount": Decimal("0.01"),
        "price": Decimal(price),
    }
    return OrderRequest(**(fields | changes))


def ref_of(request: OrderRequest, venue_id: str | None = None) -> OrderRef:
    return OrderRef(client_id=request.client_id, symbol=request.symbol, venue_id=venue_id)


# --- Nonces


async def test_requests_at_once_arrive_in_the_order_of_their_nonces(desk: Desk) -> None:
    await desk.gateway.load_markets()

    await asyncio.gather(*(desk.gateway.place(bid()) for _ in range(8)), desk.gateway.fetch_balances())

    seen = desk.server.requests.select(method="POST")
    nonces = [int(parse_qs(request.body)["nonce"][0]) for request in seen]
    assert nonces == sorted(set(nonces))
    assert len(desk.house.exchange.open_orders("desk")) == 8


async def test_a_request_is_signed_when_the_one_before_it_was_answered(desk: Desk) -> None:
    await desk.gateway.load_markets()
    late = Fault(effect=Effect.DELAY, stage=Stage.BEFORE, seconds=0.3, path=BALANCE)
    desk.server.faults.add(late)

    await asyncio.gather(desk.gateway.fetch_balances(), desk.gateway.place(bid()))

    assert [seen.path for seen in desk.server.requests.select(method="POST")] == [BALANCE, ADD]


async def test_an_order_that_comes_after_its_own_lookup_is_not_carried_out(desk: Desk) -> None:
    await desk.gateway.load_markets()
    desk.gateway._client.timeout, request = 200, bid()
    desk.server.faults.add(Fault(effect=Effect.DELAY, stage=Stage.BEFORE, seconds=0.6, path=ADD))
    with pytest.raises(OutcomeUnknownError):
        await desk.gateway.place(request)

    with pytest.raises(OrderNotFoundError):
        await desk.gateway.fetch_order(ref_of(request))
    await asyncio.sleep(0.6)

    (late,) = desk.server.requests.select(path=ADD)
    assert late.reached
    assert desk.house.exchange.orders("desk") == []


async def test_a_request_does_not_wait_for_its_turn_forever(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.gateway.load_markets()
    monkeypatch.setattr(connector, "LONGEST_WAIT_SECONDS", 0.1)
    desk.server.faults.add(Fault(effect=Effect.DELAY, seconds=0.5, path=BALANCE))
    asking = asyncio.create_task(desk.gateway.fetch_balances())
    await asyncio.sleep(0.05)

    with pytest.raises(VenueDownError, match="Nothing was sent"):
        await desk.gateway.place(bid())

    await asking
    assert desk.asked(ADD) == []


async def test_an_order_takes_its_turn_before_the_reads_that_wait(desk: Desk) -> None:
    await desk.gateway.load_markets()
    reads = [asyncio.create_task(desk.gateway.fetch_balances()) for _ in range(15)]
    await asyncio.sleep(0)

    await desk.gateway.place(bid())
    went_before = len(desk.asked(BALANCE))
    await asyncio.gather(*reads)

    assert went_before < 5
    assert len(desk.asked(BALANCE)) == 15


async def test_a_licence_that_ends_while_a_request_waits_for_its_turn_stops_it(desk: Desk) -> None:
    class Ending:
        is_over = False

        def check(self) -> None:
            if self.is_over:
                raise NotLicensedError("the lease has ended")

    licence = Ending()
    gateway = desk.open(licence=licence)
    await gateway.load_markets()
    desk.server.faults.add(Fault(effect=Effect.DELAY, seconds=0.3, path=BALANCE))
    asking = asyncio.create_task(gateway.fetch_balances())
    await asyncio.sleep(0.1)
    placing = asyncio.create_task(gateway.place(bid()))
    await asyncio.sleep(0.1)
    licence.is_over = True

    with pytest.raises(NotLicensedError):
        await placing

    await asking
    assert desk.asked(ADD) == []


async def test_public_requests_wait_for_no_turn(desk: Desk) -> None:
    await desk.gateway.load_markets()
    desk.server.faults.add(Fault(effect=Effect.DELAY, seconds=0.5, path=BALANCE))
    asking = asyncio.create_task(desk.gateway.fetch_balances())
    await asyncio.sleep(0.05)

    await desk.gateway.fetch_time()

    assert not asking.done()
    await asking


# --- Pace


async def test_the_counter_of_a_key_is_kept_apart_from_the_address(desk: Desk) -> None:
    await desk.gateway.load_markets()

    for _ in range(10):
        await desk.gateway.fetch_balances()

    assert reserve(desk.gateway._client.address_pace, 1) == 0


async def test_orders_do_not_wait_for_the_counter_of_other_calls(desk: Desk) -> None:
    await desk.gateway.load_markets()
    reserve(desk.gateway._client.own_pace, KEY_BUDGET.burst + KEY_BUDGET.rate * 5)

    await asyncio.wait_for(desk.gateway.place(bid()), 2)


async def test_a_key_asks_as_often_as_kraken_lets_it(desk: Desk) -> None:
    """A round of balances, orders and trades, again and again: the lab counts as Kraken does."""
    await desk.gateway.load_markets()

    for _ in range(4):
        await desk.gateway.fetch_balances()
        await desk.gateway.fetch_open_orders([SYMBOL])
        await desk.gateway.fetch_trades(SYMBOL, since=datetime.now(UTC) - LONG_AGO)


async def test_kraken_says_until_when_it_throttles(desk: Desk) -> None:
    await desk.gateway.load_markets()
    until = int(datetime.now(UTC).timestamp()) + 30
    desk.refuses(BALANCE, f"EService: Throttled: {until}")

    with pytest.raises(RateLimitError) as caught:
        await desk.gateway.fetch_balances()

    assert caught.value.retry_after is not None
    assert 28 <= caught.value.retry_after <= 30


# --- Markets


async def test_one_request_loads_the_markets_under_their_usual_names(desk: Desk) -> None:
    markets = await desk.gateway.load_markets()

    assert {"BTC/USD", "ETH/USD", "DOGE/USD", "ADA/EUR"} <= set(markets)
    bitcoin = markets["BTC/USD"]
    assert (bitcoin.price_step, bitcoin.amount_step) == (Decimal("0.1"), Decimal("0.0000001"))
    assert (bitcoin.min_amount, bitcoin.min_cost) == (Decimal("0.00005"), Decimal("0.5"))
    assert (bitcoin.maker_fee, bitcoin.taker_fee) == (VENUE.maker_fee, VENUE.taker_fee)
    assert desk.server.requests.counts() == {("kraken", None, "GET", "/0/public/AssetPairs"): 1}


async def test_a_tick_is_the_venues_and_not_a_count_of_decimals(desk: Desk) -> None:
    market = (await desk.gateway.load_markets())["PAXG/USD"]
    assert market.price_step == Decimal("0.25")

    report = await desk.gateway.place(bid("1000.75", symbol="PAXG/USD", amount=Decimal(1)))

    assert report.price == Decimal("1000.75")


# --- Orders


async def test_an_order_leaves_with_our_id_and_a_fee_in_quote(desk: Desk) -> None:
    request = bid(post_only=True)

    report = await desk.gateway.place(request)

    (sent,) = desk.asked(ADD)
    assert (sent["cl_ord_id"], sent["oflags"], sent["pair"]) == (request.client_id, "fciq,post", "XXBTZUSD")
    assert (sent["price"], sent["volume"]) == ("40000", "0.01")
    assert (report.status, report.client_id) == (VenueOrderStatus.SUBMITTED, request.client_id)


async def test_every_other_order_pays_in_quote_too(desk: Desk) -> None:
    await desk.gateway.place(bid(time_in_force=TimeInForce.IOC))

    (sent,) = desk.asked(ADD)
    assert (sent["oflags"], sent["timeinforce"]) == ("fciq", "IOC")


async def test_an_order_is_looked_up_by_client_id_while_open_and_when_closed(desk: Desk) -> None:
    request = bid()
    placed = await desk.gateway.place(request)

    found = await desk.gateway.fetch_order(ref_of(request))
    await desk.gateway.cancel(ref_of(request, placed.venue_id))
    ended = await desk.gateway.fetch_order(ref_of(request))

    assert (found.venue_id, found.status) == (placed.venue_id, VenueOrderStatus.OPEN)
    assert (ended.venue_id, ended.status) == (placed.venue_id, VenueOrderStatus.CANCELED)
    assert found.client_id == ended.client_id == request.client_id


async def test_a_closed_order_is_found_however_many_closed_after_it(desk: Desk) -> None:
    request = bid()
    desk.trade(client_id=request.client_id)
    for _ in range(60):
        desk.trade()

    found = await desk.gateway.fetch_order(ref_of(request))

    assert (found.status, found.filled) == (VenueOrderStatus.FILLED, Decimal("0.01"))
    assert len(desk.asked(CLOSED)) == 1


async def test_an_order_of_another_program_has_no_client_id_of_ours(desk: Desk) -> None:
    desk._place("desk", LabSide.BUY, SYMBOL, "0.01")

    (foreign,) = await desk.gateway.fetch_open_orders([SYMBOL])

    assert foreign.client_id is None


async def test_an_order_is_cancelled_by_its_own_id_only(desk: Desk) -> None:
    request, other = bid(), bid("39000")
    for order in (request, other):
        await desk.gateway.place(order)

    assert await desk.gateway.cancel(ref_of(request)) is None

    (sent,) = desk.asked("/0/private/CancelOrder")
    assert "cl_ord_id" not in sent
    assert [order.client_id for order in desk.house.exchange.open_orders("desk")] == [other.client_id]


async def test_the_time_of_an_order_is_the_venues_to_the_millisecond(desk: Desk) -> None:
    for step in range(20):
        desk.house.clock.offset_ms = -7 * step
        await desk.gateway.place(bid())

    reports = await desk.gateway.fetch_open_orders([SYMBOL])

    times = {order.time_ms for order in desk.house.exchange.open_orders("desk")}
    assert {round(report.time.timestamp() * 1000) for report in reports if report.time} == times


# --- Trades


async def test_trades_are_collected_over_pages_that_hold_all_markets(desk: Desk) -> None:
    for step in range(60):
        desk.house.clock.offset_ms = -1000 * (60 - step)
        desk.trade()
        desk.trade(symbol="ETH/USD")
    desk.house.clock.offset_ms = 0

    trades = await desk.gateway.fetch_trades(SYMBOL, since=datetime.now(UTC) - LONG_AGO)

    fills = [fill for fill in desk.house.exchange.fills("desk") if fill.symbol == SYMBOL]
    assert [trade.time.timestamp() * 1000 for trade in trades] == [fill.time_ms for fill in fills]
    assert len({trade.id for trade in trades}) == 60
    assert [sent.get("ofs") for sent in desk.asked(TRADES)] == [None, "50", "100"]


async def test_a_trade_that_comes_between_two_pages_hides_none(desk: Desk) -> None:
    for _ in range(60):
        desk.trade()
    asked = desk.gateway._client.fetch_my_trades

    async def ask_and_trade(*given: Any) -> Any:
        rows = await asked(*given)
        desk.trade()
        return rows

    desk.gateway._client.fetch_my_trades = ask_and_trade
    trades = await desk.gateway.fetch_trades(SYMBOL, since=datetime.now(UTC) - LONG_AGO)

    assert {int(row.amount * 10**8) for row in trades} == {10**6}
    assert len({trade.id for trade in trades}) == len(trades) >= 60


async def test_each_fill_of_a_taker_is_a_trade_with_its_fee(desk: Desk) -> None:
    for amount in ("0.004", "0.006"):
        desk._place("crowd", LabSide.SELL, SYMBOL, amount)
    request = bid("50000")
    placed = await desk.gateway.place(request)

    trades = await desk.gateway.fetch_order_trades(ref_of(request, placed.venue_id))

    fills = desk.house.exchange.fills("desk")
    assert sorted(trade.amount for trade in trades) == [Decimal("0.004"), Decimal("0.006")]
    assert sorted(trade.fees[0].amount for trade in trades) == sorted(fill.fee for fill in fills)
    assert {trade.fees[0].currency for trade in trades} == {"USD"}
    assert trades[0].fees == (Fee(currency="USD", amount=trades[0].fees[0].amount),)


# --- Keys


async def test_a_key_says_what_it_may_do(desk: Desk) -> None:
    assert await desk.gateway.fetch_permissions() == AccountPermissions(
        can_trade=True, can_withdraw=False, is_address_bound=False
    )
    desk.key.trading, desk.key.withdrawals = False, True
    desk.key.allowed_ips = frozenset({"127.0.0.1"})

    rights = await desk.gateway.fetch_permissions()

    assert (rights.can_trade, rights.can_withdraw, rights.is_address_bound) == (False, True, True)


@pytest.mark.parametrize(
    "secret", ["not base64 at all", "4/SDrDBcOOPnm3nPlNfEMMJDeRcIVqPz+QhRxIodyZbI9po/aV"]
)
async def test_a_secret_that_is_none_is_named_before_anything_is_sent(desk: Desk, secret: str) -> None:
    gateway = desk.open(secret=secret)

    with pytest.raises(CredentialsError, match="swapped with the API key") as caught:
        await gateway.fetch_balances()

    assert secret not in str(caught.value)
    assert desk.asked(BALANCE) == []


def test_a_key_and_its_secret_are_told_apart_by_their_forms() -> None:
    login = House(*VENUES["kraken"], Clock()).dialect.new_login(1)
    key, secret = VENUE.credential_fields

    assert re.fullmatch(key.pattern, login.key)
    assert re.fullmatch(secret.pattern, login.secret)
    assert not re.fullmatch(key.pattern, login.secret)


# --- Errors


def told(text: str, *, writes: bool = False) -> VenueError:
    call = Call(name="place", title="Kraken", connection="main", dialect=DIALECT, writes=writes)
    passage = Passage(departed=True, answer=HttpAnswer(200, {}, {"error": [text]}))
    return translate(ccxt.ExchangeError("kraken"), call, passage)


# Those of VENUES.md's table are in tests/spec/causes/kraken.py; these are the other words for them.
TEXTS = [
    # text, error, rule, words of the sentence, known to have had no effect
    ("EGeneral:Invalid arguments:volume minimum not met", InvalidOrderError, Rule.MIN_AMOUNT, "amount", True),
    ("EGeneral:Invalid arguments:volume", InvalidOrderError, Rule.AMOUNT_STEP, "amount", True),
    ("EGeneral:Invalid arguments:price", InvalidOrderError, Rule.PRICE_STEP, "tick", True),
    (
        "EOrder:Invalid price:XXBTZUSD price can only be specified up to 1 decimals.",
        InvalidOrderError,
        Rule.PRICE_STEP,
        "1 decimals",
        True,
    ),
    ("EOrder:Orders limit exceeded", InvalidOrderError, Rule.MAX_OPEN_ORDERS, "levels", True),
    ("EOrder:Trading agreement required", PermissionMissingError, None, "account", True),
    ("EOrder:Something new", InvalidOrderError, Rule.OTHER, "Something new", True),
    ("EAccount:Invalid permissions:trading disabled", PermissionMissingError, None, "account", True),
    ("ETrade:User Locked", PermissionMissingError, None, "Locked", True),
    ("EQuery:Unknown asset", UnknownSymbolError, None, "symbol", True),
    ("EAPI:Feature disabled", VenueClosedError, None, "switched", True),
    ("EGeneral:Invalid arguments", RejectedError, None, "settings", True),
    ("EGeneral:Too many requests", RateLimitError, None, "fewer", True),
    ("EGeneral:Internal error", VenueDownError, None, "again", False),
    ("EService:Busy", VenueDownError, None, "again", False),
    ("EService:Market in post_only mode", VenueDownError, None, "later", True),
    ("EDatabase:Internal error", VenueDownError, None, "again", False),
    ("EService:Something new", VenueDownError, None, "again", False),
    ("EAPI:Invalid nonce", ClockError, None, "key of its own", False),
]


@pytest.mark.parametrize(("text", "kind", "rule", "words", "no_effect"), TEXTS, ids=[row[0] for row in TEXTS])
def test_krakens_words_decide(
    text: str, kind: type[VenueError], rule: Rule | None, words: str, *, no_effect: bool
) -> None:
    read = told(text)

    assert type(read) is kind
    assert getattr(read, "rule", None) is rule
    assert words in read.sentence
    assert isinstance(told(text, writes=True), OutcomeUnknownError) is not no_effect


def test_a_warning_is_no_refusal() -> None:
    assert read_refusal({"error": ["WSomething:to know"], "result": {}}) is None
    assert read_refusal({"error": [], "result": {}}) is None
    assert read_refusal("<html>") is None


async def test_a_second_delivery_is_refused_and_the_order_stays_unknown(desk: Desk) -> None:
    await desk.gateway.load_markets()
    request = bid()
    desk.server.faults.add(Fault(effect=Effect.DUPLICATE_LAST, path=ADD))

    with pytest.raises(OutcomeUnknownError, match="nonce"):
        await desk.gateway.place(request)

    assert (await desk.gateway.fetch_order(ref_of(request))).status is VenueOrderStatus.OPEN


# --- Answers that are nearly right


def bent(desk: Desk, path: str, seed: int) -> None:
    desk.server.faults.reseed(seed)
    desk.server.faults.add(Fault(effect=Effect.NONSENSE, path=path, mutations=1 + seed % 3))


def was_emptied(desk: Desk) -> bool:
    """The list was made an empty one, or lost its only row, which nobody can tell from the truth."""
    details = (seen.detail for seen in desk.server.requests.select(struck=True))
    return any(re.search(r"result(\.\w+)?(: object|\.[OT][\w-]+: missing)", detail) for detail in details)


@pytest.fixture
def patient(desk: Desk) -> Desk:
    """May be asked as often as one likes."""
    desk.gateway._client.own_pace = Pace(BRISK)
    desk.house.dialect.limits.calls = 10_000
    return desk


@pytest.mark.parametrize("path", [QUERY, "/0/private/OpenOrders"])
async def test_no_bent_answer_says_that_an_order_is_not_there(patient: Desk, path: str) -> None:
    request = bid()
    placed = await patient.gateway.place(request)
    ref = ref_of(request, placed.venue_id if path == QUERY else None)
    for seed in range(120):
        patient.server.requests.clear()
        bent(patient, path, seed)
        try:
            await patient.gateway.fetch_order(ref)
        except OrderNotFoundError:
            assert was_emptied(patient)
        except VenueError:
            continue


async def test_no_bent_answer_hides_an_open_order_or_a_trade(patient: Desk) -> None:
    patient.trade()
    await patient.gateway.place(bid())
    since = datetime.now(UTC) - LONG_AGO
    for seed in range(120):
        patient.server.requests.clear()
        bent(patient, "/0/private/OpenOrders", seed)
        bent(patient, TRADES, seed)
        with suppress(VenueError):
            assert await patient.gateway.fetch_open_orders([SYMBOL]) or was_emptied(patient)
        with suppress(VenueError):
            assert await patient.gateway.fetch_trades(SYMBOL, since=since) or was_emptied(patient)


async def test_an_account_without_balances_is_not_believed(desk: Desk) -> None:
    await desk.gateway.load_markets()
    desk.says(BALANCE, {"ZUSD": {"balance": None, "hold_trade": "0"}})

    with pytest.raises(MalformedAnswerError):
        await desk.gateway.fetch_balances()


async def test_a_key_whose_rights_cannot_be_read_is_not_called_one_without(desk: Desk) -> None:
    desk.says("/0/private/GetApiKeyInfo", {"permissions": "modify-trades", "ipAllowlist": []})

    with pytest.raises(MalformedAnswerError):
        await desk.gateway.fetch_permissions()
