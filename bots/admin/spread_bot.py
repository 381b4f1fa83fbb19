"""Spread bots: their settings, and what they quote now."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from bots.admin.bot import BotAdmin, acts_of
from bots.admin.spread_bot_form import FIELDSETS, SpreadBotForm
from bots.admin.spread_page import spread_page, spread_preview
from bots.models import SpreadBot


@admin.register(SpreadBot)
class SpreadBotAdmin(BotAdmin):
    form = SpreadBotForm
    fieldsets = FIELDSETS
    acts = acts_of(SpreadBot)
    list_display = [
        "name", "state_shown", "mode", "connection", "symbol", "cycle_age", "reason",
    ]  # fmt: skip
    list_filter = ["state", "connection__mode", "connection", "symbol"]
    search_fields = ["name", "symbol", "connection__name"]

    def page_context(self, bot: SpreadBot) -> dict[str, Any]:
        return spread_page(bot)

    def preview_context(self, bot: SpreadBot) -> dict[str, Any]:
        return spread_preview(bot)
