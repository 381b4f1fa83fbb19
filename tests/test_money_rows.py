"""Rows that record money are never deleted, neither by themselves nor with what they belong to."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import models
from django.db.models import ProtectedError
from django.utils import timezone

from audit.models import AuditEntry
from bots.models import Order, Position, RoundTrip, SpreadBot, Trade
from exchanges.models import (
    Balance,
    BalanceBaseline,
    BalanceSnapshot,
    ExchangeConnection,
    PaperAccount,
    PaperBalance,
    PaperOrder,
    PaperTaken,
    PaperTape,
    PaperTrade,
    UnexplainedChange,
)

MONEY_ROWS: tuple[type[models.Model], ...] = (
    Order,
    Trade,
    Position,
    RoundTrip,
    Balance,
    BalanceSnapshot,
    BalanceBaseline,
    UnexplainedChange,
    PaperAccount,
    PaperBalance,
    PaperOrder,
    PaperTrade,
    PaperTaken,
    PaperTape,
    AuditEntry,
)


@pytest.mark.parametrize("model", MONEY_ROWS, ids=lambda model: model.__name__)
def test_what_a_money_row_belongs_to_cannot_be_deleted_under_it(model: type[models.Model]) -> None:
    links = [field for field in model._meta.concrete_fields if isinstance(field, models.ForeignKey)]
    assert links
    assert {field.name: field.remote_field.on_delete for field in links} == {
        field.name: models.PROTECT for field in links
    }


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("olga")


@pytest.fixture
def connection(owner: User) -> ExchangeConnection:
    return ExchangeConnection.objects.create(name="Main", venue="demo", owner=owner)


@pytest.fixture
def bot(connection: ExchangeConnection) -> SpreadBot:
    return SpreadBot.objects.create(
        name="Maker",
        connection=connection,
        symbol="BTC/USDT",
        bid_spread_pct=Decimal("0.01"),
        ask_spread_pct=Decimal("0.01"),
        order_amount=Decimal(1),
    )


@pytest.fixture
def order(bot: SpreadBot) -> Order:
    return Order.objects.create(
        connection=bot.connection,
        bot=bot,
        fence=1,
        symbol=bot.symbol,
        side="buy",
        price=Decimal(100),
        amount=Decimal(1),
        created_at=timezone.now(),
    )


def test_a_bot_with_an_order_is_not_deleted(bot: SpreadBot, order: Order) -> None:
    with pytest.raises(ProtectedError):
        bot.delete()
    assert SpreadBot.objects.filter(pk=bot.pk).exists()


def test_a_bot_with_an_order_is_not_deleted_with_many_others(bot: SpreadBot, order: Order) -> None:
    with pytest.raises(ProtectedError):
        SpreadBot.objects.all().delete()
    assert Order.objects.filter(pk=order.pk).exists()


def test_a_connection_with_a_bot_is_not_deleted(connection: ExchangeConnection, order: Order) -> None:
    with pytest.raises(ProtectedError):
        connection.delete()


def test_a_connection_with_nothing_but_a_balance_is_not_deleted(connection: ExchangeConnection) -> None:
    Balance.objects.create(
        connection=connection, currency="BTC", free=Decimal(1), used=Decimal(0), at=timezone.now()
    )
    with pytest.raises(ProtectedError):
        connection.delete()


def test_the_owner_of_a_connection_is_not_deleted(owner: User, connection: ExchangeConnection) -> None:
    with pytest.raises(ProtectedError):
        owner.delete()
