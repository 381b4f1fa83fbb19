"""Connections: their form, the test of one, and the list."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from audit.models import AuditEntry
from exchanges import services
from exchanges.admin.acting import Act, ActingAdmin, Caution
from exchanges.admin.cells import INPUTS, NOTHING, age_cell, age_column, badge
from exchanges.admin.connection_form import ConnectionForm
from exchanges.admin.credentials import CREDENTIALS, credential_fieldset
from exchanges.admin.health import health_cell, health_facts
from exchanges.admin.worth import worth_cell, worth_sentences
from exchanges.checkup.apart import CheckupError
from exchanges.checkup.report import Outcome, Step
from exchanges.models import ExchangeConnection, Mode
from exchanges.selectors import same_key_warnings
from exchanges.venues.facts import Venue
from exchanges.venues.registry import known_venues, venue_or_none


def mode_badge(connection: ExchangeConnection, *, is_dry_run: bool | None = None) -> SafeString:
    """is_dry_run: of a record, whatever the desk does now; None: as the connection trades now."""
    if connection.mode != Mode.LIVE:
        return badge("paper", "paper")
    dry = connection.is_dry_run if is_dry_run is None else is_dry_run
    return badge("dry run", "paper") if dry else badge("live", "live")


def run_test(connection: ExchangeConnection, actor: User) -> str:
    try:
        report = services.test_connection_apart(connection=connection, actor=actor)
    except CheckupError as error:
        raise ValidationError(str(error)) from None
    if not report.ok:
        raise ValidationError([report.cause, *report.cautions])
    answers = f": it answers in {report.latency_ms} ms" if report.latency_ms else ""
    works = f"“{connection}” works{answers}."
    return Caution(" ".join([works, *report.cautions])) if report.cautions else works


def archive(connection: ExchangeConnection, actor: User) -> str:
    services.archive_connection(connection=connection, actor=actor)
    return f"“{connection}” is archived; its records stay."


TEST = Act(
    name="test", label="Test connection", permission="exchanges.test_exchangeconnection", run=run_test,
    is_primary=True,
)  # fmt: skip
# What decides whether a connection works: where one of these is changed, it is tested as it is saved.
TESTED = {
    *CREDENTIALS,
    "venue",
    "mode",
    "proxy_url",
    "proxy_username",
    "proxy_password",
    "proxy_ca",
    "proxy_ipv4_only",
}


@admin.register(ExchangeConnection)
class ConnectionAdmin(ActingAdmin):
    to_connection = "pk"
    form = ConnectionForm
    formfield_overrides = INPUTS
    change_form_outer_before_template = "console/connection_top.html"
    list_display = [
        "name", "venue", "mode_shown", "state", "owner", "bots_at_work", "health_shown", "worth",
        "answer_age", "balances_age", "error",
    ]  # fmt: skip
    list_filter = ["mode", "venue", "enabled", "owner", "health__grade", "health__state"]
    search_fields = ["name", "venue", "owner__username"]
    list_select_related = ["owner", "last_snapshot", "health"]
    list_fullwidth = True
    warn_unsaved_form = True
    fieldsets: list[tuple[str | None, dict[str, Any]]] = [
        (None, {"fields": ["name", "venue", "mode", "owner", "enabled"]}),
        (
            "Proxy",
            {
                "fields": [
                    "proxy_url",
                    "proxy_username",
                    ("proxy_password", "clear_proxy_password"),
                    "proxy_ca",
                    "proxy_ipv4_only",
                ]
            },
        ),
        ("Account", {"fields": ["quote_currency", "paper_balances"]}),
    ]
    acts = (
        TEST,
        Act(
            name="archive", label="Archive", permission="exchanges.delete_exchangeconnection", run=archive,
            is_dangerous=True, confirm="Archive this connection? Its records stay.",
        ),
    )  # fmt: skip

    answer_age = age_column("last_answer_at", "last answer")
    balances_age = age_column("balances_at", "balances")

    @admin.display(description="mode", ordering="mode")
    def mode_shown(self, connection: ExchangeConnection) -> SafeString:
        return mode_badge(connection)

    @admin.display(description="state")
    def state(self, connection: ExchangeConnection) -> SafeString:
        if connection.archived_at is not None:
            return badge("archived", "quiet")
        return badge("enabled", "good") if connection.enabled else badge("disabled", "bad")

    @admin.display(description="bots at work")
    def bots_at_work(self, connection: Any) -> str:
        return f"{connection.bots_at_work_count} of {connection.bots_count}"

    @admin.display(description="health", ordering="health__score")
    def health_shown(self, connection: ExchangeConnection) -> SafeString | str:
        return health_cell(connection)

    @admin.display(description="worth")
    def worth(self, connection: ExchangeConnection) -> SafeString | str:
        return worth_cell(connection)

    @admin.display(description="last error")
    def error(self, connection: ExchangeConnection) -> str:
        return connection.last_error or NOTHING

    def get_queryset(self, request: HttpRequest) -> QuerySet[ExchangeConnection]:
        connections: QuerySet[ExchangeConnection] = super().get_queryset(request)
        return connections.prefetch_related("balances").annotate(
            bots_count=Count("bots", filter=Q(bots__archived_at=None)),
            bots_at_work_count=Count("bots", filter=~Q(bots__state="stopped")),
        )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who may only look sees no secrets, not even that there are any."""
        sees_form = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        if not sees_form:
            fields = [
                "name", "venue", "mode", "owner", "enabled", "proxy_url", "quote_currency", "paper_balances",
            ]  # fmt: skip
            return [(None, {"fields": fields})]
        about, *others = self.fieldsets
        return [
            (title, options | {"fields": [_without_idle_clear(row, obj) for row in options["fields"]]})
            for title, options in (about, *credential_fieldset(_chosen_venue(request, obj), obj), *others)
        ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        given: dict[str, Any] = super().get_changeform_initial_data(request)
        return {"owner": request.user.pk} | given

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        saved = form.save_through_service(request.user)
        obj.pk = saved.pk
        for note in form.notes:
            messages.info(request, note)
        if (
            saved.api_key
            and TESTED.intersection(form.changed_data)
            and request.user.has_perm(TEST.permission)
        ):
            transaction.on_commit(partial(self.perform, request, TEST, [saved]))
            return  # the test tells these warnings, too
        for warning in same_key_warnings(saved):
            messages.warning(request, warning)

    def above_form(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        above = super().above_form(request, row) | {
            "known_venues": known_venues(),
            "chosen": _chosen_venue(request, row),
        }
        if row is None:
            return above
        last_test = _last_test(row)
        return above | {
            "warnings": [*same_key_warnings(row), *(last_test["warnings"] if last_test else [])],
            "kill_for": f"connection:{row.pk}",
            "mode": mode_badge(row),
            "state": self.state(row),
            "answer_age": age_cell(row.last_answer_at),
            "balances_age": age_cell(row.balances_at),
            "worth": worth_sentences(row),
            "health": health_facts(row),
            "last_test": last_test,
        }


def _chosen_venue(request: HttpRequest, connection: ExchangeConnection | None) -> Venue | None:
    """Whose words the form uses: as it was sent, as the address says, or as it is stored."""
    stored = connection.venue if connection else ""
    return venue_or_none(request.POST.get("venue") or request.GET.get("venue") or stored)


def _without_idle_clear(row: str | tuple[str, str], connection: ExchangeConnection | None) -> Any:
    """A row of the form, without the box that removes a secret where none is stored."""
    if isinstance(row, str):
        return row
    name, clear = row
    return (name, clear) if connection is not None and getattr(connection, name) else name


def _last_test(connection: ExchangeConnection) -> dict[str, Any] | None:
    entries = AuditEntry.objects.filter(
        target_type="exchanges.exchangeconnection", target_id=str(connection.pk), action="connection.tested"
    )
    entry = entries.first()
    if entry is None:
        return None
    steps = [Step.from_json(step) for step in entry.after["steps"]]
    return {
        "age": age_cell(entry.at),
        "steps": [(outcome_badge(step.outcome), step) for step in steps],
        "warnings": [step.sentence for step in steps if step.outcome is Outcome.WARNING],
    }


def outcome_badge(outcome: Outcome) -> SafeString:
    kinds = {Outcome.PASSED: "good", Outcome.WARNING: "busy", Outcome.FAILED: "bad"}
    return badge(outcome.value, kinds.get(outcome, "quiet"))
