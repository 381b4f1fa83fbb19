"""The whole road, with real processes: from the admin's forms to filled orders on the wire, and back.

One desk, and on it a connection with two bots for each venue that takes orders, all at the same time.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.e2e.books import books_agree, held, of_connection
from tests.e2e.browser import Browser
from tests.e2e.desk import Desk, database_for, wait_until
from tests.e2e.operator import log_in
from tests.e2e.story import ACCOUNT, Day
from tests.lab.control import Control, LabProcess
from tests.spec.case import Need
from tests.spec.stands import STANDS, Stand

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

# A venue may refuse the look at the balances after the last stop; they are looked at every five minutes.
LOOKED_AT_SECONDS = 360
OPEN = [stand for stand in STANDS if Need.TRADING not in stand.lacks]
# Where open orders are two lists, of those in the book and those on their way there; or where an order is
# answered by its number alone and looked at within a second, while the cycles are long.
REQUESTS_OF_A_LOOK = {"coinbase": 2, "kraken": 2}


@dataclass
class Evening:
    """What is left of the day.

    stories: how it went, by venue; exit_code: the worker's; traces: all that the desk wrote, by place.
    """

    days: dict[str, Day]
    stories: dict[str, Future[None]]
    exit_code: int
    books: dict[str, Any] = field(repr=False)
    traces: dict[str, str] = field(repr=False)


@pytest.fixture(scope="module")
def lab() -> Iterator[tuple[LabProcess, Control]]:
    process = LabProcess()
    with process as control:
        yield process, control


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, lab: tuple[LabProcess, Control]) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    with database_for(folder, os.environ.get("DATABASE_URL", "")) as url:
        desk = Desk(folder, url, lab[0].environment)
        try:
            desk.prepare()
            desk.start_web()
            desk.start_worker()
            yield desk
        finally:
            desk.stop_all()


@pytest.fixture(scope="module")
def evening(lab: tuple[LabProcess, Control], desk: Desk) -> Evening:
    """Each venue's day is lived in a thread of its own, by an operator at a browser."""
    days = {stand.venue: _day(stand, lab[1], desk) for stand in OPEN}
    with ThreadPoolExecutor(len(days)) as operators:
        stories = {name: operators.submit(day.run) for name, day in days.items()}
        wait(stories.values())
    wait_until(
        lambda: _is_quiet(desk, days.values()),
        "all bots are stopped, and their balances were read",
        seconds=LOOKED_AT_SECONDS,
    )
    exit_code = desk.stop("worker")
    books = desk.report()
    return Evening(days, stories, exit_code, books, _traces(days, desk, books))


def _day(stand: Stand, lab: Control, desk: Desk) -> Day:
    browser = Browser(desk.url)
    log_in(browser)
    day = Day(
        stand,
        lab.at(stand.venue),
        browser,
        requests_of_a_look=REQUESTS_OF_A_LOOK.get(stand.venue, 1),
    )
    day.prepare()
    return day


def _is_quiet(desk: Desk, days: Iterable[Day]) -> bool:
    books = desk.report()
    return all(bot["state"] == "stopped" for bot in books["bots"]) and all(
        held(of_connection(books, day.connection)["balances"]) == day.owned() for day in days
    )


def _traces(days: dict[str, Day], desk: Desk, books: dict[str, Any]) -> dict[str, str]:
    browser = next(iter(days.values())).browser
    for path in _paths(books):
        assert browser.open(path).status == 200, path
    return {
        "pages": "\n".join(page.text for day in days.values() for page in day.browser.seen),
        "logs": desk.logs(),
        "dump": desk.manage("dumpdata"),
        "report": str(books),
    }


def _paths(books: dict[str, Any]) -> list[str]:
    """Where the day shows."""
    lists = (
        "bots/order", "bots/trade", "bots/position", "bots/botevent", "exchanges/balance",
        "exchanges/exchangeconnection", "audit/auditentry",
    )  # fmt: skip
    bots = [f"bots/spreadbot/{bot['id']}/change" for bot in books["bots"]]
    return ["/admin/", *(f"/admin/{place}/" for place in (*lists, *bots))]


@pytest.mark.parametrize("venue", [stand.venue for stand in OPEN])
def test_two_bots_trade_there_from_the_form_to_exact_books(evening: Evening, venue: str) -> None:
    evening.stories[venue].result()

    day = evening.days[venue]
    books = of_connection(evening.books, day.connection)
    books_agree(books, day.venue, ACCOUNT, tells_liquidity=Need.LIQUIDITY not in day.stand.lacks)
    assert day.venue.conserves_balances()


def test_nobody_holds_a_connection_when_the_worker_has_ended(evening: Evening) -> None:
    assert evening.exit_code == 0
    assert {row["lease_owner"] for row in evening.books["connections"]} == {None}


@pytest.mark.parametrize("venue", [stand.venue for stand in OPEN])
def test_no_secret_is_in_any_page_log_dump_or_url(evening: Evening, venue: str) -> None:
    """The key itself goes to the venue in its header only."""
    login = evening.days[venue].login
    asked = evening.days[venue].venue.requests()
    places = evening.traces | {"urls": "\n".join(f"{r['path']}?{r['query']}{r['body']}" for r in asked)}
    for secret in filter(None, (login["key"], login["secret"], login["passphrase"])):
        for form in (secret, base64.b64encode(secret.encode()).decode().rstrip("=")):
            leaks = [place for place, text in places.items() if form in text]
            assert not leaks, f"a secret was found in {leaks}"
