"""Trades as CSV: exact, filtered, harmless in a spreadsheet, and never all in memory."""

from __future__ import annotations

import csv
import io
import itertools
import tracemalloc
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from bots.api.export import FORMATS, csv_lines
from bots.models import Bot, Trade
from exchanges.models import ExchangeConnection
from tests.api.people import Program, errors
from tests.api.rows import D, Desk, a_trade, an_order

pytestmark = pytest.mark.django_db
MOMENT = datetime(2026, 11, 25, 10, 30, 15, 123456, tzinfo=UTC)


def table(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.streaming
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


def test_every_column_is_exact(desk: Desk, others: Desk, reader: Program) -> None:
    Trade.objects.filter(pk=desk.trade.pk).update(
        time=MOMENT, price=D("12345678901234567890.000000000000000001"), liquidity="maker"
    )
    answer = reader.get("/v1/trades/export/")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="trades-all.csv"'
    assert table(answer) == [
        {
            "time": "2026-11-25T10:30:15.123456+00:00", "connection": "Main", "venue": "demo",
            "mode": "paper", "bot": "Maker", "symbol": "BTC/USDT", "side": "buy",
            "price": "12345678901234567890.000000000000000001", "amount": "0.5", "cost": "50",
            "fee_amount": "0.05", "fee_currency": "USDT", "realised_profit": "1.5", "liquidity": "maker",
            "trade_id": "1", "order_id": str(desk.order.pk),
        }
    ]  # fmt: skip


def test_koinlys_columns_say_what_was_sent_and_what_was_received(desk: Desk, reader: Program) -> None:
    Trade.objects.filter(pk=desk.trade.pk).update(time=MOMENT)
    a_trade(an_order(desk.spread, side="sell"), "2")
    ExchangeConnection.objects.update(mode="live")
    bought, sold = table(reader.get("/v1/trades/export/?columns=koinly"))
    assert bought == {
        "Date": "2026-11-25 10:30:15 UTC", "Sent Amount": "50", "Sent Currency": "USDT",
        "Received Amount": "0.5", "Received Currency": "BTC", "Fee Amount": "0.05", "Fee Currency": "USDT",
        "Net Worth Amount": "", "Net Worth Currency": "", "Label": "", "Description": "Main, Maker",
        "TxHash": "1",
    }  # fmt: skip
    told = [sold[name] for name in ("Sent Amount", "Sent Currency", "Received Amount", "Received Currency")]
    assert told == ["0.5", "BTC", "50", "USDT"]


def test_play_money_is_no_income(desk: Desk, reader: Program) -> None:
    koinly = "/v1/trades/export/?columns=koinly"
    for query in ("", "&mode=paper", "&mode=live"):
        assert table(reader.get(koinly + query)) == []
    ExchangeConnection.objects.update(mode="live")
    assert len(table(reader.get(koinly))) == 1
    Trade.objects.update(is_dry_run=True)
    assert table(reader.get(koinly)) == []


def test_the_lists_filters_apply(desk: Desk, others: Desk, reader: Program) -> None:
    a_trade(an_order(desk.spread, side="sell"), "2")
    assert [row["trade_id"] for row in table(reader.get("/v1/trades/export/?side=sell"))] == ["2"]
    assert table(reader.get(f"/v1/trades/export/?bot={others.spread.pk}")) == []


def test_columns_that_are_none_are_refused(desk: Desk, reader: Program) -> None:
    answer = reader.get("/v1/trades/export/?columns=excel")
    assert (answer.status_code, errors(answer)) == (400, [("invalid_choice", "columns")])


def test_a_name_is_no_formula_for_a_spreadsheet(desk: Desk, reader: Program) -> None:
    Bot.objects.filter(pk=desk.spread.pk).update(name="=HYPERLINK(1)")
    Trade.objects.update(venue_id="+1", realised_profit=D("-1.5"))
    (row,) = table(reader.get("/v1/trades/export/"))
    assert (row["bot"], row["trade_id"], row["realised_profit"]) == ("'=HYPERLINK(1)", "'+1", "-1.5")


def test_many_trades_take_no_more_memory_than_few(desk: Desk) -> None:
    now, order = timezone.now(), desk.order
    Trade.objects.bulk_create(
        Trade(
            connection=desk.connection, bot=desk.spread, order=order, venue_id=f"m{number}",
            symbol="BTC/USDT", side="buy", price=D(100), amount=D("0.5"), cost=D(50), time=now,
        )
        for number in range(15_000)
    )  # fmt: skip

    def peak(rows: int) -> int:
        lines = csv_lines(Trade.objects.select_related("bot", "connection").order_by("pk"), FORMATS["all"])
        tracemalloc.start()
        read = sum(1 for _ in itertools.islice(lines, rows))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert read == rows
        return most

    peak(10)
    assert peak(15_000) < 1.5 * peak(4_000)
