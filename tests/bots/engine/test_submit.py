"""Intents, requests and cancels: what is written before, and what an answer, or none, means."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from bots.engine import observe
from bots.engine.clock import uptime
from bots.engine.sheet import QuotingSheet
from bots.lifecycle import OrderState
from bots.models import Bot, BotState, Order
from exchanges.errors import (
    InsufficientFundsError,
    InvalidOrderError,
    OutcomeUnknownError,
    RateLimitError,
    Rule,
)
from exchanges.models import ExchangeConnection
from exchanges.types import OrderReport, OrderRequest, Side
from tests.bots.engine.conftest import Desk

D = Decimal
LOST = OutcomeUnknownError("No answer came.")


@pytest.fixture
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observe, "GRACE", timedelta(0))


def client_ids_sent(desk: Desk) -> list[str]:
    return [request.client_id for request in desk.venue.asked("place") if isinstance(request, OrderRequest)]


async def test_an_intent_is_committed_before_its_request_leaves(desk: Desk) -> None:
    sent_without_intent = []
    serving = desk.venue.accept

    def accept(request: OrderRequest) -> OrderReport:
        future = desk.database._executor.submit(_state_of, request.client_id)
        if future.result(timeout=5) != OrderState.INTENDED:
            sent_without_intent.append(request)
        return serving(request)

    desk.venue.accept = accept  # type: ignore[method-assign]
    await desk.round()
    assert desk.venue.counts()["place"] == 2
    assert sent_without_intent == []


def _state_of(client_id: str) -> str | None:
    return Order.objects.filter(client_id=client_id).values_list("state", flat=True).first()


async def test_an_order_accepted_without_an_answer_is_adopted_and_never_sent_again(desk: Desk) -> None:
    desk.venue.fail("place", LOST, arrives=True)
    await desk.round()
    assert sorted(await desk.states()) == ["open", "unknown"]
    await desk.rounds(3)
    assert len(desk.venue.resting()) == 2
    assert len(client_ids_sent(desk)) == 2
    assert await desk.states() == ["open", "open"]
    assert {order.venue_id for order in await desk.orders()} == set(desk.venue.orders)


async def test_an_order_of_unknown_outcome_keeps_its_place_while_it_is_looked_up(desk: Desk) -> None:
    desk.venue.fail("place", LOST, times=2)
    await desk.rounds(6)
    assert len(client_ids_sent(desk)) == 2
    assert await desk.states() == ["unknown", "unknown"]


@pytest.mark.usefixtures("no_grace")
async def test_an_order_that_never_arrived_is_given_up_after_three_denials(desk: Desk) -> None:
    desk.venue.fail("place", LOST, times=2)
    await desk.round()
    await desk.rounds(2)
    assert await desk.states() == ["unknown", "unknown"]
    asked_for_trades = desk.venue.counts()["fetch_trades"]
    await desk.round()
    assert desk.venue.counts()["fetch_trades"] > asked_for_trades
    states = await desk.states()
    assert states[:2] == ["never_placed", "never_placed"]
    assert states[2:] == ["open", "open"]
    assert len(await desk.events("order_absent")) == 2


async def test_a_denied_order_is_not_given_up_within_its_grace_time(desk: Desk) -> None:
    desk.venue.fail("place", LOST, times=2)
    await desk.rounds(8)
    orders = await desk.orders()
    assert {order.state for order in orders} == {"unknown"}
    assert min(order.not_found_count for order in orders) > observe.ABSENCES_TO_BELIEVE


@pytest.mark.usefixtures("no_grace")
async def test_a_trade_list_that_cannot_be_read_gives_no_order_up(desk: Desk) -> None:
    desk.venue.fail("place", LOST, times=2)
    await desk.round()
    desk.venue.fail("fetch_trades", OutcomeUnknownError("No answer came."), times=20)
    await desk.rounds(6)
    assert await desk.states() == ["unknown", "unknown"]


async def test_a_fresh_order_that_is_not_visible_yet_is_kept(desk: Desk) -> None:
    desk.venue.hides_new_orders = True
    await desk.rounds(5)
    assert await desk.states() == ["unknown", "unknown"]
    desk.venue.reveal()
    await desk.round()
    orders = await desk.orders()
    assert [order.state for order in orders] == ["open", "open"]
    assert [order.not_found_count for order in orders] == [0, 0]
    assert len(client_ids_sent(desk)) == 2


async def test_a_foreign_order_without_client_id_does_not_hide_a_nameless_one(desk: Desk) -> None:
    desk.venue.rest("BTC/USDT", Side.BUY, "50", "1")
    desk.venue.fail("place", LOST, times=2)
    await desk.rounds(2)
    assert {order.not_found_count for order in await desk.orders()} == {1}


async def test_an_order_that_the_venue_has_already_is_looked_up(desk: Desk) -> None:
    desk.venue.fail(
        "place", InvalidOrderError("This client id is taken.", rule=Rule.DUPLICATE), times=2, arrives=True
    )
    await desk.round()
    assert await desk.states() == ["unknown", "unknown"]
    assert await desk.events("order_refused") == []
    await desk.round()
    assert await desk.states() == ["open", "open"]
    assert len(desk.venue.resting()) == 2


async def test_a_licence_that_ends_after_the_intent_sends_nothing(desk: Desk) -> None:
    await desk.look_at_board()
    await desk.round_until_placing_then(lambda: setattr(desk.duty.lease, "deadline", uptime() - 1))
    assert desk.venue.asked("place") == []
    assert await desk.states() == ["never_placed", "never_placed"]
    assert {order.submitted_at for order in await desk.orders()} == {None}


async def test_a_lease_that_was_taken_over_sends_nothing_and_writes_nothing(desk: Desk) -> None:
    def rob() -> None:
        desk.database._executor.submit(
            ExchangeConnection.objects.filter(pk=desk.connection.pk).update, lease_fence=99
        ).result()

    desk.venue.strike = lambda number: rob() if desk.venue.calls[-1][0] == "fetch_book" else None
    await desk.round()
    assert desk.venue.asked("place") == []
    assert await desk.orders() == []
    assert desk.duty._is_idle


async def test_a_bot_that_was_stopped_meanwhile_sends_nothing(desk: Desk) -> None:
    def stop() -> None:
        desk.database._executor.submit(
            Bot.objects.filter(pk=desk.bot.pk).update, state=BotState.STOPPING
        ).result()

    desk.venue.strike = lambda number: stop() if desk.venue.calls[-1][0] == "fetch_book" else None
    await desk.round()
    assert desk.venue.asked("place") == []
    assert await desk.orders() == []


async def test_a_refused_order_makes_its_bot_wait_and_say_so_once(desk: Desk) -> None:
    desk.venue.fail("place", InsufficientFundsError("There is not enough USDT."), times=100)
    await desk.rounds(4)
    assert desk.venue.counts()["place"] == 2
    sheet = desk.duty.sheets[desk.bot.pk]
    assert isinstance(sheet, QuotingSheet)
    waits = [sheet.hold.until - uptime()]
    for _ in range(7):
        sheet.hold.until = 0.0
        await desk.round()
        waits.append(sheet.hold.until - uptime())
    assert [round(wait) for wait in waits] == [5, 10, 20, 40, 80, 160, 300, 300]
    assert set(await desk.states()) == {"rejected"}
    assert [event.text for event in await desk.events("order_refused")] == ["There is not enough USDT."]


async def test_after_a_good_placement_the_next_refusal_waits_the_first_pause(desk: Desk) -> None:
    desk.venue.fail("place", InsufficientFundsError("There is not enough USDT."), times=2)
    await desk.round()
    sheet = desk.duty.sheets[desk.bot.pk]
    assert isinstance(sheet, QuotingSheet)
    sheet.hold.until = 0.0
    await desk.round()
    assert (sheet.hold.refusals_in_a_row, len(desk.venue.resting())) == (0, 2)


async def test_a_post_only_order_that_the_market_met_is_no_refusal(desk: Desk) -> None:
    desk.venue.fail("place", InvalidOrderError("It would take.", rule=Rule.POST_ONLY))
    await desk.rounds(2)
    assert sorted(await desk.states()) == ["open", "open", "rejected"]
    assert await desk.events("order_refused") == []


# --- Cancels


async def open_quotes(desk: Desk) -> None:
    await desk.round()
    assert len(desk.venue.resting()) == 2
    await desk.set_state(BotState.PAUSED)


async def test_a_cancel_that_did_not_arrive_is_asked_for_again(desk: Desk) -> None:
    await open_quotes(desk)
    desk.venue.fail("cancel", LOST, times=2)
    await desk.round()
    assert await desk.states() == ["unknown", "unknown"]
    await desk.rounds(2)
    assert await desk.states() == ["canceled", "canceled"]
    assert desk.venue.counts()["cancel"] == 4


async def test_a_cancel_that_arrived_without_an_answer_is_found_out(desk: Desk) -> None:
    await open_quotes(desk)
    desk.venue.fail("cancel", LOST, times=2, arrives=True)
    await desk.rounds(2)
    assert await desk.states() == ["canceled", "canceled"]
    assert desk.venue.counts()["cancel"] == 2


async def test_a_cancel_that_the_venue_was_too_busy_for_is_asked_for_again(desk: Desk) -> None:
    await open_quotes(desk)
    desk.venue.fail("cancel", RateLimitError("Slow down.", retry_after=1), times=2)
    await desk.round()
    assert await desk.states() == ["open", "open"]
    await desk.round()
    assert await desk.states() == ["canceled", "canceled"]


async def test_a_cancel_that_raced_a_fill_ends_as_filled_with_its_trade(desk: Desk) -> None:
    await open_quotes(desk)
    bid = desk.venue.resting_at("99")

    def fill_first(_number: int) -> None:
        if desk.venue.calls[-1][0] == "cancel" and desk.venue.orders[bid.venue_id].filled == 0:
            desk.venue.fill(bid.venue_id, "1")

    desk.venue.strike = fill_first
    await desk.rounds(2)
    (order,) = await desk.orders(venue_id=bid.venue_id)
    assert (order.state, order.filled, order.traded) == ("filled", D(1), D(1))
    assert order.settled_at is not None
    assert desk.account.position(desk.bot.pk, "BTC/USDT").amount == D(1)


async def test_an_order_filled_for_nine_tenths_keeps_them(desk: Desk) -> None:
    await desk.round()
    desk.venue.fill(desk.venue.resting_at("99").venue_id, "0.9")
    await desk.set_state(BotState.PAUSED)
    await desk.rounds(2)
    (order,) = await desk.orders(side="buy")
    assert (order.state, order.filled, order.traded) == ("canceled", D("0.9"), D("0.9"))
    position = desk.account.position(desk.bot.pk, "BTC/USDT")
    assert (position.amount, position.cost) == (D("0.9"), D("89.1"))


async def test_a_cancel_that_the_venue_accepts_and_forgets_is_asked_for_again(desk: Desk) -> None:
    await open_quotes(desk)
    desk.venue.ignores_cancels = True
    await desk.rounds(3)
    assert desk.venue.counts()["cancel"] == 2
    desk.venue.ignores_cancels = False
    for order in desk.account.orders.values():
        order.cancel_requested_at = timezone.now() - timedelta(minutes=1)
    await desk.rounds(2)
    assert await desk.states() == ["canceled", "canceled"]


async def test_a_price_that_moved_replaces_both_quotes(desk: Desk) -> None:
    await desk.round()
    desk.venue.quoted["BTC/USDT"] = ("109.9", "110.1")
    desk.account.feed._cells.clear()
    await desk.rounds(2)  # the new bid would meet our own old ask, so it waits for its cancel
    assert sorted(order.price or 0 for order in desk.venue.resting()) == [D("108.9"), D("111.1")]
    assert sorted(await desk.states()) == ["canceled", "canceled", "open", "open"]


async def test_a_quote_is_not_replaced_while_its_cancel_is_unconfirmed(desk: Desk) -> None:
    await desk.round()
    desk.venue.ignores_cancels = True
    desk.venue.quoted["BTC/USDT"] = ("109.9", "110.1")
    desk.account.feed._cells.clear()
    await desk.rounds(3)
    assert desk.venue.counts()["place"] == 2
