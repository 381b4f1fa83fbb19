"""Coinstore's printed answers are read, exactly, and so is what public clients met in their place.

Source: the examples of the API document of 2024-08-31, restated, and the signing vectors of StockSharp.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from exchanges.errors import MalformedAnswerError
from exchanges.types import Fee, Liquidity, OrderReport, OrderType, Side, VenueOrderStatus
from exchanges.venues import ccxt_answers
from exchanges.venues.coinstore import answers
from exchanges.venues.coinstore.connector import Coinstore, signature


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            '{"symbol":"BTCUSDT","side":"BUY"}',
            "a27a05e9c182ca3fd7facd4dfc78a767f79eace381d4dee66db6c83729c6d088",
        ),
        ("", "c8274c6824053e872e24f58c746819f22f4b5480da1a208a52813753a9de054b"),
    ],
)
def test_the_signature_is_that_of_another_client(payload: str, expected: str) -> None:
    assert signature("secret", 1_629_291_143_107, payload) == expected


PRINTED_TICKER = {
    "volume": "24121351.85",
    "amount": "1693799.10798965",
    "close": "0.067998",
    "high": "0.072453",
    "low": "0.067985",
    "symbol": "TRXUSDT",
}


def test_the_days_prices_tell_which_volume_is_in_quote() -> None:
    """The document says of its own example that `volume` were."""
    swapped = PRINTED_TICKER | {"volume": PRINTED_TICKER["amount"], "amount": PRINTED_TICKER["volume"]}

    for row in (PRINTED_TICKER, swapped):
        assert answers.ticker_of(row)["quoteVolume"] == Decimal("1693799.10798965")
        assert answers.ticker_of(row)["baseVolume"] == Decimal("24121351.85")


@pytest.mark.parametrize("change", [{"amount": "999999"}, {"low": "0", "high": "0"}, {"volume": None}])
def test_of_volumes_that_fit_no_price_of_the_day_nothing_is_told(change: dict[str, Any]) -> None:
    assert "quoteVolume" not in answers.ticker_of(PRINTED_TICKER | change)


PRINTED_ORDER = {
    "baseCurrency": "A123",
    "quoteCurrency": "USDT",
    "side": "BUY",
    "cumQty": "0",
    "ordId": "1758065956225025",
    "clOrdId": "tLCGVA4g19zuEBwsITXi9g3U624Al0Bw",
    "ordType": "LIMIT",
    "ordQty": "10",
    "cumAmt": "0",
    "accountId": "1134912",
    "timeInForce": "GTC",
    "ordPrice": "100",
    "leavesQty": "10",
    "avgPrice": "0",
    "ordStatus": "SUBMITTED",
    "symbol": "A123USDT",
    "timestamp": "1676622290389",
}


def read(**changes: object) -> OrderReport:
    row = {name: value for name, value in (PRINTED_ORDER | changes).items() if value is not None}
    return ccxt_answers.order_of(answers.order_of(row), "A123/USDT")


def test_the_printed_order_is_read() -> None:
    assert read() == OrderReport(
        venue_id="1758065956225025",
        client_id="tLCGVA4g19zuEBwsITXi9g3U624Al0Bw",
        symbol="A123/USDT",
        side=Side.BUY,
        type=OrderType.LIMIT,
        status=VenueOrderStatus.OPEN,
        amount=Decimal(10),
        filled=Decimal(0),
        price=Decimal(100),
        average=None,
        time=datetime(2023, 2, 17, 8, 24, 50, 389000, tzinfo=UTC),
    )


STATES = [
    ("SUBMITTING", VenueOrderStatus.SUBMITTED),
    ("SUBMITTED", VenueOrderStatus.OPEN),
    ("PARTIAL_FILLED", VenueOrderStatus.OPEN),
    ("CANCELING", VenueOrderStatus.OPEN),
    ("CANCELED", VenueOrderStatus.CANCELED),
    ("STOPPED", VenueOrderStatus.CANCELED),
    ("EXPIRED", VenueOrderStatus.EXPIRED),
    ("REJECTED", VenueOrderStatus.REJECTED),
]


@pytest.mark.parametrize(("word", "status"), STATES)
def test_each_state_is_known_by_the_name_of_either_version(word: str, status: VenueOrderStatus) -> None:
    assert read(ordStatus=word).status is status
    assert read(ordStatus=None, ordState=word).status is status


def test_a_state_that_nobody_has_heard_of_is_not_guessed() -> None:
    with pytest.raises(MalformedAnswerError):
        read(ordStatus="MELTING")


def test_the_average_is_what_was_paid_and_not_the_rounded_one() -> None:
    report = read(ordStatus="FILLED", cumQty="10", cumAmt="1000.0000001", avgPrice="100")
    assert (report.status, report.average) == (VenueOrderStatus.FILLED, Decimal("100.00000001"))


@pytest.mark.parametrize("client_id", ["0", "", None])
def test_an_order_without_a_client_id_has_none(client_id: str | None) -> None:
    assert read(clOrdId=client_id).client_id is None


def test_a_price_is_read_as_it_was_written_with_whatever_exponent() -> None:
    text = json.dumps(PRINTED_ORDER).replace('"ordPrice": "100"', '"ordPrice": 9.1E-10')
    row = Coinstore().on_json_response(text)
    assert ccxt_answers.order_of(answers.order_of(row), "A123/USDT").price == Decimal("9.1e-10")


PRINTED_MATCH = (
    '{"id":3984987,"remainingQty":0E-18,"matchRole":1,"feeCurrencyId":44,'
    '"acturalFeeRate":0.002000000000000000,"role":1,"accountId":1138204,"instrumentId":15,'
    '"baseCurrencyId":44,"quoteCurrencyId":30,"execQty":40.900000000000000000,"orderState":50,'
    '"matchId":258338866,"orderId":1717384395096065,"side":1,"execAmt":8.887161000000000000,'
    '"selfDealingQty":0E-18,"tradeId":11523732,"fee":0.081800000000000000,"matchTime":1637825389,"seq":null}'
)
MARKET = {"symbol": "A123/USDT", "base": "A123", "quote": "USDT"}


def fill(**changes: object) -> Any:
    row = Coinstore().on_json_response(PRINTED_MATCH) | changes
    return ccxt_answers.trade_of(answers.trade_of(row, MARKET), "A123/USDT")


def test_the_printed_match_is_read_to_the_last_digit() -> None:
    trade = fill()
    assert (trade.id, trade.order_venue_id, trade.side) == ("3984987", "1717384395096065", Side.BUY)
    assert (trade.amount, trade.cost, trade.price) == (
        Decimal("40.9"),
        Decimal("8.887161"),
        Decimal("0.21729"),
    )
    assert trade.fees == (Fee(currency="A123", amount=Decimal("0.0818")),)
    assert trade.liquidity is Liquidity.TAKER
    assert trade.time == datetime(2021, 11, 25, 7, 29, 49, tzinfo=UTC)


def test_digits_that_no_float_holds_are_kept() -> None:
    trade = fill(execQty="12345678901.123456789", execAmt="24691357802.246913578")
    assert (trade.amount, trade.price) == (Decimal("12345678901.123456789"), Decimal(2))


@pytest.mark.parametrize(
    ("changes", "side", "liquidity"),
    [
        ({"side": "-1", "role": "-1"}, Side.SELL, Liquidity.MAKER),
        ({"side": "SELL", "role": "MAKER"}, Side.SELL, Liquidity.MAKER),
        ({"side": "BUY", "role": "TAKER"}, Side.BUY, Liquidity.TAKER),
    ],
)
def test_side_and_role_are_numbers_or_words(changes: Any, side: Side, liquidity: Liquidity) -> None:
    trade = fill(**changes)
    assert (trade.side, trade.liquidity) == (side, liquidity)


def test_times_are_in_seconds_or_in_milliseconds() -> None:
    assert fill(matchTime="1637825389123").time.timestamp() == pytest.approx(1637825389.123)


def test_a_fee_in_a_currency_that_cannot_be_named_is_not_booked() -> None:
    with pytest.raises(MalformedAnswerError, match="fee"):
        fill(feeCurrencyId="77")


def test_frozen_and_available_balances_are_summed_for_each_currency() -> None:
    rows = [
        {"uid": "315", "currency": "USDT", "balance": "0.05001", "type": "4", "typeName": "FROZEN"},
        {"uid": "315", "currency": "USDT", "balance": "13297.94999", "type": "1", "typeName": "AVAILABLE"},
        {"uid": "315", "currency": "usdt", "balance": "1", "type": "1", "typeName": "AVAILABLE"},
    ]
    balances = ccxt_answers.balances_of(answers.balances_of({"data": rows, "code": "0"}))
    assert balances["USDT"].free == Decimal("13298.94999")
    assert balances["USDT"].used == Decimal("0.05001")


def test_steps_are_counts_of_decimals_and_codes_come_in_both_cases() -> None:
    row = {
        "symbolCode": "btcUSDT",
        "tradeCurrencyCode": "btc",
        "quoteCurrencyCode": "usdt",
        "openTrade": True,
        "tickSz": "0",
        "lotSz": "4",
        "minLmtSz": "0.2",
        "minMktVa": "0.1",
        "makerFee": "0.006",
        "takerFee": "0.003",
    }
    market = answers.market_of(row)
    assert (market["id"], market["symbol"]) == ("BTCUSDT", "BTC/USDT")
    assert market["precision"] == {"price": "1", "amount": "0.0001"}


@pytest.mark.parametrize("decimals", ["-1", "19", "999999", "many"])
def test_a_count_of_decimals_that_no_market_has_is_not_believed(decimals: str) -> None:
    row = {"symbolCode": "X", "tradeCurrencyCode": "x", "quoteCurrencyCode": "y", "tickSz": decimals}
    with pytest.raises(MalformedAnswerError):
        answers.market_of(row)


class OnePage(Coinstore):
    """A venue that shows the same hundred trades on every page."""

    asked = 0

    def market(self, symbol: str) -> dict[str, str]:
        return MARKET | {"id": "A123USDT"}

    async def _ask(self, path: str, params: Any = None, *, method: str = "GET") -> Any:
        self.asked += 1
        row = self.on_json_response(PRINTED_MATCH)
        return {"code": "0", "data": [row | {"id": str(number)} for number in range(100)]}


async def test_a_page_that_comes_again_is_the_last() -> None:
    venue = OnePage()

    assert len(await venue.fetch_my_trades("A123/USDT")) == 100
    assert venue.asked == 2


def test_an_answer_out_of_a_cache_is_as_old_as_it_says() -> None:
    client = Coinstore()
    headers = {"Date": "Fri, 20 Nov 2026 20:00:00 GMT", "Age": "30"}
    client.on_rest_response(200, "OK", "", "GET", headers, "{}", {}, None)

    assert client.venue_ms == datetime(2026, 11, 20, 20, 0, 30, tzinfo=UTC).timestamp() * 1000
