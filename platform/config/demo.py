"""What a first look at the desk needs: an administrator, and bots that trade with play money."""

from __future__ import annotations

import secrets
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction

from bots.models import ScalperBot, SpreadBot
from bots.services import create_scalper_bot, create_spread_bot, start_bot
from exchanges.models import ExchangeConnection
from exchanges.models.connection import Mode
from exchanges.services import create_connection

ADMIN = "admin"
CONNECTION = "Demo"
SPREAD_BOT = "Demo BTC/USDT"
SCALPER_BOT = "Demo scalper"


def create_admin() -> str | None:
    """The password of the new user; None where the user exists, for then nobody knows it."""
    if User.objects.filter(username=ADMIN).exists():
        return None
    password = secrets.token_urlsafe(12)
    User.objects.create_superuser(ADMIN, password=password)
    return password


@transaction.atomic
def create_demo_bots() -> None:
    """A running bot of each kind on a paper connection. What exists is left as its owner has it now."""
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
    for bot in (_spread_bot(connection), _scalper_bot(connection)):
        start_bot(bot=bot, actor=None)


def _spread_bot(connection: ExchangeConnection) -> SpreadBot:
    return create_spread_bot(
        actor=None,
        name=SPREAD_BOT,
        connection=connection,
        symbol="BTC/USDT",
        bid_spread_pct=Decimal("0.0015"),
        ask_spread_pct=Decimal("0.0015"),
        order_amount=Decimal("0.002"),
        levels=3,
        level_spread_pct=Decimal("0.001"),
        cycle_seconds=2,
    )


def _scalper_bot(connection: ExchangeConnection) -> ScalperBot:
    """Quick to enter and to give up, so that a visitor sees a round trip within minutes. The prices are noise
    without a trend: what it loses in the long run is the fees."""
    return create_scalper_bot(
        actor=None,
        name=SCALPER_BOT,
        connection=connection,
        symbols="ETH/USDT, SOL/USDT, BNB/USDT, LTC/USDT, DOGE/USDT",
        order_cost=Decimal(200),
        entry_move_pct=Decimal("0.0008"),
        window_seconds=30,
        through_pct=Decimal("0.0005"),
        most_positions=2,
        stop_loss_pct=Decimal("0.003"),
        take_profit_pct=Decimal("0.002"),
        trailing_delta_pct=Decimal("0.0008"),
        trailing_activation_pct=Decimal("0.001"),
        time_limit_seconds=90,
        cooldown_seconds=60,
        cycle_seconds=2,
    )
