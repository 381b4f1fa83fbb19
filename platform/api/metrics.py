"""`/metrics` for Prometheus: counts, ages and health, in a fixed number of queries. Never a secret.

Asked for with an API token whose owner sees every connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from rest_framework.request import Request

from bots.selectors import bots_by_kind_and_state, live_orders_by_state, newest_heartbeat, switches_on
from exchanges.health import State
from exchanges.models import ConnectionHealth, ExchangeConnection
from exchanges.selectors import SEES_ALL, worst_health
from rest.views import DeskViewSet

CONNECTION = ("connection", "venue", "mode")
MOST_CONNECTIONS = 2000


class MetricsViewSet(DeskViewSet):
    queryset = ExchangeConnection.objects.all()
    reading_permission = SEES_ALL

    @extend_schema(exclude=True)
    def list(self, request: Request) -> HttpResponse:
        registry = CollectorRegistry()
        registry.register(Desk(self.user, timezone.now()))
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class Desk(Collector):
    """The desk as the database has it at one moment."""

    def __init__(self, user: User, now: datetime) -> None:
        self._user, self._now = user, now

    def describe(self) -> Iterable[Metric]:
        return ()  # registering must not ask the database

    def collect(self) -> Iterator[Metric]:
        yield from self._workers()
        yield _gauge("bots", "Bots that are not archived", ("kind", "state"), bots_by_kind_and_state())
        yield _gauge("live_orders", "Orders that may rest or fill", ("state",), live_orders_by_state())
        yield _gauge("kill_switches_on", "Kill switches that are on", (), {(): switches_on()})
        yield from self._connections()

    def _workers(self) -> Iterator[Metric]:
        count, newest = newest_heartbeat()
        yield _gauge("workers", "Worker processes heard of in the last 45 s", (), {(): count})
        ages = {} if newest is None else {(): self._age(newest)}
        yield _gauge("worker_heartbeat_age_seconds", "Since any worker was heard of", (), ages)

    def _connections(self) -> Iterator[Metric]:
        rows = worst_health(self._user, MOST_CONNECTIONS)
        figures: dict[str, tuple[str, Callable[[ConnectionHealth], Any]]] = {
            "score": ("Health, 0 to 100", lambda row: row.score),
            "breaker_open": ("1 while the exchange is left alone", lambda row: int(row.state == State.OPEN)),
            "latency_median_ms": ("Of answers", lambda row: row.median_ms),
            "latency_p95_ms": ("95 % of answers came within", lambda row: row.p95_ms),
            "requests": ("Requests of the last minutes", lambda row: row.requests),
            "errors": ("Of these, failed", lambda row: row.errors),
            "budget_used": ("Of the rate limit, 0 to 1", lambda row: row.budget_used),
            "health_age_seconds": ("Since a worker wrote this", lambda row: self._age(row.updated_at)),
            "balance_age_seconds": (
                "Since the balances were read", lambda row: self._age(row.connection.balances_at)
            ),
        }  # fmt: skip
        for name, (text, value) in figures.items():
            values = {_labels(row): value(row) for row in rows}
            yield _gauge(f"connection_{name}", text, CONNECTION, values)

    def _age(self, moment: datetime | None) -> float | None:
        return None if moment is None else max(0.0, (self._now - moment).total_seconds())


def _labels(row: ConnectionHealth) -> tuple[str, ...]:
    connection = row.connection
    return connection.name, connection.venue, "dry run" if connection.is_dry_run else connection.mode


def _gauge(name: str, text: str, labels: tuple[str, ...], values: dict[Any, Any]) -> Metric:
    """What is not known is left out."""
    gauge = GaugeMetricFamily(f"botdesk_{name}", text, labels=labels)
    for key, value in values.items():
        if value is not None:
            gauge.add_metric(key, value)
    return gauge
