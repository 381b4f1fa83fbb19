"""The whole road of a scalper, with real processes: from the admin's forms to a round trip in the trade log.

One desk with a connection at each of three venues, all at the same time; each trip closes for another reason.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.books import books_agree, held, of_connection
from tests.e2e.browser import Browser
from tests.e2e.desk import Desk, database_for, wait_until
from tests.e2e.operator import log_in
from tests.e2e.round_trip import ACCOUNT, RoundTripDay
from tests.lab.control import Control, LabProcess
from tests.spec.stands import BINANCE, COINSTORE, KRAKEN, Stand

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

D = Decimal
PLANS: tuple[tuple[Stand, str, Decimal | None], ...] = (
    (BINANCE, "take_profit", D("1.05")),
    (KRAKEN, "stop_loss", D("0.95")),
    (COINSTORE, "stopped", None),
)


@dataclass
class Evening:
    """What is left of the day. stories: how it went, by venue."""

    days: dict[str, RoundTripDay]
    stories: dict[str, Future[None]]
    exit_code: int
    logs: dict[str, str]
    books: dict[str, Any] = field(repr=False)


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    folder: Path = tmp_path_factory.mktemp("scalpers")
    process = LabProcess()
    with process as lab, database_for(folder, os.environ.get("DATABASE_URL", "")) as url:
        desk = Desk(folder, url, process.environment)
        try:
            desk.prepare()
            desk.start_web()
            desk.start_worker()
            yield _lived(desk, lab)
        finally:
            desk.stop_all()


def _lived(desk: Desk, lab: Control) -> Evening:
    days = {day.stand.venue: day for day in _days(desk, lab)}
    with ThreadPoolExecutor(len(days)) as operators:
        stories = {name: operators.submit(day.run) for name, day in days.items()}
        wait(stories.values())
    logs = {name: day.log() for name, day in days.items()}
    wait_until(lambda: _is_read(desk, days), "all balances were read after the last stop", seconds=60)
    exit_code = desk.stop("worker")
    return Evening(days, stories, exit_code, logs, desk.report())


def _days(desk: Desk, lab: Control) -> Iterator[RoundTripDay]:
    for stand, reason, leaves_at in PLANS:
        browser = Browser(desk.url)
        log_in(browser)
        day = RoundTripDay(stand, lab.at(stand.venue), browser, reason=reason, leaves_at=leaves_at)
        if stand.cycle_seconds > 1:  # a short day may look more often than a long one
            day.cycle_seconds, day.window_seconds = 4, 8
        day.prepare()
        yield day


def _is_read(desk: Desk, days: dict[str, RoundTripDay]) -> bool:
    books = desk.report()
    return all(held(of_connection(books, day.connection)["balances"]) == _owned(day) for day in days.values())


def _owned(day: RoundTripDay) -> dict[str, list[Decimal]]:
    balances = day.venue.balances(account=ACCOUNT)
    return held([row | {"currency": currency} for currency, row in balances.items()])


@pytest.mark.parametrize("venue", [stand.venue for stand, _, _ in PLANS])
def test_a_round_trip_opens_closes_and_is_in_the_log_with_exact_books(evening: Evening, venue: str) -> None:
    evening.stories[venue].result()

    day = evening.days[venue]
    books = of_connection(evening.books, day.connection)
    books_agree(books, day.venue, ACCOUNT)
    assert day.venue.conserves_balances()
    (trip,) = books["round_trips"]
    assert (trip["state"], trip["closing"]) == ("closed", day.reason)
    entry, exit_ = (next(o for o in books["orders"] if o["side"] == side) for side in ("buy", "sell"))
    assert entry["venue_id"] in evening.logs[venue]
    assert exit_["venue_id"] in evening.logs[venue]


def test_the_worker_ends_and_nobody_holds_a_connection(evening: Evening) -> None:
    assert evening.exit_code == 0
    assert {row["lease_owner"] for row in evening.books["connections"]} == {None}
    assert {bot["state"] for bot in evening.books["bots"]} == {"stopped"}
