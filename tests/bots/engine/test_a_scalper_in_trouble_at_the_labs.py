"""A scalper at the labs in trouble: lost answers, lists that lag, new workers, people, and odd markets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
import pytest_asyncio

from bots.engine import clock, observe, trip_orders
from bots.models import BotState, Order
from bots.strategies.barriers import Exit
from bots.switches import Target, engage_kill_switch, release_kill_switch
from database.thread import DatabaseThread
from exchanges import health
from tests.bots.engine.conftest import make_bot
from tests.bots.engine.house_desk import BEFORE_OR_AFTER, SPOILT
from tests.bots.engine.scalper_house import SYMBOLS, ScalperHouse, brisk_house, open_scalper, scalper_house
from tests.lab.faults import Stage, drop_after_accept, server_error
from tests.lab.house import House
from tests.lab.lab import Lab
from tests.lab.orders import Side
from tests.lab.races import Odds
from tests.lab.views import Lag
from tests.lab.weather import Region, Severity, Weather

D = Decimal
A_SECOND = 1.05
PLACE = {"binance": "/api/v3/order", "kraken": "/0/private/AddOrder", "coinstore": "/api/trade/order/place"}


@pytest.fixture(params=SYMBOLS)
def house(request: pytest.FixtureRequest, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> House:
    return brisk_house(lab, request.param, monkeypatch)


@pytest_asyncio.fixture
async def desk(
    transactional_db: None, lab: Lab, house: House, database: DatabaseThread, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ScalperHouse]:
    connection = await database.run(open_scalper, house)
    async with scalper_house(lab, house, connection, database, monkeypatch) as desk:
        yield desk


def sent(desk: ScalperHouse) -> int:
    return len(desk.lab.requests.select(method="POST", path=PLACE[desk.house.venue]))


async def is_closed(desk: ScalperHouse, reason: Exit = Exit.STOP_LOSS) -> None:
    trip = await desk.trip()
    assert (trip.state, trip.closing) == ("closed", reason), trip.remark
    await desk.is_exact()


async def test_an_entry_whose_answer_is_lost_turns_up_filled_and_is_looked_after(desk: ScalperHouse) -> None:
    desk.lab.faults.add(drop_after_accept(method="POST", path=PLACE[desk.house.venue]))
    await desk.rise()
    await desk.rounds(2)
    trip = await desk.trip()
    assert (sent(desk), trip.state, trip.entry_average) == (1, "open", D(40010))
    await desk.look("37000", "37020", rounds=3)
    await is_closed(desk)


async def test_an_exit_whose_answer_is_lost_is_not_sent_again(desk: ScalperHouse) -> None:
    await desk.rise()
    desk.lab.faults.add(drop_after_accept(method="POST", path=PLACE[desk.house.venue]))
    await desk.look("37000", "37020", rounds=4)
    assert sent(desk) == 2
    await is_closed(desk)


@pytest.mark.parametrize("whole", [1.0, 0.0], ids=["whole", "in part"])
async def test_a_take_profit_that_fills_while_it_gives_way_is_not_sold_again(
    desk: ScalperHouse, whole: float
) -> None:
    await desk.change(rests_take_profit=True)
    await desk.rise()
    assert len(desk.resting()) == 1
    desk.house.dialect.races.set(Odds(probability=1, whole=whole))
    await desk.look("37000", "37020")
    desk.house.dialect.races.set(None)
    await desk.rounds(3)
    target, *closes = await desk.orders(side="sell")
    assert desk.house.dialect.races.won >= 1
    assert target.state == ("filled" if whole else "canceled")
    assert [order.amount for order in closes] == ([] if whole else [target.amount - target.filled])
    await is_closed(desk)


@pytest.mark.parametrize("scatters", [False, True], ids=["late", "scattered"])
async def test_trades_that_are_told_late_neither_delay_nor_double_an_exit(
    desk: ScalperHouse, scatters: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The orders themselves are told at once; what filled of them is closed by their word."""
    monkeypatch.setattr(trip_orders, "TRADES_PATIENCE", timedelta(0))
    desk.house.dialect.views.set_lag(Lag(trades_ms=700, scatters_trades=scatters))
    await desk.rise()
    await desk.look("37000", "37020", rounds=4)
    sold = [order for order in desk.house.exchange.orders("trader") if order.side is Side.SELL]
    assert sum(order.filled for order in sold) > D("0.0024")
    await asyncio.sleep(0.8)
    await desk.rounds(4)
    await is_closed(desk)


async def test_order_lists_that_lag_lose_no_part_of_a_trip(desk: ScalperHouse) -> None:
    desk.house.dialect.views.set_lag(Lag(orders_ms=300, trades_ms=300, balances_ms=300))
    await desk.rise()
    for _ in range(8):
        await asyncio.sleep(0.1)
        await desk.look("37000", "37020", rounds=1)
    await asyncio.sleep(0.4)
    await desk.rounds(3)
    await is_closed(desk)


async def restarted(desk: ScalperHouse) -> None:
    await desk.duty._close()
    await desk.open()
    await desk.rounds(2)


async def test_a_new_worker_goes_on_with_an_entry_that_rests(desk: ScalperHouse) -> None:
    await desk.change(entry_seconds=60)
    await desk.rise(asks="0.001")
    await restarted(desk)
    assert [order.filled for order in desk.resting()] == [D("0.001")]
    assert (await desk.trip()).entered == D("0.001")
    await desk.change(entry_seconds=0)
    await desk.rounds(2)
    await desk.look("37000", "37020")
    await is_closed(desk)


async def test_a_new_worker_goes_on_with_a_position_and_its_target(desk: ScalperHouse) -> None:
    await desk.change(rests_take_profit=True)
    await desk.rise()
    await restarted(desk)
    assert await desk.ends() == [("entry", "filled"), ("take profit", "open")]
    await desk.look("37000", "37020")
    await is_closed(desk)


async def test_a_new_worker_goes_on_with_an_exit_that_rests(desk: ScalperHouse) -> None:
    await desk.change(exit_seconds=60)
    await desk.rise()
    await desk.look("37000", "37020", bids="0.001")
    await restarted(desk)
    assert [order.price for order in desk.resting()] == [D(37000)]
    await desk.change(exit_seconds=1)
    await asyncio.sleep(A_SECOND)
    await desk.look("36900", "37020", rounds=3)
    await is_closed(desk)


async def test_a_worker_that_died_before_the_answers_is_succeeded_by_one_that_looks_them_up(
    desk: ScalperHouse,
) -> None:
    await desk.rise(asks="0.001")
    lost = {"state": "intended", "venue_id": "", "filled": 0}
    await desk.database.run(Order.objects.filter(settled_at=None).update, **lost)
    await restarted(desk)
    assert [order.state for order in await desk.orders()] == ["open"]
    await desk.change(entry_seconds=0)
    await desk.rounds(2)
    await desk.look("37000", "37020")
    await is_closed(desk)


async def test_a_pause_while_it_enters_cancels_the_entry_and_sells_the_part_at_its_barrier(
    desk: ScalperHouse,
) -> None:
    await desk.change(entry_seconds=60)
    await desk.rise(asks="0.001")
    await desk.set_state(BotState.PAUSED)
    await desk.rounds(2)
    assert desk.resting() == []
    assert (await desk.trip()).state == "open"
    await desk.look("37000", "37020")
    await is_closed(desk)


async def test_under_a_kill_switch_nothing_is_placed_and_released_the_exit_goes_on(
    desk: ScalperHouse,
) -> None:
    await desk.change(rests_take_profit=True)
    await desk.rise()
    assert len(desk.resting()) == 1
    switch = await desk.database.run(engage_kill_switch, actor=None, target=Target(), reason="A drill.")
    await desk.rounds(2)
    await desk.look("37000", "37020", rounds=3)
    assert (desk.resting(), (await desk.trip()).state, sent(desk)) == ([], "open", 2)
    await desk.database.run(release_kill_switch, actor=None, switch=switch)
    await desk.rounds(3)
    await is_closed(desk)


async def test_lost_cancels_and_failing_looks_leave_one_exit(desk: ScalperHouse) -> None:
    await desk.change(rests_take_profit=True)
    await desk.rise()
    path = {"binance": "/api/v3/order", "kraken": "/0/private/CancelOrder",
            "coinstore": "/api/trade/order/cancel"}[desk.house.venue]  # fmt: skip
    method = "DELETE" if desk.house.venue == "binance" else "POST"
    desk.lab.faults.add(drop_after_accept(method=method, path=path))
    desk.lab.faults.add(server_error(502, stage=Stage.AFTER, method=method, path=path))
    await desk.look("37000", "37020", rounds=6)
    await is_closed(desk)


async def test_a_market_that_ends_with_a_position_open_is_told_and_does_not_hold_up_a_stop(
    desk: ScalperHouse,
) -> None:
    await desk.change(rests_take_profit=True)
    await desk.rise()
    market = desk.house.exchange.market(desk.symbol)
    market.rules = replace(market.rules, is_trading=False)
    await desk.look_at_markets_anew()
    assert f"{desk.symbol} cannot be closed" in await desk.reason()
    assert ((await desk.trip()).state, len(desk.resting())) == ("open", 1)
    await desk.set_state(BotState.STOPPING)
    await desk.rounds(4)
    assert desk.resting() == []
    trip = await desk.trip()
    assert (trip.state, await desk.state()) == ("closed", BotState.STOPPED)
    assert "cannot be closed" in trip.remark


def forget_holds(desk: ScalperHouse) -> None:
    """As if the time had passed for which an exit waits after a refusal."""
    for memory in desk.sheet.memories.values():
        memory.holds.clear()


async def test_an_exit_that_a_closed_market_refuses_costs_the_connection_nothing(desk: ScalperHouse) -> None:
    """Its list says still that the market is open."""
    await desk.rise()
    market = desk.house.exchange.market(desk.symbol)
    usual, market.rules = market.rules, replace(market.rules, is_trading=False)
    before = sent(desk)
    await desk.change(time_limit_seconds=0)
    for _ in range(6):
        forget_holds(desk)
        await desk.rounds()
    assert sent(desk) - before == 6
    assert desk.duty._agrees
    assert not desk.account.health.is_left_alone
    market.rules = usual
    forget_holds(desk)
    await desk.rounds(3)
    await is_closed(desk, Exit.TIME_LIMIT)


async def test_a_market_that_is_closed_for_a_while_is_sold_in_when_it_opens(desk: ScalperHouse) -> None:
    await desk.rise()
    market = desk.house.exchange.market(desk.symbol)
    usual, market.rules = market.rules, replace(market.rules, is_trading=False)
    await desk.look_at_markets_anew()
    market.rules = usual
    desk.quote("37000", "37020")
    await desk.look_at_markets_anew()
    await desk.rounds(2)
    await is_closed(desk)


async def test_a_price_that_falls_by_nine_tenths_is_sold_at_and_once(desk: ScalperHouse) -> None:
    market = desk.house.exchange.market(desk.symbol)
    any_price = (D(0), D(5))
    market.rules = replace(market.rules, bid_multiplier=any_price, ask_multiplier=any_price)
    await desk.rise()
    await desk.look("4000", "4002")
    assert (await desk.trip()).exit_average == D(4000)
    await is_closed(desk)


async def test_a_price_that_rises_ninefold_is_not_believed_for_an_entry(desk: ScalperHouse) -> None:
    desk.quote("360000", "360200")
    await desk._moved("40000")
    assert await desk.trips() == []
    assert "more than the 20 % that are believed" in await desk.reason()


async def test_a_spread_bot_beside_it_never_sells_what_its_position_holds(desk: ScalperHouse) -> None:
    """It asks for 1.001, the account has 1 beside the position, which is what the position holds."""
    await desk.rise()
    await desk.database.run(
        make_bot, desk.connection, symbol=desk.symbol, order_amount=D("1.001"), ask_spread_pct=D("0.02"),
        bid_spread_pct=D("0.02"),
    )  # fmt: skip
    await desk.rounds(3)
    assert [order.side for order in desk.resting()] == ["buy"]
    desk.house.exchange.ledger.deposit("trader", "BTC", D("0.01"))
    await desk.rounds(2)
    assert sorted(order.side for order in desk.resting()) == ["buy", "sell"]


async def test_a_book_in_which_nothing_is_bid_holds_an_exit_up_and_no_longer(desk: ScalperHouse) -> None:
    await desk.rise()
    await desk.look("37000", "37020", bids="0")
    assert (await desk.reason()).startswith("Holds; nobody bids.")
    await desk.set_state(BotState.STOPPING)
    await desk.rounds(2)
    assert (len(await desk.orders()), (await desk.trip()).state) == (1, "open")
    await desk.look("37000", "37020", rounds=3)
    await is_closed(desk, Exit.STOPPED)


async def test_a_market_without_orders_is_not_entered(desk: ScalperHouse) -> None:
    desk.quote("39990", "40010", bids="0", asks="0")
    await desk._moved("39200")
    assert await desk.trips() == []
    assert "there is no two-sided book" in await desk.reason()


async def test_a_clock_that_steps_back_an_hour_holds_up_no_stop(
    desk: ScalperHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.change(entry_seconds=60, exit_seconds=1, time_limit_seconds=7200)
    await desk.rise(asks="0.001")
    assert len(desk.resting()) == 1
    an_hour_ago = SimpleNamespace(now=lambda zone: datetime.now(zone) - timedelta(hours=1))
    monkeypatch.setattr(clock, "datetime", an_hour_ago)
    await desk.rounds(2)
    assert desk.resting() == []  # of the entry nobody can say how old it is
    await desk.look("37000", "37020", rounds=3)
    await is_closed(desk)


async def test_a_clock_that_steps_back_while_it_closes_still_prices_anew(
    desk: ScalperHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.change(exit_seconds=1)
    await desk.rise()
    await desk.look("37000", "37020", bids="0.001")
    an_hour_ago = SimpleNamespace(now=lambda zone: datetime.now(zone) - timedelta(hours=1))
    monkeypatch.setattr(clock, "datetime", an_hour_ago)
    await desk.look("36900", "37020")
    await asyncio.sleep(A_SECOND)
    await desk.rounds(3)
    await is_closed(desk)


@pytest.mark.parametrize("seed", [1, 2])
async def test_after_a_storm_all_trips_are_closed_and_the_books_are_the_labs(
    desk: ScalperHouse, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Rises that are met in part, falls that race its targets, and four in ten requests in trouble."""
    for name in ("GRACE", "LATE_TRADES", "CANCEL_PATIENCE"):
        monkeypatch.setattr(observe, name, timedelta(0))
    monkeypatch.setattr(health, "ERRORS_TO_OPEN", 10**6)  # it would wait until the storm is over
    await desk.change(rests_take_profit=True, cooldown_seconds=0, entry_seconds=0, exit_seconds=0)
    await desk.rise()
    rates = dict.fromkeys((*BEFORE_OR_AFTER, *SPOILT), 0.04)
    storm = Weather(seed=seed, rates=rates, severity=Severity(mutations=1))
    desk.lab.sky.set(storm, Region(venue=desk.house.venue))
    desk.house.dialect.races.set(Odds(probability=0.5), seed=seed)
    for number in range(6):
        await desk.look("37000", "37020", bids="0.001")
        desk.quote("39990", "40010", asks="0.002" if number % 2 else "5")
        desk.remembers("39200")
        await desk.duty._scanners.stop()
        await desk.rounds()
        await asyncio.sleep(0.05)  # a scan looks
        await desk.rounds(2)
    desk.lab.sky.clear()
    desk.house.dialect.races.set(None)
    await desk.change(exit_seconds=1)
    await desk.set_state(BotState.STOPPING)
    desk.quote("39990", "40010")
    for _ in range(20):
        forget_holds(desk)
        await desk.rounds()
        if await desk.state() == BotState.STOPPED:
            break
    assert await desk.state() == BotState.STOPPED
    assert len(desk.house.exchange.fills("trader")) >= 2
    assert {trip.state for trip in await desk.trips()} <= {"closed", "missed"}
    await desk.is_exact()
