"""However many requests are wanted at once, no span of time holds more than the venue allows."""

from __future__ import annotations

import pytest

from exchanges.pacing import Budget, PaceState, book, seconds_to_wait
from exchanges.venues.binance.dialect import ORDER_BUDGET as BINANCE
from exchanges.venues.bitmart.dialect import DIALECT as BITMART
from exchanges.venues.coinbase.dialect import KEY_BUDGET as COINBASE
from exchanges.venues.coinstore.connector import MILLISECONDS_PER_REQUEST
from exchanges.venues.coinstore.dialect import DIALECT as COINSTORE

MANY = 1000
LIMITS = [
    ("a user at Coinstore", COINSTORE.key_budget, 120, 3.0, 1),
    ("an address at Coinstore", Budget.from_interval(MILLISECONDS_PER_REQUEST), 300, 3.0, 1),
    ("a key at BitMart", BITMART.key_budget, 12, 2.0, 1),
    ("orders of an account at Binance", BINANCE, 100, 10.0, 1),
    ("a user at Coinbase", COINBASE, 30, 1.0, 1),
    ("an address at Coinbase", COINBASE, 10, 1.0, 3),
]


@pytest.mark.parametrize(
    ("who", "budget", "most", "seconds", "cost"), LIMITS, ids=[limit[0] for limit in LIMITS]
)
def test_no_window_holds_more_requests_than_the_venue_takes(
    who: str, budget: Budget | None, most: int, seconds: float, cost: float
) -> None:
    assert budget is not None
    state, sent = PaceState(), []
    for _ in range(MANY):
        sent.append(seconds_to_wait(budget, state, now=0.0, cost=cost))
        state = book(budget, state, now=0.0, cost=cost)

    fullest = max(sum(start <= at < start + seconds for at in sent) for start in sent)
    assert fullest <= 0.95 * most, "a request on a slow way must not meet those behind it"
    assert fullest >= 0.8 * most, "what the venue allows is made use of"
