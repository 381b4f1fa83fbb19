"""Bots of both kinds: read together, made and changed by kind, acted upon by the services of the admin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from bots import services
from bots.api.preview import ExitsPreviewSerializer, PreviewSerializer
from bots.models import KINDS, AnyBot, Bot, BotState, ScalperBot, SpreadBot
from bots.previews.exits import preview_exits
from bots.previews.quotes import preview_quotes
from bots.selectors import BotRow, rows_of, visible_bots
from bots.validation import warnings_of
from exchanges.api import UUIDS
from exchanges.models import ExchangeConnection
from exchanges.selectors import visible_connections, visible_rows
from rest.fields import Money, RowSerializer
from rest.views import DeskViewSet

KIND_NAMES = {SpreadBot: "spread", ScalperBot: "scalper"}


class VisibleConnection(serializers.PrimaryKeyRelatedField[ExchangeConnection]):
    """Another owner's is as unknown as one that is not there."""

    def get_queryset(self) -> QuerySet[ExchangeConnection]:
        return visible_connections(self.context["request"].user)


class ProfitSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    realised = Money()
    unrealised = Money()


class BotSerializer(serializers.Serializer[BotRow]):
    """One bot of any kind: what it is, what it does, what it has earned."""

    id = serializers.UUIDField(source="bot.id")
    kind = serializers.SerializerMethodField()
    name = serializers.CharField(source="bot.name")
    connection = serializers.UUIDField(source="bot.connection_id")
    connection_name = serializers.CharField(source="bot.connection.name")
    mode = serializers.CharField(source="bot.connection.mode")
    markets = serializers.CharField(source="bot.market_words")
    state = serializers.ChoiceField(source="bot.state", choices=BotState.choices)
    started_at = serializers.DateTimeField(source="bot.started_at", allow_null=True)
    archived_at = serializers.DateTimeField(source="bot.archived_at", allow_null=True)
    last_cycle_at = serializers.DateTimeField(source="bot.last_cycle_at", allow_null=True)
    doing = serializers.CharField(help_text="What it does now, in a sentence.")
    trouble = serializers.CharField(help_text="What keeps it from its work; empty when all is well.")
    live_orders = serializers.IntegerField()
    open_positions = serializers.IntegerField(source="open_trips", help_text="Of a scalper.")
    trades_24h = serializers.IntegerField(source="trades")
    profits = serializers.SerializerMethodField()

    def get_kind(self, row: BotRow) -> str:
        return KIND_NAMES[type(row.bot)]

    @extend_schema_field(ProfitSerializer(many=True))
    def get_profits(self, row: BotRow) -> Any:
        rows = [
            {"currency": currency, "realised": profit.realised, "unrealised": profit.unrealised}
            for currency, profit in row.profits.items()
        ]
        return ProfitSerializer(rows, many=True).data


class SettingsSerializer(RowSerializer):
    """What a person may set, and the state; the service knows what is wrong with it."""

    serializer_related_field = VisibleConnection


_STATE = ("state", "created_at", "started_at", "archived_at", "last_cycle_at", "changed_at")


class SpreadBotSerializer(SettingsSerializer):
    class Meta:
        model = SpreadBot
        fields = ("id", *services.FIELDS[SpreadBot], *_STATE)
        read_only_fields = _STATE
        validators: ClassVar[list[Any]] = []


class ScalperBotSerializer(SettingsSerializer):
    class Meta:
        model = ScalperBot
        fields = ("id", *services.FIELDS[ScalperBot], *_STATE)
        read_only_fields = _STATE
        validators: ClassVar[list[Any]] = []


class WarningsSerializer(serializers.Serializer[Any]):
    warnings = serializers.ListField(child=serializers.CharField())


class CloneSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80, required=False, default="")


class BotFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter is not typed
    connection = filters.UUIDFilter(field_name="connection_id")
    kind = filters.ChoiceFilter(choices=[(name, name) for name in KIND_NAMES.values()], method="of_kind")
    state = filters.ChoiceFilter(choices=BotState.choices)
    mode = filters.CharFilter(field_name="connection__mode")
    archived = filters.BooleanFilter(field_name="archived_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Bot
        fields = ()

    def of_kind(self, rows: QuerySet[Bot], name: str, value: str) -> QuerySet[Bot]:
        return rows.filter(**{f"{value}bot__isnull": False})


class KindFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter is not typed
    connection = filters.UUIDFilter(field_name="connection_id")
    state = filters.ChoiceFilter(choices=BotState.choices)
    archived = filters.BooleanFilter(field_name="archived_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Bot
        fields = ()


def permissions_of(kind: type[AnyBot]) -> dict[str, str]:
    """Those of the buttons and forms in the admin."""
    name = kind._meta.model_name
    add, change, delete = (f"bots.{verb}_{name}" for verb in ("add", "change", "delete"))
    return {"create": add, "clone": add, "partial_update": change, "archive": delete}


def in_full(bots: Sequence[Bot]) -> list[BotRow]:
    """As their kinds and with their figures, in the same order; the queries do not grow with the bots."""
    keys = [bot.pk for bot in bots]
    whole = {
        bot.pk: bot for kind in KINDS for bot in kind.objects.filter(pk__in=keys).select_related("connection")
    }
    return rows_of([whole[key] for key in keys])


class ActsOnBots(DeskViewSet):
    """start, pause, stop, archive: each answers with the bot as it is then."""

    lookup_value_regex = UUIDS

    def acted(self, act: Callable[..., Any]) -> Response:
        bot: Bot = self.get_object()
        act(bot=bot, actor=self.user)
        return Response(BotSerializer(in_full([bot])[0]).data)


class BotViewSet(ListModelMixin, RetrieveModelMixin, ActsOnBots):
    """All bots, whatever their kind."""

    queryset = Bot.objects.order_by("name", "pk")
    serializer_class = BotSerializer
    filterset_class = BotFilter
    permissions: ClassVar = dict.fromkeys(("start", "pause", "stop"), "bots.operate_bot")

    def get_queryset(self) -> QuerySet[Bot]:
        return visible_bots(self.user).order_by("name", "pk")

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        return page and in_full(page)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(BotSerializer(in_full([self.get_object()])[0]).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def start(self, request: Request, pk: str) -> Response:
        return self.acted(services.start_bot)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """It places nothing new until it is started again."""
        return self.acted(services.pause_bot)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: str) -> Response:
        """A worker settles its orders first: it is “stopping” until then."""
        return self.acted(services.stop_bot)


class OfKind(ListModelMixin, RetrieveModelMixin, ActsOnBots):
    """The settings of the bots of one kind."""

    kind: ClassVar[type[SpreadBot] | type[ScalperBot]]
    create_bot: ClassVar[Callable[..., AnyBot]]

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.kind.objects.order_by("name", "pk")
        return visible_rows(self.user, rows).select_related("connection")

    def create(self, request: Request) -> Response:
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        bot = type(self).create_bot(actor=self.user, **given.validated_data)
        return Response(self.get_serializer(bot).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Takes effect at the bot's next cycle."""
        bot = self.get_object()
        given = self.get_serializer(bot, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        changed = services.update_bot(bot=bot, actor=self.user, **given.validated_data)
        return Response(self.get_serializer(changed).data)

    @extend_schema(request=CloneSerializer)
    @action(detail=True, methods=["post"])
    def clone(self, request: Request, pk: str) -> Response:
        """Another bot with the same settings, stopped."""
        given = CloneSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        copy = services.clone_bot(bot=self.get_object(), actor=self.user, **given.validated_data)
        return Response(self.get_serializer(copy).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def archive(self, request: Request, pk: str) -> Response:
        """What deleting means: it is stopped first, and its records stay."""
        bot = self.get_object()
        services.archive_bot(bot=bot, actor=self.user)
        bot.refresh_from_db()
        return Response(self.get_serializer(bot).data)

    @extend_schema(responses=WarningsSerializer)
    @action(detail=True, methods=["get"])
    def warnings(self, request: Request, pk: str) -> Response:
        """What is allowed and odd about its settings, one sentence each."""
        return Response({"warnings": list(warnings_of(self.get_object()))})


class SpreadBotViewSet(OfKind):
    queryset = SpreadBot.objects.all()
    serializer_class = SpreadBotSerializer
    filterset_class = KindFilter
    kind = SpreadBot
    create_bot = services.create_spread_bot
    permissions: ClassVar = permissions_of(SpreadBot)

    @extend_schema(responses=PreviewSerializer)
    @action(detail=True, methods=["get"])
    def preview(self, request: Request, pk: str) -> Response:
        """What it would quote now, from what is known without asking its venue."""
        return Response(PreviewSerializer(preview_quotes(self.get_object())).data)


class ScalperBotViewSet(OfKind):
    queryset = ScalperBot.objects.all()
    serializer_class = ScalperBotSerializer
    filterset_class = KindFilter
    kind = ScalperBot
    create_bot = services.create_scalper_bot
    permissions: ClassVar = permissions_of(ScalperBot)

    @extend_schema(responses=ExitsPreviewSerializer)
    @action(detail=True, methods=["get"])
    def preview(self, request: Request, pk: str) -> Response:
        """Where its exits would stand if it entered now, from what is known without asking its venue."""
        return Response(ExitsPreviewSerializer(preview_exits(self.get_object())).data)
