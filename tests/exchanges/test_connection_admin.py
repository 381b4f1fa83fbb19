from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from audit.models import AuditEntry
from bots.models import BotState, SpreadBot
from exchanges import services
from exchanges.checkup.examination import Findings
from exchanges.checkup.report import Outcome, Step
from exchanges.checkup.verdicts import WITHDRAWAL
from exchanges.models import ConnectionHealth, ExchangeConnection
from exchanges.venues.registry import known_venues
from tests.desk.pages import a_health, form_of
from vault.secret import Secret

KEY = "canary-key-5f1c9d77"
SECRET = "canary-secret-0be4aa12"
OKX_KEY, OKX_SECRET = "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f", "0A1B2C3D" * 4
PROXY_PASSWORD = "canary-proxy-77aa41"
OTHER_KEYS = ["b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItISE="]
ADD = "/admin/exchanges/exchangeconnection/add/"
LIST = "/admin/exchanges/exchangeconnection/"
FORM = "exchangeconnection_form"
pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss")


@pytest.fixture
def client(boss: User) -> Client:
    browser = Client(enforce_csrf_checks=False)
    browser.force_login(boss)
    return browser


@pytest.fixture
def connection(boss: User) -> ExchangeConnection:
    return services.create_connection(
        actor=boss, owner=boss, name="Main", venue="binance", mode="live", proxy_url="http://proxy.test:3128",
        secrets={
            "api_key": Secret(KEY), "api_secret": Secret(SECRET), "proxy_password": Secret(PROXY_PASSWORD),
        },
    )  # fmt: skip


def change_url(connection: ExchangeConnection) -> str:
    return reverse("admin:exchanges_exchangeconnection_change", args=[connection.pk])


def act_url(connection: ExchangeConnection, act: str) -> str:
    return reverse("admin:exchanges_exchangeconnection_act", args=[connection.pk, act])


def save(client: Client, url: str, **entered: str) -> Any:
    return client.post(url, form_of(client, url, FORM) | entered)


def with_permissions(*names: str) -> Client:
    user = User.objects.create_user("worker", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=[*names, "view_all_connections"]))
    browser = Client()
    browser.force_login(user)
    return browser


def test_a_connection_is_created_through_the_form_and_its_owner_is_who_saves_it(
    client: Client, boss: User
) -> None:
    answer = save(client, ADD, name="New", venue="binance", mode="live", api_key=KEY, api_secret=SECRET)
    assert answer.status_code == 302
    connection = ExchangeConnection.objects.get()
    assert (connection.owner, connection.api_key.reveal()) == (boss, KEY)
    assert AuditEntry.objects.get(action="connection.created").actor == boss


def test_the_page_says_how_a_stored_key_ends_and_shows_no_secret(
    client: Client, connection: ExchangeConnection
) -> None:
    page = client.get(change_url(connection)).content.decode()
    assert "Set, ends in …9d77" in page
    for canary in (KEY, SECRET, PROXY_PASSWORD):
        assert canary not in page


def test_saving_the_untouched_form_keeps_every_secret(client: Client, connection: ExchangeConnection) -> None:
    assert save(client, change_url(connection), name="Renamed").status_code == 302
    connection.refresh_from_db()
    assert connection.name == "Renamed"
    assert [connection.api_key.reveal(), connection.proxy_password.reveal()] == [KEY, PROXY_PASSWORD]


def test_a_ticked_box_removes_a_secret(client: Client, connection: ExchangeConnection) -> None:
    save(client, change_url(connection), clear_api_key="on")
    connection.refresh_from_db()
    assert not connection.api_key
    assert connection.api_secret


def test_a_secret_that_was_typed_is_not_in_the_page_that_refuses_the_form(client: Client) -> None:
    page = save(client, ADD, name="New", venue="nowhere", mode="live", api_key=KEY).content.decode()
    assert "There is no venue “nowhere”" in page
    assert KEY not in page


def test_a_proxy_address_with_a_password_is_refused_at_its_field(client: Client) -> None:
    answer = save(client, ADD, name="New", venue="demo", proxy_url=f"http://u:{PROXY_PASSWORD}@proxy.test:1")
    assert "their own" in answer.context["errors"][0][0]
    assert not ExchangeConnection.objects.exists()


def test_a_name_that_is_taken_is_one_sentence(client: Client, connection: ExchangeConnection) -> None:
    page = save(client, ADD, name="main", venue="demo", mode="paper").content.decode()
    assert page.count("You have a connection of this name already.") == 1


@override_settings(FIELD_ENCRYPTION_KEYS=OTHER_KEYS)
def test_a_lost_key_is_a_sentence_on_the_page(client: Client, connection: ExchangeConnection) -> None:
    with override_settings(FIELD_ENCRYPTION_KEYS=["dGhpcmQtdGhpcmQtdGhpcmQtdGhpcmQtdGhpcmQtISE="]):
        page = client.get(change_url(connection))
    assert page.status_code == 200
    assert "which is not in FIELD_ENCRYPTION_KEYS" in page.content.decode()


def test_the_list_tells_live_from_paper(client: Client, connection: ExchangeConnection, boss: User) -> None:
    services.create_connection(actor=boss, owner=boss, name="Play", venue="demo", mode="paper")
    page = client.get(LIST).content.decode()
    assert "desk-badge-live" in page
    assert "desk-badge-paper" in page


def test_the_number_of_queries_does_not_grow_with_the_list(
    client: Client, connection: ExchangeConnection, boss: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        services.create_connection(actor=boss, owner=boss, name=f"C{number}", venue="demo", mode="paper")
    with django_assert_max_num_queries(12):
        client.get(LIST)


def test_a_name_with_html_in_it_is_escaped(client: Client, boss: User) -> None:
    services.create_connection(actor=boss, owner=boss, name="<script>x</script>", venue="demo", mode="paper")
    connection = ExchangeConnection.objects.get()
    for url in (LIST, change_url(connection)):
        assert "<script>x</script>" not in client.get(url).content.decode()


def test_a_test_is_shown_step_by_step(client: Client, boss: User) -> None:
    demo = services.create_connection(actor=boss, owner=boss, name="Demo", venue="demo", mode="paper")
    page = client.post(act_url(demo, "test"), follow=True).content.decode()
    assert "“Demo” works" in page
    assert "clock agrees with ours" in page
    assert "Paper trading needs no key" in page


@pytest.mark.parametrize("act", ["test", "archive"])
def test_getting_an_act_changes_nothing(client: Client, connection: ExchangeConnection, act: str) -> None:
    assert client.get(act_url(connection, act)).status_code == 405
    connection.refresh_from_db()
    assert connection.archived_at is None
    assert not AuditEntry.objects.exclude(action="connection.created").exists()


def test_an_act_without_the_csrf_token_is_refused(connection: ExchangeConnection, boss: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(boss)
    assert browser.post(act_url(connection, "archive")).status_code == 403
    connection.refresh_from_db()
    assert connection.archived_at is None


@pytest.mark.parametrize("act", ["test", "archive"])
def test_an_act_needs_its_own_permission(connection: ExchangeConnection, act: str) -> None:
    browser = with_permissions("view_exchangeconnection", "change_exchangeconnection")
    assert browser.post(act_url(connection, act)).status_code == 403
    assert "Test connection" not in browser.get(change_url(connection)).content.decode()


def test_an_act_that_does_not_exist_is_not_found(client: Client, connection: ExchangeConnection) -> None:
    assert client.post(act_url(connection, "explode")).status_code == 404


def test_archiving_names_the_bots_that_are_at_work(client: Client, connection: ExchangeConnection) -> None:
    SpreadBot.objects.create(
        name="Maker", connection=connection, symbol="BTC/USDT", state=BotState.RUNNING, bid_spread_pct="0.01",
        ask_spread_pct="0.01", order_amount="1",
    )  # fmt: skip
    page = client.post(act_url(connection, "archive"), follow=True).content.decode()
    assert "still has bots that are not stopped: Maker" in page
    connection.refresh_from_db()
    assert connection.archived_at is None


def test_nothing_is_deleted(client: Client, connection: ExchangeConnection) -> None:
    url = reverse("admin:exchanges_exchangeconnection_delete", args=[connection.pk])
    assert client.post(url, {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [str(connection.pk)], "post": "yes"}
    client.post(LIST, chosen)
    assert ExchangeConnection.objects.exists()


def test_an_archived_connection_can_be_read_and_not_changed(
    client: Client, connection: ExchangeConnection, boss: User
) -> None:
    services.archive_connection(connection=connection, actor=boss)
    assert client.get(change_url(connection)).status_code == 200
    assert client.post(change_url(connection), {"name": "Other"}).status_code == 403


def test_who_may_only_look_is_told_nothing_of_the_secrets(connection: ExchangeConnection) -> None:
    page = with_permissions("view_exchangeconnection").get(change_url(connection)).content.decode()
    assert "Main" in page
    assert "ends in" not in page
    assert "API secret" not in page


def test_only_a_stored_secret_can_be_removed(client: Client, connection: ExchangeConnection) -> None:
    page = client.get(change_url(connection)).content.decode()
    offered = [name for name in services.SECRETS if f'name="clear_{name}"' in page]
    assert offered == ["api_key", "api_secret", "proxy_password"]
    assert 'name="clear_' not in client.get(ADD).content.decode()


def test_paper_balances_that_are_no_json_are_told_how_to_be_written(client: Client) -> None:
    page = save(client, ADD, name="Play", venue="demo", paper_balances="10000 USDT").content.decode()
    assert "Write currencies and amounts like this" in page
    assert not ExchangeConnection.objects.exists()


# --- The form follows from the venue


def passphrase_of(page: str) -> bool:
    return 'name="passphrase"' in page


def test_the_form_asks_for_what_the_chosen_venue_asks_for(client: Client) -> None:
    okx = client.get(f"{ADD}?venue=okx").content.decode()
    assert passphrase_of(okx)
    assert "Secret key" in okx
    assert "The one you chose when you made the key" in okx
    assert 'href="https://www.okx.com/account/my-api"' in okx
    assert not passphrase_of(client.get(f"{ADD}?venue=binance").content.decode())


def test_the_demo_venue_asks_for_no_credentials(client: Client) -> None:
    page = client.get(f"{ADD}?venue=demo").content.decode()
    assert 'name="api_key"' not in page


def test_each_known_venue_is_one_link_away_and_needs_no_script(client: Client) -> None:
    page = client.get(ADD).content.decode()
    for known in known_venues():
        assert f'href="?venue={known.id}"' in page
    assert passphrase_of(page)


def test_a_chosen_venue_stands_in_the_form(client: Client) -> None:
    assert form_of(client, f"{ADD}?venue=kraken", FORM)["venue"] == "kraken"


def test_a_venue_that_does_not_exist_in_the_address_is_no_error(client: Client) -> None:
    assert client.get(f"{ADD}?venue=nowhere").status_code == 200


def test_a_stored_passphrase_can_be_removed_where_the_venue_asks_for_none(
    client: Client, connection: ExchangeConnection
) -> None:
    ExchangeConnection.objects.filter(pk=connection.pk).update(passphrase=Secret("left-over-canary"))
    assert 'name="clear_passphrase"' in client.get(change_url(connection)).content.decode()


def test_a_missing_passphrase_is_said_at_its_field_which_is_shown(client: Client) -> None:
    page = save(client, ADD, name="New", venue="okx", mode="live", api_key=OKX_KEY, api_secret=OKX_SECRET)
    assert "OKX asks for the Passphrase too" in page.content.decode()
    assert passphrase_of(page.content.decode())
    assert not ExchangeConnection.objects.exists()


def test_what_came_along_with_copying_is_taken_away_and_said(client: Client) -> None:
    answer = client.post(
        ADD,
        form_of(client, ADD, FORM)
        | {
            "name": "New",
            "venue": " BINANCE ",
            "mode": "live",
            "api_key": f" {KEY}\r\n",
            "api_secret": SECRET,
        },
        follow=True,
    )
    connection = ExchangeConnection.objects.get()
    assert (connection.venue, connection.api_key.reveal()) == ("binance", KEY)
    page = answer.content.decode()
    assert "Spaces, line ends or quotes around the API key were taken away." in page
    assert KEY not in page


def test_a_key_that_another_live_connection_has_is_saved_with_a_warning(
    client: Client, connection: ExchangeConnection
) -> None:
    new = {"name": "Twin", "venue": "binance", "mode": "live", "api_key": KEY, "api_secret": SECRET}
    client.post(ADD, form_of(client, ADD, FORM) | new)
    twin = ExchangeConnection.objects.get(name="Twin")
    assert "“Main” has the same API key" in client.get(change_url(twin)).content.decode()
    assert "“Twin” has the same API key" in client.get(change_url(connection)).content.decode()


def test_a_new_name_for_a_connection_with_a_shared_key_repeats_the_warning(
    client: Client, connection: ExchangeConnection, boss: User
) -> None:
    services.create_connection(
        actor=boss, owner=boss, name="Twin", venue="binance", mode="live",
        secrets={"api_key": Secret(KEY), "api_secret": Secret(SECRET)},
    )  # fmt: skip
    form = form_of(client, change_url(connection), FORM) | {"name": "Renamed"}
    page = client.post(change_url(connection), form, follow=True).content.decode()
    assert "“Twin” has the same API key" in page


def test_a_paper_connection_with_the_same_key_is_no_reason_to_warn(
    client: Client, connection: ExchangeConnection
) -> None:
    new = {"name": "Twin", "venue": "binance", "mode": "paper", "api_key": KEY, "api_secret": SECRET}
    client.post(ADD, form_of(client, ADD, FORM) | new)
    for row in ExchangeConnection.objects.all():
        assert "the same API key" not in client.get(change_url(row)).content.decode()


@override_settings(FIELD_ENCRYPTION_KEYS=OTHER_KEYS)
def test_a_lost_key_keeps_no_connection_from_being_saved(client: Client, boss: User) -> None:
    with override_settings(FIELD_ENCRYPTION_KEYS=["dGhpcmQtdGhpcmQtdGhpcmQtdGhpcmQtdGhpcmQtISE="]):
        services.create_connection(
            actor=boss, owner=boss, name="Lost", venue="binance", mode="live",
            secrets={"api_key": Secret(KEY), "api_secret": Secret(SECRET)},
        )  # fmt: skip
    answer = save(client, ADD, name="New", venue="binance", mode="live", api_key=KEY, api_secret=SECRET)
    assert answer.status_code == 302


def test_a_right_to_withdraw_is_shown_as_a_warning(
    client: Client, connection: ExchangeConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Step(name="Permissions", outcome=Outcome.WARNING, sentence=WITHDRAWAL)
    monkeypatch.setattr(services, "examine_connection", lambda spec: Findings(steps=(step,)))
    answer = client.post(act_url(connection, "test"), follow=True)
    assert [(m.level_tag, WITHDRAWAL in m.message) for m in answer.context["messages"]] == [("warning", True)]
    banner = f'<p class="desk-warning" role="alert">{escape(WITHDRAWAL)}</p>'
    assert banner in client.get(change_url(connection)).content.decode()


def test_a_connections_health_is_shown_with_its_cause_and_age(
    client: Client, connection: ExchangeConnection
) -> None:
    assert "Breaker" not in client.get(change_url(connection)).content.decode()
    a_health(connection)
    assert "100 good" in client.get(LIST).content.decode()
    ConnectionHealth.objects.update(
        score=0, grade="poor", state="half_open", errors=4, error_rate=0.02, cause="Binance is <down>.",
        silent_since=timezone.now(),
    )  # fmt: skip
    for url in (LIST, change_url(connection)):
        page = client.get(url).content.decode()
        for shown in ("0 poor", "half-open", "Binance is &lt;down&gt;.", "1 h ago"):
            assert shown in page, (url, shown)
    page = client.get(change_url(connection)).content.decode()
    for shown in ("median 120 ms, 95 % within 300 ms", "4 of 200 (2.0%)", "12% used", "bots stopped"):
        assert shown in page, shown
    assert "0 poor" not in client.get(f"{LIST}?health__grade__exact=good").content.decode()
