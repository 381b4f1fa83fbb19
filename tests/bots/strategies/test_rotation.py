"""Turns through many markets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bots.strategies.rotation import next_batch

MARKETS = [f"M{number:03}/USDT" for number in range(1, 733)]


def test_the_sentence_says_where_it_is() -> None:
    batch = next_batch(MARKETS, MARKETS[69], 6)
    assert batch.sentence == "scanning 70–75 of 732"  # noqa: RUF001 - a range
    assert batch.symbols == tuple(MARKETS[69:75])
    assert batch.next_place == MARKETS[75]


def test_the_end_is_followed_by_the_beginning() -> None:
    batch = next_batch(MARKETS, MARKETS[730], 5)
    assert batch.symbols == (*MARKETS[730:], *MARKETS[:3])
    assert batch.next_place == MARKETS[3]


def test_few_markets_are_all_looked_at() -> None:
    batch = next_batch(["B/USDT", "A/USDT", "A/USDT"], "", 5)
    assert batch.symbols == ("A/USDT", "B/USDT")
    assert batch.sentence == "scanning all 2"


def test_without_markets_there_is_nothing_to_scan() -> None:
    assert next_batch([], "", 5).symbols == ()


def test_a_market_that_is_gone_does_not_lose_the_place() -> None:
    left = [symbol for symbol in MARKETS if symbol != MARKETS[69]]
    assert next_batch(left, MARKETS[69], 5).symbols[0] == MARKETS[70]


@given(st.sets(st.text("ABC", min_size=1, max_size=4), min_size=1, max_size=60), st.integers(1, 15))
def test_every_market_is_visited_in_one_turn(symbols: set[str], size: int) -> None:
    place, seen = "", set()
    for _ in range(-(-len(symbols) // size)):
        batch = next_batch(sorted(symbols), place, size)
        seen |= set(batch.symbols)
        place = batch.next_place
    assert seen == symbols
