"""DRY_RUN: live connections trade with play money, in books of their own beside the real ones."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pytest_django.fixtures import Settings

from bots.engine import kill, takeover
from bots.engine.kill import PLAY_MONEY, REAL_MONEY, cancel_orders
from bots.engine.lease import Lease, connections_with_work
from bots.models import BotState, Order, Position, Trade
from bots.selectors import dry_run_notice
from exchanges.gateway import ConnectionSpec, Gateway
from exchanges.models import Balance
from tests.bots.engine.conftest import Desk
from tests.bots.engine.fake_venue import FakeGateway, FakeVenue

D = Decimal
PARTS_OF_A_MINUTE = 6


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch, venue: FakeVenue) -> FakeVenue:
    """The venue at which paper accounts are opened; `venue` is the real one."""
    paper = FakeVenue()

    def open_gateway(spec: ConnectionSpec, *, licence: Lease, **_rest: object) -> Gateway:
        return FakeGateway(paper if spec.is_paper else venue, licence)

    monkeypatch.setattr(takeover, "open_gateway", open_gateway)
    return paper


async def after_real_orders(desk: Desk, settings: Settings) -> None:
    """Two real orders rest, one of them partly filled; then the desk starts again with DRY_RUN."""
    await desk.rounds(2)
    desk.venue.fill(desk.venue.resting_at("99").venue_id, "0.3")
    await desk.rounds(2)
    desk.venue.calls.clear()
    settings.DRY_RUN = True
    await desk.open()


async def real_books(desk: Desk) -> tuple[object, ...]:
    orders = Order.objects.filter(is_dry_run=False).order_by("pk")
    states = await desk.do(lambda: list(orders.values_list("venue_id", "state", "filled", "settled_at")))
    amount = await desk.do(lambda: Position.objects.get(is_dry_run=False).amount)
    return (*states, amount)


async def test_a_live_connection_sends_nothing_to_its_venue(
    desk: Desk, play: FakeVenue, settings: Settings
) -> None:
    await after_real_orders(desk, settings)
    await desk.rounds(5)
    assert desk.venue.calls == [] or {name for name, _ in desk.venue.calls} == {"fetch_book"}
    assert len(play.resting()) == 2
    assert play.counts()["place"] == 2


async def test_real_orders_are_neither_lost_nor_given_up_meanwhile(
    desk: Desk, play: FakeVenue, settings: Settings
) -> None:
    await desk.rounds(1)
    await after_real_orders(desk, settings)
    before = await real_books(desk)
    await desk.rounds(PARTS_OF_A_MINUTE)
    assert await real_books(desk) == before
    assert await desk.do(dry_run_notice) == (
        "Dry run: DRY_RUN is set, so every connection trades with play money, live ones too. "
        "2 real orders are on record from before: nobody asks after them or cancels them, and they may fill. "
        "Cancel them at the venue, or set DRY_RUN=false."
    )


async def test_play_money_has_a_position_of_its_own(desk: Desk, play: FakeVenue, settings: Settings) -> None:
    await after_real_orders(desk, settings)
    await desk.rounds(1)
    play.fill(play.resting_at("99").venue_id, "0.5")
    await desk.rounds(2)
    amounts = await desk.do(lambda: dict(Position.objects.values_list("is_dry_run", "amount")))
    assert amounts == {False: D("0.3"), True: D("0.5")}
    assert await desk.do(Trade.objects.filter(is_dry_run=True).count) == 1


async def test_trades_of_one_number_at_the_venue_and_in_play_are_both_counted(
    desk: Desk, play: FakeVenue, settings: Settings
) -> None:
    await after_real_orders(desk, settings)
    await desk.rounds(1)
    play.fill(play.resting_at("99").venue_id, "0.5")
    await desk.rounds(2)
    numbers = await desk.do(lambda: list(Trade.objects.values_list("venue_id", flat=True)))
    assert len(numbers) == 2
    assert len(set(numbers)) == 1


async def test_after_the_dry_run_the_real_books_go_on_where_they_were(
    desk: Desk, play: FakeVenue, settings: Settings
) -> None:
    await after_real_orders(desk, settings)
    await desk.rounds(3)
    settings.DRY_RUN = False
    desk.venue.fill(desk.venue.resting_at("101").venue_id, "0.2")
    await desk.open()
    await desk.rounds(3)
    assert (await desk.do(Position.objects.get, is_dry_run=False)).amount == D("0.1")
    assert len(desk.venue.resting()) == 2
    assert len(play.resting()) == 2
    live = await desk.do(lambda: set(Order.objects.current().live().values_list("venue_id", flat=True)))
    assert live == {order.venue_id for order in desk.venue.resting()}


async def test_the_real_balances_stay_on_record(desk: Desk, play: FakeVenue, settings: Settings) -> None:
    await after_real_orders(desk, settings)
    before = await desk.do(lambda: list(Balance.objects.values_list("currency", "free", "used")))
    play.funds["USDT"] = D(5)
    await desk.rounds(2)
    assert await desk.do(lambda: list(Balance.objects.values_list("currency", "free", "used"))) == before


async def test_a_bot_stops_in_a_dry_run_while_its_real_orders_rest(
    desk: Desk, play: FakeVenue, settings: Settings
) -> None:
    await after_real_orders(desk, settings)
    await desk.rounds(1)
    await desk.set_state(BotState.STOPPING)
    await desk.rounds(3)
    assert await desk.state() == BotState.STOPPED
    assert (len(play.resting()), len(desk.venue.resting())) == (0, 2)
    assert await desk.do(connections_with_work) == 0
    settings.DRY_RUN = False
    assert await desk.do(connections_with_work) == 1


async def test_the_kill_switch_says_that_it_leaves_real_orders_alone(
    desk: Desk, play: FakeVenue, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await after_real_orders(desk, settings)
    await desk.rounds(1)
    monkeypatch.setattr(kill, "open_gateway", lambda spec, **_rest: FakeGateway(_one_of(spec, desk, play)))
    live = await desk.do(lambda: list(Order.objects.live().select_related("connection", "bot")))
    ended = await desk.do(lambda: cancel_orders(live, seconds=5))
    said = {(one.order.is_dry_run, one.sentence, one.is_certain) for one in ended}
    assert said == {(False, REAL_MONEY, False), (True, "Canceled.", True)}
    assert (len(play.resting()), len(desk.venue.resting())) == (0, 2)


async def test_without_dry_run_the_kill_switch_leaves_play_money_alone(
    desk: Desk, play: FakeVenue, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await after_real_orders(desk, settings)
    await desk.rounds(1)
    settings.DRY_RUN = False
    monkeypatch.setattr(kill, "open_gateway", lambda spec, **_rest: FakeGateway(_one_of(spec, desk, play)))
    live = await desk.do(lambda: list(Order.objects.live().select_related("connection", "bot")))
    ended = await desk.do(lambda: cancel_orders(live, seconds=5))
    said = {(one.order.is_dry_run, one.sentence) for one in ended}
    assert said == {(False, "Canceled."), (True, PLAY_MONEY)}
    assert len(play.resting()) == 2


def _one_of(spec: ConnectionSpec, desk: Desk, play: FakeVenue) -> FakeVenue:
    return play if spec.is_paper else desk.venue
