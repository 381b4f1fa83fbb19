"""Channels, their rules, and what was sent: everybody has their own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from alerts import services
from alerts.filing import body
from alerts.models import AlertChannel, AlertMessage, AlertRule, MessageState
from audit.admin import ReadOnlyAdmin
from console.alert_forms import ChannelForm, RuleForm
from exchanges.admin.acting import Act, ActingAdmin
from exchanges.admin.cells import NOTHING, age_column, badge
from exchanges.admin.owned import OwnedAdmin
from exchanges.selectors import SEES_ALL
from vault.secret import Secret

STATE_KINDS = {MessageState.SENT: "good", MessageState.FAILED: "bad", MessageState.SENDING: "busy"}


def run_test(channel: AlertChannel, actor: User) -> str:
    verdict = services.test_channel(channel=channel, actor=actor)
    if not verdict.ok:
        raise ValidationError(f"“{channel}”: {verdict.sentence}")
    return f"“{channel}” works: {verdict.sentence}"


def enable(row: AlertChannel | AlertRule, actor: User) -> str:
    services.set_enabled(row=row, enabled=True, actor=actor)
    return f"“{row}” is enabled."


def disable(row: AlertChannel | AlertRule, actor: User) -> str:
    services.set_enabled(row=row, enabled=False, actor=actor)
    return f"“{row}” is disabled; what waited to be sent is dropped."


def archive(row: AlertChannel | AlertRule, actor: User) -> str:
    services.archive(row=row, actor=actor)
    return f"“{row}” is archived."


def acts_of(model: str) -> tuple[Act, ...]:
    change = f"alerts.change_{model}"
    return (
        Act(
            name="enable", label="Enable", permission=change, run=enable,
            offered=lambda row: row.archived_at is None and not row.enabled,
        ),
        Act(
            name="disable", label="Disable", permission=change, run=disable,
            offered=lambda row: row.archived_at is None and row.enabled,
        ),
        Act(
            name="archive", label="Archive", permission=f"alerts.delete_{model}", run=archive,
            is_dangerous=True, confirm="Archive it? It stays on record and sends nothing more.",
        ),
    )  # fmt: skip


class OwnAlerts(OwnedAdmin):
    """to_connection: the lookup that leads from a row to its channel, whose owner sees it."""

    to_connection = "channel"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = ModelAdmin.get_queryset(self, request)
        to_owner = "owner" if self.to_connection == "pk" else f"{self.to_connection}__owner"
        return rows if request.user.has_perm(SEES_ALL) else rows.filter(**{to_owner: request.user.pk})


class AlertAdmin(OwnAlerts, ActingAdmin):
    change_form_outer_before_template = "console/alert_top.html"
    list_fullwidth = True

    @admin.display(description="state")
    def state(self, row: AlertChannel | AlertRule) -> SafeString:
        if row.archived_at is not None:
            return badge("archived", "quiet")
        return badge("enabled", "good") if row.enabled else badge("disabled", "bad")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.pk = form.save_through_service(request.user).pk

    def above_form(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        above = super().above_form(request, row)
        return above if row is None else above | {"state": self.state(row)}


@admin.register(AlertChannel)
class ChannelAdmin(AlertAdmin):
    to_connection = "pk"
    form = ChannelForm
    list_display = ["name", "service", "owner", "state", "report_hour", "result", "result_age"]
    list_filter = ["enabled", "service"]
    search_fields = ["name", "service"]
    list_select_related = ["owner"]
    acts = (
        Act(
            name="test", label="Test", permission="alerts.test_alertchannel", run=run_test, is_primary=True
        ),
        *acts_of("alertchannel"),
    )  # fmt: skip
    result_age = age_column("last_result_at", "last message")

    @admin.display(description="what came of it")
    def result(self, channel: AlertChannel) -> str:
        return channel.last_result or NOTHING

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        sees_form = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        return ["name", "owner", *(["url"] if sees_form else []), "time_zone", "report_hour", "enabled"]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        given: dict[str, Any] = super().get_changeform_initial_data(request)
        return {"owner": request.user.pk} | given

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.examined = getattr(request, "examined_address", None)
        return form

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The address is looked at first: its host is looked up, which no transaction has to wait for."""
        typed = request.POST.get("url", "").strip()
        if typed and (self.has_add_permission(request) or self.has_change_permission(request)):
            request.examined_address = _examined(Secret(typed))  # type: ignore[attr-defined]
        return super().changeform_view(request, *args, **kwargs)


def _examined(url: Secret) -> services.Address | ValidationError:
    try:
        return services.examine_address(url)
    except ValidationError as refused:
        return refused


@admin.register(AlertRule)
class RuleAdmin(AlertAdmin):
    form = RuleForm
    list_display = ["name", "channel", "least_severity", "kinds_shown", "cooldown_seconds", "quiet", "state"]
    list_filter = ["enabled", "least_severity"]
    search_fields = ["name", "channel__name"]
    list_select_related = ["channel"]
    fields = [
        "name", "channel", "least_severity", "kinds", "connection", "bot", "owner_scope", "cooldown_seconds",
        ("quiet_from", "quiet_until"), "errors_wait", "enabled",
    ]  # fmt: skip
    acts = acts_of("alertrule")

    @admin.display(description="kinds")
    def kinds_shown(self, rule: AlertRule) -> str:
        return ", ".join(rule.kinds) or "all"

    @admin.display(description="quiet hours")
    def quiet(self, rule: AlertRule) -> str:
        hours = rule.quiet_hours
        return f"{hours.start:%H:%M} to {hours.end:%H:%M}, {hours.zone}" if hours else NOTHING

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who may only look sees what is stored."""
        sees_form = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        stored = {"connection": "connection_id", "bot": "bot_id"}
        return self.fields if sees_form else [stored.get(str(name), name) for name in self.fields]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.person = request.user
        return form

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> QuerySet[Any] | None:
        if db_field.remote_field.model is AlertChannel:
            channels = AlertChannel.objects.filter(archived_at=None)
            return channels if request.user.has_perm(SEES_ALL) else channels.filter(owner=request.user.pk)
        return super().get_field_queryset(db, db_field, request)


@admin.register(AlertMessage)
class MessageAdmin(OwnAlerts, ReadOnlyAdmin):
    list_display = ["age", "channel", "title", "count", "state_shown", "attempts", "last_error"]
    list_filter = ["state", "severity"]
    search_fields = ["title", "channel__name"]
    list_select_related = ["channel", "rule"]
    fields = [
        "channel", "rule", "title", "text", "severity", "state_shown", "created_at", "not_before", "attempts",
        "last_error", "ended_at",
    ]  # fmt: skip
    age = age_column("created_at", "created")

    @admin.display(description="text")
    def text(self, message: AlertMessage) -> str:
        return body(message)

    @admin.display(description="state", ordering="state")
    def state_shown(self, message: AlertMessage) -> SafeString:
        return badge(message.state, STATE_KINDS.get(MessageState(message.state), "quiet"))
