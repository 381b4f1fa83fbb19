"""Locks after round trips that went wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bots.strategies.barriers import Exit
from bots.strategies.protections import ClosedTrip, Lock, Protections, locks

D = Decimal
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def trip(
    ago: float, profit: str = "1", symbol: str = "BTC/USDT", reason: Exit = Exit.TAKE_PROFIT
) -> ClosedTrip:
    closed_at = NOW - timedelta(seconds=ago)
    return ClosedTrip(symbol=symbol, closed_at=closed_at, reason=reason, profit=D(profit), cost=D(100))


def stopped(ago: float) -> ClosedTrip:
    return trip(ago, "-1", reason=Exit.STOP_LOSS)


def test_without_protections_nothing_is_locked() -> None:
    assert locks([stopped(1), stopped(2)], Protections(), NOW) == ()


def test_after_an_exit_its_market_cools_down_and_no_other() -> None:
    (lock,) = locks([trip(10)], Protections(cooldown_seconds=60), NOW)
    assert lock.holds("BTC/USDT", NOW)
    assert not lock.holds("ETH/USDT", NOW)
    assert lock.until == NOW + timedelta(seconds=50)
    assert locks([trip(60)], Protections(cooldown_seconds=60), NOW) == ()


def test_too_many_stops_in_the_window_lock_all_markets() -> None:
    wanted = Protections(most_stops=3, stops_window_seconds=600, stops_pause_seconds=300)
    assert locks([stopped(500), stopped(100)], wanted, NOW) == ()
    (lock,) = locks([stopped(500), stopped(200), stopped(100)], wanted, NOW)
    assert lock == Lock(symbol=None, until=NOW + timedelta(seconds=200), reason="3 stops within 600 s")
    assert locks([stopped(900), stopped(200), stopped(100)], wanted, NOW) == ()


def test_a_take_profit_is_no_stop() -> None:
    assert locks([trip(1), trip(2), stopped(3)], Protections(most_stops=2), NOW) == ()


def test_a_drawdown_locks_all_markets() -> None:
    wanted = Protections(most_drawdown_pct=D("0.05"), drawdown_pause_seconds=600)
    assert locks([trip(40, "10"), trip(30, "-9")], wanted, NOW) == ()
    (lock,) = locks([trip(40, "10"), trip(30, "-10")], wanted, NOW)
    assert (lock.symbol, lock.reason) == (None, "a drawdown of 5 %")


def test_a_market_that_keeps_losing_is_left_alone() -> None:
    wanted = Protections(most_losses=2, losses_pause_seconds=600)
    rows = [trip(40, "-1"), trip(30, "-1"), trip(20, "-1", symbol="ETH/USDT")]
    (lock,) = locks(rows, wanted, NOW)
    assert (lock.symbol, lock.reason) == ("BTC/USDT", "2 losses in a row there")


def test_a_profit_in_between_forgives_the_losses() -> None:
    rows = [trip(40, "-1"), trip(30, "1"), trip(20, "-1")]
    assert locks(rows, Protections(most_losses=2), NOW) == ()


def test_a_days_loss_locks_the_markets_of_its_quote_currency_until_midnight() -> None:
    wanted = Protections(most_daily_loss=D(5))
    assert locks([trip(40, "-4.99")], wanted, NOW) == ()
    assert locks([trip(13 * 3600, "-9")], wanted, NOW) == ()
    rows = [trip(40, "-6"), trip(30, "1"), trip(20, "2", symbol="BTC/EUR")]
    (lock,) = locks(rows, wanted, NOW)
    assert lock.holds("ETH/USDT", NOW)
    assert not lock.holds("ETH/EUR", NOW)
    assert lock.until == NOW + timedelta(hours=12)
    assert lock.reason == "today's loss of 5 USDT has reached 5"
