from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEntry
from bots import services
from bots.models import Bot, BotState, Decision, Order, Position, SpreadBot, Trade
from exchanges.models import ExchangeConnection, Market
from exchanges.services import create_connection
from tests.desk.pages import form_of
from vault.secret import Secret

CANARY = "canary-key-5f1c9d77"
ADD = "/admin/bots/spreadbot/add/"
LIST = "/admin/bots/spreadbot/"
RECORDS = ["order", "trade", "position", "botevent"]
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
    return create_connection(
        actor=boss, owner=boss, name="Main", venue="binance", mode="paper", paper_balances={"USDT": "1000"},
        secrets={"api_key": Secret(CANARY), "api_secret": Secret(CANARY)},
    )  # fmt: skip


@pytest.fixture
def bot(boss: User, connection: ExchangeConnection) -> SpreadBot:
    return services.create_spread_bot(
        actor=boss, name="Maker <i>x</i>", connection=connection, symbol="BTC/USDT",
        bid_spread_pct=Decimal("0.01"), ask_spread_pct=Decimal("0.02"), order_amount=Decimal("0.5"),
    )  # fmt: skip


def change_url(bot: Bot) -> str:
    return reverse("admin:bots_spreadbot_change", args=[bot.pk])


def act_url(bot: Bot, act: str) -> str:
    return reverse("admin:bots_spreadbot_act", args=[bot.pk, act])


def save(client: Client, url: str, **entered: str) -> Any:
    return client.post(url, form_of(client, url, "spreadbot_form") | entered)


def state_of(bot: Bot) -> str:
    return Bot.objects.get(pk=bot.pk).state


def with_permissions(*names: str) -> Client:
    user = User.objects.create_user("worker", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=[*names, "view_all_connections"]))
    browser = Client()
    browser.force_login(user)
    return browser


def a_fill(bot: Bot, number: int) -> Trade:
    order = Order.objects.create(
        connection=bot.connection, bot=bot, fence=1, symbol="BTC/USDT", side="buy", price=Decimal("100.10"),
        amount=Decimal("0.50"), created_at=timezone.now(), venue_id=f"v{number}", level="bid 1", state="open",
    )  # fmt: skip
    return Trade.objects.create(
        connection=bot.connection, bot=bot, order=order, venue_id=f"t{number}", symbol="BTC/USDT", side="buy",
        price=Decimal("100.10"), amount=Decimal("0.123456789012345678"), cost=Decimal("12.35"),
        fee_amount=Decimal("0.0100"), fee_currency="USDT", time=timezone.now(),
    )  # fmt: skip


def test_a_bot_is_created_through_the_form(
    client: Client, connection: ExchangeConnection, boss: User
) -> None:
    answer = save(
        client, ADD, name="New", connection=str(connection.pk), symbol="BTC/USDT", bid_spread_pct="0.01",
        ask_spread_pct="0.01", order_amount="0.1",
    )  # fmt: skip
    assert answer.status_code == 302
    bot = SpreadBot.objects.get()
    assert (bot.name, bot.order_amount, bot.state) == ("New", Decimal("0.1"), BotState.STOPPED)
    assert AuditEntry.objects.get(action="bot.created").actor == boss


def test_inputs_show_numbers_without_trailing_zeros(client: Client, bot: SpreadBot) -> None:
    form = form_of(client, change_url(bot), "spreadbot_form")
    assert (form["bid_spread_pct"], form["order_amount"], form["level_amount"]) == ("0.01", "0.5", "0")


def test_the_untouched_form_changes_nothing(client: Client, bot: SpreadBot) -> None:
    assert save(client, change_url(bot)).status_code == 302
    assert not AuditEntry.objects.filter(action="bot.updated").exists()


def test_settings_are_changed_while_the_bot_runs(client: Client, bot: SpreadBot, boss: User) -> None:
    services.start_bot(bot=bot, actor=boss)
    assert save(client, change_url(bot), bid_spread_pct="0.03").status_code == 302
    changed = SpreadBot.objects.get()
    assert (changed.bid_spread_pct, changed.state) == (Decimal("0.03"), BotState.RUNNING)


@pytest.mark.parametrize(
    ("entered", "sentence"),
    [
        ({"bid_spread_pct": "-0.01"}, "The bid spread must be from 0 to less than 1"),
        ({"bid_spread_pct": "0", "ask_spread_pct": "0"}, "the bid would not be below the ask"),
        ({"order_amount": "0"}, "The order amount must be more than 0"),
        ({"symbol": "BTCUSDT"}, "Write the market as ccxt does"),
        ({"level_overrides": '[["buy", 1]]'}, "Write one entry an order"),
    ],
)
def test_a_wrong_setting_is_one_sentence_and_saves_nothing(
    client: Client, bot: SpreadBot, entered: dict[str, str], sentence: str
) -> None:
    page = save(client, change_url(bot), name="Other", **entered)
    assert page.status_code == 200
    assert page.content.decode().count(sentence) == 1
    assert SpreadBot.objects.get().name == bot.name


def test_a_running_bot_is_not_moved_to_another_market(client: Client, bot: SpreadBot, boss: User) -> None:
    services.start_bot(bot=bot, actor=boss)
    page = save(client, change_url(bot), symbol="ETH/USDT").content.decode()
    assert "Stop the bot and let its orders settle" in page


def test_a_bot_is_started_paused_and_stopped_with_buttons(client: Client, bot: SpreadBot) -> None:
    states = []
    for act in ("start", "pause", "start", "stop"):
        client.post(act_url(bot, act))
        states.append(state_of(bot))
    assert states == ["running", "paused", "running", "stopped"]
    assert list(AuditEntry.objects.filter(action__startswith="bot.st").values_list("action", flat=True)) == [
        "bot.stopped", "bot.started", "bot.started",
    ]  # fmt: skip


def test_a_refusal_is_shown_as_one_sentence(client: Client, bot: SpreadBot) -> None:
    ExchangeConnection.objects.update(enabled=False)
    page = client.post(act_url(bot, "start"), follow=True).content.decode()
    assert page.count("is disabled: enable it first") == 1
    assert state_of(bot) == BotState.STOPPED


@pytest.mark.parametrize("act", ["start", "pause", "stop", "archive"])
def test_getting_an_act_changes_nothing(client: Client, bot: SpreadBot, act: str) -> None:
    assert client.get(act_url(bot, act)).status_code == 405
    assert state_of(bot) == BotState.STOPPED


@pytest.mark.parametrize("act", ["start", "pause", "stop", "archive"])
def test_an_act_needs_its_own_permission(bot: SpreadBot, act: str) -> None:
    browser = with_permissions("view_spreadbot", "change_spreadbot", "view_bot")
    assert browser.post(act_url(bot, act)).status_code == 403


def test_who_may_operate_is_offered_the_buttons_and_who_may_not_is_not(
    bot: SpreadBot, client: Client
) -> None:
    assert act_url(bot, "start") in client.get(change_url(bot)).content.decode()
    assert (
        act_url(bot, "start") not in with_permissions("view_spreadbot").get(change_url(bot)).content.decode()
    )


def test_several_bots_are_started_from_the_list_and_one_refusal_stops_no_other(
    client: Client, bot: SpreadBot, boss: User
) -> None:
    off = create_connection(actor=boss, owner=boss, name="Off", venue="demo", mode="paper", enabled=False)
    other = services.create_spread_bot(
        actor=boss, name="Aaa", connection=off, symbol="BTC/USDT", bid_spread_pct=Decimal("0.01"),
        ask_spread_pct=Decimal("0.01"), order_amount=Decimal(1),
    )  # fmt: skip
    chosen = {"action": "start_selected", "_selected_action": [str(bot.pk), str(other.pk)]}
    page = client.post(LIST, chosen, follow=True).content.decode()
    assert (state_of(bot), state_of(other)) == ("running", "stopped")
    assert "is disabled" in page


def test_a_list_action_is_refused_without_the_permission(bot: SpreadBot) -> None:
    browser = with_permissions("view_spreadbot", "change_spreadbot")
    browser.post(LIST, {"action": "start_selected", "_selected_action": [str(bot.pk)]})
    assert state_of(bot) == BotState.STOPPED


def test_deleting_means_archiving(client: Client, bot: SpreadBot, boss: User) -> None:
    services.start_bot(bot=bot, actor=boss)
    assert (
        client.post(reverse("admin:bots_spreadbot_delete", args=[bot.pk]), {"post": "yes"}).status_code == 403
    )
    client.post(act_url(bot, "archive"))
    archived = Bot.objects.get()
    assert archived.archived_at is not None
    assert archived.state == BotState.STOPPED
    assert client.get(change_url(bot)).status_code == 200


def test_the_page_shows_what_the_bot_does_and_has(client: Client, bot: SpreadBot) -> None:
    services.start_bot(bot=bot, actor=None)
    a_fill(bot, 1)
    Position.objects.create(
        bot=bot, symbol="BTC/USDT", amount=Decimal("0.5"), cost=Decimal(50), realised_profit=Decimal("1.250"),
        mark_price=Decimal(110), marked_at=timezone.now(),
    )  # fmt: skip
    quote = {"side": "buy", "price": "99.5000", "amount": "0.50", "level": "bid 1"}
    Decision.objects.create(
        bot=bot, reason="Quotes 1 bid <and> 0 asks.", at=timezone.now(), quotes=[quote],
        refusals=[quote | {"rule": "max_order_cost", "sentence": "It is above the largest order."}],
    )  # fmt: skip
    page = client.get(change_url(bot)).content.decode()
    for shown in (
        "Quotes 1 bid &lt;and&gt; 0 asks.", ">99.5<", "It is above the largest order.", ">100.1<",
        ">0.123456789012345678<", "+1.25 USDT", "+5 USDT",
    ):  # fmt: skip
        assert shown in page, shown


def test_the_preview_says_what_is_missing(client: Client, bot: SpreadBot) -> None:
    page = client.get(change_url(bot)).content.decode()
    assert "rules are not known yet: test the connection first" in page


def test_the_preview_quotes_around_the_last_known_price(client: Client, bot: SpreadBot) -> None:
    Market.objects.create(
        venue="binance", symbol="BTC/USDT", base="BTC", quote="USDT", price_step="0.01", amount_step="0.001",
        maker_fee="0", taker_fee="0",
    )  # fmt: skip
    Decision.objects.create(bot=bot, reason="x", reference_price=Decimal(1000), at=timezone.now())
    preview = client.get(change_url(bot)).context["preview"]
    assert [(quote.side, quote.price, quote.amount) for quote in preview.decision.quotes] == [
        ("buy", Decimal(990), Decimal("0.5"))
    ]  # the paper account has no BTC to sell
    assert "the paper account&#x27;s first balances" in client.get(change_url(bot)).content.decode()


def test_the_preview_of_a_demo_bot_needs_nothing(client: Client, boss: User) -> None:
    demo = create_connection(actor=boss, owner=boss, name="Demo", venue="demo", mode="paper")
    bot = services.create_spread_bot(
        actor=boss, name="D", connection=demo, symbol="BTC/USDT", bid_spread_pct=Decimal("0.01"),
        ask_spread_pct=Decimal("0.01"), order_amount=Decimal("0.1"),
    )  # fmt: skip
    assert len(client.get(change_url(bot)).context["preview"].decision.quotes) == 2


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_can_be_read_and_nothing_else(client: Client, bot: SpreadBot, boss: User, name: str) -> None:
    services.start_bot(bot=bot, actor=boss)
    a_fill(bot, 1)
    Position.objects.create(bot=bot, symbol="BTC/USDT")
    row = apps.get_model("bots", name)._default_manager.get()
    assert client.get(reverse(f"admin:bots_{name}_changelist"), {"q": "x"}).status_code == 200
    url = reverse(f"admin:bots_{name}_change", args=[row.pk])
    assert client.get(url).status_code == 200
    assert client.post(url, {"symbol": "X"}).status_code == 403
    assert client.get(reverse(f"admin:bots_{name}_add")).status_code == 403
    assert (
        client.post(reverse(f"admin:bots_{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    )


@pytest.mark.usefixtures("standing_clock")
def test_lists_print_exact_decimals_and_ages(client: Client, bot: SpreadBot) -> None:
    a_fill(bot, 1)
    page = client.get("/admin/bots/trade/").content.decode()
    for shown in (">100.1<", ">0.123456789012345678<", "0.01 USDT", "0 s ago"):
        assert shown in page, shown


@pytest.mark.parametrize(
    "url", ["/admin/bots/order/", "/admin/bots/trade/", "/admin/bots/position/", LIST, "/admin/"]
)
def test_the_number_of_queries_does_not_grow_with_the_rows(
    client: Client, connection: ExchangeConnection, boss: User, django_assert_max_num_queries: Any, url: str
) -> None:
    for number in range(12):
        bot = services.create_spread_bot(
            actor=boss, name=f"B{number}", connection=connection, symbol="BTC/USDT",
            bid_spread_pct=Decimal("0.01"), ask_spread_pct=Decimal("0.01"), order_amount=Decimal(1),
        )  # fmt: skip
        a_fill(bot, number)
        Position.objects.create(bot=bot, symbol="BTC/USDT")
        Decision.objects.create(bot=bot, reason="x", at=timezone.now())
    with django_assert_max_num_queries(28):
        assert client.get(url).status_code == 200


def test_the_page_of_a_bot_with_many_trades_asks_no_more(
    client: Client, bot: SpreadBot, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        a_fill(bot, number)
    with django_assert_max_num_queries(30):
        client.get(change_url(bot))


def test_no_page_shows_a_secret_or_unescaped_names(client: Client, bot: SpreadBot, boss: User) -> None:
    services.start_bot(bot=bot, actor=boss)
    a_fill(bot, 1)
    pages = [LIST, change_url(bot), "/admin/", "/admin/audit/auditentry/"]
    for url in [*pages, *(f"/admin/bots/{name}/" for name in RECORDS)]:
        page = client.get(url).content.decode()
        assert CANARY not in page, url
        assert "<i>x</i>" not in page, url


@pytest.mark.parametrize(
    ("entered", "sentence"),
    [
        ({"level_overrides": "[[buy"}, "Write one entry an order"),
        ({"symbol": "/USDT"}, "base and quote with a slash"),
        ({"symbol": "BTC/"}, "base and quote with a slash"),
    ],
)
def test_what_is_written_wrong_is_told_how_to_be_written(
    client: Client, bot: SpreadBot, entered: dict[str, str], sentence: str
) -> None:
    assert sentence in save(client, change_url(bot), **entered).content.decode()
    assert SpreadBot.objects.get().symbol == "BTC/USDT"
