"""What the accounts hold and held, and what no trade explains of it: lists to read."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.admin import ReadOnlyAdmin
from exchanges.admin.cells import NOTHING, age_column, number, number_column
from exchanges.admin.connection import mode_badge
from exchanges.admin.owned import OwnedAdmin
from exchanges.admin.worth import left_out, listed
from exchanges.models import Balance, BalanceSnapshot, UnexplainedChange


@admin.register(Balance)
class BalanceAdmin(OwnedAdmin, ReadOnlyAdmin):
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


@admin.register(BalanceSnapshot)
class BalanceSnapshotAdmin(OwnedAdmin, ReadOnlyAdmin):
    list_display = ["connection", "hour_shown", "total_shown", "quote", "without_price", "age"]
    list_filter = ["connection"]
    list_select_related = ["connection"]
    fields = ["connection", "hour", "taken_at", "total_shown", "quote", "holdings", "prices", "without_price"]
    total_shown = number_column("total")
    age = age_column("taken_at", "taken")

    @admin.display(description="hour (UTC)", ordering="hour")
    def hour_shown(self, snapshot: BalanceSnapshot) -> str:
        return f"{snapshot.hour:%Y-%m-%d %H:%M}"

    @admin.display(description="held")
    def holdings(self, snapshot: BalanceSnapshot) -> str:
        return listed(snapshot.valuation.lines)

    @admin.display(description="prices")
    def prices(self, snapshot: BalanceSnapshot) -> str:
        """Of which market, and when they were seen."""
        lines = [line for line in snapshot.valuation.lines if line.price and line.currency != snapshot.quote]
        told = [
            f"{number(line.price.value)} for {line.currency} ({line.price.symbol}, "
            f"{line.price.at:%Y-%m-%d %H:%M:%S} UTC)"
            for line in lines
            if line.price
        ]
        return "; ".join(told) or NOTHING

    @admin.display(description="without a price")
    def without_price(self, snapshot: BalanceSnapshot) -> str:
        return left_out(snapshot.valuation)


@admin.register(UnexplainedChange)
class UnexplainedChangeAdmin(OwnedAdmin, ReadOnlyAdmin):
    list_display = ["connection", "currency", "amount_shown", "since_age", "noticed_age"]
    list_filter = ["connection", "currency"]
    search_fields = ["currency", "connection__name"]
    list_select_related = ["connection"]
    fields = ["connection", "currency", "amount_shown", "since", "noticed_at"]
    amount_shown = number_column("amount")
    since_age = age_column("since", "explained until")
    noticed_age = age_column("noticed_at", "noticed")
