"""A scalper's pages: its form, its acts, its positions, and the list of round trips."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEntry
from bots import services
from bots.admin.round_trip import lasted
from bots.models import Bot, BotState, Decision, Position, PricePoint, RoundTrip, ScalperBot
from exchanges.models import ExchangeConnection
from exchanges.services import create_connection
from tests.bots.scalpers import a_closed_trip, a_market, a_scalper, an_open_trip, its_order
from tests.desk.pages import form_of

D = Decimal
ADD, LIST = "/admin/bots/scalperbot/add/", "/admin/bots/scalperbot/"
TRIPS = "/admin/bots/roundtrip/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss")


@pytest.fixture
def client(boss: User) -> Client:
    browser = Client()
    browser.force_login(boss)
    return browser


@pytest.fixture
def connection(boss: User) -> ExchangeConnection:
    return create_connection(actor=boss, owner=boss, name="Main", venue="binance", mode="paper")


@pytest.fixture
def bot(connection: ExchangeConnection) -> ScalperBot:
    return a_scalper(connection, name="Scalper <i>x</i>", cooldown_seconds=600)


def change_url(bot: Bot) -> str:
    return reverse("admin:bots_scalperbot_change", args=[bot.pk])


def act_url(bot: Bot, act: str) -> str:
    return reverse("admin:bots_scalperbot_act", args=[bot.pk, act])


def save(client: Client, url: str, **entered: str) -> Any:
    return client.post(url, form_of(client, url, "scalperbot_form") | entered, follow=True)


def words(client: Client, url: str) -> str:
    """What a person reads."""
    answer = client.get(url)
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def with_permissions(*names: str) -> Client:
    user = User.objects.create_user("worker", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=[*names, "view_all_connections"]))
    browser = Client()
    browser.force_login(user)
    return browser


def test_a_scalper_is_created_through_the_form(
    client: Client, connection: ExchangeConnection, boss: User
) -> None:
    save(
        client, ADD, name="New", connection=str(connection.pk), symbols="BTC/USDT, ETH/USDT", order_cost="50",
        entry_move_pct="0.005", stop_loss_pct="0.01", trailing_delta_pct="0.004",
        trailing_activation_pct="0.006",
    )  # fmt: skip
    bot = ScalperBot.objects.get()
    assert (bot.listed_symbols, bot.trailing_delta_pct) == (["BTC/USDT", "ETH/USDT"], D("0.004"))
    assert AuditEntry.objects.get(action="bot.created").actor == boss


def test_the_untouched_form_changes_nothing(client: Client, bot: ScalperBot) -> None:
    assert save(client, change_url(bot)).status_code == 200
    assert not AuditEntry.objects.filter(action="bot.updated").exists()


def test_every_setting_is_in_one_fieldset_once() -> None:
    from bots.admin.scalper_bot_form import FIELDSETS

    shown: list[str] = []
    for _, group in FIELDSETS:
        for entry in group["fields"]:
            shown.extend([entry] if isinstance(entry, str) else entry)
    assert sorted(shown) == sorted(services.FIELDS[ScalperBot])


@pytest.mark.parametrize(
    ("entered", "sentence"),
    [
        ({"stop_loss_pct": "-0.01"}, "The stop loss must be more than 0"),
        ({"trailing_activation_pct": "0.01"}, "There is a trailing activation and no trailing stop"),
        ({"symbols": "BTC/USDT, BTC/USDT"}, "BTC/USDT is listed twice."),
        ({"symbols": "FOO/BAR"}, "Binance has no market FOO/BAR: correct the list."),
        ({"markets": "all"}, "Name the quote currency"),
        ({"order_cost": "much"}, "Enter a number."),
    ],
)
def test_a_wrong_setting_is_one_sentence_at_its_field_and_saves_nothing(
    client: Client, bot: ScalperBot, entered: dict[str, str], sentence: str
) -> None:
    a_market()
    page = save(client, change_url(bot), name="Other", **entered)
    errors = page.context["adminform"].form.errors
    assert page.content.decode().count(sentence) == 1
    assert len(errors) == 1
    assert ScalperBot.objects.get().name == bot.name


def test_what_is_odd_is_told_when_it_is_saved_and_on_the_page(client: Client, bot: ScalperBot) -> None:
    a_market()
    sentence = "The take profit of 0.1 % is less than the fees of both ways"
    page = save(client, change_url(bot), take_profit_pct="0.001", _continue="1").content.decode()
    assert page.count(sentence) == 2
    assert ScalperBot.objects.get().take_profit_pct == D("0.001")
    assert sentence in words(client, change_url(bot))


def test_a_scalper_is_started_paused_and_stopped_with_buttons(client: Client, bot: ScalperBot) -> None:
    states = []
    for act in ("start", "pause", "start", "stop"):
        client.post(act_url(bot, act))
        states.append(Bot.objects.get().state)
    assert states == ["running", "paused", "running", "stopped"]


def test_a_paused_scalper_says_that_it_looks_after_its_positions(client: Client, bot: ScalperBot) -> None:
    client.post(act_url(bot, "start"))
    client.post(act_url(bot, "pause"))
    page = words(client, change_url(bot))
    assert "Paused: it opens nothing new, and goes on looking after its positions." in page


@pytest.mark.parametrize("state", ["running", "paused", "stopping"])
def test_a_bot_that_holds_positions_says_what_it_does_with_them_until_it_is_stopped(
    client: Client, bot: ScalperBot, state: str
) -> None:
    an_open_trip(bot)
    Decision.objects.create(bot=bot, reason="Closes: trailing stop, at 99.4.", at=timezone.now())
    Bot.objects.update(state=state)
    assert "Closes: trailing stop, at 99.4." in words(client, change_url(bot))
    Bot.objects.update(state="stopped")
    assert "Closes: trailing stop" not in words(client, change_url(bot))


@pytest.mark.parametrize("act", ["start", "pause", "stop", "archive", "clone"])
def test_an_act_is_a_post_with_its_own_permission(client: Client, bot: ScalperBot, act: str) -> None:
    assert client.get(act_url(bot, act)).status_code == 405
    browser = with_permissions("view_scalperbot", "change_scalperbot", "delete_spreadbot", "add_spreadbot")
    assert browser.post(act_url(bot, act)).status_code == 403
    assert Bot.objects.get().state == BotState.STOPPED


def test_who_may_operate_spread_bots_may_operate_scalpers(bot: ScalperBot) -> None:
    with_permissions("view_scalperbot", "operate_bot").post(act_url(bot, "start"))
    assert Bot.objects.get().state == BotState.RUNNING


def test_who_may_only_look_sees_the_settings_and_no_button(bot: ScalperBot) -> None:
    browser = with_permissions("view_scalperbot")
    assert act_url(bot, "start") not in browser.get(change_url(bot)).content.decode()
    assert browser.post(change_url(bot), {"name": "X"}).status_code == 403


def test_several_scalpers_are_started_from_the_list(client: Client, bot: ScalperBot) -> None:
    other = a_scalper(bot.connection, name="Other")
    chosen = {"action": "start_selected", "_selected_action": [str(bot.pk), str(other.pk)]}
    client.post(LIST, chosen, follow=True)
    assert set(Bot.objects.values_list("state", flat=True)) == {"running"}


def test_the_page_shows_what_it_holds_and_what_it_is_kept_from(client: Client, bot: ScalperBot) -> None:
    services.start_bot(bot=bot, actor=None)
    an_open_trip(bot, trailing_stop=D("99.5"), closing="trailing_stop", closing_tries=2)
    a_closed_trip(bot, symbol="ETH/USDT", remark="0.001 ETH are left")
    Position.objects.create(
        bot=bot, symbol="BTC/USDT", amount=D("0.5"), cost=D("50.05"), mark_price=D(104),
    )  # fmt: skip
    Position.objects.create(bot=bot, symbol="ETH/USDT", realised_profit=D("1.4"))
    Decision.objects.create(bot=bot, reason="Scans 2 markets.", at=timezone.now())
    page = words(client, change_url(bot))
    for shown in (
        "Scans 2 markets.", "Open positions 1 of 1", "Realised profit +1.4 USDT",
        "Unrealised profit +1.95 USDT",
        "BTC/USDT buy open 0.5 100 USDT 104 USDT +1.95 USDT 99.5 USDT Trailing stop 2",
        "ETH/USDT buy 0.5 +1.4 USDT +2.7972 % 3 min 20 s", "Take profit. 0.001 ETH are left",
        "It has just closed a position there.",
    ):  # fmt: skip
        assert shown in page, (shown, page)


def test_the_preview_shows_where_its_exits_would_stand(client: Client, bot: ScalperBot) -> None:
    assert "No price of its markets is known yet: start the bot" in words(client, change_url(bot))
    a_market("BTC/USDT", taker_fee=D("0"))
    minute = timezone.now().replace(second=0, microsecond=0)
    for ago, price in ((1, 90), (0, 100)):
        PricePoint.objects.create(
            venue="binance", symbol="BTC/USDT", minute=minute - timedelta(minutes=ago), price=D(price)
        )
    client.post(change_url(bot), {})  # a form that is refused shows it too
    page = words(client, change_url(bot))
    assert "From the last known prices of 1 market." in page
    assert "Trailing from BTC/USDT buy 100 0.5 99 102 -" in page


def test_the_page_of_a_scalper_with_many_round_trips_asks_no_more(
    client: Client, bot: ScalperBot, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        a_closed_trip(bot)
        an_open_trip(bot)
    with django_assert_max_num_queries(33):
        client.get(change_url(bot))


@pytest.mark.usefixtures("standing_clock")
def test_a_round_trip_is_one_row_with_what_a_person_asks(client: Client, bot: ScalperBot) -> None:
    trip = a_closed_trip(bot, remark="0.001 BTC are left", fees_base=D("0.001"))
    its_order(trip, "buy", "entry-7")
    its_order(trip, "sell", "exit-8", state="canceled", filled=D(0))
    its_order(trip, "sell", "exit-9")
    its_order(trip, "sell", "exit-10", state="canceled", filled=D(0))
    page = words(client, TRIPS)
    for shown in (
        "0 s ago", "3 min ago", "paper", "BTC/USDT", "buy", "0.5", "100", "103", "+1.4 USDT",
        "+2.7972 %", "0.05 USDT + 0.001 BTC", "3 min 20 s",
        "It moved by 0.6 % in 60 s.", "Take profit. 0.001 BTC are left",
        "entry-7", "exit-9",
    ):  # fmt: skip
        assert shown in page, shown
    assert "exit-8" not in page
    assert "exit-10" not in page


def test_missed_entries_are_shown_to_who_asks_for_them(client: Client, bot: ScalperBot) -> None:
    an_open_trip(bot, state="missed", symbol="MISS/USDT", opened_at=None)
    assert "MISS/USDT" not in words(client, TRIPS)
    assert "MISS/USDT" in words(client, f"{TRIPS}?traded=missed")
    assert "MISS/USDT" in words(client, f"{TRIPS}?traded=all")


def test_a_round_trip_is_read_and_nothing_else(client: Client, bot: ScalperBot) -> None:
    trip = an_open_trip(bot)
    url = reverse("admin:bots_roundtrip_change", args=[trip.pk])
    assert client.get(url).status_code == 200
    assert client.post(url, {"symbol": "X"}).status_code == 403
    assert client.get(f"{TRIPS}add/").status_code == 403
    answer = client.post(reverse("admin:bots_roundtrip_delete", args=[trip.pk]), {"post": "yes"})
    assert answer.status_code == 403
    assert RoundTrip.objects.count() == 1


def test_round_trips_need_their_own_permission(bot: ScalperBot) -> None:
    browser = with_permissions("view_roundtrip")
    assert browser.get(TRIPS).status_code == 200
    assert browser.get(LIST).status_code == 403


@pytest.mark.parametrize("url", [LIST, TRIPS, "/admin/"])
def test_the_number_of_queries_does_not_grow_with_the_rows(
    client: Client, connection: ExchangeConnection, django_assert_max_num_queries: Any, url: str
) -> None:
    for number in range(12):
        bot = a_scalper(connection, name=f"B{number}")
        trip = a_closed_trip(bot)
        its_order(trip, "buy", f"v{number}")
        Position.objects.create(bot=bot, symbol="BTC/USDT")
    with django_assert_max_num_queries(28):
        assert client.get(url).status_code == 200


def test_names_are_escaped(client: Client, bot: ScalperBot) -> None:
    a_closed_trip(bot, opened_because="<b>up</b>")
    for url in (LIST, change_url(bot), TRIPS, "/admin/"):
        page = client.get(url).content.decode()
        assert "<i>x</i>" not in page, url
        assert "<b>up</b>" not in page, url


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (45, "45 s"),
        (200, "3 min 20 s"),
        (7_500, "2 h 5 min"),
        (273_600, "3 d 4 h"),
        (60, "1 min"),
    ],
)
def test_a_duration_is_in_the_units_that_say_it(seconds: int, shown: str) -> None:
    assert lasted(timedelta(seconds=seconds)) == shown
    assert lasted(None) == "-"
