from __future__ import annotations

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.lifecycle import (
    FINAL,
    LIVE,
    TRANSITIONS,
    ImpossibleTransitionError,
    OrderFacts,
    OrderState,
    advance,
    apply_report,
    apply_traded,
)
from exchanges.types import OrderReport, OrderType, Side, VenueOrderStatus

D = Decimal
S = OrderState
V = VenueOrderStatus


def facts(state: OrderState = S.SUBMITTED, filled: str = "0", average: str | None = None) -> OrderFacts:
    return OrderFacts(state=state, amount=D(1), filled=D(filled), average=(average and D(average)) or None)


def report(status: VenueOrderStatus, filled: str | Decimal = "0", average: str | None = None) -> OrderReport:
    return OrderReport(
        venue_id="v1",
        client_id="c1",
        symbol="BTC/USDT",
        side=Side.BUY,
        type=OrderType.LIMIT,
        status=status,
        amount=D(1),
        filled=D(filled),
        price=D(100),
        average=None if average is None else D(average),
        time=None,
    )


@pytest.mark.parametrize(("start", "end"), list(product(S, S)))
def test_only_the_transitions_of_the_table_are_possible(start: OrderState, end: OrderState) -> None:
    if start is end or end in TRANSITIONS[start]:
        assert advance(facts(start), end).state is end
    else:
        with pytest.raises(ImpossibleTransitionError, match=f"from {start} to {end}"):
            advance(facts(start), end)


def test_every_state_is_either_live_or_final() -> None:
    assert set(S) == LIVE | FINAL
    assert not LIVE & FINAL


def test_an_unknown_order_is_live() -> None:
    assert not S.UNKNOWN.is_final


def test_a_report_of_a_part_keeps_the_order_open() -> None:
    known = apply_report(facts(), report(V.OPEN, "0.4", "99"))
    assert (known.state, known.filled, known.average, known.venue_id) == (S.OPEN, D("0.4"), D(99), "v1")


def test_an_order_of_which_all_is_filled_is_filled_whatever_the_report_calls_it() -> None:
    assert apply_report(facts(), report(V.OPEN, "1")).state is S.FILLED
    assert apply_report(facts(), report(V.CANCELED, "1")).state is S.FILLED


def test_an_old_report_does_not_reopen_a_canceled_order() -> None:
    known = apply_report(apply_report(facts(), report(V.CANCELED, "0.4", "99")), report(V.OPEN, "0.2", "98"))
    assert (known.state, known.filled, known.average) == (S.CANCELED, D("0.4"), D(99))


def test_the_fill_that_a_cancel_raced_may_be_reported_after_it() -> None:
    known = apply_report(facts(S.CANCELED, "0.4"), report(V.FILLED, "1", "100"))
    assert (known.state, known.filled) == (S.FILLED, D(1))


def test_a_report_answers_for_an_unknown_order() -> None:
    assert apply_report(facts(S.UNKNOWN), report(V.OPEN)).state is S.OPEN
    assert apply_report(facts(S.UNKNOWN), report(V.CANCELED)).state is S.CANCELED


def test_an_intended_order_that_the_venue_knows_was_sent() -> None:
    assert apply_report(facts(S.INTENDED), report(V.OPEN)).state is S.OPEN
    assert apply_report(facts(S.INTENDED), report(V.FILLED, "1")).state is S.FILLED


def test_an_order_thought_never_placed_lives_when_the_venue_has_it() -> None:
    assert apply_report(facts(S.NEVER_PLACED), report(V.OPEN)).state is S.OPEN


def test_a_rejection_confirms_that_an_order_was_never_placed() -> None:
    assert apply_report(facts(S.NEVER_PLACED), report(V.REJECTED)).state is S.NEVER_PLACED


def test_the_average_of_a_smaller_fill_does_not_outlive_it() -> None:
    known = apply_report(facts(S.OPEN, "0.4", "99"), report(V.OPEN, "0.6"))
    assert (known.filled, known.average) == (D("0.6"), None)


def test_trades_may_be_ahead_of_the_reports() -> None:
    known = apply_traded(facts(S.OPEN), D("0.4"))
    assert (known.state, known.filled) == (S.OPEN, D("0.4"))
    assert apply_traded(known, D(1)).state is S.FILLED


def test_trades_that_are_behind_the_reports_change_nothing() -> None:
    known = facts(S.OPEN, "0.4", "99")
    assert apply_traded(known, D("0.3")) == known


def test_a_trade_shows_that_an_order_was_placed() -> None:
    assert apply_traded(facts(S.INTENDED), D("0.4")).state is S.SUBMITTED
    assert apply_traded(facts(S.NEVER_PLACED), D("0.4")).state is S.OPEN


@st.composite
def histories(draw: st.DrawFn) -> list[OrderReport]:
    """What a venue would say of one order in the course of its life."""
    fills = sorted(draw(st.lists(st.integers(min_value=1, max_value=9), max_size=4, unique=True)))
    reports = [report(V.SUBMITTED), report(V.OPEN)]
    reports += [report(V.OPEN, D(tenths) / 10, str(90 + tenths)) for tenths in fills]
    last = D(fills[-1]) / 10 if fills else D(0)
    average = str(90 + fills[-1]) if fills else None
    end = draw(st.sampled_from([None, V.FILLED, V.CANCELED, V.EXPIRED]))
    if end is V.FILLED:
        reports.append(report(V.FILLED, D(1), "100"))
    elif end is not None:
        reports.append(report(end, last, average))
        if draw(st.booleans()):
            reports.append(report(V.FILLED, D(1), "100"))
    return reports


@given(st.data(), histories(), st.sampled_from([S.INTENDED, S.SUBMITTED, S.OPEN, S.UNKNOWN, S.NEVER_PLACED]))
def test_reports_in_any_order_and_number_lead_to_the_same_facts(
    data: st.DataObject, history: list[OrderReport], start: OrderState
) -> None:
    subset = data.draw(st.lists(st.sampled_from(history), min_size=1, unique=True))
    arrivals = data.draw(st.permutations(subset + data.draw(st.lists(st.sampled_from(subset)))))
    in_turn = shuffled = facts(start)
    for each in subset:
        in_turn = apply_report(in_turn, each)
    for each in arrivals:
        shuffled = apply_report(shuffled, each)
    assert shuffled == in_turn


@given(st.data(), histories(), st.sampled_from(list(S)))
def test_what_is_filled_only_grows(
    data: st.DataObject, history: list[OrderReport], start: OrderState
) -> None:
    known = facts(S.SUBMITTED if start is S.REJECTED else start, "1" if start is S.FILLED else "0")
    for each in data.draw(st.permutations(history)):
        after = apply_report(known, each)
        assert after.filled == max(known.filled, each.filled)
        known = after
