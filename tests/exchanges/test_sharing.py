"""How processes divide one address's budget: never more than the whole, and each what it may."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.pacing import SLOWER
from exchanges.sharing import HELD_SECONDS, LEAST, Answer, Ask, Table, claim_of, settle

ALL = frozenset("abcdef")
IDLE, BUSY = Ask(wants=0.0), Ask(wants=1.0)


def ask(
    table: Table, me: str, question: Ask = BUSY, *, now: float = 100.0, alive: frozenset[str] = ALL
) -> tuple[Table, Answer]:
    return settle(table, question, me=me, alive=alive, now=now)


def test_who_is_alone_has_all_of_it() -> None:
    assert ask(Table(), "a", IDLE)[1] == Answer(part=1, fair=True, sharers=1, pause_seconds=0, speed=1)


def test_who_comes_later_gets_his_part_when_the_first_has_asked_again() -> None:
    table, _ = ask(Table(), "a")
    table, first = ask(table, "b", now=101)
    table, a_little_later = ask(table, "a", now=102)
    _, second = ask(table, "b", now=103)

    assert (first.part, first.fair) == (0, False)
    assert (a_little_later.part, second.part, second.fair) == (0.5, 0.5, True)


def test_who_asks_for_nothing_leaves_most_of_it_to_the_others() -> None:
    table, _ = ask(Table(), "a")
    table, _ = ask(table, "b", IDLE)
    table, busy = ask(table, "a")
    _, idle = ask(table, "b", IDLE)

    assert idle.part == pytest.approx(LEAST / 2)
    assert busy.part == pytest.approx(1 - LEAST / 2)


def test_a_part_that_is_not_renewed_is_the_others() -> None:
    table, _ = ask(Table(), "a")

    assert ask(table, "b", now=100 + HELD_SECONDS + 0.1)[1].part == 1


def test_the_part_of_a_process_that_is_gone_is_the_others_at_once() -> None:
    table, _ = ask(Table(), "a")

    assert ask(table, "b", now=101, alive=frozenset("b"))[1].part == 1


@given(
    steps=st.lists(
        st.tuples(st.sampled_from("abcdef"), st.floats(0, 1), st.floats(0, 4)), min_size=1, max_size=60
    )
)
def test_what_is_held_is_never_more_than_the_whole(steps: list[tuple[str, float, float]]) -> None:
    table, now = Table(), 100.0
    for me, wants, gap in steps:
        now += gap
        table, answer = ask(table, me, Ask(wants=wants), now=now)
        held = [held.part for held in table.held.values() if held.until > now]
        assert sum(held) <= 1 + 1e-9
        assert 0 <= answer.part <= 1


@given(wants=st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_after_two_turns_each_has_what_is_fair(wants: list[float]) -> None:
    table, now = Table(), 100.0
    answers: dict[str, Answer] = {}
    for _turn in range(3):
        for me, want in zip("abcdef", wants, strict=False):
            now += 0.1
            table, answers[me] = ask(table, me, Ask(wants=want), now=now)

    parts = [answer.part for answer in answers.values()]
    assert sum(parts) == pytest.approx(1)
    for part, want in zip(parts, wants, strict=True):
        assert part >= min(want, 1 / len(wants)) - 1e-9
    assert all(answer.fair for answer in answers.values())


def test_nobodys_wish_is_cut_for_one_who_wants_more() -> None:
    assert claim_of(0.2, [1.0, 1.0]) == 0.2
    assert claim_of(1.0, [0.2, 1.0]) == pytest.approx(0.4)
    assert claim_of(0.3, [0.3]) == 0.5


def test_a_pause_that_one_was_told_holds_for_all_and_is_never_cut_short() -> None:
    table, _ = ask(Table(), "a", Ask(wants=0, pause_seconds=60))
    table, told = ask(table, "b", Ask(wants=0, pause_seconds=5), now=110)

    assert told.pause_seconds == 50
    assert ask(table, "c", now=161)[1].pause_seconds == 0


def test_a_refusal_that_several_met_slows_all_down_once() -> None:
    refused = Ask(wants=1, is_slowed=True)
    table, first = ask(Table(), "a", refused)
    table, second = ask(table, "b", refused, now=101)

    assert first.speed == SLOWER
    assert second.speed == pytest.approx(SLOWER, abs=0.01)
    assert ask(table, "c", now=800)[1].speed == 1
