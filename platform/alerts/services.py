"""What people do to channels and rules. Doors check permissions; each change leaves an audit row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from alerts import courier
from alerts.courier import Verdict
from alerts.models import AlertChannel, AlertMessage, AlertRule, MessageState
from audit.services import record
from vault.secret import Secret

CHANNEL_FIELDS = ("name", "owner", "time_zone", "report_hour", "enabled")
RULE_FIELDS = (
    "name", "channel", "kinds", "least_severity", "connection_id", "bot_id", "owner_scope",
    "cooldown_seconds", "quiet_from", "quiet_until", "errors_wait", "enabled",
)  # fmt: skip
TEST_TITLE = "Botdesk: a test"
TEST_BODY = "This channel works: messages of the desk arrive here."
Alert = TypeVar("Alert", bound=AlertChannel | AlertRule)


@dataclass(frozen=True, kw_only=True)
class Address:
    """An address that was examined. service: as Apprise calls it."""

    url: Secret
    service: str


def examine_address(url: Secret) -> Address:
    """Looks its host up and takes a second: call it outside of transactions. Raises ValidationError."""
    verdict = courier.examine(url)
    if not verdict.ok:
        raise ValidationError(verdict.sentence)
    return Address(url=url, service=verdict.service)


@transaction.atomic
def create_channel(*, actor: User | None, address: Address | None, **fields: Any) -> AlertChannel:
    """Raises ValidationError with one sentence a field."""
    if address is None:
        raise ValidationError({"url": "Enter the address to which messages go."})
    channel = AlertChannel(**fields, service=address.service)
    channel.url = address.url
    channel.full_clean()
    channel.last_report_on = _reported_until(channel, timezone.now())
    channel.save()
    after = _told(channel, CHANNEL_FIELDS) | {"service": channel.service, "url": "set"}
    record(actor=actor, action="alert_channel.created", target=channel, after=after)
    return channel


@transaction.atomic
def update_channel(
    *, channel: AlertChannel, actor: User | None, address: Address | None = None, **fields: Any
) -> AlertChannel:
    """address: None leaves the stored one. Raises ValidationError."""
    current = _locked(channel)
    before = _told(current, CHANNEL_FIELDS)
    _set(current, fields)
    told: dict[str, str] = {}
    if address is not None:
        current.url, current.service = address.url, address.service
        current.failures, current.retry_at = 0, None
        told = {"url": "changed", "service": address.service}
    current.full_clean()
    if current.report_hour != channel.report_hour or current.time_zone != channel.time_zone:
        current.last_report_on = _reported_until(current, timezone.now())
    current.save()
    if not current.enabled:
        _drop_waiting(AlertMessage.objects.filter(channel=current))
    _record_change(actor, "alert_channel.updated", current, before, CHANNEL_FIELDS, told)
    return current


@transaction.atomic
def create_rule(*, actor: User | None, **fields: Any) -> AlertRule:
    """Raises ValidationError with one sentence a field."""
    rule = AlertRule(**fields)
    check_rule(rule)
    rule.save()
    record(actor=actor, action="alert_rule.created", target=rule, after=_told(rule, RULE_FIELDS))
    return rule


@transaction.atomic
def update_rule(*, rule: AlertRule, actor: User | None, **fields: Any) -> AlertRule:
    """Raises ValidationError."""
    current = _locked(rule)
    before = _told(current, RULE_FIELDS)
    _set(current, fields)
    check_rule(current)
    current.save()
    if not current.enabled:
        _drop_waiting(AlertMessage.objects.filter(rule=current))
    _record_change(actor, "alert_rule.updated", current, before, RULE_FIELDS, {})
    return current


def check_rule(rule: AlertRule) -> None:
    """Raises ValidationError."""
    rule.full_clean()
    kinds = rule.kinds
    if not isinstance(kinds, list) or not all(isinstance(kind, str) for kind in kinds):
        raise ValidationError({"kinds": "Write the kinds of events as a list of words."})
    if (rule.quiet_from is None) != (rule.quiet_until is None):
        raise ValidationError({"quiet_until": "Quiet hours have a start and an end: enter both, or neither."})
    if rule.quiet_from is not None and rule.quiet_from == rule.quiet_until:
        raise ValidationError({"quiet_until": "Quiet hours that end when they start would be none."})


@transaction.atomic
def set_enabled(*, row: AlertChannel | AlertRule, enabled: bool, actor: User | None) -> None:
    """What waits to be sent is dropped where it is disabled: it would be old news later."""
    current = _locked(row)
    if current.archived_at is not None:
        raise ValidationError(f"“{current}” is archived.")
    before = current.enabled
    current.enabled = enabled
    current.save(update_fields=["enabled"])
    if not enabled:
        _drop_waiting(_messages_of(current))
    record(
        actor=actor, action=f"{_noun(current)}.{'enabled' if enabled else 'disabled'}", target=current,
        before={"enabled": before}, after={"enabled": enabled},
    )  # fmt: skip


@transaction.atomic
def archive(*, row: AlertChannel | AlertRule, actor: User | None) -> None:
    """What deleting means. Twice is once."""
    current = _locked(row)
    if current.archived_at is not None:
        return
    current.archived_at = timezone.now()
    current.save(update_fields=["archived_at"])
    _drop_waiting(_messages_of(current))
    record(actor=actor, action=f"{_noun(current)}.archived", target=current)


def test_channel(*, channel: AlertChannel, actor: User | None) -> Verdict:
    """Sends a message now and says what came of it."""
    verdict = courier.send(channel.url, title=TEST_TITLE, body=TEST_BODY, severity="info")
    with transaction.atomic():
        AlertChannel.objects.filter(pk=channel.pk).update(
            last_result=verdict.sentence, last_result_at=timezone.now(), retry_at=None
        )
        after = {"outcome": verdict.outcome, "sentence": verdict.sentence}
        record(actor=actor, action="alert_channel.tested", target=channel, after=after)
    return verdict


def _reported_until(channel: AlertChannel, now: datetime) -> Any:
    """Today where the hour is over already: the first report is tomorrow's."""
    local = now.astimezone(ZoneInfo(channel.time_zone))
    is_over = channel.report_hour is not None and local.hour >= channel.report_hour
    return local.date() if is_over else None


def _set(row: AlertChannel | AlertRule, fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        setattr(row, name, value)


def _locked(row: Alert) -> Alert:
    locked: Alert = type(row)._default_manager.select_for_update(of=("self",)).get(pk=row.pk)
    return locked


def _noun(row: AlertChannel | AlertRule) -> str:
    return "alert_channel" if isinstance(row, AlertChannel) else "alert_rule"


def _messages_of(row: AlertChannel | AlertRule) -> Any:
    messages = AlertMessage.objects.all()
    return messages.filter(channel=row) if isinstance(row, AlertChannel) else messages.filter(rule=row)


def _drop_waiting(messages: Any) -> None:
    messages.filter(state=MessageState.WAITING).update(state=MessageState.DROPPED, ended_at=timezone.now())


def _told(row: AlertChannel | AlertRule, names: tuple[str, ...]) -> dict[str, Any]:
    """As an audit row shows them; people and channels by name."""
    values = {name: getattr(row, name) for name in names}
    by_name = {"owner", "owner_scope", "channel", "connection_id", "bot_id"}
    return {name: str(v) if name in by_name and v is not None else v for name, v in values.items()}


def _record_change(
    actor: User | None,
    action: str,
    row: AlertChannel | AlertRule,
    before: Mapping[str, Any],
    names: tuple[str, ...],
    told: Mapping[str, str],
) -> None:
    after = _told(row, names)
    changed = [name for name in names if before[name] != after[name]]
    if changed or told:
        record(
            actor=actor, action=action, target=row, before={name: before[name] for name in changed},
            after={name: after[name] for name in changed} | dict(told),
        )  # fmt: skip
