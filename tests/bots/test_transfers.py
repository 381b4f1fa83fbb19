from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.transfers import Amounts, Baseline, Books, Look, Step, changes_of, note, sentence
from exchanges.types import Side

D = Decimal
START = {"USDT": D(10_000), "BTC": D(2), "BNB": D(1)}
BUY = changes_of(Side.BUY, "BTC/USDT", amount=D("0.1"), cost=D(4000), fees=[("BNB", D("0.01"))])
SELL = changes_of(Side.SELL, "BTC/USDT", amount=D("0.2"), cost=D(8100), fees=[("USDT", D("8.1"))])


def after(*changes: Amounts, start: Amounts = START) -> dict[str, Decimal]:
    totals = dict(start)
    for change in changes:
        for name, amount in change.items():
            totals[name] = totals.get(name, D(0)) + amount
    return {name: amount for name, amount in totals.items() if amount}


def watch(
    looks: Sequence[tuple[float, Mapping[str, Decimal], Sequence[Step]]], start: Amounts = START
) -> tuple[Books, list[Amounts]]:
    """Looks of (seconds, totals, the steps known then); the books at the end, and all that was told."""
    books, told = Books(baseline=Baseline(totals=start, number=0)), []
    for at, totals, known in looks:
        assert books.baseline is not None
        steps = [step for step in known if step.number > books.baseline.number]
        number = known[-1].number if known else 0
        books, unexplained = note(books, Look(at=at, totals=totals, number=number), steps)
        told += [unexplained] if unexplained else []
    return books, told


def steps(*changes: Amounts) -> list[Step]:
    return [Step(number=number, changes=change) for number, change in enumerate(changes, start=1)]


def every(
    seconds: float, until: float, totals: Amounts, known: Sequence[Step] = ()
) -> list[tuple[float, Mapping[str, Decimal], Sequence[Step]]]:
    return [(at * seconds, totals, known) for at in range(int(until / seconds) + 1)]


def test_a_fill_changes_base_quote_and_the_currency_of_its_fee() -> None:
    assert dict(BUY) == {"BTC": D("0.1"), "USDT": D(-4000), "BNB": D("-0.01")}
    assert dict(SELL) == {"BTC": D("-0.2"), "USDT": D("8091.9")}


def test_trades_with_a_fee_in_a_third_currency_explain_everything() -> None:
    books, told = watch(every(5, 300, after(BUY, SELL), steps(BUY, SELL)))
    assert told == []
    assert books.baseline == Baseline(totals=after(BUY, SELL), number=2)
    assert not books.is_open


def test_a_deposit_is_told_once_when_it_has_held_for_two_minutes() -> None:
    grown = after({"USDT": D(500)})
    assert watch(every(10, 120, grown))[1] == []
    books, told = watch(every(10, 600, grown))
    assert told == [{"USDT": D(500)}]
    assert books == Books(baseline=Baseline(totals=grown, number=0))


def test_a_withdrawal_of_all_there_is_of_a_currency_is_told() -> None:
    assert watch(every(10, 300, after({"BTC": D(-2)})))[1] == [{"BTC": D(-2)}]


def test_a_deposit_amid_trades_is_told_to_the_last_digit() -> None:
    totals = after(BUY, {"USDT": D("123.45678901")}, SELL)
    assert watch(every(10, 300, totals, steps(BUY, SELL)))[1] == [{"USDT": D("123.45678901")}]


def test_what_a_venue_rounds_away_of_trades_is_no_change() -> None:
    totals = after(BUY, {"USDT": D("-0.0001")}, SELL)
    assert watch(every(10, 300, totals, steps(BUY, SELL)))[1] == []


def test_trades_that_come_late_are_waited_for() -> None:
    late = [*every(5, 100, after(BUY)), *((105 + at, after(BUY), steps(BUY)) for at in range(0, 300, 5))]
    books, told = watch(late)
    assert told == []
    assert not books.is_open


def test_balances_that_come_late_are_waited_for() -> None:
    known = steps(BUY)
    books, told = watch([*every(5, 100, START, known), (105, after(BUY), known)])
    assert told == []
    assert books.baseline == Baseline(totals=after(BUY), number=1)


def test_a_bot_that_is_filled_between_every_two_looks_is_no_deposit() -> None:
    """Each look has a fill whose trade is counted only after it."""
    known = steps(*[BUY, SELL] * 60)
    looks = [
        (5.0 * number, after(*(step.changes for step in known[: number + 1])), known[:number])
        for number in range(120)
    ]
    assert watch(looks)[1] == []


def test_a_deposit_is_found_under_a_bot_that_is_filled_all_the_time() -> None:
    known = steps(*[BUY, SELL] * 60)
    looks = [
        (
            5.0 * number,
            after({"USDT": D(500)}, *(step.changes for step in known[: number + 1])),
            known[:number],
        )
        for number in range(120)
    ]
    assert watch(looks)[1] == [{"USDT": D(500)}]


def test_what_came_and_went_again_is_not_told() -> None:
    looks = [*every(10, 100, after({"USDT": D(500)})), (110, START, [])]
    books, told = watch(looks)
    assert told == []
    assert not books.is_open


def test_a_second_deposit_is_told_with_the_first_when_it_comes_before_that_was_told() -> None:
    looks = [*every(10, 60, after({"USDT": D(500)}))]
    looks += [(at, after({"USDT": D(800)}), []) for at in range(70, 400, 10)]
    assert watch(looks)[1] == [{"USDT": D(800)}]


def test_an_account_that_somebody_else_trades_on_all_the_time_is_told_after_ten_minutes() -> None:
    told = watch([(at, after({"USDT": D(-at - 1)}), ()) for at in range(0, 700, 10)])[1]
    assert len(told) == 1
    assert told[0]["USDT"] < -500


def test_the_first_baseline_waits_for_half_a_minute_of_calm() -> None:
    books = Books()
    for at, totals, number in ((0, START, 0), (10, START, 1), (20, after(BUY), 1), (40, after(BUY), 1)):
        books, told = note(books, Look(at=at, totals=totals, number=number), [])
        assert books.is_open
        assert told == {}
    books, _ = note(books, Look(at=50, totals=after(BUY), number=1), [])
    assert books == Books(baseline=Baseline(totals=after(BUY), number=1))


@pytest.mark.parametrize(
    ("unexplained", "words"),
    [
        ({"USDT": D("500.00")}, "USDT rose by 500, which no trade of this desk explains: a deposit?"),
        ({"BTC": D("-0.5")}, "BTC fell by 0.5, which no trade of this desk explains: a withdrawal, or a fee"),
        (
            {"USDT": D(-4000), "BTC": D("0.1")},
            "BTC rose by 0.1 and USDT fell by 4000, which no trade of this desk explains: a trade that was",
        ),
    ],
)
def test_the_sentence_names_each_change_and_what_it_may_have_been(unexplained: Amounts, words: str) -> None:
    assert sentence(unexplained).startswith(words)
    assert sentence(unexplained).endswith("It is not counted as profit.")


amounts = st.decimals(min_value="0.001", max_value="1000", places=3)
fills = st.builds(
    lambda side, amount, cost, fee, currency: changes_of(
        side, "BTC/USDT", amount=amount, cost=cost, fees=[(currency, fee)]
    ),
    st.sampled_from(Side), amounts, amounts, amounts, st.sampled_from(["BTC", "USDT", "BNB"]),
)  # fmt: skip


@given(
    trades=st.lists(fills, max_size=8),
    lags=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=8, max_size=8),
)
def test_whatever_lags_behind_trades_alone_are_never_told(
    trades: list[Amounts], lags: list[tuple[int, int]]
) -> None:
    """Balances and the trade list each show the past, up to three trades old, and catch up in the end."""
    known, rich = steps(*trades), {name: D(10**6) for name in START}
    looks: list[tuple[float, dict[str, Decimal], list[Step]]] = []
    for number in range(len(known) + 1):
        balance_lag, trade_lag = lags[number % len(lags)]
        seen = [step.changes for step in known[: max(number - balance_lag, 0)]]
        looks.append((10.0 * number, after(*seen, start=rich), known[: max(number - trade_lag, 0)]))
    looks += [(200.0 + at, after(*trades, start=rich), known) for at in range(0, 200, 10)]
    books, told = watch(_monotonic(looks), start=rich)
    assert told == []
    assert not books.is_open


def _monotonic(
    looks: list[tuple[float, dict[str, Decimal], list[Step]]],
) -> list[tuple[float, Mapping[str, Decimal], Sequence[Step]]]:
    """Trades that were counted once stay counted."""
    known: Sequence[Step] = []
    said: list[tuple[float, Mapping[str, Decimal], Sequence[Step]]] = []
    for at, totals, trades in looks:
        known = max(known, trades, key=len)
        said.append((at, totals, known))
    return said


@given(trades=st.lists(fills, max_size=6), moved=st.decimals(min_value=1, max_value=10**5, places=8))
def test_a_deposit_among_any_trades_is_told_as_what_it_is(trades: list[Amounts], moved: Decimal) -> None:
    known, rich = steps(*trades), {name: D(10**6) for name in START}
    totals = after(*trades, {"EUR": moved}, start=rich)
    books, told = watch(every(10, 300, totals, known), start=rich)
    assert told == [{"EUR": moved}]
    assert books == Books(baseline=Baseline(totals=totals, number=len(known)))
