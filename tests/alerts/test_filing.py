"""How events become messages: joined in bursts, put off in quiet hours, and told to who may see them."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from alerts.filing import QUIET, SHOWN_LINES, body
from alerts.models import AlertChannel, AlertMessage, AlertRule, MessageState
from bots import alerting
from bots.models import BotEvent, SpreadBot
from exchanges.models import ExchangeConnection
from tests.alerts.conftest import make_channel

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
NIGHT = datetime(2026, 7, 1, 23, tzinfo=UTC)


@pytest.fixture
def rule(channel: AlertChannel) -> AlertRule:
    return AlertRule.objects.create(
        name="All", channel=channel, least_severity="warning", cooldown_seconds=300,
        quiet_from=time(22), quiet_until=time(7),
    )  # fmt: skip


def event(connection: ExchangeConnection, text: str = "It broke.", **fields: Any) -> BotEvent:
    given: dict[str, Any] = {"at": NOON, "kind": "breaker_open", "severity": "warning"}
    return BotEvent.objects.create(connection=connection, text=text, **(given | fields))


def messages() -> list[AlertMessage]:
    return list(AlertMessage.objects.order_by("pk"))


def sent(message: AlertMessage, at: datetime) -> None:
    AlertMessage.objects.filter(pk=message.pk).update(state=MessageState.SENT, ended_at=at)


def test_an_event_becomes_a_message_that_says_where_and_what(
    rule: AlertRule, connection: ExchangeConnection, settings: Settings
) -> None:
    settings.SITE_URL = "https://desk.example"
    event(connection, "Kraken is down. It is asked again.")
    alerting.file_news(NOON)
    (message,) = messages()
    assert message.title == "Warning: Main"
    assert body(message).splitlines() == [
        "2026-07-01 12:00:00 UTC, Main: Kraken is down. It is asked again.",
        f"https://desk.example/admin/exchanges/exchangeconnection/{connection.pk}/change/",
    ]
    assert message.not_before == NOON


def test_a_bots_message_leads_to_its_page(
    rule: AlertRule, connection: ExchangeConnection, settings: Settings
) -> None:
    settings.SITE_URL = "https://desk.example"
    bot = SpreadBot.objects.create(
        name="Maker", connection=connection, symbol="BTC/USDT", bid_spread_pct="0.01", ask_spread_pct="0.01",
        order_amount="1",
    )  # fmt: skip
    event(connection, bot=bot)
    alerting.file_news(NOON)
    (message,) = messages()
    assert (message.title, message.url) == (
        "Warning: Maker on Main", f"https://desk.example/admin/bots/spreadbot/{bot.pk}/change/",
    )  # fmt: skip


def test_an_event_is_filed_once(rule: AlertRule, connection: ExchangeConnection) -> None:
    event(connection)
    assert [alerting.file_news(NOON), alerting.file_news(NOON)] == [1, 0]
    assert len(messages()) == 1


def test_an_event_that_was_numbered_before_the_last_and_appears_after_it_is_not_lost(
    rule: AlertRule, connection: ExchangeConnection
) -> None:
    late, first = event(connection, "late"), event(connection, "first")
    BotEvent.objects.filter(pk=late.pk).delete()  # its transaction is not committed yet
    alerting.file_news(NOON)
    late.save(force_insert=True)
    assert late.pk < first.pk
    alerting.file_news(NOON)
    assert "late" in body(messages()[-1])


def test_what_is_too_mild_is_not_told(rule: AlertRule, connection: ExchangeConnection) -> None:
    event(connection, severity="info")
    assert alerting.file_news(NOON) == 1
    assert messages() == []


def test_nothing_is_kept_back_for_the_first_channel(connection: ExchangeConnection, ada: User) -> None:
    event(connection)
    alerting.file_news(NOON)
    AlertRule.objects.create(name="All", channel=make_channel(ada, "json://203.0.113.9"))
    alerting.file_news(NOON)
    assert messages() == []


def test_a_burst_is_one_message_with_the_first_lines_and_how_many_more(
    rule: AlertRule, connection: ExchangeConnection
) -> None:
    for number in range(SHOWN_LINES + 12):
        event(connection, f"number {number}")
    alerting.file_news(NOON)
    (message,) = messages()
    assert message.count == SHOWN_LINES + 12
    assert "number 9" in body(message)
    assert "number 10" not in body(message)
    assert body(message).endswith("… and 12 more of the kind.")


def test_more_of_a_kind_waits_for_the_cooldown_and_goes_as_one(
    rule: AlertRule, connection: ExchangeConnection
) -> None:
    event(connection)
    alerting.file_news(NOON)
    sent(messages()[0], NOON + timedelta(seconds=10))
    for seconds in (60, 120):
        event(connection)
        alerting.file_news(NOON + timedelta(seconds=seconds))
    _, second = messages()
    assert second.count == 2
    assert second.not_before == NOON + timedelta(seconds=310)


def test_after_the_cooldown_it_is_told_at_once(rule: AlertRule, connection: ExchangeConnection) -> None:
    event(connection)
    alerting.file_news(NOON)
    sent(messages()[0], NOON)
    event(connection)
    later = NOON + timedelta(seconds=301)
    alerting.file_news(later)
    assert messages()[1].not_before == later


def test_another_kind_does_not_wait(rule: AlertRule, connection: ExchangeConnection) -> None:
    event(connection)
    event(connection, kind="score_changed")
    alerting.file_news(NOON)
    assert [message.not_before for message in messages()] == [NOON, NOON]


def test_what_is_being_sent_is_not_changed_any_more(rule: AlertRule, connection: ExchangeConnection) -> None:
    event(connection)
    alerting.file_news(NOON)
    AlertMessage.objects.update(state=MessageState.SENDING)
    event(connection)
    alerting.file_news(NOON)
    assert [message.count for message in messages()] == [1, 1]


def test_quiet_hours_end_with_one_summary(rule: AlertRule, connection: ExchangeConnection) -> None:
    event(connection, "one")
    event(connection, "another", kind="score_changed")
    alerting.file_news(NIGHT)
    event(connection, "a third")
    alerting.file_news(NIGHT + timedelta(hours=3))
    (message,) = messages()
    assert (message.key, message.count, message.title) == (QUIET, 3, "Summary of quiet hours")
    assert message.not_before == datetime(2026, 7, 2, 7, tzinfo=UTC)
    assert all(word in body(message) for word in ("one", "another", "a third"))


@pytest.mark.parametrize(("errors_wait", "due"), [(False, NIGHT), (True, NIGHT + timedelta(hours=8))])
def test_an_error_is_told_in_quiet_hours_unless_the_rule_says_no(
    rule: AlertRule, connection: ExchangeConnection, errors_wait: bool, due: datetime
) -> None:
    AlertRule.objects.update(errors_wait=errors_wait)
    event(connection, severity="error")
    alerting.file_news(NIGHT)
    assert messages()[0].not_before == due


def test_a_cooldown_that_ends_in_quiet_hours_ends_with_them(
    rule: AlertRule, connection: ExchangeConnection
) -> None:
    before = datetime(2026, 7, 1, 21, 58, tzinfo=UTC)
    event(connection)
    alerting.file_news(before)
    sent(messages()[0], before)
    event(connection)
    alerting.file_news(before + timedelta(minutes=1))
    assert messages()[1].not_before == datetime(2026, 7, 2, 7, tzinfo=UTC)


def test_a_client_is_told_of_their_own_connections_only(
    rule: AlertRule, bob: User, connection: ExchangeConnection
) -> None:
    AlertRule.objects.create(name="Bob's", channel=make_channel(bob, "json://203.0.113.9"))
    event(connection)
    alerting.file_news(NOON)
    assert [message.rule for message in messages()] == [rule]


def test_who_sees_all_is_told_of_all(connection: ExchangeConnection, receiver: object) -> None:
    boss = User.objects.create_superuser("boss")
    AlertRule.objects.create(name="Boss's", channel=make_channel(boss, "json://203.0.113.9"))
    event(connection)
    alerting.file_news(NOON)
    assert len(messages()) == 1


@pytest.mark.parametrize("change", [{"enabled": False}, {"archived_at": NOON}], ids=["disabled", "archived"])
@pytest.mark.parametrize("model", [AlertRule, AlertChannel])
def test_what_is_disabled_or_archived_tells_nothing(
    rule: AlertRule, connection: ExchangeConnection, model: Any, change: dict[str, Any]
) -> None:
    model.objects.update(**change)
    event(connection)
    alerting.file_news(NOON)
    assert messages() == []
