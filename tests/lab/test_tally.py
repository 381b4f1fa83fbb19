"""What the journal says about a key's orders over time."""

from __future__ import annotations

import pytest

from tests.lab.floor import SYMBOL, D, Floor
from tests.lab.journal import Event
from tests.lab.tally import Tally, tally


@pytest.fixture
def floor() -> Floor:
    return Floor()


def of_ann(floor: Floor, client_ids: set[str] | None = None) -> Tally:
    return tally(floor.exchange.journal.entries(account="ann"), client_ids)


def test_it_counts_the_orders_that_were_open_at_one_time(floor: Floor) -> None:
    first = floor.buy("ann", "1", "900")
    floor.buy("ann", "1", "901")
    floor.exchange.cancel(first)
    floor.buy("ann", "1", "902")
    assert of_ann(floor).max_open_orders == of_ann(floor).max_open_by_symbol[SYMBOL] == 2


def test_a_filled_order_is_no_longer_open(floor: Floor) -> None:
    for _ in range(3):
        floor.buy("ann", "1", "900")
        floor.sell("bob", "0.4", "900")
        floor.sell("bob", "0.6", "900")
    assert of_ann(floor).max_open_orders == 1


def test_a_market_order_by_budget_is_not_open_afterwards(floor: Floor) -> None:
    floor.sell("bob", "1", "1000")
    for _ in range(3):
        floor.buy("ann", None, None, budget=D(100))
    assert of_ann(floor).max_open_orders == 1


def test_it_follows_the_position_to_its_extremes(floor: Floor) -> None:
    floor.buy("ann", "3", "900")
    floor.sell("bob", "3", "900")
    floor.sell("ann", "5", "900")
    floor.buy("bob", "5", "900")
    result = of_ann(floor)
    positions = (result.lowest_position, result.highest_position, result.position)
    assert positions == ({SYMBOL: D(-2)}, {SYMBOL: D(3)}, {SYMBOL: D(-2)})


def test_a_client_id_that_was_accepted_twice_is_a_duplicate(floor: Floor) -> None:
    floor.exchange.cancel(floor.buy("ann", "1", "900", client_id="a"))
    floor.buy("ann", "1", "900", client_id="a")
    floor.buy("ann", "1", "900", client_id="b")
    floor.refusal("buy", "ann", "1", "900", client_id="b")
    result = of_ann(floor)
    assert (result.duplicates, result.accepted, result.refused) == ({"a": 2}, 3, 1)


def test_it_can_look_at_some_orders_only(floor: Floor) -> None:
    for client_id in "abc":
        floor.buy("ann", "1", "900", client_id=client_id)
    assert of_ann(floor, {"a", "c"}).max_open_orders == 2


def test_the_journal_keeps_this_machines_time_when_the_venues_is_set(floor: Floor) -> None:
    floor.exchange.clock.offset_ms = 5000
    floor.buy("ann", "1", "900")
    (entry,) = floor.exchange.journal.entries(event=Event.ACCEPTED)
    assert (entry.at_ms, entry.time_ms) == (floor.now_ms, floor.now_ms + 5000)


def test_a_reader_of_the_journal_returns_for_what_is_new(floor: Floor) -> None:
    floor.buy("ann", "1", "900", client_id="a")
    seen = len(floor.exchange.journal)
    floor.buy("ann", "1", "900", client_id="b")
    assert [entry.client_id for entry in floor.exchange.journal.entries(after=seen)] == ["b"]


def test_the_crowd_leaves_no_trace_but_its_trades() -> None:
    floor = Floor()
    floor.exchange.open_account("extra", is_crowd=True)
    floor.exchange.ledger.deposit("extra", "BTC", D(10))
    floor.exchange.cancel(floor.sell("extra", "1", "1000"))
    floor.sell("extra", "1", "1000")
    floor.buy("ann", "1", "1000")
    assert {entry.account for entry in floor.exchange.journal.entries()} == {"ann"}
    assert [order.id for order in floor.exchange.orders("extra")] == [2]
    assert len(floor.exchange.fills("extra")) == 1
