"""The kill switch in the admin, from its button to its release."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from audit.models import AuditEntry
from bots.models import KillSwitch, Order, SpreadBot
from bots.switches import outcome_of
from exchanges.models import ExchangeConnection

PULL = "/admin/bots/killswitch/pull/"
LIST = "/admin/bots/killswitch/"
HTML = "<script>alert(1)</script>"
# The orders are cancelled by a loop of its own, which writes from a thread of its own.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss")


@pytest.fixture
def client(boss: User) -> Client:
    return browser_of(boss)


def browser_of(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def person(name: str, *permissions: str) -> User:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


def a_bot(owner: User, name: str = "Main") -> SpreadBot:
    connection = ExchangeConnection.objects.create(
        name=name, venue="demo", owner=owner, paper_balances={"USDT": "1000"}
    )
    return SpreadBot.objects.create(
        name=f"Maker of {name}", connection=connection, symbol="BTC/USDT", bid_spread_pct="0.01",
        ask_spread_pct="0.01", order_amount="1", state="running",
    )  # fmt: skip


def an_order(bot: SpreadBot) -> Order:
    return Order.objects.create(
        connection=bot.connection, bot=bot, fence=1, symbol="BTC/USDT", side="buy", price="100", amount="1",
        created_at=timezone.now() - timedelta(minutes=5), state="open",
    )  # fmt: skip


def pull(client: Client, target: str = "desk", reason: str = "A drill.") -> Any:
    return client.post(PULL, {"for": target, "reason": reason})


def page_of(switch: KillSwitch) -> str:
    return f"{LIST}{switch.pk}/change/"


def test_a_kill_switch_is_pulled_shown_per_order_and_released(client: Client, boss: User) -> None:
    bot = a_bot(boss)
    an_order(bot)
    covered = client.get(PULL, {"for": "desk"})
    assert (covered.context["covers"]["order_count"], covered.context["covers"]["bot_count"]) == (1, 1)

    answer = pull(client)

    switch = KillSwitch.objects.get()
    assert (switch.reason, switch.engaged_by, answer.headers["Location"]) == (
        "A drill.", boss, page_of(switch),
    )  # fmt: skip
    page = client.get(page_of(switch)).content.decode()
    assert "buy 1 BTC/USDT @ 100" in page
    assert "The venue has no such order." in page
    assert "All 1 orders are certainly gone." in page
    for url in ("/admin/", "/admin/bots/order/", page_of(switch)):
        assert "Kill switch on" in client.get(url).content.decode(), url

    client.post(f"{LIST}{switch.pk}/release/")
    switch.refresh_from_db()
    assert (switch.released_by, switch.released_at is None) == (boss, False)
    assert "Kill switch on" not in client.get("/admin/").content.decode()
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["kill_switch.pulled", "kill_switch.released"]


def test_a_reason_is_asked_for(client: Client, boss: User) -> None:
    a_bot(boss)
    page = pull(client, reason="  ").content.decode()
    assert "Say why the kill switch is pulled." in page
    assert not KillSwitch.objects.exists()


@pytest.mark.parametrize("scope", ["owner", "connection", "bot"])
def test_it_is_pulled_for_one_of_them_alone(client: Client, boss: User, scope: str) -> None:
    bot = a_bot(boss)
    names = {"owner": boss.pk, "connection": bot.connection.pk, "bot": bot.pk}
    assert pull(client, f"{scope}:{names[scope]}").status_code == 302
    assert KillSwitch.objects.get().scope == scope


@pytest.mark.parametrize("name", ["owner:x", "owner:999", "bot:1", "connection:nothing", "moon"])
def test_what_is_not_there_has_no_switch(client: Client, boss: User, name: str) -> None:
    a_bot(boss)
    assert pull(client, name).status_code == 404
    assert not KillSwitch.objects.exists()


def test_nothing_is_pulled_without_its_permission(boss: User) -> None:
    a_bot(boss)
    browser = browser_of(person("viewer", "release_killswitch", "view_killswitch", "view_all_connections"))
    assert browser.get(PULL).status_code == 403
    assert pull(browser).status_code == 403
    assert 'class="desk-button desk-button-danger desk-kill"' not in browser.get("/admin/").content.decode()
    assert not KillSwitch.objects.exists()


def test_who_pulls_may_not_release(client: Client, boss: User) -> None:
    a_bot(boss)
    pull(client)
    switch = KillSwitch.objects.get()
    browser = browser_of(person("operator", "pull_killswitch", "view_all_connections"))
    assert browser.post(f"{LIST}{switch.pk}/release/").status_code == 403
    assert "which you do not have" in browser.get(page_of(switch)).content.decode()
    switch.refresh_from_db()
    assert switch.released_at is None


def test_getting_its_pages_pulls_and_releases_nothing(client: Client, boss: User) -> None:
    a_bot(boss)
    pull(client)
    switch = KillSwitch.objects.get()
    assert client.get(f"{LIST}{switch.pk}/release/").status_code == 405
    assert client.get(f"{LIST}{switch.pk}/again/").status_code == 405
    assert client.get(PULL, {"for": "desk", "reason": "x"}).status_code == 200
    assert AuditEntry.objects.count() == 1


def test_a_client_stops_their_own_and_sees_nothing_of_others(boss: User) -> None:
    others, client = a_bot(boss, "Secret"), person("client", "pull_killswitch", "release_killswitch")
    mine, browser = a_bot(client, "Mine"), browser_of(client)
    page = browser.get(PULL).content.decode()
    assert "Mine" in page
    assert "Secret" not in page
    assert "The whole desk" not in page
    for name in ("desk", f"connection:{others.connection.pk}", f"bot:{others.pk}", f"owner:{boss.pk}"):
        assert pull(browser, name).status_code == 404, name
    assert pull(browser, f"owner:{client.pk}").status_code == 302
    assert KillSwitch.objects.get().owner == client
    assert mine.connection.owner == client


def test_a_switch_of_the_desk_is_not_a_clients_to_release(client: Client, boss: User) -> None:
    an_order(a_bot(boss, "Secret"))
    pull(client)
    switch = KillSwitch.objects.get()
    browser = browser_of(person("client", "pull_killswitch", "release_killswitch", "view_killswitch"))
    page = browser.get(page_of(switch)).content.decode()
    assert "Kill switch on" in page
    assert "Secret" not in page
    assert "BTC/USDT @ 100" not in page
    assert "1 of 1" in client.get(LIST).content.decode()
    assert "1 of 1" not in browser.get(LIST).content.decode()
    assert browser.post(f"{LIST}{switch.pk}/release/").status_code == 403


def test_a_client_is_told_what_became_of_their_orders_under_the_desks_switch(
    client: Client, boss: User
) -> None:
    a_client = person("client", "view_killswitch")
    an_order(a_bot(boss, "Secret"))
    an_order(a_bot(a_client, "Mine"))
    pull(client)
    switch = KillSwitch.objects.get()
    page = browser_of(a_client).get(page_of(switch)).content.decode()
    assert "All 1 orders are certainly gone." in page
    assert "Mine" in page
    assert "Secret" not in page


def test_another_clients_switch_is_not_there(client: Client, boss: User) -> None:
    bot = a_bot(boss, "Secret")
    pull(client, f"bot:{bot.pk}")
    switch = KillSwitch.objects.get()
    browser = browser_of(person("client", "release_killswitch"))
    assert browser.post(f"{LIST}{switch.pk}/release/").status_code == 404
    assert browser.get(f"{LIST}{switch.pk}/outcome/").status_code == 404
    assert "Kill switch on" not in browser.get("/admin/").content.decode()


def test_while_orders_are_cancelled_the_page_tells_and_asks_again(client: Client, boss: User) -> None:
    bot = a_bot(boss)
    order = an_order(bot)
    pull(client)
    switch = KillSwitch.objects.get()
    noted = [outcome_of(Order.objects.get(pk=order.pk), "Under way.", is_certain=False)]
    KillSwitch.objects.update(cancelled_at=None, cancelling_since=timezone.now(), outcome=noted)
    part = client.get(f"{LIST}{switch.pk}/outcome/").content.decode()
    assert "are being cancelled" in part
    assert 'hx-trigger="every 1s"' in part
    assert "buy 1 BTC/USDT @ 100" in part
    KillSwitch.objects.update(cancelling_since=timezone.now() - timedelta(minutes=2))
    assert "was not reported" in client.get(f"{LIST}{switch.pk}/outcome/").content.decode()


def test_orders_that_may_rest_stand_first_and_are_cancelled_again(client: Client, boss: User) -> None:
    a_bot(boss)
    pull(client)
    switch = KillSwitch.objects.get()
    rows = [
        {"order": "1", "text": "gone", "connection": "Main", "sentence": "Canceled.", "is_certain": True},
        {"order": "2", "text": "left", "connection": "Main", "sentence": HTML, "is_certain": False},
    ]
    KillSwitch.objects.update(outcome=rows)
    page = client.get(page_of(switch))
    assert [row[2] for row in page.context["outcome"]["rows"]] == ["left", "gone"]
    assert "1 of 2 orders may still rest" in page.content.decode()
    assert HTML not in page.content.decode()
    assert client.post(f"{LIST}{switch.pk}/again/").status_code == 302
    switch.refresh_from_db()
    assert switch.outcome == []
    assert AuditEntry.objects.filter(action="kill_switch.pulled").count() == 2


def test_a_released_switch_is_not_pulled_again_by_its_button(client: Client, boss: User) -> None:
    a_bot(boss)
    pull(client)
    switch = KillSwitch.objects.get()
    client.post(f"{LIST}{switch.pk}/release/")
    client.post(f"{LIST}{switch.pk}/again/")
    assert not KillSwitch.objects.engaged().exists()


def test_reasons_are_text_and_no_markup(client: Client, boss: User) -> None:
    a_bot(boss)
    pull(client, reason=HTML)
    switch = KillSwitch.objects.get()
    for url in ("/admin/", LIST, page_of(switch), PULL):
        page = client.get(url).content.decode()
        assert HTML not in page, url
        assert "&lt;script&gt;" in page, url


def test_the_list_says_which_are_on(client: Client, boss: User) -> None:
    a_bot(boss)
    pull(client)
    assert [row.released_at for row in client.get(LIST).context["cl"].result_list] == [None]
