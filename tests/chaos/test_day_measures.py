"""Growth is found where it is, and only there."""

from __future__ import annotations

from dataclasses import replace

from bots.engine.foreign import REMEMBERED
from tests.chaos.day_measures import Sample, growth

FLAT = Sample(
    cycles=0,
    virtual_seconds=0.0,
    seconds=0.0,
    cpu_seconds=0.0,
    memory=100.0,
    descriptors=10,
    asyncio_tasks=20,
    sizes={"orders": 200, "foreign": 100},
    tables={"bots.BotEvent": 100, "bots.Order": 100},
)


def day(last: Sample, *, first_tenth: float = 100.0) -> list[Sample]:
    """Twenty samples; `last` is how the last quarter of the day looks."""
    early = [replace(FLAT, cycles=number, memory=first_tenth) for number in (50,)]
    middle = [replace(FLAT, cycles=50 * number) for number in range(2, 16)]
    return early + middle + [replace(last, cycles=50 * number) for number in range(16, 21)]


def test_a_flat_day_has_grown_nothing() -> None:
    assert growth(day(FLAT), memory_pct=0.05) == []


def test_memory_that_grows_after_the_first_tenth_is_found() -> None:
    assert growth(day(replace(FLAT, memory=105.1)), memory_pct=0.05) == [
        "Memory grew from 100.0 to 105.1 MB."
    ]


def test_memory_that_grows_within_the_first_tenth_is_warming_up() -> None:
    assert growth(day(FLAT, first_tenth=50.0), memory_pct=0.05) == []


def test_descriptors_that_leak_are_found() -> None:
    assert growth(day(replace(FLAT, descriptors=14)), memory_pct=0.05) == [
        "There are 14 descriptors, there were 10."
    ]


def test_events_that_are_never_forgotten_are_found() -> None:
    grown = replace(FLAT, tables=FLAT.tables | {"bots.BotEvent": 400})
    assert "bots.BotEvent grew to 400" in growth(day(grown), memory_pct=0.05)[0]


def test_orders_are_kept_for_ever() -> None:
    assert growth(day(replace(FLAT, tables=FLAT.tables | {"bots.Order": 10_000})), memory_pct=0.05) == []


def test_foreign_orders_may_fill_their_bound_and_no_more() -> None:
    full, too_many = ({"orders": 200, "foreign": REMEMBERED + more} for more in (0, 1))
    assert growth(day(replace(FLAT, sizes=full)), memory_pct=0.05) == []
    assert growth(day(replace(FLAT, sizes=too_many)), memory_pct=0.05) != []


def test_a_day_of_few_samples_tells_nothing() -> None:
    assert growth([FLAT], memory_pct=0.05) == ["1 samples are too few to tell."]
