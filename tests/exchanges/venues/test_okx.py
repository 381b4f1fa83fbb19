"""What is odd about OKX: deadlines on orders, pages by cursors, balances in all modes, and its codes."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import ccxt
import pytest

from exchanges.errors import (
    AddressNotAllowedError,
    ClockError,
    CredentialsError,
    InsufficientFundsError,
    InvalidOrderError,
    MalformedAnswerError,
    OrderNotFoundError,
    OutcomeUnknownError,
    PermissionMissingError,
    RateLimitError,
    Rule,
    UnknownSymbolError,
    VenueDownError,
    VenueError,
)
from exchanges.gateway import ConnectionSpec, Credentials
from exchanges.types import OrderRef, OrderRequest, OrderType, Side, VenueOrderStatus
from exchanges.venues import wire as wire_module
from exchanges.venues.ccxt_errors import Call, translate
from exchanges.venues.ccxt_venue import CcxtGateway
from exchanges.venues.door import HttpAnswer, Passage
from exchanges.venues.okx.dialect import DIALECT
from exchanges.venues.okx.facts import VENUE
from exchanges.venues.okx.rulings import BY_CODE, read_refusal
from exchanges.venues.registry import open_gateway
from exchanges.venues.wire import Wire
from tests.exchanges.venues.paces import reserve
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

SYMBOL = "BTC/USDT"
BATCH, BALANCE = "/api/v5/trade/batch-orders", "/api/v5/account/balance"
LONG_AGO = timedelta(hours=2)


@dataclass
class Desk:
    """Our account at the lab's OKX, and the gateway before it."""

    house: House
    server: LabServer
    gateway: CcxtGateway

    def trade(self, count: int, *, symbol: str = SYMBOL) -> None:
        """Fills of ours, one after the other, all in the same millisecond if the clock stands still."""
        for _ in range(count):
            self._place("crowd", LabSide.SELL, symbol)
            self._place("desk", LabSide.BUY, symbol)

    def _place(self, account: str, side: LabSide, symbol: str) -> None:
        self.house.exchange.place(
            Ticket(
                account=account, symbol=symbol, side=side, kind=Kind.LIMIT, amount=Decimal("0.001"),
                price=Decimal(50_000),
            )
        )  # fmt: skip

    def answers(self, path: str, content: object, status: int = 200) -> None:
        """To the next request there, after it was carried out."""
        answer = WireAnswer(
            status=status, headers={"Content-Type": "application/json"}, body=json.dumps(content).encode()
        )
        self.server.faults.add(Fault(effect=Effect.ANSWER, stage=Stage.AFTER, answer=answer, path=path))

    def asked(self, path: str) -> list[Any]:
        return self.server.requests.select(path=path)


@pytest.fixture
async def desk(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    house = House(*VENUES["okx"], Clock())
    login = house.dialect.new_login(1)
    house.open_account("desk", **login._asdict())
    house.exchange.open_account("crowd", is_crowd=True)
    for name in ("desk", "crowd"):
        for currency in ("BTC", "ETH", "USDT"):
            house.exchange.ledger.deposit(name, currency, Decimal(10**7))
    async with LabServer([house.dialect], authority) as server, Wire() as wire:
        port, ca_file = server.port, authority.ca_file
        monkeypatch.setattr(
            wire_module, "build_connector", lambda **options: lab_connector(port, ca_file, **options)
        )
        key, secret, passphrase = (Secret(part) for part in login)
        credentials = Credentials(api_key=key, api_secret=secret, passphrase=passphrase)
        spec = ConnectionSpec(id="1", name="main", venue="okx", is_paper=False, credentials=credentials)
        gateway = open_gateway(spec, wire=wire)
        assert isinstance(gateway, CcxtGateway)
        yield Desk(house, server, gateway)
        await gateway.close()


def bid(price: str = "40000", **changes: Any) -> OrderRequest:
    fields: dict[str, Any] = {
        "client_id": uuid4().hex,
        "symbol": SYMBOL,
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "amount": Decimal("0.001"),
        "price": Decimal(price),
    }
    return OrderRequest(**(fields | changes))


# --- Orders


async def test_an_order_leaves_as_a_batch_of_one_with_our_id_and_no_ones_tag(desk: Desk) -> None:
    request = bid(post_only=True)

    report = await desk.gateway.place(request)

    (seen,) = desk.asked(BATCH)
    (sent,) = json.loads(seen.body)
    assert (sent["clOrdId"], sent["ordType"], sent["tdMode"]) == (request.client_id, "post_only", "cash")
    assert (sent["px"], sent["sz"]) == ("40000", "0.001")
    assert "tag" not in sent
    assert (report.status, report.client_id) == (VenueOrderStatus.SUBMITTED, request.client_id)


async def test_an_order_is_good_for_as_long_as_we_wait_for_its_answer(desk: Desk) -> None:
    before_ms = desk.house.clock.now_ms()

    await desk.gateway.place(bid())

    (seen,) = desk.asked(BATCH)
    assert 0 <= int(seen.headers["exptime"]) - before_ms - 8000 < 2000


async def test_an_order_that_comes_too_late_is_not_placed_and_known_not_to_be(desk: Desk) -> None:
    await desk.gateway.load_markets()
    desk.house.clock.offset_ms = 9000

    with pytest.raises(ClockError, match="not placed"):
        await desk.gateway.place(bid())

    assert desk.house.exchange.orders("desk") == []


async def test_only_orders_have_a_deadline(desk: Desk) -> None:
    await desk.gateway.fetch_balances()

    (seen,) = desk.asked(BALANCE)
    assert "exptime" not in seen.headers


async def test_a_post_only_order_that_would_take_is_submitted_and_found_cancelled(desk: Desk) -> None:
    desk._place("crowd", LabSide.SELL, SYMBOL)
    request = bid("50000", post_only=True)

    report = await desk.gateway.place(request)

    assert report.status is VenueOrderStatus.SUBMITTED
    found = await desk.gateway.fetch_order(OrderRef(client_id=request.client_id, symbol=SYMBOL))
    assert (found.status, found.filled) == (VenueOrderStatus.CANCELED, Decimal(0))


async def test_a_refusal_that_ccxt_passes_over_is_none_the_less_one(desk: Desk) -> None:
    """An answer for many orders is "2" when some of them failed."""
    row = {"clOrdId": "", "ordId": "", "sCode": "51008", "sMsg": "Order failed. Insufficient USDT balance."}
    desk.answers(BATCH, {"code": "2", "data": [row], "msg": "Bulk operation partially succeeded"})

    with pytest.raises(InsufficientFundsError):
        await desk.gateway.place(bid())


async def test_a_code_that_nobody_knows_leaves_an_order_unknown(desk: Desk) -> None:
    row = {"clOrdId": "", "ordId": "", "sCode": "59999", "sMsg": "Something new"}
    desk.answers(BATCH, {"code": "1", "data": [row], "msg": "All operations failed"})

    with pytest.raises(OutcomeUnknownError, match="Something new"):
        await desk.gateway.place(bid())


# --- Budgets


@pytest.mark.parametrize(
    ("method", "path", "most"),
    [
        ("GET", "trade/fills-history", 10),
        ("GET", "account/config", 5),
        ("POST", "trade/batch-orders", 300),
        ("GET", "market/books", 40),
    ],
)
async def test_no_two_seconds_see_more_requests_than_okx_allows(
    desk: Desk, method: str, path: str, most: int
) -> None:
    client = desk.gateway._client
    kind = "public" if path.startswith("market") else "private"
    cost = client.describe()["api"][kind][method.lower()][path]["cost"]
    pace = client.pace_of(method, path, "", cost)

    waits = [reserve(pace, 1) for _ in range(most + 5)]

    assert waits[0] == 0
    assert all(later - sooner > 1.99 for sooner, later in zip(waits, waits[most:], strict=False))
    assert waits[most] < 3  # and not many fewer


async def test_each_endpoint_and_each_market_has_a_budget_of_its_own(desk: Desk) -> None:
    client = desk.gateway._client
    used_up = client.pace_of("POST", "trade/cancel-order", "BTC-USDT", 1 / 3)
    while reserve(used_up, 1) < 1:
        pass

    assert reserve(client.pace_of("POST", "trade/cancel-order", "ETH-USDT", 1 / 3), 1) == 0
    assert reserve(client.pace_of("GET", "trade/order", "BTC-USDT", 1 / 3), 1) == 0


async def test_books_of_many_markets_are_asked_for_no_faster_than_okx_allows(desk: Desk) -> None:
    await desk.gateway.load_markets()

    await asyncio.gather(*(desk.gateway.fetch_book(SYMBOL) for _ in range(60)))

    assert {seen.status for seen in desk.asked("/api/v5/market/books")} == {200}


async def test_a_pause_that_okx_asked_for_holds_for_every_endpoint(desk: Desk) -> None:
    await desk.gateway.load_markets()
    desk.gateway._client.own_pace.pause(60)

    for ask in (desk.gateway.fetch_balances, lambda: desk.gateway.fetch_open_orders([SYMBOL])):
        with pytest.raises(RateLimitError, match="Nothing was sent"):
            await ask()


# --- Pages


async def test_fills_of_one_millisecond_are_found_over_all_pages(desk: Desk) -> None:
    now = desk.house.clock.now_ms()
    desk.house.clock._source = lambda: now
    desk.trade(230)
    desk.trade(3, symbol="ETH/USDT")

    trades = await desk.gateway.fetch_trades(SYMBOL, since=datetime.fromtimestamp(now / 1000, UTC))

    assert [trade.id for trade in trades] == [str(number) for number in range(1, 231)]
    assert len(desk.asked("/api/v5/trade/fills-history")) == 3


async def test_open_orders_of_many_pages_are_asked_for_spot_only(desk: Desk) -> None:
    for _ in range(203):
        desk._place("desk", LabSide.BUY, SYMBOL)

    orders = await desk.gateway.fetch_open_orders([SYMBOL])

    assert len({order.venue_id for order in orders}) == 203
    asked = desk.asked("/api/v5/trade/orders-pending")
    assert len(asked) == 3
    assert all("instType=SPOT" in seen.query for seen in asked)


async def test_everybodys_trades_are_paged_back_to_where_they_were_wanted(desk: Desk) -> None:
    desk.trade(120)

    trades = await desk.gateway.fetch_public_trades(SYMBOL, since=datetime.now(UTC) - LONG_AGO)

    assert [trade.id for trade in trades] == [str(number) for number in range(1, 121)]
    assert "after=21" in desk.asked("/api/v5/market/history-trades")[1].query


async def test_markets_cost_one_request(desk: Desk) -> None:
    await desk.gateway.load_markets()

    assert [(seen.path, seen.query) for seen in desk.server.requests.select()] == [
        ("/api/v5/public/instruments", "instType=SPOT")
    ]


# --- The account


def account(**detail: str) -> dict[str, object]:
    row = {"ccy": "USDT", "availBal": "10", "frozenBal": "2", "cashBal": "12", "eq": "12", "availEq": ""}
    return {"code": "0", "data": [{"uTime": "1795204998000", "details": [row | detail]}], "msg": ""}


@pytest.mark.parametrize("detail", [{}, {"availEq": "30", "eq": "40"}], ids=["spot mode", "margin mode"])
async def test_what_is_free_is_the_balance_in_every_mode_of_the_account(
    desk: Desk, detail: dict[str, str]
) -> None:
    desk.answers(BALANCE, account(**detail))

    usdt = (await desk.gateway.fetch_balances())["USDT"]

    assert (usdt.free, usdt.used) == (Decimal(10), Decimal(2))


@pytest.mark.parametrize(
    "content",
    [
        {"code": "0", "msg": ""},
        {"code": "0", "data": [{}], "msg": ""},
        {"code": "0", "data": [{"details": [{"ccy": "USDT"}]}], "msg": ""},
        account(availBal="lots"),
        account(frozenBal="-1"),
    ],
)
async def test_an_answer_without_balances_is_no_empty_account(desk: Desk, content: object) -> None:
    desk.answers(BALANCE, content)

    with pytest.raises(MalformedAnswerError):
        await desk.gateway.fetch_balances()


@pytest.mark.parametrize(("trading", "withdrawals"), [(True, False), (False, True)])
async def test_the_rights_of_a_key_are_asked_for(desk: Desk, *, trading: bool, withdrawals: bool) -> None:
    key = desk.house.dialect.keys[desk.house.dialect.new_login(1).key]
    key.trading, key.withdrawals, key.allowed_ips = trading, withdrawals, frozenset({"127.0.0.1"})

    permissions = await desk.gateway.fetch_permissions()

    assert (permissions.can_trade, permissions.can_withdraw) == (trading, withdrawals)
    assert permissions.is_address_bound is True


async def test_the_address_that_is_refused_is_named(desk: Desk) -> None:
    login = desk.house.dialect.new_login(1)
    desk.house.dialect.keys[login.key].allowed_ips = frozenset({"203.0.113.7"})

    with pytest.raises(AddressNotAllowedError, match=r"127\.0\.0\.1.*allow-list") as caught:
        await desk.gateway.fetch_balances()

    assert caught.value.address == "127.0.0.1"
    assert login.key not in f"{caught.value} {caught.value.text}"


def test_the_forms_of_key_and_secret_are_told_apart() -> None:
    key, secret, _ = VENUE.credential_fields
    login = ("0a1b2c3d-4e5f-4a6b-8c7d-0123456789ab", "0123456789ABCDEF0123456789ABCDEF")
    assert [bool(re.fullmatch(key.pattern, part)) for part in login] == [True, False]
    assert [bool(re.fullmatch(secret.pattern, part)) for part in login] == [False, True]


# --- Codes

CODES = [
    # status, code, text, error, rule, a pattern of the sentence, known to have had no effect
    (401, "50111", "Invalid OK-ACCESS-KEY", CredentialsError, None, "does not know the API key", True),
    (401, "50119", "API key doesn't exist", CredentialsError, None, "expired", True),
    (401, "50104", "… cannot be empty.", CredentialsError, None, "passphrase again", True),
    (401, "50105", "… incorrect.", CredentialsError, None, "refuses the passphrase", True),
    (401, "50113", "Invalid Sign", CredentialsError, None, "secret does not belong", True),
    (401, "50101", "APIKey does not match current environment.", CredentialsError, None, "demo", True),
    (401, "50114", "Invalid Authority", PermissionMissingError, None, "allow Read and Trade", True),
    (401, "50120", "This API key doesn't have permission", PermissionMissingError, None, "allow Read", True),
    (403, "50030", "You don't have permission", PermissionMissingError, None, "allow Read", True),
    (401, "50110", "Your IP 203.0.113.7 is not", AddressNotAllowedError, None, r"203\.0\.113\.7", True),
    (401, "50110", "Invalid IP", AddressNotAllowedError, None, "address of this machine", True),
    (403, "50121", "… through the IP address (203.0.113.7).", AddressNotAllowedError, None, "country", True),
    (400, "50100", "API frozen", PermissionMissingError, None, "support", True),
    (200, "51010", "… current account mode.", PermissionMissingError, None, "Spot mode", True),
    (401, "50102", "Timestamp request expired", ClockError, None, "clock", True),
    (401, "50112", "Invalid OK-ACCESS-TIMESTAMP", ClockError, None, "clock", True),
    (400, "50036", "The expTime can't be earlier", ClockError, None, "not placed", True),
    (429, "50011", "Too Many Requests", RateLimitError, None, "fewer requests", True),
    (200, "50061", "… maximum order rate limit", RateLimitError, None, "fewer orders", True),
    (503, "50001", "Service temporarily unavailable", VenueDownError, None, "maintenance", False),
    (429, "50013", "Systems are busy", VenueDownError, None, "asked again", False),
    (500, "50026", "System error", VenueDownError, None, "asked again", False),
    (400, "50004", "API endpoint request timeout", VenueDownError, None, "looked up", False),
    (200, "51054", "Request timed out", VenueDownError, None, "looked up", False),
    (200, "51410", "… already under cancelling status", VenueDownError, None, "looked up", False),
    (200, "51001", "Instrument ID doesn't exist", UnknownSymbolError, None, "symbol of the bot", True),
    (200, "51022", "… suspended", InvalidOrderError, Rule.OTHER, "closed this market", True),
    (200, "51155", "… local compliance", InvalidOrderError, Rule.OTHER, "registered", True),
    (200, "51008", "Insufficient USDT balance", InsufficientFundsError, None, "funding account", True),
    (200, "51119", "insufficient balance", InsufficientFundsError, None, "add funds", True),
    (200, "51020", "… minimum order amount.", InvalidOrderError, Rule.MIN_COST, "raise the amount", True),
    (200, "51005", "… max order amount.", InvalidOrderError, Rule.MAX_AMOUNT, "lower the amount", True),
    (200, "51121", "… multiple of the lot size.", InvalidOrderError, Rule.AMOUNT_STEP, "step", True),
    (200, "51000", "Parameter px error", InvalidOrderError, Rule.PRICE_STEP, "tick", True),
    (200, "51000", "Parameter sz  error", InvalidOrderError, Rule.AMOUNT_STEP, "step", True),
    (200, "51000", "Parameter posSide error", InvalidOrderError, Rule.OTHER, "posSide", True),
    (200, "51137", "The highest price limit", InvalidOrderError, Rule.PRICE_RANGE, "nearer", True),
    (200, "51138", "The lowest price limit", InvalidOrderError, Rule.PRICE_RANGE, "nearer", True),
    (200, "51174", "… upper limit of 500 (orders).", InvalidOrderError, Rule.MAX_OPEN_ORDERS, "levels", True),
    (200, "51016", "Client order ID already exists.", InvalidOrderError, Rule.DUPLICATE, "looked up", True),
    (200, "51400", "Cancellation failed", OrderNotFoundError, None, "no such open order", True),
    (200, "51402", "… already completed", OrderNotFoundError, None, "no such open order", True),
    (200, "51603", "Order does not exist", OrderNotFoundError, None, "no such order", True),
]  # fmt: skip


@pytest.mark.parametrize(("status", "code", "text", "kind", "rule", "says", "no_effect"), CODES)
@pytest.mark.parametrize("of_order", [False, True])
def test_okxs_code_decides_wherever_it_stands(
    status: int, code: str, text: str, kind: type[VenueError], rule: Rule | None, says: str,
    *, no_effect: bool, of_order: bool,
) -> None:  # fmt: skip
    rows = [{"ordId": "", "sCode": code, "sMsg": text}]
    body = (
        {"code": "1", "data": rows, "msg": "All operations failed"}
        if of_order
        else {"code": code, "msg": text}
    )
    passage = Passage(departed=True, answer=HttpAnswer(status, {}, body))

    def translated(*, writes: bool) -> VenueError:
        call = Call(name="place", title="OKX", connection="main", dialect=DIALECT, writes=writes)
        return translate(ccxt.ExchangeError("okx {}"), call, passage)

    read = translated(writes=False)

    assert type(read) is kind
    assert getattr(read, "rule", None) is rule
    assert read.code == code
    assert re.search(says, read.sentence)
    assert isinstance(translated(writes=True), OutcomeUnknownError) is not no_effect


def test_every_sentence_is_filled_in_and_ends() -> None:
    for code in BY_CODE:
        call = Call(name="place", title="OKX", connection="main", dialect=DIALECT)
        answer = HttpAnswer(200, {}, {"code": code, "msg": "its own words."})
        sentence = translate(
            ccxt.ExchangeError("okx {}"), call, Passage(departed=True, answer=answer)
        ).sentence
        assert "{" not in sentence
        assert sentence.endswith(".")
        assert "OKX" in sentence


@pytest.mark.parametrize(
    "answer",
    [
        {"code": "0", "data": [{"ordId": "1", "sCode": "0", "sMsg": ""}], "msg": ""},
        {"code": "0", "data": None},
        {"data": "x"},
        ["code"],
        "text",
        None,
    ],
)
def test_what_is_no_refusal_is_not_read_as_one(answer: object) -> None:
    assert read_refusal(answer) is None
