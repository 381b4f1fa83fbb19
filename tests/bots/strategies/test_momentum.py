"""The move of a market's middle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.strategies.momentum import Mid, move_pct, within

D = Decimal
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def seen(*rows: tuple[float, str]) -> list[Mid]:
    """(seconds ago, price)."""
    return [Mid(NOW - timedelta(seconds=ago), D(price)) for ago, price in rows]


@pytest.mark.parametrize(
    ("rows", "move"),
    [
        ([(60, "100"), (30, "105"), (0, "102")], "0.02"),
        ([(90, "90"), (60, "100"), (0, "99")], "-0.01"),
        ([(75, "100"), (10, "110")], "0.1"),
    ],
)
def test_the_move_is_from_the_windows_beginning_to_now(rows: list[tuple[float, str]], move: str) -> None:
    assert move_pct(seen(*rows), NOW, 60) == D(move)


@pytest.mark.parametrize("rows", [[], [(0, "100")], [(59, "100"), (0, "120")], [(61, "100")]])
def test_a_market_that_was_not_seen_for_the_whole_window_has_no_move(rows: list[tuple[float, str]]) -> None:
    assert move_pct(seen(*rows), NOW, 60) is None


def test_a_clock_that_stepped_back_does_not_count_what_is_still_to_come() -> None:
    assert move_pct(seen((60, "100"), (0, "101"), (-30, "150")), NOW, 60) == D("0.01")


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 1000)), max_size=40))
def test_what_is_forgotten_changes_no_move(rows: list[tuple[int, int]]) -> None:
    mids = seen(*((ago, str(price)) for ago, price in rows))
    assert move_pct(within(mids, NOW, 60), NOW, 60) == move_pct(mids, NOW, 60)
