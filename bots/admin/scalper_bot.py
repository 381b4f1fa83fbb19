"""Scalper bots: their settings, and the positions that they hold."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from bots.admin.bot import BotAdmin, acts_of
from bots.admin.scalper_bot_form import FIELDSETS, ScalperBotForm
from bots.admin.scalper_page import scalper_page, scalper_preview
from bots.models import ScalperBot


@admin.register(ScalperBot)
class ScalperBotAdmin(BotAdmin):
    form = ScalperBotForm
    fieldsets = FIELDSETS
    acts = acts_of(ScalperBot)
    list_display = [
        "name", "state_shown", "mode", "connection", "market_words", "direction", "cycle_age", "reason",
    ]  # fmt: skip
    list_filter = ["state", "connection__mode", "connection", "direction", "markets"]
    search_fields = ["name", "symbols", "quote_currency", "connection__name"]

    @admin.display(description="markets", ordering="symbols")
    def market_words(self, bot: ScalperBot) -> str:
        return bot.market_words

    def page_context(self, bot: ScalperBot) -> dict[str, Any]:
        return scalper_page(bot)

    def preview_context(self, bot: ScalperBot) -> dict[str, Any]:
        return scalper_preview(bot)
