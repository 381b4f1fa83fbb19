"""Realised profit by day, per quote currency; play money and real money are never added."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from bots.models import Trade
from bots.profit import daily_profit
from exchanges.models import Mode
from exchanges.selectors import visible_rows
from rest.fields import Money
from rest.views import DeskViewSet

USUAL_DAYS, MOST_DAYS = 30, 92


class PeriodSerializer(serializers.Serializer[Any]):
    """Which days (UTC), both included, and of what."""

    first = serializers.DateField(required=False)
    last = serializers.DateField(required=False)
    bot = serializers.UUIDField(required=False)
    connection = serializers.UUIDField(required=False)
    mode = serializers.ChoiceField(choices=Mode.choices, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        last: date = attrs.setdefault("last", timezone.now().date())
        if last.year not in range(1971, 2200):
            raise serializers.ValidationError({"last": ["Name a year from 1971 to 2199."]})
        first: date = attrs.setdefault("first", last - timedelta(days=USUAL_DAYS - 1))
        if not timedelta(0) <= last - first < timedelta(days=MOST_DAYS):
            raise serializers.ValidationError(
                {"first": [f"Ask for 1 to {MOST_DAYS} days, the first one first."]}
            )
        return attrs


class DaySerializer(serializers.Serializer[Any]):
    day = serializers.DateField()
    mode = serializers.ChoiceField(choices=["live", "paper", "dry run"])
    currency = serializers.CharField()
    realised = Money()
    trades = serializers.IntegerField()


class ProfitViewSet(DeskViewSet):
    """Days without a trade are left out."""

    queryset = Trade.objects.all()
    pagination_class = None
    filter_backends = ()

    @extend_schema(parameters=[PeriodSerializer], responses=DaySerializer(many=True))
    def list(self, request: Request) -> Response:
        asked = PeriodSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        period = asked.validated_data
        trades = visible_rows(self.user, Trade.objects.all())
        named = {"bot": "bot_id", "connection": "connection_id", "mode": "connection__mode"}
        trades = trades.filter(**{named[name]: period[name] for name in named if name in period})
        since = datetime.combine(period["first"], time(), tzinfo=timezone.get_fixed_timezone(0))
        until = datetime.combine(period["last"] + timedelta(days=1), time(), tzinfo=since.tzinfo)
        return Response(DaySerializer(daily_profit(trades, since, until), many=True).data)
