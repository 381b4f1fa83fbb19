"""What a first look at the desk needs: an administrator, and a bot that trades with play money."""

from __future__ import annotations

import secrets
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction

from bots.models import SpreadBot
from bots.services import create_spread_bot, start_bot
from exchanges.models import ExchangeConnection
from exchanges.models.connection import Mode
from exchanges.services import create_connection

ADMIN = "admin"
CONNECTION = "Demo"
BOT = "Demo BTC/USDT"


def create_admin() -> str | None:
    """The password of the new user; None where the user exists, for then nobody knows it."""
    if User.objects.filter(username=ADMIN).exists():
        return None
    password = secrets.token_urlsafe(12)
    User.objects.create_superuser(ADMIN, password=password)
    return password


@transaction.atomic
def create_demo_bot() -> None:
    """A running spread bot on a paper connection. What exists is left as its owner has it now."""
    owner = User.objects.get(username=ADMIN)
    if ExchangeConnection.objects.filter(owner=owner, name__iexact=CONNECTION).exists():
        return
    connection = create_connection(
        actor=None,
        name=CONNECTION,
        venue="demo",
        mode=Mode.PAPER,
        owner=owner,
        paper_balances={"USDT": "10000", "BTC": "0.1"},
    )
    start_bot(bot=_spread_bot(connection), actor=None)


def _spread_bot(connection: ExchangeConnection) -> SpreadBot:
    return create_spread_bot(
        actor=None,
        name=BOT,
        connection=connection,
        symbol="BTC/USDT",
        bid_spread_pct=Decimal("0.0015"),
        ask_spread_pct=Decimal("0.0015"),
        order_amount=Decimal("0.002"),
        levels=3,
        level_spread_pct=Decimal("0.001"),
        cycle_seconds=2,
    )
