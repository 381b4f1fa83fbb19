"""The judge of a chaos run: it passes equal books and finds each kind of discrepancy."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.verdict import Verdict, judge

LIMITS = {"First": {"max_open_orders": 1, "max_position": "1"}}
OURS: dict[str, Any] = {
    "orders": [
        {
            "client_id": "a",
            "venue_id": "1",
            "bot__name": "First",
            "fence": 1,
            "state": "filled",
            "price": "100",
            "amount": "1",
            "filled": "1",
            "traded": "1",
            "side": "buy",
        },
        {
            "client_id": "b",
            "venue_id": "2",
            "bot__name": "First",
            "fence": 2,
            "state": "canceled",
            "price": "110",
            "amount": "1",
            "filled": "0",
            "traded": "0",
            "side": "sell",
        },
    ],
    "trades": [
        {
            "venue_id": "7",
            "order__client_id": "a",
            "side": "buy",
            "symbol": "BTC/USDT",
            "price": "100",
            "amount": "1",
            "cost": "100",
            "fee_amount": "0.001",
            "fee_currency": "BTC",
        },
    ],
    "balances": [{"currency": "BTC", "free": "0.999", "used": "0"}],
    "positions": [
        {
            "bot__name": "First",
            "symbol": "BTC/USDT",
            "amount": "0.999",
            "cost": "100",
            "realised_profit": "0",
        },
    ],
}
THEIRS: dict[str, Any] = {
    "orders": [
        {"client_id": "a", "venue_id": "1", "state": "filled", "price": "100", "amount": "1", "filled": "1"},
        {
            "client_id": "b",
            "venue_id": "2",
            "state": "canceled",
            "price": "110",
            "amount": "1",
            "filled": "0",
        },
    ],
    "trades": [
        {
            "venue_id": "7",
            "client_id": "a",
            "price": "100",
            "amount": "1",
            "fee": "0.001",
            "fee_currency": "BTC",
        },
    ],
    "balances": {"BTC": {"free": "0.999", "used": "0"}},
    "journal": [
        {"event": "accepted", "client_id": "a", "side": "buy", "amount": "1", "at_ms": 1},
        {"event": "filled", "client_id": "a", "side": "buy", "amount": "1", "at_ms": 2},
        {"event": "accepted", "client_id": "b", "side": "sell", "amount": "1", "at_ms": 3},
        {"event": "canceled", "client_id": "b", "side": "sell", "amount": "1", "at_ms": 4},
    ],
}


def verdict_after(change: Callable[[Any, Any], object]) -> Verdict:
    ours, theirs = copy.deepcopy(OURS), copy.deepcopy(THEIRS)
    change(ours, theirs)
    return judge("desk", ours, theirs, LIMITS)


def test_equal_books_are_clean() -> None:
    assert verdict_after(lambda ours, theirs: None).is_clean


def twin(row: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return row | changes


@pytest.mark.parametrize(
    ("found", "change"),
    [
        ("duplicates", lambda ours, theirs: theirs["orders"].append(twin(theirs["orders"][0], venue_id="9"))),
        ("orphans", lambda ours, theirs: ours["orders"].pop(1)),
        ("orphans", lambda ours, theirs: theirs["orders"][1].update(state="open")),
        ("differences", lambda ours, theirs: theirs["orders"].pop(1)),
        ("differences", lambda ours, theirs: ours["orders"][0].update(filled="0.9")),
        ("differences", lambda ours, theirs: ours["orders"][1].update(state="never_placed")),
        ("differences", lambda ours, theirs: ours["orders"][1].update(venue_id="3")),
        ("differences", lambda ours, theirs: theirs["orders"][0].update(state="expired")),
        ("differences", lambda ours, theirs: ours["trades"].clear()),
        ("differences", lambda ours, theirs: ours["trades"].append(twin(ours["trades"][0], venue_id="8"))),
        ("differences", lambda ours, theirs: ours["balances"][0].update(free="1")),
        ("differences", lambda ours, theirs: ours["positions"][0].update(amount="1.998")),
        (
            "differences",
            lambda ours, theirs: ours["positions"][0].update(realised_profit="0.000000001"),
        ),
        ("unleased", lambda ours, theirs: ours["orders"][0].update(fence=3)),
    ],
)
def test_each_discrepancy_is_found(found: str, change: Callable[[Any, Any], object]) -> None:
    assert getattr(verdict_after(change), found)


@pytest.mark.parametrize("word", ["expired", "canceled", "rejected"])
def test_what_the_venue_ended_by_itself_has_several_words(word: str) -> None:
    def end(ours: Any, theirs: Any) -> None:
        ours["orders"][1].update(state=word)
        theirs["orders"][1].update(state="expired")

    assert verdict_after(end).is_clean


def test_more_open_orders_than_the_limit_are_a_breach() -> None:
    def rest_together(_ours: Any, theirs: Any) -> None:
        theirs["journal"][1], theirs["journal"][2] = theirs["journal"][2], theirs["journal"][1]

    assert verdict_after(rest_together).breaches == ["First: 2 open orders at 3"]


def test_a_position_that_could_have_gone_beyond_the_limit_is_a_breach() -> None:
    def be_bigger(_ours: Any, theirs: Any) -> None:
        theirs["journal"][0]["amount"] = "1.5"

    assert any("a position of" in sentence for sentence in verdict_after(be_bigger).breaches)
