"""The script in docs/ and the page beside it, against a server on loopback."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.urls import resolve
from pytest_django.live_server_helper import LiveServer

from tests.api.people import Program, a_token
from tests.api.rows import D, Desk, an_order

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
SCRIPT = DOCS / "dashboard.py"


@pytest.mark.django_db(transaction=True)
def test_forty_lines_show_a_dashboards_numbers(live_server: LiveServer, desk: Desk) -> None:
    an_order(desk.spread, side="sell", price=D("110.5"))
    command = [sys.executable, str(SCRIPT), live_server.url, a_token(desk.owner)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    told = re.sub(r"\d{4}-\d\d-\d\d", "<day>", ended.stdout)
    told = re.sub(r"balance \d+ s old", "balance <age> old", told)
    assert told.splitlines() == [
        "Equity",
        "  1050 USDT (paper)",
        "Profit by day",
        "  <day>  1.5 USDT (paper), 1 trades",
        "Open orders",
        "  Maker: sell 0.5 BTC/USDT @ 110.5",
        "Health",
        "  Main: score 100, closed, balance <age> old",
        "0 workers, bots: {'stopped': 2, 'running': 0, 'paused': 0, 'stopping': 0}",
    ]


def test_the_script_is_short_and_needs_nothing_installed() -> None:
    lines = SCRIPT.read_text().splitlines()
    assert len(lines) <= 40
    imported = {line.split()[1].partition(".")[0] for line in lines if line.startswith(("import ", "from "))}
    assert imported <= set(sys.stdlib_module_names)


def test_every_address_in_the_docs_is_one() -> None:
    told = set(
        re.findall(r"/(?:api/[a-z0-9/-]*|livez|readyz|healthz|metrics)", (DOCS / "api.md").read_text())
    )
    assert len(told) > 20
    for address in told - {"/api/", "/api/v1/"}:
        resolve(address)


@pytest.mark.django_db
def test_the_walk_in_the_docs_reads_what_dashboards_read(desk: Desk, reader: Program) -> None:
    listed = reader.get("/system/status").json()["exchanges"]["list"]
    assert [(each["name"], each["balance"], each["balance_usdt"]) for each in listed] == [
        ("Main", "1050", "1050")
    ]
