"""A lab as a process of its own, and the product's command line inside it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest

from tests.lab.control import ROOT, Control, LabError, LabProcess
from tests.lab.resolver import lab_connector

SYMBOL = "BTC/USDT"


@pytest.fixture
def process() -> LabProcess:
    return LabProcess()


@pytest.fixture
def control(process: LabProcess) -> Iterator[Control]:
    with process as control:
        control.open_account(name="bot", key="k" * 64, secret="s" * 64, balances={"USDT": "1000.5"})
        control.gather_crowd(symbol=SYMBOL, price="50000", levels=3)
        yield control


async def _get(environment: dict[str, str], path: str) -> int:
    connector = lab_connector(int(environment["LAB_PORT"]), Path(environment["LAB_CA"]))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(f"https://api.binance.com{path}") as response,
    ):
        return response.status


def test_it_tells_exact_balances_trades_and_totals(control: Control) -> None:
    assert control.balances(account="bot") == {"USDT": {"free": "1000.5", "used": "0"}}
    control.fund(account="bot", currency="USDT", amount="0.00000001")
    assert control.balances(account="bot")["USDT"]["free"] == "1000.50000001"
    hit = control.hit_bid(symbol=SYMBOL, amount="0.001")
    assert (hit["state"], Decimal(hit["cost"])) == ("filled", Decimal("49.95"))
    trade = control.trades(account=f"crowd takers {SYMBOL}")[0]
    assert (trade["side"], Decimal(trade["price"]), trade["is_maker"]) == ("sell", Decimal(49_950), False)
    assert all(Decimal(row["total"]) == Decimal(row["deposited"]) for row in control.totals().values())


def test_it_counts_requests_and_plays_faults(process: LabProcess, control: Control) -> None:
    control.add_fault(effect="answer", stage="before", status=503, path="/api/v3/ping")
    assert asyncio.run(_get(process.environment, "/api/v3/ping")) == 503
    assert asyncio.run(_get(process.environment, "/api/v3/ping")) == 200
    (counted,) = control.request_counts()
    assert (counted["venue"], counted["path"], counted["count"]) == ("binance", "/api/v3/ping", 2)
    assert control.requests(path="/api/v3/ping")[0]["headers"]["host"] == "api.binance.com"


def test_it_walks_on_its_own_until_told_to_stop(control: Control) -> None:
    control.start_crowd(symbol=SYMBOL, interval_seconds=0.001)
    deadline = time.monotonic() + 10
    while not control.trades(account=f"crowd takers {SYMBOL}") and time.monotonic() < deadline:
        time.sleep(0.01)
    control.stop_crowd(symbol=SYMBOL)
    stopped_at = control.trades(account=f"crowd takers {SYMBOL}")
    assert stopped_at
    time.sleep(0.05)
    assert control.trades(account=f"crowd takers {SYMBOL}") == stopped_at


def test_it_makes_weather_and_tells_what_it_struck(process: LabProcess, control: Control) -> None:
    control.set_weather(seed=1, rates={"firewall": 1}, path="/api/v3/ping")
    assert asyncio.run(_get(process.environment, "/api/v3/ping")) == 403
    assert asyncio.run(_get(process.environment, "/api/v3/time")) == 200
    control.clear_weather()
    assert asyncio.run(_get(process.environment, "/api/v3/ping")) == 200
    (struck,) = control.requests(struck=True)
    told = [struck[name] for name in ("fault", "took_effect", "reached", "answered")]
    assert told == ["firewall", False, False, 403]
    assert control.requests(after=struck["number"], path="/api/v3/ping")[0]["took_effect"] is True


def test_every_kind_of_trouble_is_one_command_away(control: Control) -> None:
    control.set_lag(orders_ms=500, trades_ms=500, balances_ms=500, scatters_trades=True)
    control.race_cancels(probability=0.5, whole=0.5, seed=3)
    control.freeze_book(symbol=SYMBOL)
    control.empty_book(symbol=SYMBOL, side="bids")
    control.cross_book(symbol=SYMBOL)
    control.maintenance(on=True)
    control.change_account(account="bot", can_trade=False)
    control.change_market(symbol=SYMBOL, price_step="0.1", is_trading=False)
    control.set_limits(weight=1_000_000)
    control.seed_faults(seed=4)
    control.calm()
    with pytest.raises(LabError, match="snow"):
        control.set_weather(seed=1, rates={"snow": 1})
    with pytest.raises(LabError, match="no limit called patienc"):
        control.set_limits(patienc=1)


def test_it_tallies_a_keys_orders(control: Control) -> None:
    assert control.journal_length() == 0
    tally = control.tally(key="k" * 64, client_ids=["a", "b"])
    assert (tally["accepted"], tally["duplicates"], tally["max_open_orders"]) == (0, {}, 0)
    assert control.conserves_balances() is True


def test_it_says_what_is_wrong_with_a_command(control: Control) -> None:
    with pytest.raises(LabError, match="no command dance"):
        control.dance()
    with pytest.raises(LabError, match="lot_size"):
        control.hit_bid(symbol=SYMBOL, amount="0.000001")
    with pytest.raises(LabError, match="no right called nonsense"):
        control.change_key(key="k" * 64, nonsense=True)


def test_the_products_command_line_reaches_the_lab_and_nothing_else(
    process: LabProcess, control: Control, tmp_path: Path
) -> None:
    script = """
import asyncio, aiohttp
from exchanges.venues.wire import build_connector
from exchanges.venues import wire

async def main():
    async with aiohttp.ClientSession(connector=wire.build_connector()) as session:
        async with session.get("https://api.binance.com/api/v3/time") as response:
            print(response.status, sorted(await response.json()))
        try:
            await session.get("https://example.com/")
        except aiohttp.ClientConnectorError as error:
            print(error.os_error)

asyncio.run(main())
"""
    environment = {
        **os.environ,
        **process.environment,
        "BOTDESK_ENV_FILE": os.devnull,
        "SECRET_KEY": "tests-" + "x" * 50,
        "FIELD_ENCRYPTION_KEYS": "dGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtISE=",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'lab.sqlite3'}",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    shell = subprocess.run(
        [sys.executable, "tests/lab/manage.py", "shell", "--no-imports", "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert shell.stdout.splitlines() == ["200 ['serverTime']", "the lab knows no host example.com"], (
        shell.stderr
    )
