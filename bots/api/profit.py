"""Realised profit by day, week or month, per quote currency; play money and real money are never added."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from bots.models import Trade
from bots.profit import Period, profit_by
from exchanges.models import Mode
from exchanges.selectors import visible_rows
from rest.fields import Money
from rest.views import DeskViewSet

USUAL_DAYS, MOST_DAYS = 30, 366


class WantedSerializer(serializers.Serializer[Any]):
    """Which days (UTC), both included, of what, and how they are put together."""

    period = serializers.ChoiceField(choices=Period.choices, required=False, default=Period.DAY)
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


class PeriodProfitSerializer(serializers.Serializer[Any]):
    day = serializers.DateField(help_text="The period's first; weeks begin on Mondays.")
    mode = serializers.ChoiceField(choices=["live", "paper", "dry run"])
    currency = serializers.CharField()
    realised = Money()
    trades = serializers.IntegerField()


class ProfitViewSet(DeskViewSet):
    """Periods without a trade are left out; the first and the last have the days that were asked for only."""

    queryset = Trade.objects.all()
    pagination_class = None
    filter_backends = ()

    @extend_schema(parameters=[WantedSerializer], responses=PeriodProfitSerializer(many=True))
    def list(self, request: Request) -> Response:
        asked = WantedSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        trades = visible_rows(self.user, Trade.objects.all())
        named = {"bot": "bot_id", "connection": "connection_id", "mode": "connection__mode"}
        trades = trades.filter(**{named[name]: wanted[name] for name in named if name in wanted})
        since = datetime.combine(wanted["first"], time(), tzinfo=UTC)
        until = datetime.combine(wanted["last"] + timedelta(days=1), time(), tzinfo=UTC)
        earned = profit_by(Period(wanted["period"]), trades, since=since, until=until)
        return Response(PeriodProfitSerializer(earned, many=True).data)
