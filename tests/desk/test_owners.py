"""Who sees which connections, and what hangs on them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.utils import timezone

from bots.models import BotEvent, Position, SpreadBot
from bots.selectors import visible_bots
from exchanges.models import ExchangeConnection
from exchanges.selectors import visible_connections, visible_rows

pytestmark = pytest.mark.django_db


def a_desk_of(owner: User) -> SpreadBot:
    """A connection of theirs with a bot, an event and a position, each with its owner's name on it."""
    connection = ExchangeConnection.objects.create(name=f"{owner}'s account", venue="demo", owner=owner)
    bot = SpreadBot.objects.create(
        name=f"{owner}'s bot", connection=connection, symbol="BTC/USDT", bid_spread_pct=Decimal("0.01"),
        ask_spread_pct=Decimal("0.01"), order_amount=Decimal(1),
    )  # fmt: skip
    BotEvent.objects.create(
        bot=bot, connection=connection, at=timezone.now(), kind="started", text="Started."
    )
    Position.objects.create(bot=bot, symbol=bot.symbol, amount=Decimal(1), cost=Decimal(100))
    return bot


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada")


@pytest.fixture
def bob() -> User:
    return User.objects.create_user("bob")


@pytest.fixture
def bots(ada: User, bob: User) -> tuple[SpreadBot, SpreadBot]:
    return a_desk_of(ada), a_desk_of(bob)


def seen_by(user: User | AnonymousUser) -> list[set[str]]:
    """Names: of connections, of bots, and of the owners of events and positions."""
    events = visible_rows(user, BotEvent.objects.all())
    positions = visible_rows(user, Position.objects.all(), "bot__connection")
    return [
        set(visible_connections(user).values_list("owner__username", flat=True)),
        set(visible_bots(user).values_list("connection__owner__username", flat=True)),
        set(events.values_list("connection__owner__username", flat=True)),
        set(positions.values_list("bot__connection__owner__username", flat=True)),
    ]


def test_a_client_sees_what_is_theirs_and_nothing_else(bots: object, ada: User, bob: User) -> None:
    assert seen_by(ada) == [{"ada"}] * 4
    assert seen_by(bob) == [{"bob"}] * 4


def test_who_has_the_permission_sees_every_owner(bots: object) -> None:
    viewer = User.objects.create_user("viewer")
    assert seen_by(viewer) == [set()] * 4
    viewer.user_permissions.add(Permission.objects.get(codename="view_all_connections"))
    assert seen_by(User.objects.get(pk=viewer.pk)) == [{"ada", "bob"}] * 4


def test_a_superuser_sees_every_owner(bots: object) -> None:
    assert seen_by(User.objects.create_superuser("boss")) == [{"ada", "bob"}] * 4


def test_who_is_not_signed_in_sees_nothing(bots: object) -> None:
    assert seen_by(AnonymousUser()) == [set()] * 4


def test_a_connection_that_changes_hands_takes_what_hangs_on_it_along(
    bots: tuple[SpreadBot, SpreadBot], ada: User, bob: User
) -> None:
    ExchangeConnection.objects.filter(owner=ada).update(owner=bob)
    assert seen_by(ada) == [set()] * 4
    assert visible_bots(bob).count() == 2
