"""The duty for one connection: bots that start, pause and stop, failures, and workers that die."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import OperationalError

from bots.engine import duty, ledger, observe, patience, quoting, settle, takeover
from bots.engine.clock import uptime, utc_now
from bots.engine.duty import Ending
from bots.engine.lease import give_back
from bots.models import (
    Bot,
    BotEvent,
    BotState,
    Decision,
    KillSwitch,
    OnStop,
    Order,
    Position,
    Scope,
    Severity,
    SpreadBot,
    Trade,
)
from bots.strategies.base import Snapshot
from bots.strategies.spread import SpreadSettings, decide
from exchanges.errors import (
    CredentialsError,
    OutcomeUnknownError,
    RateLimitError,
    VenueDownError,
)
from exchanges.models import Balance, ExchangeConnection
from exchanges.types import OrderRequest, Side, VenueOrderStatus
from tests.bots.engine.conftest import Desk, make_bot, make_connection
from tests.bots.engine.fake_venue import FakeVenue
from vault.secret import Secret

D = Decimal
DOWN = VenueDownError("The venue is down: wait.")


async def decision(desk: Desk, bot: SpreadBot | None = None) -> Decision:
    return await desk.do(Decision.objects.get, bot=bot or desk.bot)


# --- Bots and their states


async def test_a_paused_bot_cancels_and_places_nothing(desk: Desk) -> None:
    await desk.round()
    await desk.set_state(BotState.PAUSED)
    await desk.rounds(3)
    assert desk.venue.resting() == []
    assert desk.venue.counts()["place"] == 2
    assert await desk.state() == BotState.PAUSED


async def test_a_paused_bot_that_is_started_again_quotes_again(desk: Desk) -> None:
    await desk.round()
    await desk.set_state(BotState.PAUSED)
    await desk.round()
    await desk.set_state(BotState.RUNNING)
    await desk.round()
    assert len(desk.venue.resting()) == 2


async def test_a_stopped_bot_collects_its_last_trades_before_it_says_stopped(desk: Desk) -> None:
    await desk.round()
    desk.venue.hides_new_trades = True
    desk.venue.fill(desk.venue.resting_at("99").venue_id, "0.3")
    await desk.set_state(BotState.STOPPING)
    await desk.rounds(3)
    assert desk.venue.resting() == []
    assert await desk.state() == BotState.STOPPING
    desk.venue.reveal()
    await desk.rounds(2)
    assert await desk.state() == BotState.STOPPED
    position = await desk.do(Position.objects.get)
    assert position.amount == D("0.3")
    assert not await desk.orders(settled_at=None)
    assert len(await desk.events("stopped")) == 1


async def test_a_stopping_bot_counts_a_fill_that_its_orders_last_report_lacks(desk: Desk) -> None:
    await desk.rounds(2)
    bid = desk.venue.resting_at("99")
    desk.venue.fill(bid.venue_id, "0.3")
    desk.venue.orders[bid.venue_id] = replace(bid, status=VenueOrderStatus.CANCELED)
    await desk.set_state(BotState.STOPPING)
    await desk.rounds(2)
    assert await desk.state() == BotState.STOPPED
    assert (await desk.do(Position.objects.get)).amount == D("0.3")


async def test_a_bot_does_not_say_stopped_while_a_cancel_is_unknown(desk: Desk) -> None:
    await desk.round()
    await desk.set_state(BotState.STOPPING)
    desk.venue.fail("cancel", OutcomeUnknownError("No answer."), times=2)
    await desk.round()
    assert await desk.state() == BotState.STOPPING
    await desk.rounds(2)
    assert await desk.state() == BotState.STOPPED
    assert desk.venue.resting() == []


async def test_the_balances_after_the_last_stop_are_read_however_long_the_venue_is_silent(desk: Desk) -> None:
    await desk.rounds(2)
    await desk.set_state(BotState.STOPPING)
    read_before = desk.venue.counts()["fetch_balances"]

    def strike(_number: int) -> None:
        if desk.venue.counts()["fetch_balances"] == read_before + 2:
            desk.venue.fail("fetch_balances", DOWN)

    desk.venue.strike = strike
    await desk.round()
    assert await desk.state() == BotState.STOPPED
    assert (await desk.do(Balance.objects.get, currency="USDT")).used > 0
    await desk.look_at_board()
    await desk.duty.run()
    assert (await desk.do(Balance.objects.get, currency="USDT")).used == 0


async def test_a_market_that_no_bot_trades_any_more_is_forgotten(desk: Desk) -> None:
    other = await desk.do(make_bot, desk.connection, "Other", symbol="ETH/USDT")
    await desk.rounds(2)
    assert desk.account.trade_cursors.keys() == {"BTC/USDT", "ETH/USDT"}
    await desk.set_state(BotState.STOPPING, other.pk)
    await desk.rounds(3)
    assert desk.account.trade_cursors.keys() == desk.account.trades_checked_at.keys() == {"BTC/USDT"}


async def leave_orders(desk: Desk) -> None:
    await desk.do(SpreadBot.objects.filter(pk=desk.bot.pk).update, on_stop=OnStop.LEAVE)
    await desk.round()
    await desk.set_state(BotState.STOPPING)
    await desk.round()


async def test_a_bot_that_leaves_its_orders_stops_with_them_in_the_book(desk: Desk) -> None:
    await leave_orders(desk)
    assert await desk.state() == BotState.STOPPED
    assert len(desk.venue.resting()) == 2
    assert desk.venue.asked("cancel") == []


async def test_orders_left_in_the_book_are_watched(desk: Desk) -> None:
    await leave_orders(desk)
    assert await desk.round() == pytest.approx(duty.WATCH_SECONDS, abs=1)
    desk.venue.fill(desk.venue.resting_at("99").venue_id, "1")
    await desk.rounds(2)
    assert (await desk.do(Position.objects.get)).amount == D(1)
    desk.venue.fill(desk.venue.resting_at("101").venue_id, "1")
    await desk.rounds(2)
    assert not desk.duty._is_idle or not await desk.orders(settled_at=None)
    await desk.round()
    assert desk.duty._is_idle


async def test_orders_left_in_the_book_outlive_the_worker(desk: Desk) -> None:
    await leave_orders(desk)
    await desk.round()
    desk.duty.end(Ending.STOP)
    await desk.duty.run()
    assert len(desk.venue.resting()) == 2


async def test_an_order_of_a_stopped_bot_that_rests_after_all_is_cancelled(desk: Desk) -> None:
    make_neighbour = await desk.do(make_bot, desk.connection, "Neighbour", symbol="BTC/USDT")
    await desk.round()
    ours = await desk.orders(bot_id=desk.bot.pk)
    await desk.do(Bot.objects.filter(pk=desk.bot.pk).update, state=BotState.STOPPED)
    await desk.rounds(2)
    assert {order.state for order in await desk.orders(bot_id=desk.bot.pk)} == {"canceled"}
    assert len(ours) == 2
    assert {order.state for order in await desk.orders(bot_id=make_neighbour.pk)} == {"open"}


async def test_a_change_of_settings_takes_effect_at_the_next_cycle(desk: Desk) -> None:
    await desk.round()
    await desk.do(SpreadBot.objects.filter(pk=desk.bot.pk).update, bid_spread_pct=D("0.02"))
    await desk.round()
    assert {order.price for order in desk.venue.resting()} == {D(98), D(101)}


async def test_one_bots_unknown_symbol_does_not_stop_its_neighbour(desk: Desk) -> None:
    lost = await desk.do(make_bot, desk.connection, "A lost one", symbol="NO/SUCH")
    await desk.rounds(3)
    assert len(desk.venue.resting("BTC/USDT")) == 2
    assert "NO/SUCH" in (await decision(desk, lost)).reason
    assert len(await desk.events("stood_aside")) == 1
    await desk.set_state(BotState.STOPPING, lost.pk)
    await desk.round()
    assert (await desk.do(Bot.objects.get, pk=lost.pk)).state == BotState.STOPPED


async def test_two_bots_of_a_connection_share_their_requests(desk: Desk) -> None:
    await desk.do(make_bot, desk.connection, "Neighbour", bid_spread_pct=D("0.03"))
    await desk.rounds(2)
    before = desk.venue.counts()
    desk.account.feed._cells.clear()
    await desk.round()
    assert desk.venue.counts() - before == {"fetch_book": 1, "fetch_open_orders": 1, "fetch_balances": 1}
    assert len(desk.venue.resting()) == 4


async def test_bots_of_a_connection_do_not_spend_the_same_money_twice(desk: Desk) -> None:
    desk.venue.funds["USDT"] = D(150)
    await desk.do(make_bot, desk.connection, "Neighbour")
    await desk.rounds(2)
    bids = [order for order in desk.venue.resting() if order.side is Side.BUY]
    assert sum((order.amount * (order.price or 0) for order in bids), D(0)) <= D(150)
    assert not await desk.orders(state="rejected")


# --- The connection


async def test_changed_credentials_open_the_gateway_anew(desk: Desk) -> None:
    await desk.rounds(2)
    assert (desk.venue.gateways_opened, desk.venue.gateways_closed) == (1, 0)

    def change() -> None:
        connection = ExchangeConnection.objects.get(pk=desk.connection.pk)
        connection.api_key = Secret("another key")
        connection.save(update_fields=["api_key"])

    await desk.do(change)
    await desk.rounds(2)
    assert (desk.venue.gateways_opened, desk.venue.gateways_closed) == (2, 1)
    assert len(desk.venue.resting()) == 2
    assert desk.venue.counts()["place"] == 2


async def test_another_name_opens_nothing_anew(desk: Desk) -> None:
    await desk.round()
    await desk.do(ExchangeConnection.objects.filter(pk=desk.connection.pk).update, name="Renamed")
    await desk.round()
    assert desk.venue.gateways_opened == 1


async def test_a_disabled_connection_is_left_with_nothing_in_its_book(desk: Desk) -> None:
    await desk.round()
    await desk.do(ExchangeConnection.objects.filter(pk=desk.connection.pk).update, enabled=False)
    await desk.rounds(3)
    assert desk.venue.resting() == []
    assert desk.venue.counts()["place"] == 2
    assert desk.duty._is_idle
    assert "switched off" in str((await decision(desk)).refusals)


async def test_a_connection_without_work_is_left(desk: Desk) -> None:
    await desk.set_state(BotState.STOPPED)
    await desk.look_at_board()
    await desk.duty.run()
    assert desk.duty._is_idle
    assert desk.venue.gateways_closed == desk.venue.gateways_opened


# --- Failures


async def test_a_venue_that_is_down_is_told_once_and_the_waits_grow(desk: Desk) -> None:
    desk.venue.fail("fetch_balances", DOWN, times=3)
    waits = [await desk.round() for _ in range(3)]
    assert all(2.0**n / 2 <= wait <= 2.0**n for n, wait in zip(range(3), waits, strict=True))
    assert [event.text for event in await desk.events("connection_failed")] == [str(DOWN)]
    assert (await decision(desk)).reason == str(DOWN)
    await desk.round()
    assert len(await desk.events("connection_recovered")) == 1
    assert len(desk.venue.resting()) == 2


async def test_after_a_failure_the_books_are_brought_together_before_the_next_cycle(desk: Desk) -> None:
    await desk.round()
    bid = desk.venue.resting_at("99")
    desk.venue.fail("fetch_open_orders", DOWN)
    await desk.round()
    desk.venue.fill(bid.venue_id, "1")
    before = len(desk.venue.calls)
    await desk.round()
    calls = [name for name, _ in desk.venue.calls[before:]]
    assert calls.index("fetch_trades") < calls.index("place")


async def test_a_rate_limit_is_waited_for_as_long_as_it_says_and_a_little_longer(desk: Desk) -> None:
    desk.venue.fail("fetch_balances", RateLimitError("Slow down.", retry_after=17.0))
    assert 17 <= await desk.round() <= 17 + patience.PAUSE_JITTER_SECONDS


async def test_a_rate_limit_that_counts_down_is_one_failure(desk: Desk) -> None:
    for seconds in (17, 12):
        desk.venue.fail("fetch_balances", RateLimitError(f"Another {seconds} s.", retry_after=seconds))
        await desk.round()
    assert [event.text for event in await desk.events("connection_failed")] == ["Another 17 s."]


async def test_a_refused_key_is_not_tried_again_at_once(desk: Desk) -> None:
    desk.venue.fail("fetch_balances", CredentialsError("The key is refused: make a new one."))
    assert await desk.round() >= patience.FIRST_REFUSED_WAIT_SECONDS / 2


async def test_a_key_that_is_refused_after_an_outage_is_tried_as_soon_as_any(desk: Desk) -> None:
    desk.venue.fail("fetch_balances", DOWN, times=3)
    await desk.rounds(3)
    desk.venue.fail("fetch_balances", CredentialsError("The key is refused: make a new one."))
    assert await desk.round() <= patience.FIRST_REFUSED_WAIT_SECONDS


async def test_a_key_that_stays_refused_is_tried_ever_more_rarely(desk: Desk) -> None:
    desk.venue.fail("fetch_balances", CredentialsError("The key is refused: make a new one."), times=8)
    waits = [await desk.round() for _ in range(8)]
    assert waits[-1] >= patience.REFUSED_WAIT_SECONDS / 2
    assert max(waits) <= patience.REFUSED_WAIT_SECONDS


async def test_a_worker_that_takes_over_waits_as_long_as_the_venue_had_asked_for(desk: Desk) -> None:
    desk.venue.fail("fetch_balances", RateLimitError("Slow down.", retry_after=17.0))
    await desk.round()
    await desk.do(give_back, desk.duty.lease)
    calls = len(desk.venue.calls)
    await desk.open()
    assert 15.0 < await desk.round() <= 17.0 + patience.PAUSE_JITTER_SECONDS
    assert len(desk.venue.calls) == calls


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """From then on the strategy breaks in this market."""

    def break_in(symbol: str) -> None:
        def broken(seen: Snapshot, settings: SpreadSettings) -> object:
            if seen.market.symbol == symbol:
                raise ArithmeticError("apiKey=canary-5f1e0c&signature=deadbeef")
            return decide(seen, settings)

        monkeypatch.setattr(quoting, "decide", broken)

    return break_in


async def test_an_internal_error_is_isolated_and_told_without_secrets(
    desk: Desk, breaks: Callable[[str], None]
) -> None:
    canary = "canary-5f1e0c"
    await desk.do(Secret(canary).reveal)
    breaks(desk.bot.symbol)
    await desk.round()
    (event,) = await desk.events("stood_aside")
    assert event.text.startswith("Internal error (ArithmeticError)")
    assert event.severity == Severity.ERROR
    assert canary not in event.text
    assert canary not in (await decision(desk)).reason


async def test_a_bot_whose_cycle_breaks_does_not_hold_up_its_neighbours(
    desk: Desk, breaks: Callable[[str], None]
) -> None:
    other = await desk.do(make_bot, desk.connection, "Other", symbol="ETH/USDT")
    breaks(desk.bot.symbol)
    await desk.rounds(3)
    assert {order.bot_id for order in await desk.orders()} == {other.pk}
    assert len(desk.venue.resting()) == 2
    assert await desk.events("connection_failed") == []


async def test_the_quotes_of_a_bot_whose_cycle_breaks_do_not_rest_untended(
    desk: Desk, breaks: Callable[[str], None]
) -> None:
    await desk.round()
    breaks(desk.bot.symbol)
    await desk.rounds(2)
    assert desk.venue.resting() == []


async def test_a_bot_whose_cycle_broke_is_tried_again_later(
    desk: Desk, breaks: Callable[[str], None]
) -> None:
    breaks(desk.bot.symbol)
    await desk.rounds(2)
    assert len(await desk.events("stood_aside")) == 1
    breaks("nowhere")
    desk.duty.sheets[desk.bot.pk].broken_until = uptime()
    await desk.round()
    assert len(desk.venue.resting()) == 2


async def neighbour_of(desk: Desk) -> Desk:
    connection = await desk.do(make_connection, "Neighbour")
    bot = await desk.do(make_bot, connection)
    neighbour = Desk(connection=connection, bot=bot, venue=desk.venue, database=desk.database)
    await neighbour.open()
    return neighbour


async def test_a_database_that_fails_for_a_moment_ends_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise OperationalError("the database is locked")

    with monkeypatch.context() as patch:
        for name in ("save_orders", "save_stand_aside", "save_decision"):
            patch.setattr(ledger, name, fail)
        assert await desk.round() > 0
    await desk.rounds(2)
    assert not desk.duty._is_idle
    assert await desk.states() == ["open", "open"]
    assert len(desk.venue.resting()) == 2


async def test_a_recovery_that_cannot_be_written_ends_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_event: BotEvent) -> None:
        raise OperationalError("the database is locked")

    desk.venue.fail("fetch_balances", DOWN)
    await desk.round()
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "save_event", fail)
        await desk.round()
    await desk.round()
    assert not desk.duty._is_idle
    assert len(await desk.events("connection_recovered")) == 1


async def test_a_lost_lease_ends_the_duty_and_its_gateway(desk: Desk) -> None:
    await desk.look_at_board()
    desk.duty.lease.deadline = uptime() - 1
    await desk.duty.run()
    assert desk.venue.calls == []
    assert desk.venue.gateways_closed == desk.venue.gateways_opened == 1


# --- Workers that stop


async def stop_worker(desk: Desk) -> None:
    await desk.look_at_board()
    desk.duty.end(Ending.STOP)
    await desk.duty.run()


async def test_a_worker_that_stops_cancels_and_settles(desk: Desk) -> None:
    await desk.round()
    desk.venue.fill(desk.venue.resting_at("99").venue_id, "0.5")
    await stop_worker(desk)
    assert desk.venue.resting() == []
    assert not await desk.orders(settled_at=None)
    assert (await desk.do(Position.objects.get)).amount == D("0.5")
    assert await desk.state() == BotState.RUNNING


async def test_a_worker_that_stops_asks_again_where_the_venue_did_not_answer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settle, "AFTER_FAILURE_SECONDS", 0.0)
    monkeypatch.setattr(settle, "LOOK_AGAIN_SECONDS", 0.0)
    await desk.round()
    desk.venue.fail("cancel", OutcomeUnknownError("No answer."), times=2)
    desk.venue.fail("fetch_open_orders", DOWN)
    await stop_worker(desk)
    assert desk.venue.resting() == []
    assert not await desk.orders(settled_at=None)


async def test_a_worker_that_stops_waits_only_so_long(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duty, "SETTLE_SECONDS", 0.05)
    await desk.round()
    desk.venue.ignores_cancels = True
    await stop_worker(desk)
    assert len(await desk.orders(state="open")) == 2


async def test_a_worker_that_hands_over_leaves_the_quotes(desk: Desk) -> None:
    await desk.round()
    desk.duty.end(Ending.HAND_OVER)
    await desk.duty.run()
    assert len(desk.venue.resting()) == 2
    assert desk.venue.asked("cancel") == []


async def test_the_next_holder_goes_on_with_the_same_orders(desk: Desk) -> None:
    await desk.round()
    await desk.open()
    await desk.rounds(2)
    assert desk.venue.counts()["place"] == 2
    assert await desk.states() == ["open", "open"]


# --- Workers that die


async def trade_a_while(desk: Desk) -> None:
    """Quotes, a partial fill, a price that moves, a fill of the rest."""
    await desk.round()
    desk.venue.fill(desk.venue.resting_at("99").venue_id, "0.4")
    await desk.round()
    desk.venue.quoted["BTC/USDT"] = ("101.9", "102.1")
    desk.account.feed._cells.clear()
    await desk.rounds(2)


def at_call(number: int, task: asyncio.Task[None]) -> Callable[[int], None]:
    def strike(call: int) -> None:
        if call == number:
            task.cancel()

    return strike


async def dies(desk: Desk, number: int, where: str) -> bool:
    """False where the work was done before the venue had that many requests."""
    task = asyncio.create_task(trade_a_while(desk))
    setattr(desk.venue, where, at_call(number, task))
    try:
        await task
    except asyncio.CancelledError:
        return True
    return False


@pytest.mark.parametrize("where", ["strike", "strike_back"])
async def test_a_worker_killed_at_any_request_is_succeeded_with_the_same_books(
    desk: Desk, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observe, "GRACE", timedelta(0))
    number, venue = 1, desk.venue
    while True:
        await desk.do(_forget_everything)
        start_anew(venue)
        await desk.office.feeds.close()
        await desk.open()
        if not await dies(desk, number, where):
            break
        setattr(venue, where, lambda _number: None)
        venue.quoted["BTC/USDT"] = ("101.9", "102.1")
        await desk.office.feeds.close()
        await desk.open()
        await desk.rounds(6)
        await books_agree(desk)
        number += 1
    assert number > 12


def start_anew(venue: FakeVenue) -> None:
    fresh = FakeVenue()
    venue.orders, venue.trades, venue.calls = {}, [], []
    venue.quoted, venue.funds = {}, fresh.funds


def _forget_everything() -> None:
    for model in (Trade, Order, Position, BotEvent, Decision):
        model.objects.all().delete()


async def books_agree(desk: Desk) -> None:
    sent = [request.client_id for request in desk.venue.asked("place") if isinstance(request, OrderRequest)]
    assert len(sent) == len(set(sent))
    resting = desk.venue.resting()
    assert sorted(order.price or 0 for order in resting) == [D("100.98"), D("103.02")]
    assert {order.client_id for order in resting} == {o.client_id for o in await desk.orders(state="open")}
    live = await desk.orders(settled_at=None)
    assert {order.state for order in live} == {"open"}
    at_venue = {order.client_id: order for order in desk.venue.orders.values()}
    for order in await desk.orders():
        report = at_venue.get(order.client_id)
        assert (order.state, order.traded) == (
            (report.status, report.filled) if report else ("never_placed", D(0))
        )
    signs = {Side.BUY: 1, Side.SELL: -1}
    bought = sum((signs[trade.side] * trade.amount for trade in desk.venue.trades), D(0))
    positions = await desk.do(lambda: list(Position.objects.filter(bot=desk.bot)))
    assert sum((position.amount for position in positions), D(0)) == bought


async def test_a_worker_that_sees_a_kill_switch_cancels_and_places_nothing(desk: Desk) -> None:
    await desk.round()
    assert len(desk.venue.resting()) == 2
    switch = await desk.do(KillSwitch.objects.create, scope=Scope.DESK, reason="A drill.")
    await desk.rounds(2)
    assert desk.venue.resting() == []
    refusals = (await decision(desk)).refusals
    assert {row["sentence"] for row in refusals} == {"The kill switch is on: A drill."}
    await desk.do(KillSwitch.objects.filter(pk=switch.pk).update, released_at=utc_now())
    await desk.round()
    assert len(desk.venue.resting()) == 2


async def test_a_stopping_bot_whose_key_never_worked_ends_without_the_venue(desk: Desk) -> None:
    desk.venue.fail("fetch_balances", CredentialsError("The key is refused: make a new one."), times=9)
    await desk.round()
    await desk.set_state(BotState.STOPPING)
    await desk.round()
    assert await desk.state() == BotState.STOPPED


async def test_a_stopping_bot_with_orders_waits_for_the_venue(desk: Desk) -> None:
    await desk.round()
    await desk.set_state(BotState.STOPPING)
    desk.venue.fail("fetch_balances", DOWN, times=2)
    await desk.round()
    assert await desk.state() == BotState.STOPPING
    await desk.rounds(3)
    assert (await desk.state(), desk.venue.resting()) == (BotState.STOPPED, [])


async def test_a_database_that_fails_while_a_pause_is_written_down_ends_no_duty(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_lease: object, _until: object) -> None:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(ledger, "save_pause", fail)
    desk.venue.fail("fetch_balances", RateLimitError("Slow down.", retry_after=17.0))
    assert 17 <= await desk.round() <= 17 + patience.PAUSE_JITTER_SECONDS
    await desk.round()
    assert len(desk.venue.resting()) == 2


async def test_markets_are_written_once_for_each_opening(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(takeover, "save_markets", lambda *, venue, markets: written.append(venue))
    await desk.round()
    desk.venue.fail("fetch_balances", DOWN)
    await desk.rounds(2)
    assert written == [desk.connection.venue]
