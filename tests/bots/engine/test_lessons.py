"""What two well-known bots get wrong with orders and crashes, and that Botdesk does not.

| seen elsewhere | shown by |
|---|---|
| a create that times out after the venue accepted it is sent again at each loop, and no row knows it | `test_a_create_that_times_out_after_its_accept_is_one_order_after_four_loops`; with a 502 on a real wire: `test_at_the_lab.test_lookups_that_fail_for_a_while_lose_nothing` |
| a worker killed while its request is out places a second order at its restart | `test_an_order_that_was_on_its_way_when_the_worker_was_killed_is_adopted_and_not_doubled`; at every request: `test_duty.test_a_worker_killed_at_any_request_is_succeeded_with_the_same_books` |
| a timeout on create marks the order failed; there is no HTTP timeout | `test_a_create_that_times_out_is_unknown_and_not_failed`, `test_every_request_ends_before_the_lease_does` |
| four passing 502s count as "not found", and the order is declared lost and cancelled | `test_observe.test_four_passing_failures_of_lookups_lose_nothing`, `test_observe.test_a_good_answer_resets_the_count_of_denials`; the trade list: `test_submit.test_a_trade_list_that_cannot_be_read_gives_no_order_up` |
| an order of some seconds ago, not found once, is deleted while it lives | `test_submit.test_a_fresh_order_that_is_not_visible_yet_is_kept`, `test_submit.test_a_denied_order_is_not_given_up_within_its_grace_time` |
| an entry filled for 90 % and stopped early is forgotten | `test_the_filled_nine_tenths_of_an_order_survive_the_stop` |
| the kill switch cancels its own task before the orders, and gives up at the first error | `tests.bots.test_kill_switch`: `…_though_no_worker_lives`, `test_a_call_that_fails_keeps_no_other_order_from_its_cancel` |
| stopping also stops the exits; force-exit is refused when stopped | `test_a_paused_bot_and_a_stopping_bot_differ`, `test_the_kill_switch_works_in_every_state_of_a_bot` |
| after a restart quotes come before the books are brought together | `test_after_a_restart_the_books_are_brought_together_before_anything_is_sent` |
| rows of trades are deleted when an order was cancelled unfilled | `test_an_order_that_was_cancelled_unfilled_stays_on_record`, `test_nothing_that_records_money_can_be_deleted_with_its_bot` |
| each refresh leaves a second with no quotes | `test_a_quote_that_is_near_enough_is_not_touched`, `test_a_refresh_of_both_sides_ends_in_the_same_cycle` |
"""  # noqa: E501 - rows of a table

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from django.db.models import ProtectedError

from bots.engine import kill, lease
from bots.models import BotState, Order, Position, Trade
from exchanges.errors import OutcomeUnknownError
from exchanges.gateway import HTTP_TIMEOUT_SECONDS
from exchanges.types import Side
from exchanges.venues.door import open_client
from exchanges.venues.wire import Wire
from tests.bots.engine.conftest import Desk
from tests.bots.engine.fake_venue import FakeGateway

D = Decimal
NO_ANSWER = OutcomeUnknownError("The request timed out.")


async def test_a_create_that_times_out_after_its_accept_is_one_order_after_four_loops(desk: Desk) -> None:
    desk.bot.max_open_orders = 1
    await desk.do(desk.bot.save)
    desk.venue.fail("place", NO_ANSWER, times=4, arrives=True)
    await desk.rounds(4)
    assert len(desk.venue.orders) == 1
    assert await desk.states() == ["open"]


async def test_an_order_that_was_on_its_way_when_the_worker_was_killed_is_adopted_and_not_doubled(
    desk: Desk,
) -> None:
    work = asyncio.create_task(desk.round())

    def killed(_number: int) -> None:
        if desk.venue.orders:
            work.cancel()

    desk.venue.strike_back = killed
    with pytest.raises(asyncio.CancelledError):
        await work
    assert await desk.states() == ["intended", "intended"]
    desk.venue.strike_back = lambda _number: None
    accepted = {order.client_id for order in desk.venue.resting()}
    assert accepted
    await desk.open()
    await desk.rounds(2)
    assert {order.client_id for order in desk.venue.resting()} == accepted
    assert {order.client_id for order in await desk.orders(state="open")} == accepted


async def test_a_create_that_times_out_is_unknown_and_not_failed(desk: Desk) -> None:
    desk.venue.fail("place", NO_ANSWER, times=2)
    await desk.round()
    assert await desk.states() == ["unknown", "unknown"]
    assert len(await desk.events("order_unknown")) == 2


async def test_every_request_ends_before_the_lease_does() -> None:
    async with Wire() as wire:
        client = open_client("binance", wire=wire, proxy=None)
        try:
            assert client.timeout == HTTP_TIMEOUT_SECONDS * 1000
        finally:
            await client.close()
    assert lease.SENDING_SECONDS + HTTP_TIMEOUT_SECONDS < lease.LEASE_SECONDS


async def test_the_filled_nine_tenths_of_an_order_survive_the_stop(desk: Desk) -> None:
    await desk.round()
    bid = desk.venue.resting_at("99").venue_id
    desk.venue.fill(bid, "0.9")
    await desk.set_state(BotState.STOPPING)
    await desk.rounds(2)
    assert await desk.state() == BotState.STOPPED
    (order,) = await desk.orders(venue_id=bid)
    assert (order.state, order.filled, order.traded) == ("canceled", D("0.9"), D("0.9"))
    await desk.set_state(BotState.RUNNING)
    await desk.open()
    await desk.round()
    assert (await desk.do(Position.objects.get)).amount == D("0.9")
    assert desk.account.position(desk.bot.pk, "BTC/USDT").amount == D("0.9")


async def test_a_paused_bot_and_a_stopping_bot_differ(desk: Desk) -> None:
    """Paused, it stays at work: its fills are still counted, and it is not out of sight."""
    await desk.round()
    ask = desk.venue.resting_at("101").venue_id
    await desk.set_state(BotState.PAUSED)
    desk.venue.ignores_cancels = True
    await desk.round()
    desk.venue.fill(ask, "1")
    await desk.rounds(2)
    assert (await desk.do(Position.objects.get)).amount == D(-1)
    assert (await desk.state(), desk.duty._is_idle) == (BotState.PAUSED, False)
    desk.venue.ignores_cancels = False
    await desk.set_state(BotState.STOPPING)
    await desk.do(Order.objects.update, cancel_requested_at=None)
    await desk.open()
    await desk.rounds(3)
    assert (await desk.state(), desk.venue.resting()) == (BotState.STOPPED, [])


@pytest.mark.parametrize("state", [BotState.RUNNING, BotState.PAUSED, BotState.STOPPING, BotState.STOPPED])
async def test_the_kill_switch_works_in_every_state_of_a_bot(
    desk: Desk, state: BotState, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.round()
    await desk.set_state(state)
    monkeypatch.setattr(kill, "open_gateway", lambda _spec, **_rest: FakeGateway(desk.venue))
    orders = await desk.do(lambda: list(Order.objects.select_related("connection__owner")))
    ended = await asyncio.to_thread(kill.cancel_orders, orders, seconds=5)
    assert [one.is_certain for one in ended] == [True, True]
    assert desk.venue.resting() == []


async def test_after_a_restart_the_books_are_brought_together_before_anything_is_sent(desk: Desk) -> None:
    await desk.round()
    desk.venue.fill(desk.venue.resting_at("99").venue_id, "1")
    desk.venue.calls.clear()
    await desk.open()
    await desk.round()
    names = [name for name, _ in desk.venue.calls]
    first_sent = min(names.index(name) for name in ("place", "cancel") if name in names)
    assert {"fetch_open_orders", "fetch_order", "fetch_trades"} <= set(names[:first_sent])


async def test_an_order_that_was_cancelled_unfilled_stays_on_record(desk: Desk) -> None:
    await desk.round()
    await desk.set_state(BotState.STOPPING)
    await desk.rounds(2)
    assert await desk.states() == ["canceled", "canceled"]


async def test_nothing_that_records_money_can_be_deleted_with_its_bot(desk: Desk) -> None:
    await desk.round()
    desk.venue.fill(desk.venue.resting_at("99").venue_id, "1")
    await desk.round()
    for row in (desk.bot, desk.connection, await desk.do(Order.objects.earliest, "pk")):
        with pytest.raises(ProtectedError):
            await desk.do(row.delete)
    assert await desk.do(Trade.objects.count) == 1


async def test_a_quote_that_is_near_enough_is_not_touched(desk: Desk) -> None:
    desk.bot.requote_tolerance_pct = D("0.005")
    await desk.do(desk.bot.save)
    await desk.round()
    desk.venue.calls.clear()
    desk.venue.quoted["BTC/USDT"] = ("100", "100.2")
    desk.account.feed._cells.clear()
    await desk.round()
    assert desk.venue.counts()["cancel"] == desk.venue.counts()["place"] == 0


async def test_a_refresh_of_both_sides_ends_in_the_same_cycle(desk: Desk) -> None:
    await desk.round()
    desk.venue.quoted["BTC/USDT"] = ("101.9", "102.1")
    desk.account.feed._cells.clear()
    await desk.round()
    assert {order.side for order in desk.venue.resting()} == {Side.BUY, Side.SELL}
    assert {order.price for order in desk.venue.resting()} == {D("100.98"), D("103.02")}
