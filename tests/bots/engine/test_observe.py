"""Our books follow the venue's: whatever it says late, twice, not at all or for a moment wrongly."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from bots.engine import ledger, observe
from bots.lifecycle import OrderState
from bots.models import BotState, Order, Position, Trade
from exchanges.errors import OutcomeUnknownError, VenueDownError
from exchanges.types import OrderRef, OrderReport, Side, TradeReport
from tests.bots.engine.conftest import Desk

D = Decimal
DOWN = VenueDownError("502")


async def position(desk: Desk) -> Decimal:
    rows = await desk.do(lambda: list(Position.objects.filter(bot=desk.bot)))
    return sum((row.amount for row in rows), D(0))


async def trades(desk: Desk) -> list[Trade]:
    return await desk.do(lambda: list(Trade.objects.all()))


async def end_in_database(desk: Desk, venue_id: str, state: OrderState) -> None:
    """As if the venue had said so by mistake."""
    ended = {"state": state, "closed_at": timezone.now(), "settled_at": timezone.now()}
    await desk.do(Order.objects.filter(venue_id=venue_id).update, **ended)


async def test_a_fill_is_counted_with_its_fee(desk: Desk) -> None:
    await desk.round()
    desk.venue.fill(desk.venue.resting_at("99").venue_id, "0.4")
    await desk.round()
    (order,) = await desk.orders(side="buy")
    (trade,) = await trades(desk)
    assert (order.state, order.filled, order.traded, order.average) == ("open", D("0.4"), D("0.4"), D(99))
    assert (trade.fee_amount, trade.fee_currency) == (D("0.0396"), "USDT")
    assert await position(desk) == D("0.4")


async def test_a_fill_whose_trade_is_late_is_asked_for_until_it_is_here(desk: Desk) -> None:
    await desk.round()
    desk.venue.hides_new_trades = True
    desk.venue.fill(desk.venue.resting_at("99").venue_id, "1")
    await desk.rounds(3)
    (order,) = await desk.orders(side="buy", state="filled")
    assert (order.filled, order.traded, order.settled_at) == (D(1), D(0), None)
    desk.venue.reveal()
    await desk.round()
    (order,) = await desk.orders(side="buy", state="filled")
    assert order.traded == D(1)
    assert order.settled_at is not None
    assert await position(desk) == D(1)


async def test_a_trade_that_the_list_never_shows_is_asked_for_by_its_order(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.round()
    trade = desk.venue.fill(desk.venue.resting_at("99").venue_id, "1")
    desk.venue.trades[0] = with_an_old_time(trade)
    monkeypatch.setattr(observe, "LATE_TRADES", timedelta(0))
    await desk.rounds(2)
    assert OrderRef in {type(ref) for ref in desk.venue.asked("fetch_order_trades")}
    assert await position(desk) == D(1)


def with_an_old_time(trade: TradeReport) -> TradeReport:
    """Before every cursor."""
    return replace(trade, time=timezone.now() - timedelta(days=2))


async def test_fills_beyond_what_the_limits_saw_count_until_their_trades_are_here(desk: Desk) -> None:
    desk.bot.max_position = D(1)
    await desk.do(desk.bot.save)
    await desk.round()
    desk.venue.hides_new_trades = True
    desk.venue.fill(desk.venue.resting_at("99").venue_id, "1")
    await desk.rounds(3)
    assert [order.side for order in desk.venue.resting()] == ["sell"]


async def test_four_passing_failures_of_lookups_lose_nothing(desk: Desk) -> None:
    desk.venue.hides_new_orders = True
    await desk.round()
    desk.venue.fail("fetch_order", DOWN, times=8)
    await desk.rounds(4)
    assert {order.not_found_count for order in await desk.orders()} == {0}
    desk.venue.reveal()
    await desk.rounds(2)
    assert await desk.states() == ["open", "open"]
    assert desk.venue.counts()["place"] == 2
    assert desk.venue.counts()["cancel"] == 0


async def test_a_good_answer_resets_the_count_of_denials(desk: Desk) -> None:
    await desk.round()
    desk.venue._hidden_orders.update(desk.venue.orders)
    await desk.rounds(2)
    assert {order.not_found_count for order in await desk.orders()} == {2}
    desk.venue.reveal()
    await desk.round()
    desk.venue._hidden_orders.update(desk.venue.orders)
    await desk.round()
    assert {order.not_found_count for order in await desk.orders()} == {1}


async def test_an_acknowledged_order_that_the_venue_forgot_is_canceled_with_its_fill(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observe, "GRACE", timedelta(0))
    await desk.round()
    bid = desk.venue.resting_at("99").venue_id
    desk.venue.fill(bid, "0.3")
    desk.venue.forget(bid)
    await desk.rounds(4)
    (order,) = await desk.orders(venue_id=bid)
    assert (order.state, order.filled, order.traded) == ("canceled", D("0.3"), D("0.3"))
    assert await position(desk) == D("0.3")


async def test_an_unknown_order_that_was_filled_and_purged_is_found_by_its_trade(desk: Desk) -> None:
    desk.venue.fail("place", OutcomeUnknownError("No answer."), times=2, arrives=True)
    await desk.round()
    bid = desk.venue.resting_at("99")
    desk.venue.fill(bid.venue_id, "1")
    find = desk.venue.find

    def by_venue_id_only(ref: OrderRef) -> OrderReport:
        return find(ref if ref.venue_id else OrderRef(client_id="?", symbol=ref.symbol))

    desk.venue.find = by_venue_id_only  # type: ignore[method-assign]
    await desk.rounds(2)
    (order,) = await desk.orders(client_id=bid.client_id)
    assert (order.state, order.traded) == ("filled", D(1))
    assert await position(desk) == D(1)


async def test_a_fill_of_an_order_that_was_given_up_is_owned_after_all(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observe, "GRACE", timedelta(0))
    desk.venue.hides_new_orders = True
    desk.venue.fail("place", OutcomeUnknownError("No answer."), times=2, arrives=True)
    await desk.rounds(4)
    (order,) = await desk.orders(side="buy", state="never_placed")
    late = next(report for report in desk.venue.orders.values() if report.client_id == order.client_id)
    desk.venue.reveal()
    desk.venue.fill(late.venue_id, "1")
    desk.account.trades_checked_at.clear()
    await desk.rounds(2)
    (order,) = await desk.orders(client_id=order.client_id)
    assert (order.state, order.traded, order.settled_at is not None) == ("filled", D(1), True)
    assert await position(desk) == D(1)


async def test_foreign_orders_are_never_touched(desk: Desk) -> None:
    by_hand = desk.venue.rest("BTC/USDT", Side.BUY, "98", "1")
    by_another = desk.venue.rest("BTC/USDT", Side.SELL, "102", "1", client_id="x" * 32)
    await desk.rounds(2)
    desk.venue.fill(by_hand, "0.5")
    await desk.set_state(BotState.STOPPING)
    await desk.rounds(2)
    assert await desk.state() == BotState.STOPPED
    assert {order.venue_id for order in desk.venue.resting()} == {by_hand, by_another}
    touched = {ref.venue_id for ref in desk.venue.asked("cancel") if isinstance(ref, OrderRef)}
    assert not touched & {by_hand, by_another}
    assert await position(desk) == 0
    assert len(await desk.orders()) == 2


async def test_a_foreign_order_of_another_market_with_our_orders_number_hides_no_fill(desk: Desk) -> None:
    await desk.round()
    bid = desk.venue.resting_at("99")
    desk.account.foreign.add(("ETH/USDT", bid.venue_id))
    desk.venue.fill(bid.venue_id, "1")
    await desk.rounds(2)
    assert await position(desk) == D(1)


@pytest.mark.parametrize(
    "state", [OrderState.CANCELED, OrderState.NEVER_PLACED, OrderState.REJECTED, OrderState.EXPIRED]
)
async def test_an_order_of_ours_that_had_ended_but_rests_is_adopted(desk: Desk, state: OrderState) -> None:
    await desk.round()
    bid = desk.venue.resting_at("99")
    await end_in_database(desk, bid.venue_id, state)
    await desk.open()
    await desk.rounds(2)
    (order,) = await desk.orders(venue_id=bid.venue_id)
    assert (order.state, order.settled_at, order.closed_at) == ("open", None, None)
    assert len(desk.venue.resting()) == 2
    desk.venue.fill(bid.venue_id, "1")
    await desk.rounds(2)
    assert await position(desk) == D(1)


async def test_a_list_that_lags_behind_revives_no_order(desk: Desk) -> None:
    await desk.round()
    ask = desk.venue.resting_at("101")
    await desk.set_state(BotState.PAUSED)
    await desk.round()
    assert await desk.states() == ["canceled", "canceled"]
    resting = desk.venue.resting
    desk.venue.resting = lambda symbol=None: [*resting(symbol), ask]  # type: ignore[method-assign]
    await desk.rounds(2)
    assert await desk.states() == ["canceled", "canceled"]
    assert desk.venue.counts()["cancel"] == 2


async def test_reports_of_trades_seen_before_change_nothing(desk: Desk) -> None:
    await desk.round()
    desk.venue.fill(desk.venue.resting_at("99").venue_id, "0.4")
    await desk.round()
    for _ in range(3):
        await observe.collect_trades(desk.account, "BTC/USDT")
    assert len(await trades(desk)) == 1
    assert await position(desk) == D("0.4")


async def test_trades_made_while_no_worker_ran_are_found_at_the_next_lease(desk: Desk) -> None:
    await desk.round()
    desk.venue.fill(desk.venue.resting_at("99").venue_id, "1")
    desk.venue.fill(desk.venue.resting_at("101").venue_id, "0.5")
    await desk.open()
    await desk.round()
    assert await position(desk) == D("0.5")
    rows = await desk.do(ledger.positions_of, desk.duty.lease)
    assert rows[desk.bot.pk, "BTC/USDT"].realised_profit == D(
        "0.8505"
    )  # half of a profit of 2, less fees of 0.099 and 0.0505


async def test_an_error_of_the_trade_list_keeps_what_the_orders_said(desk: Desk) -> None:
    await desk.round()
    desk.venue.fill(desk.venue.resting_at("99").venue_id, "1")
    desk.venue.fail("fetch_trades", DOWN)
    await desk.round()
    (order,) = await desk.orders(side="buy")
    assert (order.filled, order.traded, order.settled_at) == (D(1), D(0), None)
    await desk.rounds(2)
    assert await position(desk) == D(1)


async def test_what_the_list_shows_is_counted_though_the_next_question_is_not_answered(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.round()
    hidden = desk.venue.fill(desk.venue.resting_at("99").venue_id, "1")
    desk.venue.trades[0] = with_an_old_time(hidden)
    desk.venue.fill(desk.venue.resting_at("101").venue_id, "1")
    monkeypatch.setattr(observe, "LATE_TRADES", timedelta(0))
    desk.venue.fail("fetch_order_trades", VenueDownError("The venue is down: wait."), times=9)
    await desk.rounds(2)
    (sold,) = await desk.orders(side="sell", state="filled")
    assert sold.settled_at is not None
    assert await position(desk) == D(-1)


async def test_a_look_at_trades_that_tells_of_nothing_new_asks_the_database_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observe, "TRADES_EVERY_SECONDS", -1.0)
    await desk.rounds(2)
    desk.venue.calls.clear()
    assert await desk.queries_of_a_round() == []
    assert desk.venue.counts()["fetch_trades"] == 1
