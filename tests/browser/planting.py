"""The people of a desk, the house's account with a bot, and a client's; `manage.py shell` runs it."""

from __future__ import annotations

from decimal import Decimal

from django.contrib.auth.models import Group, User

from bots.services import create_spread_bot, start_bot
from exchanges.models.connection import Mode
from exchanges.services import create_connection
from tests.e2e.desk import ADMIN_PASSWORD

ROLES = {"mira": "Admin", "oscar": "Operator", "viola": "Viewer", "paula": "Viewer", "clara": "Client"}


def plant() -> None:
    for name, role in ROLES.items():
        person = User.objects.create_user(name, password=ADMIN_PASSWORD)
        person.groups.add(Group.objects.get(name=role))
    _account("admin", "House", "BTC/USDT", Decimal("0.002"))
    _account("clara", "Clara's", "ETH/USDT", Decimal("0.02"))


def _account(owner: str, name: str, symbol: str, order_amount: Decimal) -> None:
    """With a spread bot that trades every few seconds, and has orders far away that rest."""
    base = symbol.partition("/")[0]
    connection = create_connection(
        actor=None, name=f"{name} account", venue="demo", mode=Mode.PAPER,
        owner=User.objects.get(username=owner), paper_balances={"USDT": "10000", base: "2"},
    )  # fmt: skip
    bot = create_spread_bot(
        actor=None, name=f"{name} maker", connection=connection, symbol=symbol,
        bid_spread_pct=Decimal("0.0002"), ask_spread_pct=Decimal("0.0002"), order_amount=order_amount,
        levels=2, level_spread_pct=Decimal("0.01"), cycle_seconds=1,
    )  # fmt: skip
    start_bot(bot=bot, actor=None)
