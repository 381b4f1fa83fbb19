"""The judge of round trips: it passes sums that agree and finds what does not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.trips import judge_trips
from tests.chaos.verdict import Verdict


def order(client_id: str, side: str) -> dict[str, Any]:
    return {"client_id": client_id, "side": side, "round_trip_id": 1}


def trade(client_id: str, side: str, amount: str, cost: str, fee: str, currency: str) -> dict[str, Any]:
    return {
        "order__client_id": client_id,
        "side": side,
        "amount": amount,
        "cost": cost,
        "fee_amount": fee,
        "fee_currency": currency,
    }


def entry(at: float, event: str, client_id: str, amount: str) -> dict[str, Any]:
    return {"at_ms": at * 1000, "event": event, "client_id": client_id, "amount": amount}


BOOKS: dict[str, Any] = {
    "orders": [order("in", "buy"), order("first", "sell"), order("second", "sell")],
    "trades": [
        trade("in", "buy", "1", "100", "0.001", "BTC"),
        trade("first", "sell", "0.4", "44", "0.04", "USDT"),
        trade("second", "sell", "0.599", "59.9", "0.06", "USDT"),
    ],
    "round_trips": [
        {
            "id": 1, "bot__name": "Scalper", "symbol": "BTC/USDT", "side": "buy", "state": "closed",
            "amount": "0", "cost": "0", "realised_profit": "3.8", "entered": "1", "entry_cost": "100",
            "exited": "0.999", "exit_cost": "103.9",
        }
    ],
    "positions": [
        {
            "bot__name": "Scalper", "symbol": "BTC/USDT", "amount": "0", "cost": "0",
            "realised_profit": "3.8",
        }
    ],
}  # fmt: skip
JOURNAL = [
    entry(1, "accepted", "in", "1"),
    entry(2, "filled", "in", "1"),
    entry(3, "accepted", "first", "0.999"),
    entry(4, "filled", "first", "0.4"),
    entry(5, "canceled", "first", "0.999"),
    entry(6, "accepted", "second", "0.599"),
    entry(7, "filled", "second", "0.599"),
]


def verdict_after(change: Callable[[Any, Any], object]) -> Verdict:
    books, journal, verdict = copy.deepcopy(BOOKS), copy.deepcopy(JOURNAL), Verdict()
    change(books, journal)
    judge_trips(verdict, books, journal)
    return verdict


def test_a_trip_that_is_the_sum_of_its_trades_is_clean() -> None:
    assert verdict_after(lambda books, journal: None).is_clean


def test_an_exit_may_be_refused() -> None:
    assert verdict_after(
        lambda books, journal: journal.insert(5, entry(5.5, "refused", "second", "9"))
    ).is_clean


@pytest.mark.parametrize(
    ("word", "change"),
    [
        ("sum of its trades", lambda books: books["round_trips"][0].update(exited="1")),
        ("sum of its trades", lambda books: books["round_trips"][0].update(realised_profit="3.9")),
        ("sum of its trades", lambda books: books["trades"][2].update(amount="0.5")),
        ("sum of its trips", lambda books: books["positions"][0].update(amount="0.1")),
        ("sum of its trips", lambda books: books["positions"][0].update(realised_profit="3.7")),
        ("is open", lambda books: books["round_trips"][0].update(state="open")),
        ("no dust", lambda books: books["round_trips"][0].update(amount="0.2")),
        ("never open", lambda books: books["round_trips"][0].update(entered="0")),
    ],
)
def test_each_discrepancy_is_found(word: str, change: Callable[[Any], object]) -> None:
    found = verdict_after(lambda books, journal: change(books)).differences
    assert any(word in sentence for sentence in found)


def test_dust_may_be_left() -> None:
    assert not any("dust" in each for each in verdict_after(_leave_dust).differences)


def _leave_dust(books: Any, _journal: Any) -> None:
    books["round_trips"][0]["amount"] = "0.1"


def test_two_exits_for_one_amount_are_a_breach() -> None:
    def overlap(_books: Any, journal: Any) -> None:
        journal[4], journal[5] = journal[5], journal[4]

    assert verdict_after(overlap).breaches == [
        "round trip 1 of Scalper: exits of 1.198 rested for a position of 0.6 at 6.0"
    ]


def test_what_a_fee_in_base_took_may_be_closed_too() -> None:
    def close_all(_books: Any, journal: Any) -> None:
        for event in journal[5:]:
            event["amount"] = "0.601"

    assert not verdict_after(close_all).breaches


def test_an_exit_of_more_than_is_held_is_a_breach() -> None:
    assert verdict_after(lambda books, journal: journal[5].update(amount="0.999")).breaches
