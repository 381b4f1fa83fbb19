"""Where trading has ended: the desk shows what is left there, and starts no bot."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchanges.venues.registry import venue
from tests.e2e.browser import Browser
from tests.e2e.desk import Desk, database_for
from tests.e2e.operator import create_bot, create_connection, log_in
from tests.lab.control import Control, LabProcess
from tests.spec.case import Need
from tests.spec.stands import STANDS, Stand

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

CLOSED = [stand for stand in STANDS if Need.TRADING in stand.lacks]
HELD = "1234.56789"
SETTINGS: dict[str, str | None] = {
    "name": "Late",
    "order_amount": "0.01",
    "bid_spread_pct": "0.001",
    "ask_spread_pct": "0.001",
    "post_only": None,
}


@pytest.fixture
def lab() -> Iterator[tuple[LabProcess, Control]]:
    process = LabProcess()
    with process as control:
        yield process, control


@pytest.fixture
def browser(tmp_path: Path, lab: tuple[LabProcess, Control]) -> Iterator[Browser]:
    """An operator who is logged in; no worker runs."""
    with database_for(tmp_path, os.environ.get("DATABASE_URL", "")) as url:
        desk = Desk(tmp_path, url, lab[0].environment)
        try:
            desk.prepare()
            desk.start_web()
            browser = Browser(desk.url)
            log_in(browser)
            yield browser
            browser.close()
        finally:
            desk.stop_all()


@pytest.mark.parametrize("stand", CLOSED, ids=lambda stand: stand.venue)
def test_balances_show_and_no_bot_starts_where_trading_has_ended(
    stand: Stand, lab: tuple[LabProcess, Control], browser: Browser
) -> None:
    house = lab[1].at(stand.venue)
    login = house.new_login(number=77)
    house.open_account(name="desk", balances={stand.symbol.split("/")[1]: HELD}, **login)

    connection = create_connection(browser, name="Left over", venue=stand.venue, login=login)
    tested = browser.press(connection, "Test connection").text
    balances = browser.open("/admin/exchanges/balance/").text
    bot = create_bot(browser, connection, SETTINGS | {"symbol": stand.symbol})
    refused = browser.press(bot, "Start").text

    assert "“Left over” works" in tested
    assert HELD in balances
    assert venue(stand.venue).no_orders_because in refused
    assert browser.open(bot.url).button("Start")
