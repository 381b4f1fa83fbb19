"""Keeps tables that hold no money from growing: old events, task results and answers
of the API go, orders and trades never."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django_q.models import Task

from alerts.models import AlertMessage, MessageState
from bots.models import BotEvent, MarketView, PricePoint
from exchanges.models import AddressBudget
from rest.models import StoredAnswer

KEPT = timedelta(days=30)
BATCH = 5000


def forget_what_is_old(now: datetime) -> int:
    """Deletes what is older than KEPT, a batch at a time, so that no lock is held for long; how many went."""
    events = BotEvent.objects.filter(at__lt=now - KEPT)
    results = Task.objects.filter(stopped__lt=now - KEPT)
    ways_out = AddressBudget.objects.filter(updated_at__lt=now - KEPT)
    prices = PricePoint.objects.filter(minute__lt=now - PricePoint.KEPT)
    views = MarketView.objects.filter(wanted_until__lt=now - PricePoint.KEPT)
    over = [MessageState.SENT, MessageState.FAILED, MessageState.DROPPED]
    messages = AlertMessage.objects.filter(state__in=over, created_at__lt=now - KEPT)
    answers = StoredAnswer.objects.filter(created_at__lt=now - StoredAnswer.KEPT)
    old = (events, results, ways_out, prices, views, messages, answers)
    return sum(_delete_in_batches(rows) for rows in old)


def _delete_in_batches(rows: QuerySet[Any]) -> int:
    gone = 0
    while batch := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        gone += rows.filter(pk__in=batch).delete()[0]
    return gone
