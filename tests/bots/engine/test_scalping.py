"""A scalper's cycles, run by hand at a fake venue: it opens, looks after, and closes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from bots.engine import observe, tending, trips
from bots.engine.funds import Funds
from bots.engine.scalping import scalp
from bots.engine.scalping_sheet import ScalpingSheet
from bots.engine.scan import Scanner
from bots.models import BotState, Decision, KillSwitch, OnScalperStop, Position, RoundTrip, ScalperBot, Trade
from bots.strategies.barriers import Exit
from database.thread import DatabaseThread
from exchanges.errors import (
    InsufficientFundsError,
    InvalidOrderError,
    MalformedAnswerError,
    OutcomeUnknownError,
    RateLimitError,
    Rule,
)
from exchanges.models import ExchangeConnection
from exchanges.types import Book, Level
from tests.bots.engine.conftest import Desk, make_scalper
from tests.bots.engine.fake_venue import FakeVenue

D = Decimal
MINUTE = timedelta(seconds=60)


@dataclass
class ScalperDesk(Desk):
    bot: ScalperBot  # type: ignore[assignment]

    @property
    def sheet(self) -> ScalpingSheet:
        sheet = self.duty.sheets[self.bot.pk]
        assert isinstance(sheet, ScalpingSheet)
        return sheet

    async def scanned(self) -> None:
        """Until the scanner has looked at the market as it is quoted now."""
        tape, symbol = self.office.scans.tape("binance"), "BTC/USDT"
        quoted = self.venue.quoted.get(symbol, ("99.9", "100.1"))
        for feed in self.office.feeds._feeds.values():
            feed._cells.clear()
        await self.duty._scanners.stop()
        await self.round()
        for _ in range(200):
            book = tape.book(symbol)
            if book is not None and book.bids and book.bids[0].price == D(quoted[0]):
                return
            await asyncio.sleep(0.005)
        raise AssertionError(f"the scanner did not look at {symbol}")

    def remembers(self, mid: str, ago: timedelta = MINUTE, symbol: str = "BTC/USDT") -> None:
        """The market stood there then."""
        middle = D(mid)
        bids, asks = (Level(middle - 1, D(1)),), (Level(middle + 1, D(1)),)
        tape = self.office.scans.tape("binance")
        tape.window_seconds = 60
        tape.note(Book(symbol=symbol, bids=bids, asks=asks, time=datetime.now(UTC) - ago))

    def quote(self, bid: str, ask: str) -> None:
        self.venue.quoted["BTC/USDT"] = (bid, ask)
        for feed in self.office.feeds._feeds.values():
            feed._cells.clear()

    async def rise(self, takes: str = "1") -> None:
        """By two per cent within the window: an entry is placed, of which this share fills at once."""
        self.venue.takes = D(takes)
        self.remembers("98")
        await self.scanned()
        await self.round()

    async def look(self, bid: str, ask: str, rounds: int = 1) -> None:
        self.quote(bid, ask)
        await self.rounds(rounds)

    async def trips(self) -> list[RoundTrip]:
        return await self.do(lambda: list(RoundTrip.objects.order_by("pk")))

    async def trip(self) -> RoundTrip:
        (trip,) = await self.trips()
        return trip

    async def reason(self) -> str:
        return (await self.do(Decision.objects.get, bot=self.bot)).reason

    async def change(self, **settings: Any) -> None:
        await self.do(ScalperBot.objects.filter(pk=self.bot.pk).update, **settings)

    async def is_exact(self) -> None:
        """The sums of the trip are those of its trades."""
        trip = await self.trip()
        trades = await self.do(lambda: list(Trade.objects.filter(order__round_trip=trip)))
        (position,) = await self.do(lambda: list(Position.objects.all()))
        assert len(trades) == await self.do(Trade.objects.count)
        assert (trip.amount, trip.cost, trip.realised_profit) == (
            position.amount, position.cost, position.realised_profit,
        )  # fmt: skip


@pytest.fixture
def scalper(connection: ExchangeConnection) -> ScalperBot:
    return make_scalper(connection)


@pytest_asyncio.fixture
async def desk(
    connection: ExchangeConnection, scalper: ScalperBot, venue: FakeVenue, database: DatabaseThread
) -> AsyncIterator[ScalperDesk]:
    desk = ScalperDesk(connection=connection, bot=scalper, venue=venue, database=database)
    await desk.open()
    yield desk
    await desk.duty._close()
    await desk.office.feeds.close()


async def test_a_rise_is_bought_at_the_touch_and_is_a_position_at_once(desk: ScalperDesk) -> None:
    await desk.rise()
    (order,) = await desk.orders()
    assert (order.side, order.price, order.amount, order.level) == ("buy", D("100.1"), D("0.999"), "entry")
    trip = await desk.trip()
    assert (trip.state, trip.entered, trip.entry_average) == ("open", D("0.999"), D("100.1"))
    assert trip.opened_because.startswith("Opens: it moved by 2.0")
    assert order.round_trip_id == trip.pk
    await desk.is_exact()


async def test_without_a_move_it_opens_nothing_and_says_what_it_saw(desk: ScalperDesk) -> None:
    desk.remembers("100")
    await desk.scanned()
    await desk.round()
    assert await desk.orders() == []
    assert await desk.reason() == "Scanning all 1. BTC/USDT: it moved by 0 % in 60 s."


async def test_a_stop_loss_sells_what_was_bought(desk: ScalperDesk) -> None:
    await desk.rise()
    await desk.look("94", "94.2")
    (trip,) = await desk.trips()
    exits = await desk.orders(level="close")
    assert [(o.side, o.price, o.amount, o.state) for o in exits] == [("sell", D(94), D("0.999"), "filled")]
    assert (trip.state, trip.closing, trip.exited) == ("closed", Exit.STOP_LOSS, D("0.999"))
    assert trip.left == 0
    fees = D("0.999") * D("0.001") * (D("100.1") + 94)
    assert trip.realised_profit == D("0.999") * (94 - D("100.1")) - fees
    assert trip.closed_at is not None
    (event,) = await desk.events("round_trip_closed")
    assert event.text.startswith("BTC/USDT: closed, stop loss: -")
    await desk.is_exact()


async def test_a_position_is_never_sold_twice(desk: ScalperDesk) -> None:
    await desk.rise()
    desk.venue.takes = D(0)
    await desk.look("94", "94.2", rounds=5)
    assert [order.amount for order in desk.venue.resting()] == [D("0.999")]
    desk.venue.fill(desk.venue.resting()[0].venue_id, "0.999")
    await desk.rounds(3)
    assert (await desk.trip()).state == "closed"
    assert sum(trade.amount for trade in desk.venue.trades if trade.side == "sell") == D("0.999")


async def test_a_part_that_filled_is_looked_after_at_once(desk: ScalperDesk) -> None:
    await desk.change(entry_seconds=3600)
    await desk.rise(takes="0.5")
    trip = await desk.trip()
    assert (trip.state, trip.left) == ("open", D("0.4995"))
    desk.venue.takes = D(1)
    await desk.look("94", "94.2", rounds=3)
    sold = [trade.amount for trade in desk.venue.trades if trade.side == "sell"]
    assert sum(sold) == D("0.499")  # half a thousandth is off the lot
    assert desk.venue.resting() == []
    trip = await desk.trip()
    assert (trip.state, trip.left) == ("closed", D("0.0005"))
    assert trip.remark == "0.0005 BTC are left, less than the venue takes: dust."
    await desk.is_exact()


async def test_an_entry_that_is_mostly_filled_rests_on_and_buys_no_more_than_it_was_to(
    desk: ScalperDesk,
) -> None:
    await desk.change(entry_seconds=3600)
    await desk.rise(takes="0.75")
    await desk.rounds(3)
    (entry,) = await desk.orders()
    assert (entry.state, entry.filled, (await desk.trip()).entered) == ("open", D("0.74925"), D("0.74925"))
    assert [order.venue_id for order in desk.venue.resting()] == [entry.venue_id]


async def test_an_entry_that_does_not_fill_in_time_is_cancelled(
    desk: ScalperDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.rise(takes="0")
    assert len(desk.venue.resting()) == 1
    await desk.change(entry_seconds=0)
    await desk.rounds(2)
    assert desk.venue.resting() == []
    assert (await desk.trip()).state == "missed"


async def test_a_take_profit_may_rest_and_gives_way_to_the_stop(desk: ScalperDesk) -> None:
    await desk.change(rests_take_profit=True)
    await desk.rise()
    await desk.round()
    (target,) = desk.venue.resting()
    assert (target.side, target.amount) == ("sell", D("0.999"))
    await desk.look("94", "94.2", rounds=2)
    assert desk.venue.resting() == []
    assert [(o.level, o.state) for o in await desk.orders(side="sell")] == [
        ("take profit", "canceled"),
        ("close", "filled"),
    ]
    assert (await desk.trip()).closing == Exit.STOP_LOSS


async def test_a_take_profit_that_rested_and_filled_closes_the_trip(desk: ScalperDesk) -> None:
    await desk.change(rests_take_profit=True)
    await desk.rise()
    await desk.round()
    desk.venue.fill(desk.venue.resting()[0].venue_id, "0.999")
    await desk.rounds(2)
    trip = await desk.trip()
    assert (trip.state, trip.closing) == ("closed", Exit.TAKE_PROFIT)
    assert trip.profit_pct is not None
    assert trip.profit_pct >= D("0.1")


async def test_a_target_that_filled_in_part_leaves_the_rest_to_the_stop(desk: ScalperDesk) -> None:
    await desk.change(rests_take_profit=True)
    await desk.rise()
    await desk.round()
    desk.venue.fill(desk.venue.resting()[0].venue_id, "0.3")
    await desk.look("94", "94.2", rounds=2)
    sold = [trade.amount for trade in desk.venue.trades if trade.side == "sell"]
    assert sold == [D("0.3"), D("0.699")]
    assert (await desk.trip()).state == "closed"
    await desk.is_exact()


async def test_an_exit_whose_outcome_is_unknown_is_not_sent_again(desk: ScalperDesk) -> None:
    await desk.rise()
    desk.venue.fail("place", OutcomeUnknownError("no answer"), arrives=True)
    await desk.look("94", "94.2", rounds=4)
    assert len(desk.venue.asked("place")) == 2
    assert (await desk.trip()).state == "closed"


async def test_an_exit_that_does_not_fill_is_priced_anew_and_goes_at_market(desk: ScalperDesk) -> None:
    await desk.change(exit_seconds=0, exit_tries=2)
    await desk.rise()
    desk.venue.takes = D(0)
    await desk.look("94", "94.2")
    await desk.look("93", "93.2")
    assert [order.price for order in desk.venue.resting()] == [D(93)]
    await desk.look("92", "92.2", rounds=2)
    (last,) = await desk.orders(type="market")
    assert (last.state, last.price, last.average) == ("filled", None, D(92))
    assert (await desk.trip()).state == "closed"


async def test_an_exit_that_is_refused_at_market_goes_as_a_limit_beyond_the_touch(desk: ScalperDesk) -> None:
    await desk.change(exit_seconds=0, exit_tries=0)
    await desk.rise()
    desk.venue.fail("place", InvalidOrderError("A market buy names what it spends."))
    await desk.look("92", "92.2", rounds=2)
    assert [(order.type, order.state) for order in await desk.orders(level="close")] == [
        ("market", "rejected"),
        ("limit", "filled"),
    ]
    (last,) = await desk.orders(type="limit", level="close")
    assert (last.price, last.average) == (D("90.16"), D(92))
    assert (await desk.trip()).state == "closed"


async def test_what_the_venue_refuses_as_too_little_again_and_again_is_dust(desk: ScalperDesk) -> None:
    await desk.rise()
    too_little = InvalidOrderError("It is below the minimum of this market.", rule=Rule.MIN_COST)
    desk.venue.fail("place", too_little, times=3)
    for _ in range(3):
        assert (await desk.trip()).state == "open"
        await desk.look("94", "94.2")
        desk.sheet.memory(await desk.trip()).holds["close"].until = 0.0
    trip = await desk.trip()
    assert (trip.state, trip.amount) == ("closed", D("0.999"))
    assert trip.remark == "0.999 BTC are left, less than the venue takes: dust."


async def test_what_fills_at_once_has_its_exit_before_the_account_is_looked_at_again(
    desk: ScalperDesk,
) -> None:
    await desk.change(rests_take_profit=True)
    await desk.rise()
    (target,) = desk.venue.resting()
    assert (target.side, target.amount) == ("sell", D("0.999"))


async def test_an_exit_outlives_a_cycle_that_broke(
    desk: ScalperDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.change(rests_take_profit=True)
    await desk.rise()
    await desk.round()
    (target,) = desk.venue.resting()

    def broken(*_args: object) -> object:
        raise ZeroDivisionError

    monkeypatch.setattr(tending, "look_after", broken)
    await desk.rounds(3)
    assert desk.sheet.broken_until > 0
    assert desk.venue.resting() == [target]


async def test_a_trailing_stop_is_remembered_by_the_next_worker(desk: ScalperDesk) -> None:
    trailing = {"trailing_delta_pct": D("0.02"), "trailing_activation_pct": D(0), "take_profit_pct": None}
    await desk.change(**trailing, cooldown_seconds=3600)
    await desk.rise()
    await desk.look("105", "105.2")
    assert (await desk.trip()).trailing_stop == D("102.9")
    await desk.duty._close()
    await desk.open()
    desk.venue.takes = D(1)
    await desk.look("102.9", "103.1", rounds=2)
    trip = await desk.trip()
    assert (trip.state, trip.closing) == ("closed", Exit.TRAILING_STOP)


async def test_a_paused_scalper_manages_its_exits_and_opens_nothing(desk: ScalperDesk) -> None:
    await desk.rise()
    await desk.set_state(BotState.PAUSED)
    await desk.look("94", "94.2", rounds=2)
    assert (await desk.trip()).state == "closed"
    desk.remembers("90")
    await desk.rounds(3)
    assert len(await desk.trips()) == 1
    assert "opens nothing" in await desk.reason()


async def test_a_scalper_that_is_told_to_stop_closes_its_positions_first(desk: ScalperDesk) -> None:
    await desk.rise()
    await desk.set_state(BotState.STOPPING)
    await desk.rounds(3)
    trip = await desk.trip()
    assert (trip.state, trip.closing, await desk.state()) == ("closed", Exit.STOPPED, BotState.STOPPED)


async def test_a_scalper_that_leaves_its_positions_cancels_its_orders(desk: ScalperDesk) -> None:
    await desk.change(rests_take_profit=True, on_stop=OnScalperStop.LEAVE)
    await desk.rise()
    await desk.round()
    await desk.set_state(BotState.STOPPING)
    await desk.rounds(3)
    assert (desk.venue.resting(), await desk.state()) == ([], BotState.STOPPED)
    assert (await desk.trip()).state == "open"


async def test_what_a_late_fill_adds_to_a_closed_trip_is_looked_after(desk: ScalperDesk) -> None:
    await desk.rise(takes="0")
    desk.venue.hides_new_trades = True
    (entry,) = desk.venue.resting()
    await desk.change(entry_seconds=0)
    await desk.round()
    trip = await desk.trip()
    assert trip.state in {"opening", "missed"}
    desk.venue.orders[entry.venue_id] = entry
    desk.venue.fill(entry.venue_id, "0.5")
    desk.venue.reveal()
    desk.duty.wake()
    account = desk.account
    await observe.collect_trades(account, "BTC/USDT")
    await desk.rounds(2)
    assert (await desk.trip()).entered == D("0.5")


async def test_an_entry_that_turns_up_after_the_venue_had_denied_it_is_cancelled(
    desk: ScalperDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observe, "GRACE", timedelta(0))
    desk.venue.hides_new_orders = True
    await desk.rise(takes="0.5")
    await desk.rounds(6)
    assert [order.state for order in await desk.orders(level="entry")] == ["canceled"]
    assert (await desk.trip()).state == "open"
    desk.venue.reveal()
    desk.venue.takes = D(1)
    await desk.look("94", "94.2", rounds=4)
    assert desk.venue.resting() == []
    assert ((await desk.trip()).state, (await desk.trip()).closing) == ("closed", Exit.STOP_LOSS)


async def test_an_entry_that_turns_up_after_its_trip_has_ended_is_cancelled_and_what_filled_is_closed(
    desk: ScalperDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observe, "GRACE", timedelta(0))
    desk.venue.hides_new_orders = True
    await desk.rise(takes="0")
    await desk.rounds(6)
    assert (await desk.trip()).state == "missed"
    desk.venue.reveal()
    desk.venue.fill(desk.venue.resting()[0].venue_id, "0.4")
    desk.venue.takes = D(1)
    await desk.look("94", "94.2", rounds=5)
    assert desk.venue.resting() == []
    trip = await desk.trip()
    assert (trip.state, trip.entered, trip.exited) == ("closed", D("0.4"), D("0.4"))


async def test_an_exit_that_is_refused_is_tried_again_and_told_once(desk: ScalperDesk) -> None:
    await desk.rise()
    desk.venue.fail("place", InsufficientFundsError("not enough BTC"))
    await desk.look("94", "94.2", rounds=3)
    (event,) = await desk.events("order_refused")
    assert event.text == "not enough BTC"
    desk.sheet.memory(await desk.trip()).holds["close"].until = 0.0
    await desk.rounds(2)
    assert (await desk.trip()).state == "closed"


async def test_a_market_that_is_gone_is_told_and_does_not_hold_up_a_stop(desk: ScalperDesk) -> None:
    await desk.rise()
    desk.venue.markets["BTC/USDT"] = replace(desk.venue.markets["BTC/USDT"], active=False)
    await desk.rounds(2)
    (event,) = await desk.events("market_gone")
    assert "BTC/USDT cannot be closed" in event.text
    await desk.set_state(BotState.STOPPING)
    await desk.rounds(2)
    trip = await desk.trip()
    assert (trip.state, trip.left, await desk.state()) == ("closed", D("0.999"), BotState.STOPPED)
    assert "cannot be closed" in trip.remark


async def test_a_position_that_lost_nine_tenths_is_kept_though_the_venue_would_not_take_it_now(
    desk: ScalperDesk,
) -> None:
    await desk.change(stop_loss_pct=None, take_profit_pct=D("0.1"), price_band_pct=D(5))
    await desk.rise()
    desk.venue.markets["BTC/USDT"] = replace(desk.venue.markets["BTC/USDT"], min_cost=D(20))
    await desk.look("10", "10.2", rounds=2)
    assert (await desk.trip()).state == "open"
    await desk.look("120", "120.2", rounds=2)
    trip = await desk.trip()
    assert (trip.state, trip.closing, trip.left) == ("closed", Exit.TAKE_PROFIT, D(0))


async def test_a_stop_does_not_wait_for_what_the_venue_does_not_take(desk: ScalperDesk) -> None:
    await desk.change(stop_loss_pct=None)
    await desk.rise()
    desk.venue.markets["BTC/USDT"] = replace(desk.venue.markets["BTC/USDT"], min_cost=D(20))
    await desk.look("10", "10.2")
    await desk.set_state(BotState.STOPPING)
    await desk.rounds(2)
    trip = await desk.trip()
    assert (trip.state, trip.remark) == ("closed", "0.999 BTC are left, less than the venue takes: dust.")
    assert await desk.state() == BotState.STOPPED


async def test_a_trip_that_lives_again_beside_a_new_one_in_its_market_sells_no_amount_twice(
    desk: ScalperDesk,
) -> None:
    """Its trade and that of the other's exit come in one list."""
    await desk.rise()
    await desk.do(RoundTrip.objects.update, state="closed")
    desk.account.trips.clear()
    await desk.rise()
    await desk.do(RoundTrip.objects.update, state="open")
    desk.account.trips = await desk.do(trips.at_work, desk.duty.lease)
    assert len(desk.account.trips) == 2
    desk.venue.hides_new_trades = True
    await desk.look("94", "94.2")
    desk.venue.reveal()
    await scalp(desk.account, desk.sheet, Funds(desk.account))
    await desk.rounds(2)
    sold = [trade.amount for trade in desk.venue.trades if trade.side == "sell"]
    assert sold == [D("0.999"), D("0.999")]
    assert [trip.state for trip in await desk.trips()] == ["closed", "closed"]


async def test_a_scan_that_breaks_holds_up_no_exit_and_is_told_once(
    desk: ScalperDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.rise()

    async def broken(_scanner: Scanner) -> object:
        raise ZeroDivisionError("volumes")

    monkeypatch.setattr(Scanner, "_look", broken)
    await desk.duty._scanners.stop()
    await desk.rounds(3)
    assert (await desk.trip()).state == "open"
    await desk.look("94", "94.2")
    assert (desk.sheet.broken_until, (await desk.trip()).closing) == (0.0, Exit.STOP_LOSS)
    desk.sheet.scan_hold.until = 0.0
    await desk.rounds(3)
    (event,) = await desk.events("scan_failed")
    assert "ZeroDivisionError" in event.text
    assert (await desk.reason()).startswith("The scan waits: Internal error (ZeroDivisionError): volumes.")


async def test_what_is_wrong_with_one_market_holds_up_no_exit_in_another(desk: ScalperDesk) -> None:
    await desk.change(symbols="BTC/USDT, ETH/USDT", most_positions=2, entry_seconds=3600)
    desk.remembers("98", symbol="ETH/USDT")
    await desk.rise()
    assert {trip.symbol for trip in await desk.trips()} == {"BTC/USDT", "ETH/USDT"}
    desk.venue.quoted["ETH/USDT"] = ("94", "94.2")
    desk.venue.fail("fetch_trades", MalformedAnswerError("The trades make no sense."))
    await desk.look("94", "94.2")
    assert len(await desk.orders(level="close")) == 2
    (event,) = await desk.events("stood_aside")
    assert event.text == "BTC/USDT: The trades make no sense."
    await desk.rounds(2)
    assert [trip.state for trip in await desk.trips()] == ["closed", "closed"]


async def test_a_stop_does_not_wait_for_what_the_venue_said_to_the_target(desk: ScalperDesk) -> None:
    await desk.rise()
    await desk.change(rests_take_profit=True)
    too_far = InvalidOrderError("The price is too far from the market.", rule=Rule.PRICE_RANGE)
    desk.venue.fail("place", too_far)
    await desk.round()
    assert desk.sheet.memory(await desk.trip()).holds["take profit"].until > 0
    await desk.look("94", "94.2")
    assert (await desk.trip()).state == "closed"


async def test_a_limit_of_rates_says_nothing_of_orders_at_market(desk: ScalperDesk) -> None:
    await desk.change(exit_seconds=0, exit_tries=0)
    await desk.rise()
    desk.venue.fail("place", RateLimitError("Wait.", retry_after=1.0))
    await desk.look("92", "92.2")
    memory = desk.sheet.memory(await desk.trip())
    assert memory.takes_market_orders
    memory.holds["close"].until = 0.0
    await desk.round()
    assert [(o.type, o.state) for o in await desk.orders(level="close")] == [
        ("market", "rejected"),
        ("market", "filled"),
    ]


async def test_a_limit_of_rates_that_counts_down_is_told_once(desk: ScalperDesk) -> None:
    await desk.rise()
    for seconds in (9, 8, 7):
        desk.venue.fail("place", RateLimitError(f"Nothing was sent for another {seconds} s."))
        await desk.look("94", "94.2")
        desk.sheet.memory(await desk.trip()).holds["close"].until = 0.0
    assert len(await desk.events("order_refused")) == 1
    await desk.round()
    assert (await desk.trip()).state == "closed"


async def test_what_somebody_took_off_the_account_holds_up_no_exit_of_the_rest(desk: ScalperDesk) -> None:
    await desk.rise()
    desk.venue.funds["BTC"] = D("0.4")
    await desk.look("94", "94.2", rounds=2)
    assert [(o.amount, o.state) for o in await desk.orders(level="close")] == [
        (D("0.999"), "rejected"),
        (D("0.4"), "filled"),
    ]
    await desk.rounds(3)
    assert ((await desk.trip()).state, (await desk.trip()).left) == ("open", D("0.599"))
    desk.venue.funds["BTC"] = D(5)
    desk.sheet.memory(await desk.trip()).holds["close"].until = 0.0
    await desk.rounds(2)
    assert (await desk.trip()).state == "closed"


async def test_an_exit_rests_on_while_there_is_no_book_to_price_another_one_by(desk: ScalperDesk) -> None:
    await desk.change(exit_seconds=0, exit_tries=50)
    await desk.rise()
    desk.venue.takes = D(0)
    await desk.look("94", "94.2")
    (resting,) = desk.venue.resting()
    await desk.look("96", "95", rounds=3)
    assert desk.venue.resting() == [resting]
    await desk.look("93", "93.2", rounds=2)
    assert [order.price for order in desk.venue.resting()] == [D(93)]


async def test_balances_are_read_anew_after_an_entry_that_filled_at_once(desk: ScalperDesk) -> None:
    """Or the next one is measured by what is spent already."""
    await desk.rise()
    assert desk.account.orders == {}
    asked = len(desk.venue.asked("fetch_balances"))
    desk.duty.nudge(desk.bot.pk)
    await desk.duty._guarded_round()
    assert len(desk.venue.asked("fetch_balances")) == asked + 1


async def test_what_a_moving_price_changes_of_a_reason_is_written_by_the_clock(desk: ScalperDesk) -> None:
    trailing = {"trailing_delta_pct": D("0.02"), "trailing_activation_pct": D(0), "take_profit_pct": None}
    await desk.change(**trailing)
    await desk.rise()
    await desk.look("101", "101.2")
    said = await desk.reason()
    desk.quote("105", "105.2")
    desk.sheet.due_at = float("inf")
    desk.duty.nudge(desk.bot.pk)
    await desk.duty._guarded_round()
    assert desk.sheet.memory(await desk.trip()).trailing_stop == D("102.9")
    assert await desk.reason() == said
    await desk.round()
    assert "its trailing stop at 102.9" in await desk.reason()


async def test_protections_that_look_further_back_see_what_closed_then(desk: ScalperDesk) -> None:
    await desk.rise()
    assert desk.sheet.closed == []
    await desk.change(losses_pause_seconds=1_000_000)
    desk.sheet.wanted(await desk.do(ScalperBot.objects.get, pk=desk.bot.pk))
    assert desk.sheet.closed is None


async def test_after_an_exit_its_market_cools_down(desk: ScalperDesk) -> None:
    await desk.change(cooldown_seconds=3600)
    await desk.rise()
    await desk.look("94", "94.2", rounds=2)
    desk.quote("99.9", "100.1")
    await desk.rise()
    assert len(await desk.trips()) == 1
    (event,) = await desk.events("locked")
    assert "it has just closed a position there" in event.text


async def test_what_an_entry_spent_at_once_is_not_free_in_the_same_round(desk: ScalperDesk) -> None:
    await desk.rise()
    (order,) = await desk.orders()
    funds = Funds(desk.account)
    before = funds.free("USDT")
    funds.taken(desk.account.markets["BTC/USDT"], [order])
    assert before - funds.free("USDT") == order.filled * order.price > 0


async def test_under_a_kill_switch_no_price_of_an_exit_is_used_up(desk: ScalperDesk) -> None:
    """An hour of it must not end in an order at market."""
    await desk.rise()
    await desk.do(KillSwitch.objects.create, scope="desk", reason="A drill.")
    await desk.look("94", "94.2", rounds=2)
    memory = desk.sheet.memory(await desk.trip())
    assert memory.closing is not None
    memory.closing = replace(memory.closing, since=memory.closing.since - timedelta(hours=1))
    await desk.rounds(3)
    assert (memory.closing.tries, len(desk.venue.asked("place"))) == (1, 1)


async def test_names_that_its_venue_does_not_have_are_told_and_the_others_traded(desk: ScalperDesk) -> None:
    await desk.change(symbols="FOO/BAR, BTC/USDT, BAZ/USDT")
    await desk.rise()
    assert [order.symbol for order in await desk.orders()] == ["BTC/USDT"]
    assert "Not there: FOO/BAR, BAZ/USDT." in await desk.reason()


async def test_a_list_of_names_that_are_not_there_is_no_market_to_scan(desk: ScalperDesk) -> None:
    await desk.change(symbols="FOO/BAR")
    for _ in range(3):
        await desk.round()
        await asyncio.sleep(0.02)
    assert await desk.reason() == "No market to scan. Not there: FOO/BAR."


async def test_what_its_position_holds_is_free_for_nobody_else(desk: ScalperDesk) -> None:
    await desk.rise()
    await desk.round()
    assert Funds(desk.account).free("BTC") == D(100)


async def test_a_short_scalper_sells_what_is_held_and_buys_it_back(desk: ScalperDesk) -> None:
    await desk.change(direction="short")
    desk.venue.takes = D(1)
    desk.remembers("102")
    await desk.scanned()
    await desk.round()
    (entry,) = await desk.orders()
    assert (entry.side, entry.price) == ("sell", D("99.9"))
    await desk.look("89", "89.2", rounds=2)
    trip = await desk.trip()
    assert (trip.state, trip.closing, trip.left) == ("closed", Exit.TAKE_PROFIT, D(0))
    assert trip.realised_profit > 0
    await desk.is_exact()


async def test_trips_at_work_are_read_at_the_take_over(desk: ScalperDesk) -> None:
    await desk.rise()
    at_work = await desk.do(trips.at_work, desk.duty.lease)
    assert [trip.pk for trip in at_work.values()] == [(await desk.trip()).pk]
