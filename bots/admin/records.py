"""Orders, trades, positions and events: lists to read."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from audit.admin import ReadOnlyAdmin
from bots.admin import searching
from bots.admin.searching import ModeFilter
from bots.lifecycle import LIVE, OrderState
from bots.models import Bot, BotEvent, Order, Position, Severity, Trade
from bots.selectors import figures_of
from bots.strategies.protections import quote_of
from exchanges.admin.cells import age_cell, age_column, badge, figure, number, number_column, profit_column
from exchanges.admin.connection import mode_badge
from exchanges.admin.owned import OwnedAdmin
from exchanges.models import ExchangeConnection
from exchanges.types import ZERO

ORDER_KINDS = {OrderState.FILLED: "good", OrderState.UNKNOWN: "bad", OrderState.REJECTED: "bad"}
SEVERITY_KINDS = {Severity.INFO: "quiet", Severity.WARNING: "busy", Severity.ERROR: "bad"}


def order_badge(order: Order) -> SafeString:
    state = OrderState(order.state)
    kind = ORDER_KINDS.get(state, "busy" if state in LIVE else "quiet")
    return badge(state.value.replace("_", " "), kind)


def side_badge(side: str) -> SafeString:
    return badge(side, "buy" if side == "buy" else "sell")


class _Charged(Protocol):
    """What fees were paid for in one market."""

    symbol: str
    fees_quote: Decimal
    fees_base: Decimal


@admin.display(description="fees", ordering="fees_quote")
def fees_column(model_admin: object, row: _Charged) -> SafeString:
    """In quote, in base, or in both."""
    paid = [(row.fees_quote, quote_of(row.symbol)), (row.fees_base, row.symbol.partition("/")[0])]
    shown = [(figure(amount, currency),) for amount, currency in paid if amount]
    return format_html_join(" + ", "{}", shown or [(figure(ZERO, quote_of(row.symbol)),)])


class RecordAdmin(OwnedAdmin, ReadOnlyAdmin):
    """A row of one bot on one connection."""

    list_select_related = ["bot", "connection"]
    search_help_text = searching.HELP

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Model], search_term: str
    ) -> tuple[QuerySet[Model], bool]:
        return searching.searched(queryset, search_term, self.named), False

    def named(self, word: str) -> Q:
        """The rows that a word in the search names."""
        return searching.by_names(word)

    @admin.display(description="mode")
    def mode(self, row: Order | Trade) -> SafeString:
        return mode_badge(row.connection, is_dry_run=row.is_dry_run)

    @admin.display(description="side", ordering="side")
    def side_shown(self, row: Order | Trade) -> SafeString:
        return side_badge(row.side)


@admin.register(Order)
class OrderAdmin(RecordAdmin):
    list_display = [
        "age", "bot", "mode", "symbol", "side_shown", "price_shown", "amount_shown", "filled_shown",
        "average_shown", "state_shown", "level", "reason",
    ]  # fmt: skip
    list_filter = ["state", "side", ModeFilter, "is_dry_run", "connection", "created_at"]
    search_fields = ["client_id", "venue_id", "symbol", "bot__name", "connection__name"]
    fields = [
        "bot", "connection", "mode", "client_id", "venue_id", "symbol", "side", "type", "time_in_force",
        "post_only", "level", "price_shown", "amount_shown", "filled_shown", "average_shown", "state_shown",
        "reason", "created_at", "submitted_at", "cancel_requested_at", "unknown_since", "not_found_count",
        "closed_at", "settled_at", "fence",
    ]  # fmt: skip
    age = age_column("created_at", "created")
    price_shown = number_column("price")
    amount_shown = number_column("amount")
    filled_shown = number_column("filled")
    average_shown = number_column("average")

    def named(self, word: str) -> Q:
        return Q(pk__in=searching.orders_with_id(word)) | super().named(word)

    @admin.display(description="state", ordering="state")
    def state_shown(self, order: Order) -> SafeString:
        return order_badge(order)


@admin.register(Trade)
class TradeAdmin(RecordAdmin):
    list_display = [
        "age", "bot", "mode", "symbol", "side_shown", "price_shown", "amount_shown", "cost_shown", "fee",
        "profit_shown", "liquidity",
    ]  # fmt: skip
    list_filter = ["side", "liquidity", ModeFilter, "is_dry_run", "connection", "time"]
    search_fields = ["venue_id", "symbol", "bot__name", "connection__name", "order__client_id"]
    fields = [
        "bot", "connection", "mode", "order", "venue_id", "symbol", "side", "price_shown", "amount_shown",
        "cost_shown", "fee", "profit_shown", "liquidity", "time", "recorded_at",
    ]  # fmt: skip
    age = age_column("time", "time")
    price_shown = number_column("price")
    amount_shown = number_column("amount")
    cost_shown = number_column("cost")
    profit_shown = profit_column("realised_profit", "realised profit")

    def named(self, word: str) -> Q:
        return Q(venue_id=word) | Q(order__in=searching.orders_with_id(word)) | super().named(word)

    @admin.display(description="fee", ordering="fee_amount")
    def fee(self, trade: Trade) -> str:
        return f"{number(trade.fee_amount)} {trade.fee_currency}".strip()


@admin.register(Position)
class PositionAdmin(OwnedAdmin, ReadOnlyAdmin):
    to_connection = "bot__connection"
    list_display = [
        "bot", "mode", "symbol", "amount_shown", "average", "mark_shown", "marked", "realised_shown",
        "unrealised", "fees",
    ]  # fmt: skip
    list_filter = ["symbol", "bot__connection__mode", "is_dry_run", "bot__connection"]
    search_fields = ["symbol", "bot__name"]
    list_select_related = ["bot__connection"]
    fields = [
        "bot", "mode", "symbol", "amount_shown", "cost_shown", "average", "mark_shown", "marked_at",
        "realised_shown", "unrealised", "fees_quote_shown", "fees_base_shown", "updated_at",
    ]  # fmt: skip
    amount_shown = number_column("amount")
    cost_shown = number_column("cost")
    mark_shown = number_column("mark_price", "mark price")
    marked = age_column("marked_at", "marked")
    realised_shown = profit_column("realised_profit", "realised profit")
    fees = fees_column
    fees_quote_shown = number_column("fees_quote", "fees in quote")
    fees_base_shown = number_column("fees_base", "fees in base")

    @admin.display(description="mode")
    def mode(self, position: Position) -> SafeString:
        return mode_badge(position.bot.connection, is_dry_run=position.is_dry_run)

    @admin.display(description="average cost")
    def average(self, position: Position) -> SafeString:
        return figure(figures_of(position).holding.average)

    @admin.display(description="unrealised profit")
    def unrealised(self, position: Position) -> SafeString:
        return figure(figures_of(position).unrealised_profit, is_profit=True)


@admin.register(BotEvent)
class BotEventAdmin(RecordAdmin):
    list_display = ["age", "severity_shown", "bot", "connection", "kind", "text"]
    list_filter = ["severity", "kind", "connection", "at"]
    search_fields = ["text", "kind", "bot__name", "connection__name"]
    fields = ["at", "severity_shown", "bot", "connection", "kind", "text"]

    search_help_text = "A part of the text, or of the name of a bot or a connection."

    def named(self, word: str) -> Q:
        bots = Bot.objects.filter(name__icontains=word).values_list("pk", flat=True)
        connections = ExchangeConnection.objects.filter(name__icontains=word).values_list("pk", flat=True)
        told = Q(text__icontains=word) | Q(kind__icontains=word)
        return told | Q(bot__in=list(bots)) | Q(connection__in=list(connections))

    @admin.display(description="when", ordering="at")
    def age(self, event: BotEvent) -> SafeString:
        return age_cell(event.at)

    @admin.display(description="severity", ordering="severity")
    def severity_shown(self, event: BotEvent) -> SafeString:
        return badge(event.severity, SEVERITY_KINDS[Severity(event.severity)])
