"""What the accounts hold: a list to read."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.admin import ReadOnlyAdmin
from exchanges.admin.cells import age_column, number, number_column
from exchanges.admin.connection import mode_badge
from exchanges.models import Balance


@admin.register(Balance)
class BalanceAdmin(ReadOnlyAdmin):
    list_display = ["connection", "mode", "currency", "free_shown", "used_shown", "total", "age"]
    list_filter = ["connection__mode", "connection", "currency"]
    search_fields = ["currency", "connection__name"]
    list_select_related = ["connection"]
    fields = ["connection", "mode", "currency", "free_shown", "used_shown", "total", "at"]
    free_shown = number_column("free")
    used_shown = number_column("used")
    age = age_column("at", "as of")

    @admin.display(description="mode", ordering="connection__mode")
    def mode(self, balance: Balance) -> SafeString:
        return mode_badge(balance.connection)

    @admin.display(description="total")
    def total(self, balance: Balance) -> SafeString:
        return format_html('<span class="desk-number">{}</span>', number(balance.free + balance.used))
