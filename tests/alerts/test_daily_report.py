"""The daily report: when, to whom, and that its numbers are those of the books."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from alerts.models import AlertChannel, AlertMessage
from alerts.reports import save_report
from bots import alerting
from bots.daily_report import daily_report
from bots.models import Order, Position, RoundTrip, ScalperBot, SpreadBot, Trade
from exchanges.models import Balance, ExchangeConnection
from tests.alerts.conftest import make_channel

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 7, 1, 7, 30, tzinfo=UTC)


def a_bot(connection: ExchangeConnection, name: str, symbol: str = "BTC/USDT", **fields: Any) -> SpreadBot:
    return SpreadBot.objects.create(
        name=name, connection=connection, symbol=symbol, bid_spread_pct="0.01", ask_spread_pct="0.01",
        order_amount="1", **fields,
    )  # fmt: skip


def a_trade(bot: SpreadBot, profit: str, *, hours_ago: float = 1) -> None:
    at, number = NOW - timedelta(hours=hours_ago), Trade.objects.count()
    order = Order.objects.create(
        connection=bot.connection, bot=bot, fence=1, symbol=bot.symbol, side="sell", price=Decimal(100),
        amount=Decimal(1), state="filled", created_at=at,
    )  # fmt: skip
    Trade.objects.create(
        connection=bot.connection, bot=bot, order=order, venue_id=f"t{number}", symbol=bot.symbol,
        side="sell", price=Decimal(100), amount=Decimal(1), cost=Decimal(100), time=at,
        realised_profit=Decimal(profit),
    )  # fmt: skip


def a_trip(connection: ExchangeConnection, *, hours_ago: float) -> None:
    scalper = ScalperBot.objects.create(
        name=f"Scalper {hours_ago}", connection=connection, symbols="BTC/USDT", order_cost=Decimal(50),
        entry_move_pct=Decimal("0.01"), stop_loss_pct=Decimal("0.01"),
    )  # fmt: skip
    at = NOW - timedelta(hours=hours_ago)
    RoundTrip.objects.create(
        bot=scalper, connection=connection, symbol="BTC/USDT", side="buy", state="closed", created_at=at,
        opened_at=at, closed_at=at,
    )  # fmt: skip


def test_profit_is_told_by_currency_and_play_money_apart(ada: User, connection: ExchangeConnection) -> None:
    live = ExchangeConnection.objects.create(name="Live", venue="binance", mode="live", owner=ada)
    paper_bot, live_bot, euro_bot = (
        a_bot(connection, "Paper"), a_bot(live, "Real"), a_bot(live, "Euro", "BTC/EUR"),
    )  # fmt: skip
    a_trade(paper_bot, "1000")
    a_trade(live_bot, "1.25")
    a_trade(live_bot, "-3.5")
    a_trade(live_bot, "99", hours_ago=24.5)
    a_trade(euro_bot, "0.1")
    a_trip(connection, hours_ago=2)
    a_trip(connection, hours_ago=30)
    Position.objects.create(
        bot=live_bot, symbol="BTC/USDT", amount=2, cost=200, realised_profit=7, mark_price=101
    )
    lines = daily_report(ada, now=NOW)
    assert lines[:3] == [
        "Live: +0.1 EUR realised in 24 hours, 1 trades, 0 round trips closed.",
        "Live: -2.25 USDT realised in 24 hours, 2 trades, 0 round trips closed.",
        "Paper: +1000 USDT realised in 24 hours, 1 trades, 1 round trips closed.",
    ]
    assert "Live, since the start: +9 USDT (+2 of it unrealised), 1 bots." in lines


def test_bots_in_trouble_are_named(ada: User, connection: ExchangeConnection) -> None:
    ExchangeConnection.objects.update(last_error="Kraken is down.")
    a_bot(connection, "Maker", state="running")
    a_bot(connection, "Idle")
    lines = daily_report(ada, now=NOW)
    assert [line for line in lines if "trouble" in line] == ["In trouble: Maker on Main. Kraken is down."]


def test_what_accounts_hold_is_summed_with_the_oldest_age(ada: User, connection: ExchangeConnection) -> None:
    other = ExchangeConnection.objects.create(name="Other", venue="demo", owner=ada)
    ExchangeConnection.objects.create(name="New", venue="demo", owner=ada)
    for row, amount, minutes in ((connection, 100, 5), (other, "11.5", 90)):
        at = NOW - timedelta(minutes=minutes)
        Balance.objects.create(connection=row, currency="USDT", free=Decimal(amount), used=0, at=at)
        ExchangeConnection.objects.filter(pk=row.pk).update(balances_at=at)
    assert daily_report(ada, now=NOW)[-2:] == [
        "The balances of New were not read yet.",
        "Paper accounts hold 111.5 USDT; the oldest balance was read 1 h ago.",
    ]


def test_a_report_is_of_what_its_reader_sees(ada: User, bob: User, connection: ExchangeConnection) -> None:
    a_trade(a_bot(connection, "Ada's"), "5")
    assert daily_report(bob, now=NOW) == ["No trades in 24 hours."]


def test_a_person_who_left_gets_no_numbers(ada: User, connection: ExchangeConnection) -> None:
    a_trade(a_bot(connection, "Ada's"), "5")
    ada.is_active = False
    assert daily_report(ada, now=NOW) == ["This person's account is disabled."]


@pytest.fixture
def morning(ada: User) -> AlertChannel:
    """9 o'clock in Berlin is 7 UTC in summer."""
    channel = make_channel(ada, "json://203.0.113.9")
    channel.report_hour, channel.time_zone = 9, "Europe/Berlin"
    channel.save()
    return channel


def test_a_report_is_written_once_a_day_at_its_hour(morning: AlertChannel) -> None:
    written = []
    for moment in (NOW - timedelta(hours=1), NOW, NOW + timedelta(minutes=1), NOW + timedelta(hours=23),
                   NOW + timedelta(hours=24)):  # fmt: skip
        alerting.write_reports(moment)
        written.append(AlertMessage.objects.count())
    assert written == [0, 1, 1, 1, 2]
    assert AlertMessage.objects.earliest("pk").title == "Botdesk: the day until 2026-07-01 07:30 UTC"


def test_of_two_that_write_the_report_one_counts(morning: AlertChannel) -> None:
    saved = [save_report(channel=morning, lines=["x"], url="", now=NOW) for _ in range(2)]
    assert saved == [True, False]
    assert AlertMessage.objects.count() == 1


def test_a_channel_without_an_hour_gets_none(ada: User) -> None:
    make_channel(ada, "json://203.0.113.9")
    alerting.write_reports(NOW)
    assert not AlertMessage.objects.exists()
