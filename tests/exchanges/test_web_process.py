"""What the web process does with connections costs it neither ccxt nor aiohttp."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VISIT = """
import sys
sys.path.insert(0, "platform")
import config.wsgi
from decimal import Decimal
from bots.services import create_scalper_bot
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from exchanges.models import ExchangeConnection

call_command("migrate", verbosity=0)
browser = Client(SERVER_NAME="localhost")
browser.force_login(User.objects.create_superuser("boss"))
LIST = "/admin/exchanges/exchangeconnection/"
fields = {"name": "New", "venue": "demo", "mode": "paper", "owner": "1", "paper_balances": "{}"}
live = fields | {"name": "Key", "venue": "okx", "mode": "live", "api_key": "k", "api_secret": "s"}

assert browser.get(LIST + "add/?venue=okx").status_code == 200
assert b"asks for the Passphrase too" in browser.post(LIST + "add/", live).content
assert browser.post(LIST + "add/", fields).status_code == 302
page = f"{LIST}{ExchangeConnection.objects.get().pk}/"
assert browser.get(page + "change/").status_code == 200
assert b"works" in browser.post(page + "act/test/", follow=True).content
scalper = {
    "actor": None, "name": "S", "connection": ExchangeConnection.objects.get(), "symbols": "BTC/USDT",
    "order_cost": Decimal(50), "entry_move_pct": Decimal("0.01"), "stop_loss_pct": Decimal("0.01"),
}
bot = create_scalper_bot(**scalper)
for page in ("", "add/", f"{bot.pk}/change/"):
    assert browser.get(f"/admin/bots/scalperbot/{page}").status_code == 200
assert browser.get("/admin/bots/roundtrip/").status_code == 200
assert browser.get("/admin/").status_code == 200
print(sorted({"ccxt", "aiohttp"} & set(sys.modules)))
"""


def test_forms_pages_and_tests_of_connections_load_neither_ccxt_nor_aiohttp(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "BOTDESK_ENV_FILE": os.devnull,
        "SECRET_KEY": "web-" + "0123456789" * 5,
        "FIELD_ENCRYPTION_KEYS": "dGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtISE=",
        "DATABASE_URL": f"sqlite:///{tmp_path}/web.sqlite3",
    }
    done = subprocess.run(
        [sys.executable, "-c", VISIT],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
