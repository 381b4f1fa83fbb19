"""Connections over the API, what their accounts hold and held, and the markets of their venues."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from exchanges import selectors, services
from exchanges.checkup.apart import CheckupError
from exchanges.models import (
    Balance,
    BalanceSnapshot,
    ConnectionHealth,
    ExchangeConnection,
    Market,
    Mode,
    UnexplainedChange,
)
from exchanges.valuation import Line, Valuation
from rest.fields import Money, RowSerializer
from rest.filters import Moment
from rest.pagination import ByCursor
from rest.views import DeskViewSet

UUIDS = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


class LineSerializer(serializers.Serializer[Line]):
    currency = serializers.CharField()
    amount = Money()
    value = Money(allow_null=True, help_text="In the quote currency; null where no price is known.")


class WorthSerializer(serializers.Serializer[Valuation]):
    """What the account is worth, at the last prices known."""

    quote = serializers.CharField(help_text="The currency in which it is counted.")
    total = Money(help_text="Of what has a price.")
    lines = LineSerializer(many=True)


class HealthSerializer(RowSerializer):
    connection_name = serializers.CharField(source="connection.name", read_only=True)

    class Meta:
        model = ConnectionHealth
        fields = (
            "connection", "connection_name", "score", "grade", "state", "median_ms", "p95_ms", "requests",
            "errors", "error_rate", "budget_used", "cause", "unanswered_since", "silent_since", "changed_at",
            "updated_at",
        )  # fmt: skip


class ConnectionSerializer(RowSerializer):
    """No secret, and no word of one: whether a key is stored is all that is told."""

    owner = serializers.CharField(source="owner.username", read_only=True)
    is_dry_run = serializers.BooleanField(read_only=True)
    has_api_key = serializers.SerializerMethodField()
    quote_currency = serializers.SerializerMethodField()
    worth = serializers.SerializerMethodField(help_text="Null before the balances were read.")
    health = serializers.SerializerMethodField(help_text="Null before a worker's first look.")

    class Meta:
        model = ExchangeConnection
        fields = (
            "id", "name", "venue", "mode", "is_dry_run", "owner", "has_api_key", "quote_currency", "enabled",
            "archived_at", "created_at", "credentials_tested_at", "paused_until", "last_answer_at",
            "last_error", "last_error_at", "balances_at", "worth", "health",
        )  # fmt: skip

    def get_has_api_key(self, connection: ExchangeConnection) -> bool:
        return bool(connection.api_key)

    def get_quote_currency(self, connection: ExchangeConnection) -> str:
        return selectors.quote_currency(connection)

    @extend_schema_field(WorthSerializer(allow_null=True))
    def get_worth(self, connection: ExchangeConnection) -> Any:
        value = selectors.worth(connection)
        return None if value is None else WorthSerializer(value).data

    @extend_schema_field(HealthSerializer(allow_null=True))
    def get_health(self, connection: ExchangeConnection) -> Any:
        health = getattr(connection, "health", None)
        return None if health is None else HealthSerializer(health).data


class StepSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    outcome = serializers.CharField()
    sentence = serializers.CharField()
    milliseconds = serializers.IntegerField()


class HoldingSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    total = serializers.CharField()
    used = serializers.CharField()


class TestReportSerializer(serializers.Serializer[Any]):
    connected = serializers.BooleanField()
    cause = serializers.CharField(allow_blank=True)
    latency_ms = serializers.IntegerField(allow_null=True)
    steps = StepSerializer(many=True)
    balances = HoldingSerializer(many=True, allow_null=True)
    warnings = serializers.ListField(child=serializers.CharField())


class ConnectionFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter is not typed
    archived = filters.BooleanFilter(field_name="archived_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = ExchangeConnection
        fields = ("venue", "mode", "enabled")


class ConnectionViewSet(ListModelMixin, RetrieveModelMixin, DeskViewSet):
    queryset = ExchangeConnection.objects.order_by("name", "pk")
    serializer_class = ConnectionSerializer
    filterset_class = ConnectionFilter
    lookup_value_regex = UUIDS
    permissions: ClassVar = {"test": "exchanges.test_exchangeconnection"}

    def get_queryset(self) -> QuerySet[ExchangeConnection]:
        rows = selectors.visible_connections(self.user).order_by("name", "pk")
        return rows.select_related("owner", "health__connection", "last_snapshot").prefetch_related(
            "balances"
        )

    @extend_schema(request=None, responses=TestReportSerializer)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Asks the venue itself, step by step, and may take half a minute."""
        connection = self.get_object()
        try:
            report = services.test_connection_apart(connection=connection, actor=self.user)
        except CheckupError as error:
            raise ValidationError(str(error)) from None
        return Response(report.as_json())


class HealthViewSet(ListModelMixin, DeskViewSet):
    """The connections in use, the worst first."""

    queryset = ConnectionHealth.objects.order_by("score", "connection__name", "pk")
    serializer_class = HealthSerializer

    def get_queryset(self) -> QuerySet[ConnectionHealth]:
        in_use = self.queryset.filter(connection__in=ExchangeConnection.objects.active())
        return selectors.visible_rows(self.user, in_use).select_related("connection")


class OfConnection(filters.FilterSet):  # type: ignore[misc]  # django-filter is not typed
    """Rows of connections, by the connection's number and mode."""

    connection = filters.UUIDFilter(field_name="connection_id")
    mode = filters.ChoiceFilter(field_name="connection__mode", choices=Mode.choices)


class BalanceFilter(OfConnection):
    class Meta:
        model = Balance
        fields = ("currency",)


class BalanceSerializer(RowSerializer):
    connection_name = serializers.CharField(source="connection.name", read_only=True)
    mode = serializers.CharField(source="connection.mode", read_only=True)

    class Meta:
        model = Balance
        fields = ("connection", "connection_name", "mode", "currency", "free", "used", "at")


class BalanceViewSet(ListModelMixin, DeskViewSet):
    """As the venues said them last."""

    queryset = Balance.objects.order_by("connection__name", "currency", "pk")
    serializer_class = BalanceSerializer
    filterset_class = BalanceFilter

    def get_queryset(self) -> QuerySet[Balance]:
        return selectors.visible_rows(self.user, self.queryset.select_related("connection"))


class SnapshotFilter(OfConnection):
    after = Moment(field_name="taken_at", lookup_expr="gte")
    before = Moment(field_name="taken_at", lookup_expr="lt")

    class Meta:
        model = BalanceSnapshot
        fields = ()


class SnapshotSerializer(RowSerializer):
    connection_name = serializers.CharField(source="connection.name", read_only=True)
    mode = serializers.CharField(source="connection.mode", read_only=True)
    lines = LineSerializer(source="valuation.lines", many=True, read_only=True)

    class Meta:
        model = BalanceSnapshot
        fields = (
            "id",
            "connection",
            "connection_name",
            "mode",
            "hour",
            "taken_at",
            "quote",
            "total",
            "lines",
        )


class SnapshotViewSet(ListModelMixin, DeskViewSet):
    """What the accounts were worth, hour by hour."""

    queryset = BalanceSnapshot.objects.all()
    serializer_class = SnapshotSerializer
    filterset_class = SnapshotFilter
    pagination_class = ByCursor
    ordering = ("-taken_at", "-id")

    def get_queryset(self) -> QuerySet[BalanceSnapshot]:
        return selectors.visible_rows(self.user, self.queryset.select_related("connection"))


class UnexplainedFilter(OfConnection):
    after = Moment(field_name="noticed_at", lookup_expr="gte")
    before = Moment(field_name="noticed_at", lookup_expr="lt")

    class Meta:
        model = UnexplainedChange
        fields = ("currency",)


class UnexplainedSerializer(RowSerializer):
    connection_name = serializers.CharField(source="connection.name", read_only=True)

    class Meta:
        model = UnexplainedChange
        fields = ("id", "connection", "connection_name", "currency", "amount", "since", "noticed_at")


class UnexplainedViewSet(ListModelMixin, DeskViewSet):
    """Deposits and withdrawals: changes of a balance that no trade of the desk explains."""

    queryset = UnexplainedChange.objects.all()
    serializer_class = UnexplainedSerializer
    filterset_class = UnexplainedFilter
    pagination_class = ByCursor
    ordering = ("-noticed_at", "-id")

    def get_queryset(self) -> QuerySet[UnexplainedChange]:
        return selectors.visible_rows(self.user, self.queryset.select_related("connection"))


class MarketSerializer(RowSerializer):
    class Meta:
        model = Market
        fields = (
            "venue", "symbol", "base", "quote", "price_step", "amount_step", "price_digits", "min_amount",
            "max_amount", "min_cost", "maker_fee", "taker_fee", "active", "updated_at",
        )  # fmt: skip


class MarketFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter is not typed
    class Meta:
        model = Market
        fields = ("venue", "symbol", "base", "quote", "active")


class MarketViewSet(ListModelMixin, DeskViewSet):
    """The rules of each market, as the venues stated them last."""

    queryset = Market.objects.order_by("venue", "symbol")
    serializer_class = MarketSerializer
    filterset_class = MarketFilter
