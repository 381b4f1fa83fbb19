"""BitMart's connector beside ccxt's last class for it, and what the desk makes of a venue that ends."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.errors import (
    AddressNotAllowedError,
    ClockError,
    CredentialsError,
    MalformedAnswerError,
    NotOfferedError,
    OrderNotFoundError,
    RateLimitError,
    VenueClosedError,
    VenueDownError,
    VenueError,
)
from exchanges.venues.bitmart.connector import Bitmart
from exchanges.venues.bitmart.dialect import DIALECT
from exchanges.venues.bitmart.facts import VENUE
from exchanges.venues.ccxt_errors import Call, translate
from exchanges.venues.ccxt_venue import CcxtGateway
from exchanges.venues.door import HttpAnswer, Passage
from tests.exchanges.venues.conftest import buy
from tests.exchanges.venues.own_connectors import gateway_at, ref_of
from tests.exchanges.venues.record_bitmart import KEYS, NOW_MS, kept
from tests.lab.house import House
from tests.lab.lab import Lab

RECORDED = json.loads(Path(__file__).with_name("bitmart_recorded.json").read_text())
SYMBOL = "BTC/USDT"


class Replayed(Bitmart):
    """Answers itself what was recorded, and keeps what it would have sent."""

    number = str
    sent: Any = None
    data: Any = None

    def milliseconds(self) -> int:
        return NOW_MS

    async def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        self.sent = {"url": url, "method": method, "headers": headers, "body": body}
        return self.on_json_response(json.dumps({"code": 1000, "message": "OK", "data": self.data}))


@pytest.fixture
async def replayed() -> AsyncIterator[Replayed]:
    client = Replayed({**KEYS, "enableRateLimit": False})
    client.data = next(entry["data"] for entry in RECORDED if entry["call"] == "fetch_markets")
    await client.load_markets()
    yield client
    await client.close()


def exact(value: Any) -> Any:
    """Numbers as Decimals, whether they came as text, as an integer or as ccxt's float of a short one."""
    if isinstance(value, dict):
        return {name: exact(part) for name, part in value.items()}
    if isinstance(value, list):
        return [exact(part) for part in value]
    if isinstance(value, bool) or value is None:
        return value
    try:
        return Decimal(str(value))
    except ArithmeticError:
        return value


@pytest.mark.parametrize("entry", RECORDED, ids=[f"{i} {e['call']}" for i, e in enumerate(RECORDED)])
async def test_our_requests_and_structures_are_those_of_ccxt(entry: Any, replayed: Replayed) -> None:
    replayed.data = entry["data"]

    made = await getattr(replayed, entry["call"])(*entry["arguments"])

    asked = entry["request"]
    (asked["headers"] or {}).pop("X-BM-BROKER-ID", None)  # it would name ccxt as the broker
    asked["url"] = asked["url"].replace(
        "api-cloud-v2", "api-cloud"
    )  # ccxt asks the futures' host for the time
    assert replayed.sent == asked
    assert exact(kept(entry["call"], made)) == exact(entry["made"])


BY_CODE = [
    # HTTP status, code, text, error, a word of the sentence
    (401, 30002, "Header X-BM-KEY is not found", CredentialsError, "memo"),
    (401, 30005, "Header X-BM-SIGN is wrong", CredentialsError, "secret or the memo"),
    (401, 30003, "Header X-BM-KEY has frozen", CredentialsError, "frozen"),
    (401, 30007, "Header X-BM-TIMESTAMP range. Within a minute", ClockError, "NTP"),
    (403, 30010, "IP is forbidden", AddressNotAllowedError, "allow-list"),
    (403, 30011, "Header X-BM-KEY over expire time", CredentialsError, "expired"),
    (429, 30013, "Request too many requests", RateLimitError, "fewer"),
    (418, 30017, "Your account request is temporarily rejected", RateLimitError, "fewer"),
    (503, 30014, "Service unavailable", VenueDownError, "again"),
    (200, 30016, "Service maintenance", VenueDownError, "again"),
    (400, 50005, "Order Id not found", OrderNotFoundError, "no such order"),
    (400, 50032, "Order does not exist", OrderNotFoundError, "no such order"),
    (400, 50040, "Symbol Not Available", VenueClosedError, "any more"),
]


@pytest.mark.parametrize(("status", "code", "text", "kind", "word"), BY_CODE)
async def test_each_code_becomes_an_error_that_says_what_to_do(
    replayed: Replayed, status: int, code: int, text: str, kind: type[VenueError], word: str
) -> None:
    body = {"message": text, "code": str(code), "trace": "x", "data": {}}
    with pytest.raises(Exception, match=str(code)) as raised:
        replayed.handle_errors(status, "", "", "GET", {}, json.dumps(body), body, {}, None)
    call = Call(name="fetch_balances", title="BitMart", connection="main", dialect=DIALECT)

    error = translate(raised.value, call, Passage(departed=True, answer=HttpAnswer(status, {}, body)))

    assert type(error) is kind
    assert word in error.sentence


@pytest.mark.parametrize("answer", [{"code": "1000"}, {"code": "1000", "data": {"wallet": None}}])
async def test_an_answer_without_a_wallet_is_no_empty_account(replayed: Replayed, answer: Any) -> None:
    async def fetch(*_asked: Any, **_named: Any) -> Any:
        return answer

    replayed.fetch = fetch  # type: ignore[method-assign]
    with pytest.raises(MalformedAnswerError):
        await replayed.fetch_balance()


# --- At the lab


@pytest.fixture
async def house() -> AsyncIterator[tuple[Lab, House]]:
    async with Lab() as lab:
        yield lab, lab.house("bitmart")


@pytest.fixture
async def gateway(house: tuple[Lab, House], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CcxtGateway]:
    async with gateway_at(*house, monkeypatch) as opened:
        yield opened


async def test_an_order_is_refused_with_the_day_and_is_not_sent(
    house: tuple[Lab, House], gateway: CcxtGateway
) -> None:
    request = buy("0.001", "40000")
    with pytest.raises(VenueClosedError, match="2026-08-26") as placed:
        await gateway.place(request)
    with pytest.raises(VenueClosedError, match="2027-01-31"):
        await gateway.cancel(ref_of(request, "183000000000000100"))

    assert placed.value.sentence == VENUE.no_orders_because
    assert not house[0].requests.select(path="/spot/v2/submit_order")
    assert not house[0].requests.select(path="/spot/v3/cancel_order")


async def test_volumes_cannot_be_asked_for_and_the_reason_is_said(gateway: CcxtGateway) -> None:
    with pytest.raises(NotOfferedError, match="Trading at BitMart has ended"):
        await gateway.fetch_day_volumes()


async def test_the_memo_signs(house: tuple[Lab, House], gateway: CcxtGateway) -> None:
    assert (await gateway.fetch_balances())["USDT"].free == 10_000_000
    house[1].dialect.keys[house[1].dialect.new_login(1).key].passphrase = "another memo"

    with pytest.raises(CredentialsError, match="memo"):
        await gateway.fetch_permissions()


async def test_the_permissions_step_proves_the_secret_where_balances_need_the_key_alone(
    house: tuple[Lab, House], gateway: CcxtGateway
) -> None:
    await gateway.fetch_permissions()

    asked = {seen.path for seen in house[0].requests.select(venue="bitmart") if seen.key}
    assert asked == {"/spot/v4/query/open-orders"}
