"""Round trips: what a scalper bought and sold, one row each; the trade log as people read it."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import admin
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from bots.admin.records import RecordAdmin, fees_column
from bots.admin.searching import ModeFilter, orders_with_id
from bots.models import Order, RoundTrip, TripState
from bots.strategies.protections import quote_of
from exchanges.admin.cells import NOTHING, age_cell, age_column, badge, figure, number_column

STATE_KINDS = {
    TripState.OPENING: "busy", TripState.OPEN: "good", TripState.CLOSED: "quiet", TripState.MISSED: "quiet",
}  # fmt: skip
ORDERS = Order.objects.order_by("created_at", "pk").only(
    "round_trip_id", "venue_id", "client_id", "side", "filled", "created_at"
)


def trip_badge(trip: RoundTrip) -> SafeString:
    return badge(trip.state, STATE_KINDS[TripState(trip.state)])


def percentage(trip: RoundTrip) -> SafeString:
    """What it earned, of a hundred."""
    return figure(None if trip.profit_pct is None else trip.profit_pct * 100, "%", is_profit=True)


def why_closed(trip: RoundTrip) -> str:
    """The barrier, and what was odd about it."""
    reason = trip.get_closing_display() if trip.closing else ""
    return ". ".join(part for part in (reason, trip.remark) if part) or NOTHING


def lasted(duration: timedelta | None) -> str:
    """In the two largest units that say it: 45 s, 3 min 20 s, 2 h 5 min, 3 d 4 h."""
    if duration is None:
        return NOTHING
    left = max(0, int(duration.total_seconds()))
    parts: list[str] = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


class TradedFilter(admin.SimpleListFilter):
    """Entries that nothing was filled of are no round trips to a person, unless asked for."""

    title = "traded"
    parameter_name = "traded"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("missed", "Missed entries"), ("all", "All")]

    def queryset(self, request: HttpRequest, trips: QuerySet[RoundTrip]) -> QuerySet[RoundTrip]:
        if self.value() == "all":
            return trips
        missed = self.value() == "missed"
        return trips.filter(state=TripState.MISSED) if missed else trips.exclude(opened_at=None)


@admin.register(RoundTrip)
class RoundTripAdmin(RecordAdmin):
    list_display = [
        "closed_age", "opened_age", "bot", "mode", "symbol", "side_shown", "entered_shown",
        "entry_average_shown", "exit_average_shown", "profit", "profit_pct_shown", "fees",
        "duration_shown", "why_opened", "closed_because", "entry_order", "exit_order",
    ]  # fmt: skip
    list_filter = [TradedFilter, "state", "closing", "side", ModeFilter, "is_dry_run", "connection"]
    search_fields = ["symbol", "bot__name", "orders__venue_id", "orders__client_id"]
    fields = [
        "bot", "connection", "mode", "symbol", "side_shown", "state_shown", "why_opened",
        "closed_because", "entered_shown", "entry_average_shown", "entry_cost_shown", "exited_shown",
        "exit_average_shown", "exit_cost_shown", "profit", "profit_pct_shown", "fees_quote_shown",
        "fees_base_shown", "left_shown", "trailing_stop_shown", "closing_tries", "duration_shown",
        "created_at", "opened_at", "closed_at", "entry_order", "exit_order",
    ]  # fmt: skip
    fees = fees_column
    opened_age = age_column("opened_at", "opened")
    entered_shown = number_column("entered", "amount")
    exited_shown = number_column("exited", "exit amount")
    entry_cost_shown = number_column("entry_cost", "entry cost")
    exit_cost_shown = number_column("exit_cost", "exit cost")
    fees_quote_shown = number_column("fees_quote", "fees in quote")
    fees_base_shown = number_column("fees_base", "fees in base")
    left_shown = number_column("amount", "held now")
    trailing_stop_shown = number_column("trailing_stop", "trailing stop")

    def named(self, word: str) -> Q:
        orders = Order.objects.filter(pk__in=orders_with_id(word)).exclude(round_trip=None)
        return Q(pk__in=list(orders.values_list("round_trip_id", flat=True))) | super().named(word)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RoundTrip]:
        trips: QuerySet[RoundTrip] = super().get_queryset(request)
        return trips.prefetch_related(Prefetch("orders", queryset=ORDERS))

    @admin.display(description="closed", ordering="closed_at")
    def closed_age(self, trip: RoundTrip) -> SafeString:
        return age_cell(trip.closed_at) if trip.closed_at else trip_badge(trip)

    @admin.display(description="state", ordering="state")
    def state_shown(self, trip: RoundTrip) -> SafeString:
        return trip_badge(trip)

    @admin.display(description="entry average")
    def entry_average_shown(self, trip: RoundTrip) -> SafeString:
        return figure(trip.entry_average)

    @admin.display(description="exit average")
    def exit_average_shown(self, trip: RoundTrip) -> SafeString:
        return figure(trip.exit_average)

    @admin.display(description="profit", ordering="realised_profit")
    def profit(self, trip: RoundTrip) -> SafeString:
        return figure(trip.realised_profit, quote_of(trip.symbol), is_profit=True)

    @admin.display(description="profit %", ordering="profit_pct")
    def profit_pct_shown(self, trip: RoundTrip) -> SafeString:
        return percentage(trip)

    @admin.display(description="duration")
    def duration_shown(self, trip: RoundTrip) -> SafeString:
        return format_html('<span class="desk-number">{}</span>', lasted(trip.duration))

    @admin.display(description="why opened")
    def why_opened(self, trip: RoundTrip) -> SafeString:
        return _sentence(trip.opened_because)

    @admin.display(description="why closed", ordering="closing")
    def closed_because(self, trip: RoundTrip) -> SafeString:
        return _sentence(why_closed(trip))

    @admin.display(description="entry order")
    def entry_order(self, trip: RoundTrip) -> str:
        """The venue's id."""
        entries = [order for order in trip.orders.all() if _is_entry(order, trip)]
        return entries[0].venue_id or NOTHING if entries else NOTHING

    @admin.display(description="exit order")
    def exit_order(self, trip: RoundTrip) -> str:
        """The venue's id of the last one that filled."""
        filled = [order for order in trip.orders.all() if not _is_entry(order, trip) and order.filled > 0]
        return filled[-1].venue_id or NOTHING if filled else NOTHING


def _sentence(text: str) -> SafeString:
    return format_html('<div class="desk-wide">{}</div>', text)


def _is_entry(order: Order, trip: RoundTrip) -> bool:
    return order.side == trip.side
