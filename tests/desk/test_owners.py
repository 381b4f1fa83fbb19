"""Who sees which connections, and what hangs on them."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

import console.urls
from audit.models import AuditEntry
from audit.services import record
from bots.models import BotEvent, BotState, KillSwitch, Position, SpreadBot
from bots.selectors import visible_bots
from exchanges.admin.acting import ActingAdmin
from exchanges.admin.owned import OwnedAdmin
from exchanges.models import ExchangeConnection
from exchanges.selectors import SEES_ALL, visible_connections, visible_rows
from tests.desk.pages import form_of
from tests.desk.two_clients import a_desk_of, browser_of, give, give_all_but_sight
from tests.test_acting_urls import pages_of_the_admin

pytestmark = pytest.mark.django_db


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
    assert seen_by(give(viewer, SEES_ALL)) == [{"ada", "bob"}] * 4


def test_a_superuser_sees_every_owner(bots: object) -> None:
    assert seen_by(User.objects.create_superuser("boss")) == [{"ada", "bob"}] * 4


def test_who_is_not_signed_in_sees_nothing(bots: object) -> None:
    assert seen_by(AnonymousUser()) == [set()] * 4


def test_a_connection_that_changes_hands_takes_what_hangs_on_it_along(
    bots: tuple[SpreadBot, SpreadBot], ada: User, bob: User
) -> None:
    ExchangeConnection.objects.filter(owner=ada).update(owner=bob)
    assert seen_by(ada) == [set()] * 4
    assert visible_bots(bob).count() == 4


# --- In the admin

OWNED = {
    model: page.to_connection for model, page in admin.site._registry.items() if isinstance(page, OwnedAdmin)
}
ACTS = [
    pytest.param(model, act.name, id=f"{model._meta.model_name}-{act.name}")
    for model, page in admin.site._registry.items()
    if isinstance(page, ActingAdmin)
    for act in page.acts
]


@pytest.fixture
def adas(bots: object, ada: User) -> Client:
    """Of a client who may do all there is, with what is theirs."""
    User.objects.filter(pk=ada.pk).update(is_staff=True)
    return browser_of(give_all_but_sight(ada))


def address(model: type[Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def row_of(owner: User, model: type[Model]) -> Model:
    path = OWNED[model]
    lookup = "owner" if path == "pk" else f"{path}__owner"
    return model._default_manager.filter(**{lookup: owner})[0]


def test_each_list_of_connections_and_bots_is_of_owned_rows() -> None:
    pages = admin.site._registry.items()
    assert len(OWNED) >= 11
    shown = {model for model, _ in pages if model._meta.app_label in {"exchanges", "bots", "alerts"}}
    # Those of the desk cover everybody: test_kill_switch_page says who sees which.
    assert shown - {KillSwitch} == set(OWNED)


@pytest.mark.parametrize("model", OWNED)
def test_a_list_has_no_word_of_another_client(adas: Client, model: type[Model]) -> None:
    """Neither in its rows nor in its filters' choices."""
    for query in ("", "?q=bo"):
        page = adas.get(address(model, "changelist") + query)
        assert page.status_code == 200
        assert "bob" not in page.content.decode().lower()
    assert "ada" in adas.get(address(model, "changelist")).content.decode()


@pytest.mark.parametrize("model", OWNED)
def test_another_clients_row_is_not_found(adas: Client, ada: User, bob: User, model: type[Model]) -> None:
    for page in ("change", "history"):
        assert adas.get(address(model, page, row_of(bob, model).pk)).status_code == 404
        assert adas.get(address(model, page, row_of(ada, model).pk)).status_code == 200


@pytest.mark.parametrize("model", OWNED)
def test_a_row_that_does_not_exist_looks_the_same(adas: Client, model: type[Model]) -> None:
    assert adas.get(address(model, "change", "0b5e6e2e-3c1b-4c1e-9d57-000000000000")).status_code == 404


@pytest.mark.parametrize(("model", "name"), ACTS)
def test_nobody_acts_on_another_clients_row(adas: Client, bob: User, model: type[Model], name: str) -> None:
    assert adas.post(address(model, "act", row_of(bob, model).pk, name)).status_code == 404
    assert AuditEntry.objects.count() == 0


def test_a_client_with_the_permission_acts_on_their_own(
    adas: Client, bots: tuple[SpreadBot, SpreadBot], ada: User
) -> None:
    own, _ = bots
    assert adas.post(address(SpreadBot, "act", own.pk, "start")).status_code == 302
    own.refresh_from_db()
    assert own.state == BotState.RUNNING


@pytest.mark.parametrize("action", ["start_selected", "pause_selected", "stop_selected", "archive_selected"])
def test_bulk_actions_leave_another_clients_bots_alone(
    adas: Client, bots: tuple[SpreadBot, SpreadBot], action: str
) -> None:
    other = bots[1]
    SpreadBot.objects.filter(pk=other.pk).update(state=BotState.PAUSED)
    adas.post(address(SpreadBot, "changelist"), {"action": action, "_selected_action": [str(other.pk)]})
    other.refresh_from_db()
    assert (other.state, other.archived_at) == (BotState.PAUSED, None)


def test_a_bot_is_not_put_on_another_clients_connection(adas: Client, bob: User) -> None:
    url = address(SpreadBot, "add")
    form = form_of(adas, url, "spreadbot_form") | {
        "name": "Intruder", "symbol": "BTC/USDT", "bid_spread_pct": "0.01", "ask_spread_pct": "0.01",
        "order_amount": "1", "connection": str(row_of(bob, ExchangeConnection).pk),
    }  # fmt: skip
    answer = adas.post(url, form)
    assert answer.status_code == 200
    assert "Select a valid choice" in answer.content.decode()
    assert not SpreadBot.objects.filter(name="Intruder").exists()


def test_a_client_gives_no_connection_away_and_takes_none(adas: Client, ada: User, bob: User) -> None:
    url = address(ExchangeConnection, "add")
    assert "bob" not in adas.get(url).content.decode()
    form = form_of(adas, url, "exchangeconnection_form")
    adas.post(url, form | {"name": "Gift", "venue": "demo", "mode": "paper", "owner": str(bob.pk)})
    assert not ExchangeConnection.objects.filter(name="Gift").exists()


def test_the_first_page_has_no_word_and_no_number_of_another_client(
    adas: Client, bots: tuple[SpreadBot, SpreadBot]
) -> None:
    SpreadBot.objects.filter(pk=bots[1].pk).update(state=BotState.RUNNING)
    page = adas.get("/admin/")
    assert "bob" not in page.content.decode()
    assert "ada" in page.content.decode()
    assert [total["bots"] for total in page.context["totals"]] == [2]
    assert page.context["bot_count"] == 2
    assert page.context["worker_warning"] == ""


def test_in_the_audit_log_a_client_finds_their_own_acts_only(adas: Client, ada: User, bob: User) -> None:
    for actor in (ada, bob):
        record(actor=actor, action="bot.started", target=row_of(actor, SpreadBot))
    give(ada, "audit.view_auditentry")
    page = adas.get(reverse("admin:audit_auditentry_changelist")).content.decode()
    assert "ada&#x27;s maker" in page
    assert "bob" not in page
    other = AuditEntry.objects.get(actor=bob)
    assert adas.get(reverse("admin:audit_auditentry_change", args=[other.pk])).status_code == 302


def test_the_parts_and_charts_of_the_first_page_have_none_either(adas: Client) -> None:
    assert len(console.urls.urlpatterns) > 3
    for pattern in console.urls.urlpatterns:
        answer = adas.get(reverse(f"admin:{pattern.name}"))
        assert answer.status_code == 200
        assert "bob" not in answer.content.decode(), pattern.name


def test_no_address_of_the_admin_takes_another_clients_row(adas: Client, bob: User) -> None:
    """Whatever pages there will be: with the key of another's row they are not found, or want a POST."""
    tried = 0
    for pattern in pages_of_the_admin():
        words = pattern.pattern.converters.keys()
        model = next((model for model in OWNED if f"_{model._meta.model_name}_" in f"_{pattern.name}_"), None)
        if model is None or words != {"object_id"}:
            continue
        answer = adas.get(reverse(f"admin:{pattern.name}", args=[row_of(bob, model).pk]))
        assert answer.status_code in {403, 404, 405}, pattern.name
        tried += 1
    assert tried > 2 * len(OWNED)


def test_a_lookup_through_the_owner_is_refused(adas: Client) -> None:
    """A filter that asks for parts of what is not shown would be a way to read it."""
    url = address(ExchangeConnection, "changelist")
    assert adas.get(f"{url}?owner__password__startswith=x").status_code == 400
