"""The kill switch: pulled with a reason, its outcome order by order, and released by who may."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from audit.admin import ReadOnlyAdmin
from bots.admin.records import order_badge
from bots.kill_apart import cancel_covered_apart
from bots.kill_targets import Choice, choices, outcomes_seen_by, target_named, visible_switches
from bots.models import KillSwitch, Order
from bots.switches import Target, engage_kill_switch, release_kill_switch, target_of
from exchanges.admin.cells import NOTHING, Number, age_cell, age_column, badge, table
from exchanges.selectors import SEES_ALL

PULL, RELEASE = "bots.pull_killswitch", "bots.release_killswitch"
SHOWN_ORDERS = 50
SLOW_SECONDS = 60.0
ORDER_HEADERS = ["Bot", "Connection", "Order", "State", Number("Age")]
OUTCOME_HEADERS = ["", "Connection", "Order", "What became of it"]


class PullForm(forms.Form):
    reason = forms.CharField(
        max_length=500, widget=forms.Textarea(attrs={"rows": 2, "class": "desk-input", "autofocus": True})
    )


@admin.register(KillSwitch)
class KillSwitchAdmin(ReadOnlyAdmin):
    list_display = [
        "number",
        "state",
        "covers_shown",
        "since",
        "engaged_by",
        "reason",
        "released_by",
        "orders",
    ]
    list_display_links = ["number"]
    list_filter = ["scope"]
    list_select_related = ["owner", "connection", "bot", "engaged_by", "released_by"]
    since = age_column("engaged_at", "pulled")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        acts = request.user.has_perm(PULL) or request.user.has_perm(RELEASE)
        return acts or bool(super().has_view_permission(request, obj))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[KillSwitch]:
        return visible_switches(request.user)

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """How many orders went is told of all of them, so to who sees all."""
        shown = list(super().get_list_display(request))
        return shown if request.user.has_perm(SEES_ALL) else [name for name in shown if name != "orders"]

    @admin.display(description="switch", ordering="pk")
    def number(self, switch: KillSwitch) -> str:
        return f"No. {switch.pk}"

    @admin.display(description="state")
    def state(self, switch: KillSwitch) -> SafeString:
        return badge("on", "bad") if switch.released_at is None else badge("released", "quiet")

    @admin.display(description="covers", ordering="scope")
    def covers_shown(self, switch: KillSwitch) -> str:
        return str(switch)

    @admin.display(description="orders gone")
    def orders(self, switch: KillSwitch) -> str:
        if switch.cancelled_at is None and switch.cancelling_since is not None:
            return NOTHING
        gone = sum(1 for row in switch.outcome if row["is_certain"])
        return f"{gone} of {len(switch.outcome)}"

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Any, name: str) -> URLPattern:
            guarded = self.admin_site.admin_view(view)
            found: URLPattern = path(route, guarded, name=f"bots_killswitch_{name}")
            return found

        return [
            page("pull/", self.pull_view, "pull"),
            page("<slug:object_id>/outcome/", require_GET(self.outcome_view), "outcome"),
            page("<slug:object_id>/again/", require_POST(self.again_view), "again"),
            page("<slug:object_id>/release/", require_POST(self.release_view), "release"),
            *super().get_urls(),
        ]

    def pull_view(self, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm(PULL):
            raise PermissionDenied
        named = request.POST.get("for") or request.GET.get("for") or ""
        offered = choices(request.user)
        target = target_named(named, request.user) if named else None
        if named and target is None:
            raise Http404
        form = PullForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and target is not None and form.is_valid():
            switch = engage_kill_switch(
                actor=_actor(request), target=target, reason=form.cleaned_data["reason"]
            )
            cancel_covered_apart(switch)
            return HttpResponseRedirect(_url("change", switch))
        return self._pull_page(request, form, offered, named, target)

    def _pull_page(
        self,
        request: HttpRequest,
        form: PullForm,
        offered: list[Choice],
        named: str,
        target: Target | None,
    ) -> HttpResponse:
        context = self.admin_site.each_context(request) | {
            "title": "Kill switch", "opts": self.opts, "form": form, "named": named, "choices": offered,
            "covers": _covers(target) if target else None,
            "engaged": visible_switches(request.user).engaged(),
        }  # fmt: skip
        return render(request, "console/kill_pull.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        switch = self._switch(request, object_id)
        context = self.admin_site.each_context(request) | {
            "title": f"Kill switch: {switch}", "opts": self.opts, "switch": switch, "original": switch,
            "age": age_cell(switch.engaged_at), "released_age": age_cell(switch.released_at),
            "may_pull": request.user.has_perm(PULL), "may_release": request.user.has_perm(RELEASE),
            **_outcome(request, switch),
        }  # fmt: skip
        return render(request, "console/kill_switch.html", context)

    def outcome_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        switch = self._switch(request, object_id)
        return render(request, "console/parts/kill_outcome.html", _outcome(request, switch))

    def again_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        switch = self._acted_on(request, object_id, PULL)
        if switch.released_at is not None:
            messages.error(request, "It is released already: pull it anew.")
        else:
            engage_kill_switch(actor=_actor(request), target=target_of(switch), reason=switch.reason)
            cancel_covered_apart(switch)
        return HttpResponseRedirect(_url("change", switch))

    def release_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        switch = self._acted_on(request, object_id, RELEASE)
        release_kill_switch(actor=_actor(request), switch=switch)
        messages.success(request, f"Released: {switch}. What it covered goes on as it was.")
        return HttpResponseRedirect(_url("change", switch))

    def _switch(self, request: HttpRequest, object_id: str) -> KillSwitch:
        """One that this person sees."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        switch: KillSwitch | None = self.get_object(request, object_id)
        if switch is None:
            raise Http404
        return switch

    def _acted_on(self, request: HttpRequest, object_id: str, permission: str) -> KillSwitch:
        """One that this person may act on: what covers others than their own is not theirs to move."""
        if not request.user.has_perm(permission):
            raise PermissionDenied
        switch = self._switch(request, object_id)
        if not _is_theirs(request, switch):
            raise PermissionDenied
        return switch


def _actor(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _is_theirs(request: HttpRequest, switch: KillSwitch) -> bool:
    return request.user.has_perm(SEES_ALL) or target_of(switch) != Target()


def _url(page: str, switch: KillSwitch) -> str:
    return reverse(f"admin:bots_killswitch_{page}", args=[switch.pk])


def _covers(target: Target) -> dict[str, Any]:
    """What would stop, and which orders would go."""
    orders = target.live_orders().order_by("-created_at")
    return {
        "connections": target.connections().filter(archived_at=None).count(),
        "bots": list(target.bots()[:SHOWN_ORDERS]),
        "bot_count": target.bots().count(),
        "order_count": orders.count(),
        "orders": table("", ORDER_HEADERS, map(_order, orders[:SHOWN_ORDERS])),
    }


def _order(order: Order) -> tuple[Any, ...]:
    return order.bot.name, order.connection.name, str(order), order_badge(order), age_cell(order.created_at)


def _outcome(request: HttpRequest, switch: KillSwitch) -> dict[str, Any]:
    """What became of the orders that this person sees."""
    is_busy = switch.cancelled_at is None and switch.cancelling_since is not None
    shown = outcomes_seen_by(request.user)(switch)
    uncertain = sum(1 for row in shown if not row["is_certain"])
    noted = [row["order"] for row in shown] if is_busy else []
    busy = Order.objects.filter(client_id__in=noted).select_related("connection", "bot")
    return {
        "switch": switch,
        "is_busy": is_busy,
        "busy_age": age_cell(switch.cancelling_since),
        "is_slow": is_busy and _seconds_since(switch) > SLOW_SECONDS,
        "total": len(shown),
        "uncertain": uncertain,
        "outcome_url": _url("outcome", switch),
        "outcome": table("", OUTCOME_HEADERS, map(_outcome_row, sorted(shown, key=_is_certain))),
        "live": table("", ORDER_HEADERS, map(_order, busy[:SHOWN_ORDERS])),
    }


def _seconds_since(switch: KillSwitch) -> float:
    since = switch.cancelling_since
    return (timezone.now() - since).total_seconds() if since else 0.0


def _is_certain(row: dict[str, Any]) -> bool:
    return bool(row["is_certain"])


def _outcome_row(row: dict[str, Any]) -> tuple[Any, ...]:
    mark = badge("gone", "good") if row["is_certain"] else badge("may rest", "bad")
    return mark, row["connection"], row["text"], row["sentence"]
