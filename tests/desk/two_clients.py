"""A desk of two clients, each with one row of everything that a page can show."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from alerts.models import AlertChannel, AlertMessage, AlertRule
from bots.models import BotEvent, Decision, Order, Position, RoundTrip, ScalperBot, SpreadBot, Trade
from exchanges.models import Balance, BalanceSnapshot, ExchangeConnection, UnexplainedChange
from exchanges.selectors import SEES_ALL
from tests.desk.pages import a_health

PRICE, AMOUNT = Decimal(100), Decimal("0.5")


def a_desk_of(owner: User) -> SpreadBot:
    """A connection with two bots and their records. Each name and text has the owner's name in it."""
    now = timezone.now()
    connection = ExchangeConnection.objects.create(
        name=f"{owner}'s account", venue="demo", owner=owner, paper_balances={"USDT": "1000"}
    )
    bot = SpreadBot.objects.create(
        name=f"{owner}'s maker", connection=connection, symbol="BTC/USDT", bid_spread_pct=Decimal("0.01"),
        ask_spread_pct=Decimal("0.01"), order_amount=AMOUNT,
    )  # fmt: skip
    order = Order.objects.create(
        connection=connection, bot=bot, fence=1, symbol=bot.symbol, side="buy", price=PRICE, amount=AMOUNT,
        state="filled", created_at=now, closed_at=now, settled_at=now, reason=f"for {owner}",
    )  # fmt: skip
    Trade.objects.create(
        connection=connection, bot=bot, order=order, venue_id=f"{owner}-1", symbol=bot.symbol, side="buy",
        price=PRICE, amount=AMOUNT, cost=PRICE * AMOUNT, time=now,
    )  # fmt: skip
    Position.objects.create(bot=bot, symbol=bot.symbol, amount=AMOUNT, cost=PRICE * AMOUNT)
    Decision.objects.create(bot=bot, reason=f"{owner} has nothing to do", at=now)
    BotEvent.objects.create(bot=bot, connection=connection, at=now, kind="started", text=f"For {owner}.")
    _books(connection, f"{owner}")
    _a_round_trip(connection, f"{owner}")
    _alerts(owner)
    return bot


def _alerts(owner: User) -> None:
    now = timezone.now()
    channel = AlertChannel.objects.create(name=f"{owner}'s phone", owner=owner, service="JSON")
    rule = AlertRule.objects.create(name=f"{owner}'s rule", channel=channel)
    AlertMessage.objects.create(
        channel=channel, rule=rule, key="k", title=f"For {owner}", created_at=now, not_before=now
    )


def _books(connection: ExchangeConnection, owner: str) -> None:
    now = timezone.now()
    Balance.objects.create(connection=connection, currency=owner.upper(), free=PRICE, used=AMOUNT, at=now)
    BalanceSnapshot.objects.create(
        connection=connection, hour=now, taken_at=now, quote="USDT", total=PRICE, lines=[]
    )
    UnexplainedChange.objects.create(
        connection=connection, currency=owner.upper(), amount=AMOUNT, since=now, noticed_at=now
    )
    a_health(connection, cause=f"{owner}'s venue is slow.")


def _a_round_trip(connection: ExchangeConnection, owner: str) -> None:
    now = timezone.now()
    scalper = ScalperBot.objects.create(
        name=f"{owner}'s scalper", connection=connection, symbols="BTC/USDT", order_cost=Decimal(50),
        entry_move_pct=Decimal("0.01"), stop_loss_pct=Decimal("0.01"),
    )  # fmt: skip
    RoundTrip.objects.create(
        bot=scalper, connection=connection, symbol="BTC/USDT", side="buy", created_at=now, opened_at=now,
        amount=AMOUNT, cost=PRICE * AMOUNT, entered=AMOUNT, entry_cost=PRICE * AMOUNT, state="open",
    )  # fmt: skip


def give(user: User, *permissions: str) -> User:
    """permissions: with their app's label."""
    for permission in permissions:
        app_label, codename = permission.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app_label, codename=codename)
        )
    return User.objects.get(pk=user.pk)


def give_all_but_sight(user: User) -> User:
    """Every permission there is of connections, bots and alerts, but the one to see other owners'."""
    permissions = Permission.objects.filter(content_type__app_label__in=("exchanges", "bots", "alerts"))
    user.user_permissions.set(permissions.exclude(codename=SEES_ALL.partition(".")[2]))
    return User.objects.get(pk=user.pk)


def browser_of(user: User, **options: Any) -> Client:
    browser = Client(**options)
    browser.force_login(user)
    return browser
