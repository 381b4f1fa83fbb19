"""What bots did: orders, trades, round trips, positions, events. Rows to read, the newest first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request

from bots.api.export import FORMATS, csv_lines, exported
from bots.lifecycle import LIVE, OrderState
from bots.models import BotEvent, Order, Position, RoundTrip, Severity, Trade, TripState
from bots.selectors import figures_of
from exchanges.models import Mode
from exchanges.selectors import visible_rows
from exchanges.types import Side
from rest.fields import Money, RowSerializer
from rest.filters import Moment
from rest.pagination import ByCursor
from rest.views import DeskViewSet

SIDES = [(side.value, side.value) for side in Side]
NAMES = ("bot", "bot_name", "connection", "connection_name", "mode", "is_dry_run")


class OfBot(RowSerializer):
    bot_name = serializers.CharField(source="bot.name", read_only=True)
    connection_name = serializers.CharField(source="connection.name", read_only=True)
    mode = serializers.CharField(source="connection.mode", read_only=True)


class OrderSerializer(OfBot):
    class Meta:
        model = Order
        fields = (
            "id", "client_id", "venue_id", *NAMES, "round_trip", "symbol", "side", "type", "time_in_force",
            "post_only", "price", "amount", "filled", "average", "level", "state", "reason", "created_at",
            "submitted_at", "closed_at", "settled_at",
        )  # fmt: skip


class TradeSerializer(OfBot):
    class Meta:
        model = Trade
        fields = (
            "id", "venue_id", "order", *NAMES, "symbol", "side", "price", "amount", "cost", "fee_amount",
            "fee_currency", "liquidity", "realised_profit", "time", "recorded_at",
        )  # fmt: skip


class RoundTripSerializer(OfBot):
    entry_average = Money(allow_null=True)
    exit_average = Money(allow_null=True)

    class Meta:
        model = RoundTrip
        fields = (
            "id", *NAMES, "symbol", "side", "state", "amount", "cost", "realised_profit", "profit_pct",
            "fees_quote", "fees_base", "entered", "entry_average", "exited", "exit_average", "opened_because",
            "closing", "remark", "created_at", "opened_at", "closed_at",
        )  # fmt: skip


class PositionSerializer(RowSerializer):
    bot_name = serializers.CharField(source="bot.name", read_only=True)
    connection = serializers.UUIDField(source="bot.connection_id", read_only=True)
    connection_name = serializers.CharField(source="bot.connection.name", read_only=True)
    mode = serializers.CharField(source="bot.connection.mode", read_only=True)
    average_cost = Money(source="holding.average", allow_null=True)
    unrealised_profit = serializers.SerializerMethodField(help_text="Null without a mark price.")

    class Meta:
        model = Position
        fields = (
            "id", *NAMES, "symbol", "amount", "cost", "average_cost", "realised_profit", "unrealised_profit",
            "fees_quote", "fees_base", "mark_price", "marked_at", "updated_at",
        )  # fmt: skip

    def get_unrealised_profit(self, position: Position) -> str | None:
        profit = figures_of(position).unrealised_profit
        return None if profit is None else Money().to_representation(profit)


class EventSerializer(RowSerializer):
    bot_name = serializers.CharField(source="bot.name", read_only=True, allow_null=True, default=None)
    connection_name = serializers.CharField(source="connection.name", read_only=True)

    class Meta:
        model = BotEvent
        fields = ("id", "bot", "bot_name", "connection", "connection_name", "at", "severity", "kind", "text")


class RowFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter is not typed
    bot = filters.UUIDFilter(field_name="bot_id")
    connection = filters.UUIDFilter(field_name="connection_id")
    mode = filters.ChoiceFilter(field_name="connection__mode", choices=Mode.choices)
    symbol = filters.CharFilter(max_length=80)
    side = filters.ChoiceFilter(choices=SIDES)
    is_dry_run = filters.BooleanFilter()


class OrderFilter(RowFilter):
    state = filters.ChoiceFilter(choices=[(state.value, state.value) for state in OrderState])
    live = filters.BooleanFilter(method="which_live", help_text="Those that may rest or fill at the venue.")
    client_id = filters.CharFilter(max_length=32)
    after = Moment(field_name="created_at", lookup_expr="gte")
    before = Moment(field_name="created_at", lookup_expr="lt")

    def which_live(self, rows: QuerySet[Order], name: str, value: bool) -> QuerySet[Order]:
        return rows.filter(state__in=LIVE) if value else rows.exclude(state__in=LIVE)


class TradeFilter(RowFilter):
    after = Moment(field_name="time", lookup_expr="gte")
    before = Moment(field_name="time", lookup_expr="lt")


class RoundTripFilter(RowFilter):
    state = filters.ChoiceFilter(choices=TripState.choices)
    after = Moment(field_name="created_at", lookup_expr="gte")
    before = Moment(field_name="created_at", lookup_expr="lt")


class EventFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter is not typed
    bot = filters.UUIDFilter(field_name="bot_id")
    connection = filters.UUIDFilter(field_name="connection_id")
    severity = filters.ChoiceFilter(choices=Severity.choices)
    kind = filters.CharFilter(max_length=40)
    after = Moment(field_name="at", lookup_expr="gte")
    before = Moment(field_name="at", lookup_expr="lt")


class PositionFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter is not typed
    bot = filters.UUIDFilter(field_name="bot_id")
    connection = filters.UUIDFilter(field_name="bot__connection_id")
    mode = filters.ChoiceFilter(field_name="bot__connection__mode", choices=Mode.choices)
    symbol = filters.CharFilter(max_length=80)
    is_dry_run = filters.BooleanFilter()


class Records(ListModelMixin, RetrieveModelMixin, DeskViewSet):
    pagination_class = ByCursor
    related: tuple[str, ...] = ("bot", "connection")
    to_connection = "connection"

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset().select_related(*self.related)
        return visible_rows(self.user, rows, self.to_connection)


class OrderViewSet(Records):
    queryset = Order.objects.all()
    serializer_class = OrderSerializer
    filterset_class = OrderFilter
    ordering = ("-created_at", "-id")


class ExportQuery(serializers.Serializer[Any]):
    columns = serializers.ChoiceField(choices=list(FORMATS), default="all")


class TradeViewSet(Records):
    """One fill each, counted once by the venue's number."""

    queryset = Trade.objects.all()
    serializer_class = TradeSerializer
    filterset_class = TradeFilter
    ordering = ("-time", "-id")

    @extend_schema(parameters=[ExportQuery], responses={(200, "text/csv"): OpenApiTypes.STR}, filters=True)
    @action(detail=False, methods=["get"], pagination_class=None)
    def export(self, request: Request) -> StreamingHttpResponse:
        """All trades that the filters let through as CSV, the oldest first. columns: “all”, or “koinly” for
        tax tools that read Koinly's universal format, with live trades only."""
        asked = ExportQuery(data={"columns": request.query_params.get("columns", "all")})
        asked.is_valid(raise_exception=True)
        columns = asked.validated_data["columns"]
        rows = exported(self.filter_queryset(self.get_queryset()), columns)
        return StreamingHttpResponse(
            encoded(csv_lines(rows, FORMATS[columns])),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="trades-{columns}.csv"'},
        )


def encoded(lines: Iterator[str]) -> Iterator[bytes]:
    return (line.encode() for line in lines)


class RoundTripViewSet(Records):
    """The scalpers' positions, from their entries to their exits."""

    queryset = RoundTrip.objects.all()
    serializer_class = RoundTripSerializer
    filterset_class = RoundTripFilter
    ordering = ("-created_at", "-id")


class EventViewSet(Records):
    queryset = BotEvent.objects.all()
    serializer_class = EventSerializer
    filterset_class = EventFilter
    ordering = ("-at", "-id")


class PositionViewSet(ListModelMixin, DeskViewSet):
    """What each bot holds of each market, and has earned there."""

    queryset = Position.objects.order_by("bot__name", "symbol", "pk")
    serializer_class = PositionSerializer
    filterset_class = PositionFilter

    def get_queryset(self) -> QuerySet[Position]:
        return visible_rows(self.user, self.queryset.select_related("bot__connection"), "bot__connection")
