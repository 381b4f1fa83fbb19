"""Whether a position had its exit in time is judged by the venue's own story and the market's prices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.chaos.exits import Care, Price, Span, Trouble, excuses, joined, judge_exits, without
from tests.chaos.test_trips import entry, order
from tests.chaos.verdict import Verdict

D = Decimal
TRIP = {
    "id": 1, "bot__name": "Scalper", "symbol": "BTC/USDT", "side": "buy", "entered": "1", "entry_cost": "100",
}  # fmt: skip
ORDERS = [order("in", "buy"), order("out", "sell")]
ENTERED = [entry(10, "accepted", "in", "1"), entry(11, "filled", "in", "1")]


def care(*, rests: bool) -> Care:
    return Care(
        cycle_seconds=1,
        rests=rests,
        stop_loss_pct=D("0.02"),
        take_profit_pct=D("0.02"),
        time_limit_seconds=30,
        fee=D("0.001"),
    )


def at_price(price: str, start: int = 10, end: int = 25) -> list[Price]:
    """Looked at every second."""
    return [Price(float(at), D(price), D(price)) for at in range(start, end + 1)]


def found(
    *journal: dict[str, Any],
    rests: bool = False,
    prices: list[Price] | None = None,
    excused: tuple[Span, ...] = (),
    trip: dict[str, Any] = TRIP,
) -> list[str]:
    verdict, books = Verdict(), {"round_trips": [trip], "orders": ORDERS}
    prices = prices or at_price("100")
    judge_exits(verdict, books, [*ENTERED, *journal], {"Scalper": care(rests=rests)}, prices, excused)
    return verdict.unprotected


def test_a_take_profit_that_should_rest_is_missed_from_the_fill_on() -> None:
    assert found(entry(18, "accepted", "out", "0.999"), rests=True) == [
        "round trip 1 of Scalper had no exit for 7.0 s from 11.0 on"
    ]


def test_a_take_profit_that_rests_within_a_cycle_is_in_time() -> None:
    assert not found(entry(12.5, "accepted", "out", "0.999"), rests=True)


def test_an_exit_for_a_part_protects_a_part() -> None:
    assert found(entry(12, "accepted", "out", "0.5"), rests=True)


def test_one_that_went_and_did_not_come_back_is_missed() -> None:
    assert found(
        entry(12, "accepted", "out", "0.999"), entry(14, "canceled", "out", "0.999"), rests=True
    ) == ["round trip 1 of Scalper had no exit for 11.0 s from 14.0 on"]


def test_without_a_barrier_that_was_reached_no_exit_is_owed() -> None:
    assert not found()


def test_a_stop_that_was_reached_is_owed_an_exit() -> None:
    assert found(prices=at_price("97"))
    assert not found(entry(12, "accepted", "out", "0.999"), prices=at_price("97"))


def test_a_price_that_came_back_at_once_may_not_have_been_seen() -> None:
    assert not found(prices=[*at_price("100", 10, 13), *at_price("97", 14, 15), *at_price("100", 16, 25)])


def test_a_target_that_was_reached_is_owed_an_exit() -> None:
    assert found(prices=at_price("103"))


def test_after_its_time_limit_an_exit_is_owed_whatever_the_price() -> None:
    assert found(prices=at_price("100", 10, 60)) == [
        "round trip 1 of Scalper had no exit for 19.0 s from 41.0 on"
    ]


def test_what_was_missed_is_owed_nothing() -> None:
    assert not found(trip=TRIP | {"entered": "0", "entry_cost": "0"}, prices=at_price("97"))


def test_what_is_closed_is_owed_nothing() -> None:
    out = (entry(12, "accepted", "out", "0.999"), entry(12, "filled", "out", "0.999"))
    assert not found(*out, prices=at_price("97"))


def test_troubles_excuse_their_time_and_no_more() -> None:
    assert not found(entry(17, "accepted", "out", "0.999"), rests=True, excused=(Span(12, 15),))
    assert found(entry(25, "accepted", "out", "0.999"), rests=True, excused=(Span(12, 15),))


def test_a_trouble_is_over_when_the_venue_was_asked_again() -> None:
    troubles = [Trouble(10, 20), Trouble(100, 100, 10)]
    assert excuses(troubles, asked=[5, 15, 22]) == [Span(10, 27), Span(100, 115)]


def test_spans_are_joined_and_taken_away() -> None:
    assert joined([Span(3, 4), Span(1, 2), Span(2, 3)]) == [Span(1, 4)]
    assert without(Span(0, 10), [Span(1, 2), Span(9, 12)]) == [Span(0, 1), Span(2, 9)]
    assert without(Span(3, 4), [Span(1, 9)]) == []
