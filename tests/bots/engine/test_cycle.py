"""Cycles of bots, run by hand at a fake venue."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bots.engine import record, snapshot
from bots.engine.sheet import Sheet
from bots.models import BotState, Decision, OnStop, Position, Reference, SpreadBot
from exchanges.errors import VenueDownError
from exchanges.models import Balance, ExchangeConnection
from exchanges.types import Side
from tests.bots.engine.conftest import Desk, make_bot, make_connection

D = Decimal
BOTH = [("buy", D(99), D(1)), ("sell", D(101), D(1))]


def resting(desk: Desk) -> list[tuple[str, Decimal | None, Decimal]]:
    return sorted((order.side, order.price, order.amount) for order in desk.venue.resting())


async def change_bot(desk: Desk, **settings: Any) -> None:
    await desk.do(SpreadBot.objects.filter(pk=desk.bot.pk).update, **settings)


async def decision(desk: Desk) -> Decision:
    return await desk.do(Decision.objects.get, bot=desk.bot)


async def test_a_bot_quotes_both_sides(desk: Desk) -> None:
    await desk.round()
    assert resting(desk) == BOTH
    assert await desk.states() == ["open", "open"]
    row = await decision(desk)
    assert row.reference_price == D(100)
    assert [quote["price"] for quote in row.quotes] == ["99.00", "101.00"]


async def test_what_the_venue_holds_is_stored(desk: Desk) -> None:
    await desk.rounds(2)
    balance = await desk.do(Balance.objects.get, connection=desk.connection, currency="USDT")
    assert (balance.free, balance.used) == (D(99_901), D(99))


# --- Nothing changed, nothing written


async def test_an_idle_round_asks_the_database_nothing(desk: Desk) -> None:
    await desk.rounds(2)
    assert await desk.queries_of_a_round() == []


async def test_a_round_that_changes_something_is_seen_by_that_count(desk: Desk) -> None:
    await desk.rounds(2)
    desk.venue.fill(desk.venue.resting_at("99").venue_id, "0.1")
    assert any(sql.startswith("INSERT") for sql in await desk.queries_of_a_round())


async def test_a_mark_is_not_left_to_age(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.rounds(2)
    monkeypatch.setattr(record, "MARK_EVERY_SECONDS", 0.0)
    assert any("UPDATE" in sql and "position" in sql for sql in await desk.queries_of_a_round())


async def test_the_marks_of_a_round_are_written_in_one_transaction(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(9):
        await desk.do(make_bot, desk.connection, f"B{number}", symbol="BTC/USDT")
    await desk.rounds(2)
    monkeypatch.setattr(record, "MARK_EVERY_SECONDS", 0.0)
    seen = datetime.now(UTC)
    statements = await desk.queries_of_a_round()
    assert sum(sql.startswith("BEGIN") for sql in statements) == 1
    positions = await desk.do(lambda: list(Position.objects.all()))
    assert len(positions) == 10
    assert all(position.marked_at and position.marked_at >= seen for position in positions)


async def test_a_decision_that_holds_is_as_old_as_the_last_mark(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.rounds(2)
    before = await decision(desk)
    monkeypatch.setattr(record, "MARK_EVERY_SECONDS", 0.0)
    await desk.round()
    after = await decision(desk)
    assert (after.reason, after.quotes) == (before.reason, before.quotes)
    assert after.at > before.at


async def test_a_mark_is_written_only_under_the_lease(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.rounds(2)
    monkeypatch.setattr(record, "MARK_EVERY_SECONDS", 0.0)
    await desk.do(ExchangeConnection.objects.update, lease_fence=99)
    before = await desk.do(Position.objects.get)
    await desk.round()
    assert (await desk.do(Position.objects.get)).marked_at == before.marked_at
    assert desk.duty.is_idle


async def test_a_refusal_is_kept_with_its_rule(desk: Desk) -> None:
    await change_bot(desk, max_order_cost=D(100))
    await desk.round()
    assert resting(desk) == BOTH[:1]
    (refusal,) = (await decision(desk)).refusals
    assert (refusal["side"], refusal["rule"]) == ("sell", "max_order_cost")


async def test_a_fill_that_a_cancel_tells_of_counts_before_its_replacement_is_placed(desk: Desk) -> None:
    await change_bot(desk, max_position=D(1))
    await desk.round()
    bid = desk.venue.resting_at("99")
    await change_bot(desk, bid_spread_pct=D("0.03"))

    def race(_number: int) -> None:
        method, argument = desk.venue.calls[-1]
        if method == "cancel" and getattr(argument, "venue_id", "") == bid.venue_id:
            desk.venue.fill(bid.venue_id, "0.5")

    desk.venue.strike = race
    await desk.round()

    assert desk.venue.orders[bid.venue_id].filled == D("0.5")
    assert [order.side for order in desk.venue.resting()] == [Side.SELL]


# --- What a bot looks at


async def test_an_own_trade_is_the_reference_where_the_bot_says_so(desk: Desk) -> None:
    await change_bot(desk, reference=Reference.OWN_TRADE)
    await desk.round()
    desk.venue.fill(desk.venue.resting_at("99").venue_id, "1")
    await desk.rounds(2)
    assert (await decision(desk)).reference_price == D(99)


async def test_the_last_trade_is_the_reference_where_the_bot_says_so(desk: Desk) -> None:
    desk.venue.quoted["BTC/USDT"] = ("98.9", "103.1")
    await change_bot(desk, reference=Reference.LAST)
    await desk.round()
    assert (await decision(desk)).reference_price == D(100)


async def test_another_market_is_the_reference_where_the_bot_says_so(desk: Desk) -> None:
    elsewhere = await desk.do(make_connection, "Elsewhere")
    desk.venue.quoted["ETH/USDT"] = ("100.4", "100.6")
    await change_bot(
        desk, reference=Reference.OTHER_MARKET, reference_connection=elsewhere, reference_symbol="ETH/USDT"
    )
    await desk.round()
    assert (await decision(desk)).reference_price == D("100.5")


async def test_a_book_that_cannot_be_had_is_the_last_one_until_it_is_too_old(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.round()
    feed = desk.account.feed
    feed._cells["book", "BTC/USDT"].asked_at = float("-inf")
    desk.venue.fail("fetch_book", VenueDownError("502"), times=100)
    await desk.round()
    assert resting(desk) == BOTH
    later = datetime.now(UTC) + timedelta(seconds=desk.bot.max_book_age_seconds + 1)
    monkeypatch.setattr(snapshot, "utc_now", lambda: later)
    await desk.round()
    assert resting(desk) == []


# --- Limits that need the books


async def test_the_day_begins_with_the_profit_there_was(desk: Desk) -> None:
    await desk.round()
    desk.venue.fill(desk.venue.resting_at("99").venue_id, "1")
    await desk.rounds(2)
    yesterday = date(2020, 1, 1)
    await desk.do(Position.objects.update, day=yesterday, day_start_profit=D(-5))
    await desk.open()
    await desk.round()
    position = await desk.do(Position.objects.get)
    assert position.day == datetime.now(UTC).date()
    assert position.day_start_profit == D("0.901")  # bought at 99 with a fee of 0.099, worth 100


async def test_a_new_day_is_written_at_once(desk: Desk) -> None:
    await desk.rounds(2)
    yesterday, sheet = date(2020, 1, 1), desk.duty.sheets[desk.bot.pk]
    desk.account.position(desk.bot.pk, "BTC/USDT").day = yesterday
    sheet.written = tuple(yesterday if isinstance(item, date) else item for item in sheet.written)
    assert any("day_start_profit" in sql for sql in await desk.queries_of_a_round())


async def test_at_its_daily_loss_a_bot_takes_its_quotes_back(desk: Desk) -> None:
    await change_bot(desk, daily_loss_limit=D(5))
    await desk.round()
    desk.venue.fill(desk.venue.resting_at("99").venue_id, "1")
    await desk.rounds(2)
    desk.venue.quoted["BTC/USDT"] = ("89.9", "90.1")
    desk.account.feed._cells.clear()
    await desk.rounds(2)
    assert resting(desk) == []
    assert {refusal["rule"] for refusal in (await decision(desk)).refusals} == {"daily_loss"}


async def test_a_bot_that_leaves_its_orders_is_stopped_without_touching_them(desk: Desk) -> None:
    await change_bot(desk, on_stop=OnStop.LEAVE)
    await desk.round()
    await desk.set_state(BotState.STOPPING)
    desk.venue.quoted["BTC/USDT"] = ("109.9", "110.1")
    desk.account.feed._cells.clear()
    await desk.rounds(2)
    assert resting(desk) == BOTH


# --- When a bot is due


@pytest.mark.django_db
def test_bots_of_one_pace_are_due_together() -> None:
    bot = make_bot(make_connection(), cycle_seconds=5)
    sheets = [Sheet(bot=bot), Sheet(bot=bot)]
    for sheet, now in zip(sheets, (1001.0, 1003.9), strict=True):
        sheet.schedule(now)
    assert [sheet.due_at for sheet in sheets] == [1005.0, 1005.0]
    sheets[0].schedule(1005.0)
    assert sheets[0].due_at == 1010.0
    assert ExchangeConnection.objects.count() == 1
