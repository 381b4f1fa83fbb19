"""Spread bots: their settings, what they do now, and the buttons that start and stop them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from bots import services
from bots.admin.bot_page import page_context
from bots.admin.spread_bot_form import FIELDSETS, SpreadBotForm
from bots.models import BotState, SpreadBot
from exchanges.admin.acting import Act, ActingAdmin
from exchanges.admin.cells import INPUTS, NOTHING, age_column, badge
from exchanges.admin.connection import mode_badge

STATE_KINDS = {
    BotState.RUNNING: "good", BotState.PAUSED: "busy", BotState.STOPPING: "busy", BotState.STOPPED: "quiet",
}  # fmt: skip


def state_badge(bot: SpreadBot) -> SafeString:
    state = badge(bot.state, STATE_KINDS[BotState(bot.state)])
    return state + badge("archived", "quiet") if bot.archived_at else state


def start(bot: SpreadBot, actor: User) -> str:
    services.start_bot(bot=bot, actor=actor)
    return f"“{bot}” is started."


def pause(bot: SpreadBot, actor: User) -> str:
    services.pause_bot(bot=bot, actor=actor)
    return f"“{bot}” is paused: it cancels its quotes and places nothing new."


def stop(bot: SpreadBot, actor: User) -> str:
    services.stop_bot(bot=bot, actor=actor)
    bot.refresh_from_db()
    if bot.state == BotState.STOPPED:
        return f"“{bot}” is stopped."
    return f"“{bot}” is stopping: a worker settles its orders first."


def archive(bot: SpreadBot, actor: User) -> str:
    services.archive_bot(bot=bot, actor=actor)
    return f"“{bot}” is archived; its records stay."


def is_current_and(*states: BotState) -> Any:
    return lambda bot: bot.archived_at is None and bot.state in states


@admin.register(SpreadBot)
class SpreadBotAdmin(ActingAdmin):
    form = SpreadBotForm
    fieldsets = FIELDSETS
    formfield_overrides = INPUTS
    change_form_outer_before_template = "console/bot_top.html"
    list_display = [
        "name", "state_shown", "mode", "connection", "symbol", "cycle_age", "reason",
    ]  # fmt: skip
    list_filter = ["state", "connection__mode", "connection", "symbol"]
    search_fields = ["name", "symbol", "connection__name"]
    list_select_related = ["connection", "decision"]
    list_fullwidth = True
    warn_unsaved_form = True
    actions = ["start_selected", "pause_selected", "stop_selected", "archive_selected"]
    acts = (
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
        Act(
            name="archive", label="Archive", permission="bots.delete_spreadbot", run=archive,
            is_dangerous=True, confirm="Archive this bot? It is stopped first, and its records stay.",
        ),
    )  # fmt: skip

    cycle_age = age_column("last_cycle_at", "last cycle")

    @admin.display(description="state", ordering="state")
    def state_shown(self, bot: SpreadBot) -> SafeString:
        return state_badge(bot)

    @admin.display(description="mode", ordering="connection__mode")
    def mode(self, bot: SpreadBot) -> SafeString:
        return mode_badge(bot.connection)

    @admin.display(description="last decision")
    def reason(self, bot: SpreadBot) -> str:
        return bot.decision.reason if hasattr(bot, "decision") else NOTHING

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("bots.operate_bot")

    def has_archive_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("bots.delete_spreadbot")

    @admin.action(description="Start", permissions=["operate"])
    def start_selected(self, request: HttpRequest, bots: QuerySet[SpreadBot]) -> None:
        self._perform_by_name(request, "start", bots)

    @admin.action(description="Pause", permissions=["operate"])
    def pause_selected(self, request: HttpRequest, bots: QuerySet[SpreadBot]) -> None:
        self._perform_by_name(request, "pause", bots)

    @admin.action(description="Stop", permissions=["operate"])
    def stop_selected(self, request: HttpRequest, bots: QuerySet[SpreadBot]) -> None:
        self._perform_by_name(request, "stop", bots)

    @admin.action(description="Archive", permissions=["archive"])
    def archive_selected(self, request: HttpRequest, bots: QuerySet[SpreadBot]) -> None:
        self._perform_by_name(request, "archive", bots)

    def _perform_by_name(self, request: HttpRequest, name: str, bots: QuerySet[SpreadBot]) -> None:
        act = next(act for act in self.acts if act.name == name)
        self.perform(request, act, bots)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.pk = form.save_through_service(request.user).pk

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        bot = self.get_object(request, object_id) if object_id else None
        context = extra_context or {}
        if bot is not None:
            context |= page_context(bot) | {
                "buttons": self.buttons(request, bot),
                "mode": mode_badge(bot.connection),
                "state": state_badge(bot),
            }
        response: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return response
