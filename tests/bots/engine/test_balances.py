"""Balances where bots trade and where none does: explained, valued hour by hour, and never lost sight of."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.utils import timezone

from bots.engine import balances, lease
from bots.engine.balances import AFTER_FILLS_SECONDS, LOOK_SECONDS, seconds_to_next_look
from bots.engine.duty import WATCH_SECONDS, Duty
from bots.engine.lease import acquire, give_back
from bots.engine.patience import PAUSE_JITTER_SECONDS
from bots.models import Bot, BotEvent, BotState, Position, Severity, Trade
from exchanges import services
from exchanges.errors import RateLimitError, VenueDownError
from exchanges.models import (
    Balance,
    BalanceBaseline,
    BalanceSnapshot,
    ExchangeConnection,
    UnexplainedChange,
)
from exchanges.types import Fee
from exchanges.valuation import Price
from tests.bots.engine.conftest import Desk, make_connection
from tests.bots.engine.fake_venue import market
from vault.secret import Secret

D = Decimal
DOWN = VenueDownError("The venue is down: wait.")


class Clocks:
    """Both clocks of the balances' module, moved by hand."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.noon = datetime(2026, 11, 20, 12, 0, 10, tzinfo=timezone.get_default_timezone())

    def uptime(self) -> float:
        return self.passed

    def utc_now(self) -> datetime:
        return self.noon + timedelta(seconds=self.passed)


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clocks = Clocks()
    monkeypatch.setattr(balances, "uptime", clocks.uptime)
    monkeypatch.setattr(balances, "utc_now", clocks.utc_now)
    return clocks


async def rounds_for(desk: Desk, clocks: Clocks, seconds: float, every: float = 10.0) -> None:
    for _ in range(int(seconds / every)):
        clocks.passed += every
        await desk.round()


async def changes(desk: Desk) -> list[tuple[str, Decimal]]:
    return await desk.do(lambda: list(UnexplainedChange.objects.values_list("currency", "amount")))


async def baseline(desk: Desk) -> dict[str, str]:
    totals: dict[str, str] = (await desk.do(BalanceBaseline.objects.get)).totals
    return totals


@pytest.fixture
async def calm_desk(desk: Desk, clocks: Clocks) -> Desk:
    """Two quotes rest, and all that is held is known."""
    await rounds_for(desk, clocks, 60)
    return desk


# --- What changed


async def test_quotes_and_what_they_hold_change_nothing(calm_desk: Desk, clocks: Clocks) -> None:
    assert {name: D(total) for name, total in (await baseline(calm_desk)).items()} == calm_desk.venue.funds
    await calm_desk.set_state(BotState.PAUSED)
    await rounds_for(calm_desk, clocks, 300)
    assert await changes(calm_desk) == []


async def test_fills_are_explained_by_their_trades(calm_desk: Desk, clocks: Clocks) -> None:
    for part in ("0.3", "0.2"):
        calm_desk.venue.fill(calm_desk.venue.resting_at("99").venue_id, part)
        await rounds_for(calm_desk, clocks, 20)
    await rounds_for(calm_desk, clocks, 300)
    assert await changes(calm_desk) == []
    book = await calm_desk.do(BalanceBaseline.objects.get)
    assert {name: D(total) for name, total in book.totals.items()} == calm_desk.venue.funds
    assert book.last_trade == (await calm_desk.do(Trade.objects.latest, "pk")).pk


async def test_a_fee_in_a_third_currency_is_explained(calm_desk: Desk, clocks: Clocks) -> None:
    venue = calm_desk.venue
    venue.fill(venue.resting_at("99").venue_id, "0.5")
    trade = venue.trades[-1]
    venue.funds["USDT"] += trade.fees[0].amount
    venue.funds["ETH"] -= D("0.01")
    venue.trades[-1] = replace(trade, fees=(Fee(currency="ETH", amount=D("0.01")),))
    await rounds_for(calm_desk, clocks, 300)
    assert await changes(calm_desk) == []


async def test_a_deposit_is_an_event_and_not_a_profit(calm_desk: Desk, clocks: Clocks) -> None:
    calm_desk.venue.funds["USDT"] += 500
    await rounds_for(calm_desk, clocks, 300)
    assert await changes(calm_desk) == [("USDT", D(500))]
    (event,) = await calm_desk.events("balance_unexplained")
    assert event.text.startswith("USDT rose by 500, which no trade of this desk explains: a deposit?")
    assert event.severity == Severity.INFO
    positions = await calm_desk.do(lambda: list(Position.objects.all()))
    assert {position.realised_profit for position in positions} <= {D(0)}


async def test_a_withdrawal_among_fills_is_told_alone(calm_desk: Desk, clocks: Clocks) -> None:
    calm_desk.venue.fill(calm_desk.venue.resting_at("99").venue_id, "0.4")
    calm_desk.venue.funds["BTC"] -= 2
    await rounds_for(calm_desk, clocks, 300)
    assert await changes(calm_desk) == [("BTC", D(-2))]
    (event,) = await calm_desk.events("balance_unexplained")
    assert event.severity == Severity.WARNING


async def test_trades_that_the_venue_shows_late_are_waited_for(calm_desk: Desk, clocks: Clocks) -> None:
    calm_desk.venue.hides_new_trades = True
    calm_desk.venue.fill(calm_desk.venue.resting_at("99").venue_id, "0.4")
    await rounds_for(calm_desk, clocks, 90)
    calm_desk.venue.reveal()
    await rounds_for(calm_desk, clocks, 300)
    assert await changes(calm_desk) == []


async def test_a_deposit_while_no_worker_looked_is_told_by_the_next(calm_desk: Desk, clocks: Clocks) -> None:
    calm_desk.venue.funds["USDT"] += 500
    await calm_desk.open()
    await rounds_for(calm_desk, clocks, 300)
    assert await changes(calm_desk) == [("USDT", D(500))]


async def test_a_deposit_that_was_told_is_not_told_again_by_the_next_worker(
    calm_desk: Desk, clocks: Clocks
) -> None:
    calm_desk.venue.funds["USDT"] += 500
    await rounds_for(calm_desk, clocks, 300)
    await calm_desk.open()
    await rounds_for(calm_desk, clocks, 300)
    assert len(await changes(calm_desk)) == 1


async def test_a_round_in_which_nothing_changed_writes_nothing_of_balances(
    calm_desk: Desk, clocks: Clocks
) -> None:
    told = [query for query in await calm_desk.queries_of_a_round() if "balance" in query]
    assert told == []


# --- Hour by hour


async def test_each_hour_has_one_snapshot_valued_in_the_quote_currency(
    calm_desk: Desk, clocks: Clocks
) -> None:
    await rounds_for(calm_desk, clocks, 3600, every=600)
    first, second = await calm_desk.do(lambda: list(BalanceSnapshot.objects.order_by("hour")))
    assert second.hour - first.hour == timedelta(hours=1)
    assert first.balance_usdt == D(100_000) + (100 + 100) * 100  # BTC and ETH, at their last price
    lines = {line.currency: line for line in first.valuation.lines}
    assert {name: line.amount for name, line in lines.items()} == calm_desk.venue.funds
    assert lines["BTC"].price is not None
    assert lines["BTC"].price.symbol == "BTC/USDT"
    connection = await calm_desk.do(ExchangeConnection.objects.get)
    assert connection.last_snapshot_id == second.pk


async def test_a_price_that_cannot_be_had_is_the_last_one_known(calm_desk: Desk, clocks: Clocks) -> None:
    calm_desk.account.feed._cells.clear()
    calm_desk.venue.fail("fetch_ticker", DOWN, times=10)
    await rounds_for(calm_desk, clocks, 3600, every=600)
    first, second = await calm_desk.do(lambda: list(BalanceSnapshot.objects.order_by("hour")))
    assert _prices_but_usdt(second) == _prices_but_usdt(first)
    assert second.total == first.total


def _prices_but_usdt(snapshot: BalanceSnapshot) -> list[Price | None]:
    return [line.price for line in snapshot.valuation.lines if line.currency != "USDT"]


async def test_what_has_no_price_is_listed_in_the_snapshot(desk: Desk, clocks: Clocks) -> None:
    desk.venue.funds["XYZ"] = D(7)
    await rounds_for(desk, clocks, 20)
    snapshot = await desk.do(BalanceSnapshot.objects.get)
    assert [(line.currency, line.amount) for line in snapshot.valuation.unpriced] == [("XYZ", D(7))]


async def test_many_currencies_are_priced_a_few_in_a_round(desk: Desk, clocks: Clocks) -> None:
    names = [f"C{number}" for number in range(12)]
    desk.venue.markets |= {f"{name}/USDT": market(f"{name}/USDT") for name in names}
    desk.venue.funds |= dict.fromkeys(names, D(1))
    await rounds_for(desk, clocks, 20)
    assert len(desk.venue.asked("fetch_ticker")) == 2 * balances.PRICES_AT_ONCE
    assert await desk.do(BalanceSnapshot.objects.count) == 0
    await rounds_for(desk, clocks, 10)
    assert sorted(desk.venue.asked("fetch_ticker")) == sorted(  # type: ignore[type-var]
        f"{name}/USDT" for name in [*names, "BTC", "ETH"]
    )
    assert await desk.do(BalanceSnapshot.objects.count) == 1


async def test_a_wait_that_the_venue_asks_for_is_kept_while_prices_are_asked_for(
    desk: Desk, clocks: Clocks
) -> None:
    desk.venue.fail("fetch_ticker", RateLimitError("Slow down.", retry_after=17.0))
    assert 17 <= await desk.round() <= 17 + PAUSE_JITTER_SECONDS


async def test_while_the_venue_is_down_the_last_balances_stay_and_no_snapshot_is_made(
    calm_desk: Desk, clocks: Clocks
) -> None:
    before = await calm_desk.do(lambda: list(Balance.objects.values_list("currency", "free", "at")))
    calm_desk.venue.fail("fetch_balances", DOWN, times=10)
    await rounds_for(calm_desk, clocks, 3600, every=600)
    assert await calm_desk.do(lambda: list(Balance.objects.values_list("currency", "free", "at"))) == before
    assert await calm_desk.do(BalanceSnapshot.objects.count) == 1


# --- How soon the next look is


async def test_after_a_fill_the_balances_are_read_again_soon_however_slow_the_bot(
    calm_desk: Desk, clocks: Clocks
) -> None:
    await calm_desk.do(_slow_down, calm_desk)
    await rounds_for(calm_desk, clocks, 60)
    assert seconds_to_next_look(calm_desk.account) == LOOK_SECONDS
    calm_desk.venue.fill(calm_desk.venue.resting_at("99").venue_id, "0.4")
    assert await calm_desk.round() <= AFTER_FILLS_SECONDS


def _slow_down(desk: Desk) -> None:
    Bot.objects.filter(pk=desk.bot.pk).update(cycle_seconds=3600)


# --- Where no bot is at work


@pytest.fixture
async def idle_desk(desk: Desk, clocks: Clocks) -> Desk:
    """No bot, a key, and balances to look at; its lease is free."""

    def rest() -> None:
        give_back(desk.duty.lease)
        Bot.objects.update(state=BotState.STOPPED)
        now = timezone.now()
        ExchangeConnection.objects.update(balances_due_at=now, api_key=Secret("key"))

    await desk.do(rest)
    return desk


async def look_until_done(desk: Desk, clocks: Clocks, *, most: int = 100) -> int:
    """A worker takes the lease and looks until its duty ends; how many looks it took."""
    assert await desk.do(acquire_any, desk)
    for looks in range(1, most + 1):
        clocks.passed += WATCH_SECONDS
        if await desk.round() == 0.0:
            await desk.duty._close()
            await desk.do(give_back, desk.duty.lease)
            return looks
    raise AssertionError("the duty did not end")


def acquire_any(desk: Desk) -> bool:
    """Only where the lease says that there is work."""
    for taken in acquire(uuid4(), most=1):
        desk.duty = Duty(lease=taken, office=desk.office, board=desk.board, pulse=desk.pulse)
        return True
    return False


async def test_an_idle_connection_is_looked_at_and_then_left_for_less_than_five_minutes(
    idle_desk: Desk, clocks: Clocks
) -> None:
    await look_until_done(idle_desk, clocks)
    assert await idle_desk.do(Balance.objects.count) == 3
    assert await idle_desk.do(BalanceSnapshot.objects.count) == 1
    due = (await idle_desk.do(ExchangeConnection.objects.get)).balances_due_at
    assert due is not None
    assert 200 < (due - timezone.now()).total_seconds() < 300
    assert not await idle_desk.do(acquire_any, idle_desk)


async def come_round(desk: Desk) -> None:
    await desk.do(ExchangeConnection.objects.update, balances_due_at=timezone.now())


async def test_a_known_idle_connection_costs_one_look(idle_desk: Desk, clocks: Clocks) -> None:
    await look_until_done(idle_desk, clocks)
    await come_round(idle_desk)
    assert await look_until_done(idle_desk, clocks) == 1


async def test_a_deposit_to_an_idle_connection_is_told_before_the_worker_leaves(
    idle_desk: Desk, clocks: Clocks
) -> None:
    await look_until_done(idle_desk, clocks)
    idle_desk.venue.funds["USDT"] += 500
    await come_round(idle_desk)
    assert await look_until_done(idle_desk, clocks) > 3
    assert await changes(idle_desk) == [("USDT", D(500))]


async def test_an_idle_connection_whose_venue_is_down_says_so_and_is_asked_again(
    idle_desk: Desk, clocks: Clocks
) -> None:
    idle_desk.venue.fail("fetch_balances", DOWN, times=2)
    await look_until_done(idle_desk, clocks)
    kinds = await idle_desk.do(lambda: list(BotEvent.objects.order_by("pk").values_list("kind", flat=True)))
    assert kinds == ["credentials_work", "connection_failed", "connection_recovered"]


@pytest.mark.parametrize(
    "change",
    [{"enabled": False}, {"archived_at": timezone.now()}, {"balances_due_at": None}],
    ids=["disabled", "archived", "never due"],
)
async def test_nobody_looks_where_nobody_may(idle_desk: Desk, change: dict[str, object]) -> None:
    await idle_desk.do(lambda: ExchangeConnection.objects.update(**change))
    assert not await idle_desk.do(acquire_any, idle_desk)
    assert await idle_desk.do(lease.connections_with_work) == 0


@pytest.mark.parametrize(
    ("mode", "key", "looked_at"), [("live", "", False), ("live", "k" * 64, True), ("paper", "", True)]
)
def test_a_new_connection_is_looked_at_where_there_is_something_to_ask_with(
    transactional_db: None, mode: str, key: str, looked_at: bool
) -> None:
    owner = make_connection("Another").owner
    secrets: dict[services.SecretName, Secret] = (
        {"api_key": Secret(key), "api_secret": Secret("s" * 64)} if key else {}
    )
    made = services.create_connection(
        actor=None, name="New", venue="binance", mode=mode, owner=owner, secrets=secrets
    )
    assert (made.balances_due_at is not None) is looked_at


async def test_a_dry_run_neither_explains_nor_values_a_live_account(desk: Desk, clocks: Clocks) -> None:
    await desk.round()
    desk.account.is_dry_run = True
    await desk.do(BalanceBaseline.objects.all().delete)
    await desk.do(ExchangeConnection.objects.update, last_snapshot=None)
    await desk.do(BalanceSnapshot.objects.all().delete)
    await rounds_for(desk, clocks, 7200, every=600)
    assert await desk.do(BalanceSnapshot.objects.count) == 0
    assert await desk.do(BalanceBaseline.objects.count) == 0
