"""How long a connection was away is measured from what its venue saw."""

from __future__ import annotations

import math
from typing import Any

from tests.chaos.life import Life


def entry(at: float, event: str, client_id: str, side: str = "buy", amount: str = "1") -> dict[str, Any]:
    return {"at_ms": at * 1000, "event": event, "client_id": client_id, "side": side, "amount": amount}


def life(*journal: dict[str, Any], asked: tuple[float, ...]) -> Life:
    return Life([{"time": time} for time in asked], journal)


BOTH = (entry(1, "accepted", "a"), entry(1, "accepted", "b", "sell"))


def test_quotes_that_stayed_count_once_somebody_asks_again() -> None:
    assert life(*BOTH, asked=(1, 13)).seconds_until_back(10) == 3


def test_quotes_that_went_count_when_both_sides_rest_again() -> None:
    later = (entry(9, "filled", "a"), entry(9.5, "accepted", "c"), entry(11, "canceled", "b"))
    back = (entry(14, "accepted", "d", "sell"),)
    assert life(*BOTH, *later, *back, asked=(1, 11)).seconds_until_back(10) == 4


def test_a_side_that_had_no_quotes_before_need_not_have_any_after() -> None:
    assert life(entry(1, "accepted", "a"), asked=(1, 12)).seconds_until_back(10) == 2


def test_a_partly_filled_order_rests_on() -> None:
    journal = (*BOTH, entry(5, "filled", "a", amount="0.4"))
    assert life(*journal, asked=(12,)).seconds_until_back(10) == 2


def test_who_had_no_quotes_lost_none() -> None:
    journal = (entry(1, "accepted", "a"), entry(2, "canceled", "a"))
    assert life(*journal, asked=(1, 12)).seconds_until_back(10) is None


def test_who_never_asks_again_never_came_back() -> None:
    assert life(*BOTH, asked=(1,)).seconds_until_back(10) == math.inf
