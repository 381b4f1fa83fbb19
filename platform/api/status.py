"""`GET /api/system/status`: the exchanges and what is on them, as dashboards read it. No venue is asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from bots.selectors import bots_by_state, workers_alive
from exchanges.health import Grade, State
from exchanges.models import ExchangeConnection
from exchanges.selectors import quote_currency, visible_connections, worth
from exchanges.types import ZERO
from rest.fields import Money
from rest.views import DeskViewSet

USDT = "USDT"


class ExchangeSerializer(serializers.Serializer[Any]):
    """One connection. balance: what the account is worth in its quote currency, by the last balances and
    prices that are stored; null before the first look."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    venue = serializers.CharField()
    mode = serializers.ChoiceField(choices=["live", "paper", "dry run"])
    enabled = serializers.BooleanField()
    balance = Money(allow_null=True)
    balance_usdt = Money(allow_null=True, help_text="The same where it is counted in USDT.")
    quote_currency = serializers.CharField()
    without_price = serializers.ListField(
        child=serializers.CharField(), help_text="Currencies that are held and not in the balance."
    )
    balance_at = serializers.DateTimeField(allow_null=True)
    balance_age_seconds = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(
        choices=[state.value for state in State], allow_null=True, help_text="Of the breaker."
    )
    score = serializers.IntegerField(allow_null=True, help_text="0 to 100.")
    grade = serializers.ChoiceField(choices=[grade.value for grade in Grade], allow_null=True)
    last_error = serializers.CharField(allow_blank=True)


class ExchangesSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    list = ExchangeSerializer(many=True)


class EquitySerializer(serializers.Serializer[Any]):
    """Of all accounts of one mode in one quote currency."""

    mode = serializers.CharField()
    currency = serializers.CharField()
    total = Money()


class BotsSerializer(serializers.Serializer[Any]):
    stopped = serializers.IntegerField()
    running = serializers.IntegerField()
    paused = serializers.IntegerField()
    stopping = serializers.IntegerField()


class StatusSerializer(serializers.Serializer[Any]):
    time = serializers.DateTimeField()
    workers = serializers.IntegerField(help_text="Worker processes heard of in the last 45 s.")
    exchanges = ExchangesSerializer()
    equity = EquitySerializer(many=True)
    bots = BotsSerializer()


class StatusViewSet(DeskViewSet):
    queryset = ExchangeConnection.objects.all()
    pagination_class = None
    filter_backends = ()

    @extend_schema(responses=StatusSerializer)
    def retrieve(self, request: Request) -> Response:
        """The exchanges and what is on them, as it is stored: no venue is asked."""
        rows = visible_connections(self.user).filter(archived_at=None).order_by("name", "pk")
        connections = rows.select_related("health", "last_snapshot").prefetch_related("balances")
        now = timezone.now()
        exchanges = [exchange_as_json(connection, now) for connection in connections]
        told = {
            "time": now,
            "workers": workers_alive(),
            "exchanges": {"count": len(exchanges), "list": exchanges},
            "equity": equity(exchanges),
            "bots": bots_by_state(self.user),
        }
        return Response(StatusSerializer(told).data)


def exchange_as_json(connection: ExchangeConnection, now: datetime) -> dict[str, Any]:
    value, health = worth(connection), getattr(connection, "health", None)
    at, quote = connection.balances_at, quote_currency(connection)
    return {
        "id": connection.pk,
        "name": connection.name,
        "venue": connection.venue,
        "mode": "dry run" if connection.is_dry_run else connection.mode,
        "enabled": connection.enabled,
        "balance": value and value.total,
        "balance_usdt": value.total if value and quote == USDT else None,
        "quote_currency": quote,
        "without_price": [line.currency for line in value.unpriced] if value else [],
        "balance_at": at,
        "balance_age_seconds": None if at is None else max(0, int((now - at).total_seconds())),
        "state": health and health.state,
        "score": health and health.score,
        "grade": health and health.grade,
        "last_error": connection.last_error,
    }


def equity(exchanges: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Play money is never added to real money, nor one currency to another."""
    sums: dict[tuple[str, str], Decimal] = {}
    for each in exchanges:
        if each["balance"] is not None:
            key = (each["mode"], each["quote_currency"])
            sums[key] = sums.get(key, ZERO) + each["balance"]
    return [
        {"mode": mode, "currency": quote, "total": total} for (mode, quote), total in sorted(sums.items())
    ]
