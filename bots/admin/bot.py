"""What the admin does with every kind of bot: its buttons, its list, its page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from bots import services
from bots.admin.market_part import book_context, changes_table, market_chart, profit_chart
from bots.markets import shown_markets
from bots.models import AnyBot, BotState
from bots.selectors import broker_warning, worker_warning
from bots.validation import warnings_of
from exchanges.admin.acting import Act, ActingAdmin, ServiceForm
from exchanges.admin.cells import INPUTS, NOTHING, age_column, badge
from exchanges.admin.connection import mode_badge

STATE_KINDS = {
    BotState.RUNNING: "good", BotState.PAUSED: "busy", BotState.STOPPING: "busy", BotState.STOPPED: "quiet",
}  # fmt: skip


def state_badge(bot: AnyBot) -> SafeString:
    state = badge(bot.state, STATE_KINDS[BotState(bot.state)])
    return state + badge("archived", "quiet") if bot.archived_at else state


def start(bot: AnyBot, actor: User) -> str:
    services.start_bot(bot=bot, actor=actor)
    return f"“{bot}” is started."


def pause(bot: AnyBot, actor: User) -> str:
    services.pause_bot(bot=bot, actor=actor)
    return f"“{bot}” is paused: {bot.when_paused}"


def stop(bot: AnyBot, actor: User) -> str:
    services.stop_bot(bot=bot, actor=actor)
    bot.refresh_from_db()
    if bot.state == BotState.STOPPED:
        return f"“{bot}” is stopped."
    return f"“{bot}” is stopping: a worker settles its orders first."


def clone(bot: AnyBot, actor: User) -> str:
    return f"“{services.clone_bot(bot=bot, actor=actor)}” has the same settings, and is stopped."


def archive(bot: AnyBot, actor: User) -> str:
    services.archive_bot(bot=bot, actor=actor)
    return f"“{bot}” is archived; its records stay."


def is_current_and(*states: BotState) -> Any:
    return lambda bot: bot.archived_at is None and bot.state in states


def acts_of(kind: type[AnyBot]) -> tuple[Act, ...]:
    name = kind._meta.model_name
    return (
        Act(
            name="start", label="Start", permission="bots.operate_bot", run=start, is_primary=True,
            offered=is_current_and(BotState.STOPPED, BotState.PAUSED),
        ),
        Act(
            name="pause", label="Pause", permission="bots.operate_bot", run=pause,
            offered=is_current_and(BotState.RUNNING),
        ),
        Act(
            name="stop", label="Stop", permission="bots.operate_bot", run=stop,
            offered=lambda bot: bot.state in {BotState.RUNNING, BotState.PAUSED},
        ),
        Act(name="clone", label="Copy", permission=f"bots.add_{name}", run=clone),
        Act(
            name="archive", label="Archive", permission=f"bots.delete_{name}", run=archive,
            is_dangerous=True, confirm="Archive this bot? It is stopped first, and its records stay.",
        ),
    )  # fmt: skip


class BotForm(ServiceForm):
    create: Callable[..., AnyBot]

    def save_through_service(self, actor: User | None) -> AnyBot:
        names = services.FIELDS[type(self.instance)]
        fields = {name: value for name, value in self.cleaned_data.items() if name in names}
        if self.instance._state.adding:
            return self.create(actor=actor, **fields)
        return services.update_bot(bot=self.instance, actor=actor, **fields)


class BotAdmin(ActingAdmin):
    """The kinds add their form, their acts and what their page shows."""

    formfield_overrides = INPUTS
    change_form_outer_before_template = "console/bot_top.html"
    list_select_related = ["connection", "decision"]
    list_fullwidth = True
    warn_unsaved_form = True
    actions = ["start_selected", "pause_selected", "stop_selected", "archive_selected"]

    cycle_age = age_column("last_cycle_at", "last cycle")

    @admin.display(description="state", ordering="state")
    def state_shown(self, bot: AnyBot) -> SafeString:
        return state_badge(bot)

    @admin.display(description="mode", ordering="connection__mode")
    def mode(self, bot: AnyBot) -> SafeString:
        return mode_badge(bot.connection)

    @admin.display(description="last decision")
    def reason(self, bot: AnyBot) -> str:
        return bot.decision.reason if hasattr(bot, "decision") else NOTHING

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("bots.operate_bot")

    def has_archive_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(self._act("archive").permission)

    @admin.action(description="Start", permissions=["operate"])
    def start_selected(self, request: HttpRequest, bots: QuerySet[AnyBot]) -> None:
        self.perform(request, self._act("start"), bots)

    @admin.action(description="Pause", permissions=["operate"])
    def pause_selected(self, request: HttpRequest, bots: QuerySet[AnyBot]) -> None:
        self.perform(request, self._act("pause"), bots)

    @admin.action(description="Stop", permissions=["operate"])
    def stop_selected(self, request: HttpRequest, bots: QuerySet[AnyBot]) -> None:
        self.perform(request, self._act("stop"), bots)

    @admin.action(description="Archive", permissions=["archive"])
    def archive_selected(self, request: HttpRequest, bots: QuerySet[AnyBot]) -> None:
        self.perform(request, self._act("archive"), bots)

    def _act(self, name: str) -> Act:
        return next(act for act in self.acts if act.name == name)

    def page_context(self, bot: Any) -> dict[str, Any]:
        """What its kind's page shows beside its settings."""
        raise NotImplementedError

    def preview_context(self, bot: Any) -> dict[str, Any]:
        """What it would do with its settings."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        name = f"bots_{self.model._meta.model_name}"

        def page(word: str, view: Any) -> URLPattern:
            guarded = self.admin_site.admin_view(view)
            found: URLPattern = path(f"<uuid:object_id>/{word}/", guarded, name=f"{name}_{word}")
            return found

        return [
            page("now", require_GET(self.now_view)),
            page("book", require_GET(self.book_view)),
            page("market", require_GET(self.market_view)),
            page("profit", require_GET(self.profit_view)),
            page("look", require_POST(self.look_view)),
            *super().get_urls(),
        ]

    def now_view(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """What it does, its figures, orders, trades and events."""
        bot = self._seen(request, object_id)
        return render(request, "console/parts/bot_renewed.html", self._now(bot))

    def book_view(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        bot = self._seen(request, object_id)
        return render(request, "console/parts/book.html", book_context(bot, _symbol(request, bot)))

    def market_view(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        bot = self._seen(request, object_id)
        return JsonResponse(market_chart(bot, _symbol(request, bot)))

    def profit_view(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return JsonResponse(profit_chart(self._seen(request, object_id)))

    def look_view(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Somebody has the page open: a worker shows the market's book for a while."""
        bot = self._seen(request, object_id)
        if symbol := _symbol(request, bot):
            services.look_at_market(connection=bot.connection, symbol=symbol)
        return HttpResponse(status=204)

    def _seen(self, request: HttpRequest, object_id: Any) -> Any:
        """A bot that this person may see."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        bot = self.get_object(request, str(object_id))
        if bot is None:
            raise Http404
        return bot

    def _now(self, bot: Any) -> dict[str, Any]:
        return self.page_context(bot) | {"state": state_badge(bot), "mode": mode_badge(bot.connection)}

    def _page(self, request: HttpRequest, bot: Any) -> dict[str, Any]:
        """All that stands above the form. Its parts are asked for again by themselves."""
        name, symbols = f"admin:bots_{self.model._meta.model_name}", shown_markets(bot)
        symbol = _chosen(request, symbols)
        urls = {
            word: reverse(f"{name}_{word}", args=[bot.pk]) for word in ("now", "book", "market", "profit")
        }
        return self._now(bot) | self.preview_context(bot) | book_context(bot, symbol) | {
            "urls": urls | {"look": reverse(f"{name}_look", args=[bot.pk])},
            "symbols": symbols,
            "chosen_query": urlencode({"symbol": symbol}),
            "changes": changes_table(bot),
            "kill_for": f"bot:{bot.pk}",
        }  # fmt: skip

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        saved = form.save_through_service(request.user)
        obj.pk = saved.pk
        for sentence in warnings_of(saved):
            messages.warning(request, sentence)

    def above_form(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        above = super().above_form(request, row)
        if row is None:
            return above
        return above | self._page(request, row) | {
            "worker_warning": worker_warning(request.user),
            "broker_warning": broker_warning(),
            "warnings": warnings_of(row),
        }  # fmt: skip


def _symbol(request: HttpRequest, bot: AnyBot) -> str:
    return _chosen(request, shown_markets(bot))


def _chosen(request: HttpRequest, symbols: list[str]) -> str:
    """Of its markets the one that was asked for, else the first; empty where it has none."""
    asked = request.GET.get("symbol", "")
    return asked if asked in symbols else next(iter(symbols), "")
