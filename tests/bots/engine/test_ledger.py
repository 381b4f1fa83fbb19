"""The books: every fill is counted once, in the venue's order, to the last digit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bots.engine import ledger
from bots.engine.account import event_of
from bots.engine.lease import Lease, LeaseLostError
from bots.engine.ledger import BotNotRunningError
from bots.lifecycle import OrderState
from bots.models import Bot, BotState, Order, Position, SpreadBot, Trade
from exchanges.models import ExchangeConnection
from exchanges.types import Fee, Side, TradeReport
from tests.bots.engine.conftest import make_connection, take_lease
from tests.bots.engine.fake_venue import market

D = Decimal
BTC = market("BTC/USDT")
START = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def connection(db: None) -> ExchangeConnection:
    return make_connection()


@pytest.fixture
def lease(bot: SpreadBot) -> Lease:
    return take_lease(bot.connection)


def make_order(bot: SpreadBot, amount: str = "10", **fields: object) -> Order:
    facts = {
        "side": "buy", "price": D(100), "state": OrderState.OPEN, "venue_id": "v1", "created_at": START,
    }  # fmt: skip
    return Order.objects.create(
        connection=bot.connection, bot=bot, fence=1, symbol="BTC/USDT", amount=D(amount), **(facts | fields)
    )


def fill(
    number: int, amount: str = "1", price: str = "100", side: Side = Side.BUY, **facts: Any
) -> TradeReport:
    """A fill of order v1 without fees, `number` seconds after the start."""
    size, at = D(amount), D(price)
    report = TradeReport(
        id=str(number), order_venue_id="v1", client_id=None, symbol="BTC/USDT", side=side, price=at,
        amount=size, cost=at * size, fees=(), liquidity=None, time=START + timedelta(seconds=number),
    )  # fmt: skip
    return replace(report, **facts)


def fee(currency: str, amount: str) -> tuple[Fee, ...]:
    return (Fee(currency=currency, amount=D(amount)),)


def position_of(bot: SpreadBot) -> Position:
    return Position.objects.get(bot=bot, symbol="BTC/USDT")


def record(lease: Lease, order: Order, *fills: TradeReport) -> list[Trade]:
    return ledger.record_trades(lease, BTC, [(order, one) for one in fills])


def test_a_fill_reported_twice_in_one_batch_is_counted_once(lease: Lease, bot: SpreadBot) -> None:
    order = make_order(bot)
    assert len(record(lease, order, fill(1), fill(1))) == 1
    assert (order.traded, position_of(bot).amount) == (D(1), D(1))


def test_overlapping_batches_count_each_fill_once(lease: Lease, bot: SpreadBot) -> None:
    order = make_order(bot)
    record(lease, order, fill(1), fill(2))
    assert [trade.venue_id for trade in record(lease, order, fill(2), fill(3))] == ["3"]
    assert (order.traded, position_of(bot).amount, Trade.objects.count()) == (D(3), D(3), 3)


def test_the_orders_row_has_what_memory_has(lease: Lease, bot: SpreadBot) -> None:
    order = make_order(bot)
    record(lease, order, fill(1, "2.5"))
    stored = Order.objects.get()
    assert (stored.traded, stored.filled, stored.state) == (D("2.5"), D("2.5"), "open")


def test_a_late_trade_rebuilds_the_position_in_the_venues_order(lease: Lease, bot: SpreadBot) -> None:
    bought, sold = make_order(bot), make_order(bot, side="sell", venue_id="v2")
    sale = fill(3, "1", "120", Side.SELL, order_venue_id="v2")
    ledger.record_trades(lease, BTC, [(bought, fill(2, "1", "110")), (sold, sale)])
    assert Trade.objects.get(venue_id="3").realised_profit == D(10)
    record(lease, bought, fill(1, "1", "90"))
    assert Trade.objects.get(venue_id="3").realised_profit == D(20)
    position = position_of(bot)
    assert (position.amount, position.cost, position.realised_profit) == (D(1), D(100), D(20))


def test_trades_of_one_instant_are_counted_in_the_order_of_their_ids(lease: Lease, bot: SpreadBot) -> None:
    bought, sold = make_order(bot), make_order(bot, side="sell", venue_id="v2")
    record(lease, sold, fill(8, "1", "120", Side.SELL, order_venue_id="v2", time=START))
    record(lease, bought, fill(3, "1", "90", time=START))
    record(lease, bought, fill(5, "1", "110", time=START))
    assert Trade.objects.get(venue_id="8").realised_profit == D(20)
    assert position_of(bot).cost == D(100)


SIDES = {"buy": ("v1", Side.BUY), "sell": ("v2", Side.SELL)}
ONE_FILL = st.tuples(
    st.sampled_from(["buy", "sell"]),
    st.integers(1, 50),
    st.integers(90, 110),
    st.sampled_from(["", "USDT", "BTC"]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fills=st.lists(ONE_FILL, min_size=1, max_size=8), instants=st.integers(1, 8), data=st.data())
def test_any_order_and_partition_of_the_fills_gives_the_same_books(
    lease: Lease, bot: SpreadBot, fills: list[tuple[str, int, int, str]], instants: int, data: st.DataObject
) -> None:
    reports = [
        fill(
            number,
            f"0.{amount:02}",
            str(price),
            SIDES[side][1],
            order_venue_id=SIDES[side][0],
            fees=fee(currency, "0.001") if currency else (),
            time=START + timedelta(seconds=number % instants),
        )
        for number, (side, amount, price, currency) in enumerate(fills, start=1)
    ]
    chronological = sorted(reports, key=lambda report: (report.time, len(report.id), report.id))
    expected = _books_after(lease, bot, [chronological])
    shuffled = data.draw(
        st.permutations([*reports, *data.draw(st.lists(st.sampled_from(reports), max_size=4))])
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(shuffled)), max_size=4)))
    batches = [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]
    assert _books_after(lease, bot, batches) == expected


def _books_after(lease: Lease, bot: SpreadBot, batches: Sequence[Sequence[TradeReport]]) -> object:
    Trade.objects.all().delete()
    Position.objects.all().delete()
    Order.objects.all().delete()
    orders = {
        "v1": make_order(bot, "100"), "v2": make_order(bot, "100", side="sell", venue_id="v2"),
    }  # fmt: skip
    for batch in batches:
        ledger.record_trades(lease, BTC, [(orders[report.order_venue_id], report) for report in batch])
    position = position_of(bot)
    return (
        (position.amount, position.cost, position.realised_profit, position.fees_quote, position.fees_base),
        sorted(Trade.objects.values_list("venue_id", "amount", "realised_profit")),
        sorted(Order.objects.values_list("venue_id", "traded", "filled", "state")),
    )


# --- Fees


@pytest.mark.parametrize(
    ("currency", "amount", "held", "fees_quote", "fees_base", "profit"),
    [
        ("USDT", "0.1", "1", "0.1", "0", "-0.1"),
        ("BTC", "0.001", "0.999", "0", "0.001", "0"),
        ("BNB", "0.002", "1", "0", "0", "0"),
        ("USDT", "-0.05", "1", "-0.05", "0", "0.05"),
    ],
)
def test_a_fee_goes_where_its_currency_says(
    lease: Lease, bot: SpreadBot, currency: str, amount: str, held: str, fees_quote: str, fees_base: str,
    profit: str,
) -> None:  # fmt: skip
    record(lease, make_order(bot), fill(1, fees=fee(currency, amount)))
    position, trade = position_of(bot), Trade.objects.get()
    assert position.amount == D(held)
    assert (position.fees_quote, position.fees_base) == (D(fees_quote), D(fees_base))
    assert position.realised_profit == trade.realised_profit == D(profit)
    assert (trade.fee_amount, trade.fee_currency) == (D(amount), currency)


def test_two_parts_of_a_fee_in_one_currency_are_added(lease: Lease, bot: SpreadBot) -> None:
    parts = (*fee("USDT", "0.1"), *fee("USDT", "0.02"))
    record(lease, make_order(bot), fill(1, fees=parts))
    assert Trade.objects.get().fee_amount == D("0.12")
    assert position_of(bot).fees_quote == D("0.12")


# --- When an order is settled


def test_an_ended_order_whose_fills_are_not_all_here_is_not_settled(lease: Lease, bot: SpreadBot) -> None:
    order = make_order(bot, filled=D(2), state=OrderState.CANCELED, closed_at=START)
    record(lease, order, fill(1))
    assert order.settled_at is None
    record(lease, order, fill(2))
    assert Order.objects.get().settled_at == START


def test_an_open_order_is_not_settled_though_its_fills_are_here(lease: Lease, bot: SpreadBot) -> None:
    order = make_order(bot, filled=D(1))
    record(lease, order, fill(1))
    assert Order.objects.get().settled_at is None


def test_a_fill_of_the_whole_amount_ends_and_settles_the_order(lease: Lease, bot: SpreadBot) -> None:
    order = make_order(bot, "2")
    record(lease, order, fill(1), fill(2))
    stored = Order.objects.get()
    assert (stored.state, stored.settled_at is not None) == ("filled", True)


def test_fills_that_are_ahead_of_the_reports_say_at_what_average_the_order_filled(
    lease: Lease, bot: SpreadBot
) -> None:
    order = make_order(bot, "4")
    record(lease, order, fill(1, "1", "100"), fill(2, "3", "104"))
    order.refresh_from_db()
    assert (order.state, order.average) == (OrderState.FILLED, D(103))


def test_a_fill_that_comes_after_the_cancel_was_settled_is_counted(lease: Lease, bot: SpreadBot) -> None:
    order = make_order(bot, "2", state=OrderState.CANCELED, closed_at=START, settled_at=START)
    record(lease, order, fill(1, "0.1"))
    stored = Order.objects.get()
    assert (stored.traded, stored.filled, stored.state) == (D("0.1"), D("0.1"), "canceled")
    assert position_of(bot).amount == D("0.1")


# --- Exactness


def test_eighteen_decimals_of_a_big_amount_are_kept(lease: Lease, bot: SpreadBot) -> None:
    big, small = "1000000000000000.000000000000000001", "0.000000000000000001"
    order = make_order(bot, "2000000000000000", filled=D("1000000000000000.000000000000000002"))
    record(lease, order, fill(1, big, "0.000000000000000001", cost=D("0.001")))
    record(lease, order, fill(2, small, "0.000000000000000001", cost=D("0.000000000000000001")))
    assert Order.objects.get().traded == D("1000000000000000.000000000000000002")
    position = position_of(bot)
    assert position.amount == D("1000000000000000.000000000000000002")
    assert position.cost == D("0.001000000000000001")


# --- Fences


def intend(bot: SpreadBot) -> Order:
    return Order(
        connection=bot.connection, bot=bot, fence=1, symbol="BTC/USDT", side="buy", price=D(1), amount=D(1),
        created_at=timezone.now(),
    )  # fmt: skip


def test_an_intent_is_saved_under_the_lease(lease: Lease, bot: SpreadBot) -> None:
    ledger.save_intents(lease, bot, [intend(bot)])
    assert Order.objects.get().state == OrderState.INTENDED


def test_no_intent_is_saved_when_the_lease_is_lost(lease: Lease, bot: SpreadBot) -> None:
    take_lease(bot.connection)
    with pytest.raises(LeaseLostError):
        ledger.save_intents(lease, bot, [intend(bot)])
    assert not Order.objects.exists()


def test_no_intent_is_saved_under_a_lease_that_expired(lease: Lease, bot: SpreadBot) -> None:
    ExchangeConnection.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(LeaseLostError):
        ledger.save_intents(lease, bot, [intend(bot)])
    assert not Order.objects.exists()


@pytest.mark.parametrize("state", [BotState.PAUSED, BotState.STOPPING, BotState.STOPPED])
def test_no_intent_is_saved_for_a_bot_that_runs_no_more(
    lease: Lease, bot: SpreadBot, state: BotState
) -> None:
    Bot.objects.update(state=state)
    with pytest.raises(BotNotRunningError):
        ledger.save_intents(lease, bot, [intend(bot)])
    assert not Order.objects.exists()


def test_no_intent_is_saved_on_a_disabled_connection(lease: Lease, bot: SpreadBot) -> None:
    ExchangeConnection.objects.update(enabled=False)
    with pytest.raises(BotNotRunningError):
        ledger.save_intents(lease, bot, [intend(bot)])
    assert not Order.objects.exists()


def test_a_trade_under_a_lost_lease_is_not_written(lease: Lease, bot: SpreadBot) -> None:
    order = make_order(bot)
    take_lease(bot.connection)
    with pytest.raises(LeaseLostError):
        record(lease, order, fill(1))
    assert not Trade.objects.exists()
    assert order.traded == 0


def test_intents_of_an_earlier_holder_become_unknown(lease: Lease, bot: SpreadBot) -> None:
    make_order(bot, state=OrderState.INTENDED, venue_id="")
    settled = make_order(bot, venue_id="v9", state=OrderState.CANCELED, settled_at=START)
    (order,) = ledger.take_over_unsettled(lease, START)
    assert (order.state, order.unknown_since, order.pk != settled.pk) == ("unknown", START, True)
    assert Order.objects.get(pk=order.pk).state == "unknown"


def test_a_bot_is_stopped_only_while_it_is_stopping(lease: Lease, bot: SpreadBot) -> None:
    event = event_of(lease, "stopped", "Stopped.", at=START, bot_id=bot.pk)
    assert not ledger.finish_stopping(lease, bot, event)
    Bot.objects.update(state=BotState.STOPPING)
    assert ledger.finish_stopping(lease, bot, event)
    assert Bot.objects.get().state == BotState.STOPPED


@pytest.mark.parametrize("due_in", [timedelta(minutes=4), None])
def test_once_a_bot_is_stopped_the_balances_are_due_where_anybody_looks_at_them(
    lease: Lease, bot: SpreadBot, due_in: timedelta | None
) -> None:
    now = timezone.now()
    ExchangeConnection.objects.update(balances_due_at=now + due_in if due_in else None)
    Bot.objects.update(state=BotState.STOPPING)
    ledger.finish_stopping(lease, bot, event_of(lease, "stopped", "Stopped.", at=START, bot_id=bot.pk))
    due_at = ExchangeConnection.objects.get().balances_due_at
    if due_at is None:
        assert due_in is None
    else:
        assert now <= due_at <= timezone.now()
