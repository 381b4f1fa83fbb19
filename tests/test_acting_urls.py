"""Every registered address: reading changes nothing; acting needs a POST, a token and a permission, and
leaves an audit row."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.db import connection as database
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from alerts.models import AlertChannel, AlertMessage, AlertRule
from audit.models import AuditEntry
from audit.services import record
from bots.models import (
    Bot,
    BotEvent,
    BotState,
    Decision,
    KillSwitch,
    Order,
    Position,
    RoundTrip,
    ScalperBot,
    SpreadBot,
    Trade,
)
from exchanges.admin.acting import ActingAdmin
from exchanges.models import Balance, BalanceSnapshot, ExchangeConnection, UnexplainedChange
from exchanges.selectors import SEES_ALL

ACTS = [
    pytest.param(model._meta.label_lower, act.name, act.permission, id=f"{model._meta.model_name}-{act.name}")
    for model, model_admin in admin.site._registry.items()
    if isinstance(model_admin, ActingAdmin)
    for act in model_admin.acts
]
STATE_BEFORE = {"pause": BotState.RUNNING, "stop": BotState.RUNNING}
EVERYWHERE = {"url": "nowhere", "app_label": "bots", "content_type_id": "1"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss")


@pytest.fixture
def bot(boss: User) -> SpreadBot:
    """One row of everything that a page can show hangs on it."""
    connection = ExchangeConnection.objects.create(
        name="Main", venue="demo", owner=boss, paper_balances={"USDT": "1000"}
    )
    bot = SpreadBot.objects.create(
        name="Maker", connection=connection, symbol="BTC/USDT", bid_spread_pct=Decimal("0.01"),
        ask_spread_pct=Decimal("0.01"), order_amount=Decimal("0.5"),
    )  # fmt: skip
    now, price, amount = timezone.now(), Decimal(100), Decimal("0.5")
    order = Order.objects.create(
        connection=connection, bot=bot, fence=1, symbol=bot.symbol, side="buy", price=price, amount=amount,
        state="filled", created_at=now, closed_at=now, settled_at=now,
    )  # fmt: skip
    Trade.objects.create(
        connection=connection, bot=bot, order=order, venue_id="1", symbol=bot.symbol, side="buy", price=price,
        amount=amount, cost=price * amount, time=now,
    )  # fmt: skip
    Position.objects.create(bot=bot, symbol=bot.symbol, amount=amount, cost=price * amount)
    Balance.objects.create(connection=connection, currency="USDT", free=price, used=amount, at=now)
    BalanceSnapshot.objects.create(
        connection=connection, hour=now, taken_at=now, quote="USDT", total=price, lines=[]
    )
    UnexplainedChange.objects.create(
        connection=connection, currency="USDT", amount=amount, since=now, noticed_at=now
    )
    Decision.objects.create(bot=bot, reason="nothing to do", at=now)
    BotEvent.objects.create(bot=bot, connection=connection, at=now, kind="started", text="Started.")
    scalper = ScalperBot.objects.create(
        name="Scalper", connection=connection, symbols="BTC/USDT", order_cost=Decimal(50),
        entry_move_pct=Decimal("0.01"), stop_loss_pct=Decimal("0.01"),
    )  # fmt: skip
    RoundTrip.objects.create(
        bot=scalper, connection=connection, symbol="BTC/USDT", side="buy", created_at=now, opened_at=now,
        amount=amount, cost=price * amount, entered=amount, entry_cost=price * amount, state="open",
    )  # fmt: skip
    Group.objects.create(name="Clients")
    channel = AlertChannel.objects.create(name="Night shift", owner=boss, service="JSON")
    rule = AlertRule.objects.create(name="All", channel=channel)
    AlertMessage.objects.create(
        channel=channel, rule=rule, key="k", title="It broke", created_at=now, not_before=now
    )
    record(actor=boss, action="bot.created", target=bot)
    return bot


def browser_of(user: User, *, enforce_csrf_checks: bool = False) -> Client:
    browser = Client(enforce_csrf_checks=enforce_csrf_checks)
    browser.force_login(user)
    return browser


def member(*permissions: str) -> User:
    """Of the staff, sees every owner's rows, with these permissions ("bots.operate_bot") and no other."""
    user = User.objects.create_user("member", is_staff=True)
    for permission in (*permissions, SEES_ALL):
        app_label, codename = permission.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app_label, codename=codename)
        )
    return user


def everything() -> dict[str, list[Any]]:
    """Every row of every table, as the database has it."""
    with database.cursor() as cursor:
        tables = database.introspection.table_names(cursor)
        rows = {}
        for table in tables:
            cursor.execute(f"SELECT * FROM {database.ops.quote_name(table)}")
            rows[table] = sorted(map(repr, cursor.fetchall()))
    return rows


def named_patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "api":  # tests/api asks its addresses
                yield from named_patterns(pattern)
        elif pattern.name:
            yield pattern


def pages_of_the_admin() -> Iterator[URLPattern]:
    resolvers = [each for each in get_resolver().url_patterns if isinstance(each, URLResolver)]
    (pages,) = [resolver for resolver in resolvers if resolver.namespace == "admin"]
    return named_patterns(pages)


def addresses(bot: SpreadBot) -> Iterator[str]:
    """Of every page of the admin, with a row and an act that exist where it takes one."""
    for pattern in pages_of_the_admin():
        words = pattern.pattern.regex.groupindex.keys() or pattern.pattern.converters.keys()
        app_label, _, rest = str(pattern.name).partition("_")
        model_name = rest.partition("_")[0]
        row: Any = None
        if (app_label, model_name) in {(m._meta.app_label, m._meta.model_name) for m in apps.get_models()}:
            row = apps.get_model(app_label, model_name)._base_manager.first()
        key = str(row.pk if row else bot.pk)
        values = EVERYWHERE | {"object_id": key, "id": key}
        act_names = [name.values[1] for name in ACTS if name.values[0] == f"{app_label}.{model_name}"]
        for act_name in act_names if "act_name" in words else [""]:
            given = {word: (values | {"act_name": act_name})[word] for word in words}
            yield reverse(f"admin:{pattern.name}", kwargs=given)


def test_getting_any_page_changes_no_row(bot: SpreadBot, boss: User) -> None:
    browser = browser_of(boss)
    before, answers = everything(), {}
    for address in ["/", *addresses(bot)]:
        if not address.endswith("/logout/"):
            answers[address] = browser.get(address).status_code

    assert everything() == before
    assert set(answers.values()) <= {200, 302, 403, 404, 405}
    assert sum(status == 200 for status in answers.values()) > 30
    acting = {status for address, status in answers.items() if "/act/" in address}
    assert acting == {405}


def outside_the_admin(resolver: URLResolver, route: str = "", names: str = "") -> Iterator[tuple[str, Any]]:
    """Every other address there is, with a row that exists where it takes one, and its pattern."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "admin":
                inner = f"{names}{pattern.namespace}:" if pattern.namespace else names
                yield from outside_the_admin(pattern, route + str(pattern.pattern), inner)
        elif "pk>" in route + str(pattern.pattern):
            rows = getattr(getattr(pattern.callback, "cls", None), "queryset", None)
            row = rows.model._base_manager.first() if rows is not None else None
            yield reverse(f"{names}{pattern.name}", kwargs={"pk": row.pk if row else 1}), pattern
        else:
            yield reverse(f"{names}{pattern.name}") if pattern.name else f"/{route}{pattern.pattern}", pattern


def test_getting_any_other_address_changes_no_row_but_ones_session(bot: SpreadBot, boss: User) -> None:
    KillSwitch.objects.create(scope="desk", reason="A drill.", engaged_by=boss)
    browser = browser_of(boss)
    before, answers, acting = everything(), {}, set()
    for address, pattern in outside_the_admin(get_resolver()):
        answer: Any = browser.get(address)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        answers[address] = answer.status_code
        if list(getattr(pattern.callback, "actions", None) or ["get"]) == ["post"]:
            acting.add(answer.status_code)
        assert answer.status_code != 200 or body, address

    after = everything()
    # A session keeps what a browser was asked to sign, and a secret until its first code.
    del before["django_session"], after["django_session"]
    assert after == before
    assert set(answers.values()) <= {200, 302, 403, 404, 405, 503}
    assert sum(status == 200 for status in answers.values()) > 30
    assert acting == {405}


def test_logging_out_needs_a_post(boss: User) -> None:
    assert browser_of(boss).get(reverse("admin:logout")).status_code == 405


def target_of(label: str) -> Any:
    """The first of that model."""
    return apps.get_model(label)._base_manager.first()


def act_url(label: str, name: str) -> str:
    Bot.objects.update(state=STATE_BEFORE.get(name, BotState.STOPPED))
    return reverse(f"admin:{label.replace('.', '_')}_act", args=[target_of(label).pk, name])


@pytest.mark.parametrize(("label", "name", "permission"), ACTS)
def test_an_act_leaves_a_row_that_names_who_acted_on_what(
    bot: SpreadBot, label: str, name: str, permission: str
) -> None:
    url, user = act_url(label, name), member(permission, f"{label.replace('.', '.view_')}")
    known = set(AuditEntry.objects.values_list("pk", flat=True))

    assert browser_of(user).post(url).status_code == 302

    entry = AuditEntry.objects.exclude(pk__in=known).get()
    assert (entry.actor, entry.target_type) == (user, label)
    on_record = entry.before["original"] if name == "clone" else entry.target_id
    assert on_record == str(target_of(label).pk)


@pytest.mark.parametrize(("label", "name", "permission"), ACTS)
def test_an_act_without_its_permission_changes_no_row(
    bot: SpreadBot, label: str, name: str, permission: str
) -> None:
    others = {str(act.values[2]) for act in ACTS} - {permission}
    url, user = act_url(label, name), member(f"{label.replace('.', '.view_')}", *others)
    browser = browser_of(user)
    before = everything()

    assert browser.post(url).status_code == 403

    assert everything() == before


@pytest.mark.parametrize(("label", "name", "permission"), ACTS)
def test_an_act_from_another_site_changes_no_row(
    bot: SpreadBot, boss: User, label: str, name: str, permission: str
) -> None:
    url, browser = act_url(label, name), browser_of(boss, enforce_csrf_checks=True)
    before = everything()

    assert browser.post(url).status_code == 403

    assert everything() == before
