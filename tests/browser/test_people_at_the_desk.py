"""The desk as people see it, in a real browser, on real processes: nothing may go wrong in any window."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenWindow
from tests.browser.person import Person

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(300)]

CONNECTION = {"name": "Paper", "venue": "demo", "paper_balances": '{"USDT": "10000", "BTC": "0.1"}'}
SPREAD_BOT = {
    "name": "Quick", "connection": "Paper", "symbol": "BTC/USDT", "cycle_seconds": "1",
    "bid_spread_pct": "0.0002", "ask_spread_pct": "0.0002", "order_amount": "0.003",
}  # fmt: skip
SCALPER_BOT = {
    "name": "Catcher", "connection": "Paper", "symbols": "ETH/USDT, SOL/USDT", "cycle_seconds": "1",
    "order_cost": "200", "entry_move_pct": "0.0008", "stop_loss_pct": "0.003",
}  # fmt: skip


def saved(person: Person, place: str, values: dict[str, str]) -> None:
    """Fills in the form of a new one and saves it; its page is open then."""
    person.open(f"/admin/{place}/add/")
    person.fill(values)
    person.press("Save and continue editing")
    person.page.wait_for_url(re.compile(r"/change/$"))


def page_of(person: Person, kind: str, name: str) -> None:
    person.open(f"/admin/bots/{kind}/")
    person.follow(name)


def test_a_connection_and_both_kinds_of_bot_are_made_and_trade_before_ones_eyes(
    open_window: OpenWindow,
) -> None:
    admin = open_window("admin").sign_in()
    saved(admin, "exchanges/exchangeconnection", CONNECTION)
    admin.press("Test connection")
    admin.sees("“Paper” works")
    for kind, settings in {"scalperbot": SCALPER_BOT, "spreadbot": SPREAD_BOT}.items():
        saved(admin, f"bots/{kind}", settings)
        admin.press("Start")
        admin.sees(f"“{settings['name']}” is started.")

    admin.sees(re.compile("Live orders.*bid 1.*Last trades.*(buy|sell).*Events", re.DOTALL))
    admin.sees(re.compile(r"Book\s+BTC/USDT, seen \d s ago\s+Middle"))
    expect(admin.page.locator(".desk-book .desk-own").first).to_be_visible()
    admin.open("/admin/")
    admin.sees(re.compile("Last trades.*Quick", re.DOTALL))


def test_a_setting_that_is_changed_while_a_bot_runs_takes_effect(open_window: OpenWindow) -> None:
    oscar = open_window("oscar").sign_in()
    page_of(oscar, "spreadbot", "House maker")
    oscar.fill({"order_amount": "0.00456"})
    oscar.press("Save and continue editing")
    oscar.sees("was changed successfully")

    oscar.sees("order_amount: 0.002 → 0.00456")
    oscar.sees(re.compile(r"Live orders.*bid.*0\.00456.*Last trades", re.DOTALL))


def test_the_kill_switch_is_pulled_and_released(open_window: OpenWindow) -> None:
    oscar, admin = open_window("oscar").sign_in(), open_window("admin").sign_in()
    oscar.open("/admin/")
    oscar.follow("Kill switch")
    oscar.choose("for", "Clara's account")
    oscar.sees("It covers")
    oscar.fill({"reason": "A drill."})
    oscar.press("Pull the kill switch")
    oscar.sees(re.compile(r"All \d+ orders are certainly gone"))
    assert not oscar.may_press("Release")

    admin.open("/admin/")
    admin.sees("A drill.")
    admin.open(oscar.path)
    admin.press("Release")
    admin.sees("What it covered goes on as it was.")
    page_of(admin, "spreadbot", "Clara's maker")
    admin.sees(re.compile("Live orders.*bid 1", re.DOTALL))
    assert not admin.has_link("What became of the orders, and release")


def test_a_viewer_sees_every_owners_bots_and_can_act_on_none(open_window: OpenWindow) -> None:
    viola = open_window("viola").sign_in()
    viola.sees("House maker")
    viola.sees("Clara's maker")
    page_of(viola, "spreadbot", "House maker")
    for button in ("Start", "Pause", "Stop", "Copy", "Archive", "Save"):
        assert not viola.may_press(button)
    viola.open("/admin/")
    assert not viola.has_link("Kill switch")
    assert viola.status_of("/admin/bots/killswitch/pull/") == 403


def test_a_client_sees_their_own_and_nothing_else(open_window: OpenWindow) -> None:
    admin, clara = open_window("admin").sign_in(), open_window("clara").sign_in()
    page_of(admin, "spreadbot", "House maker")
    for place in ("", "bots/spreadbot/", "bots/order/", "bots/trade/", "bots/position/", "bots/botevent/"):
        clara.open(f"/admin/{place}")
        clara.sees("Clara's")
        clara.sees_nothing_of("House")
    clara.open("/admin/exchanges/exchangeconnection/")
    clara.sees("Clara's account")
    clara.sees_nothing_of("House")

    clara.status_of(admin.path)
    clara.sees_nothing_of("House")


def test_figures_that_are_no_longer_renewed_are_said_to_be_old(open_window: OpenWindow) -> None:
    viola = open_window("viola").sign_in()
    viola.sees("Overview")
    network = viola.page.context
    network.set_offline(True)
    viola.sees("No answer from the desk since")
    network.set_offline(False)
    viola.sees_nothing_of("No answer from the desk since")

    troubles, viola.witness.troubles = viola.witness.troubles, []
    assert troubles
    of_the_network = re.compile("console error: htmx:|ERR_INTERNET_DISCONNECTED")
    assert [trouble for trouble in troubles if not of_the_network.search(trouble)] == []
