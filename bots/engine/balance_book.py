"""What is written down of balances while a lease is held: baselines, what no trade explains, snapshots.

Snapshots and changes are records of money: an hour of a connection is one row, and no row is ever deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import DateTimeField, ExpressionWrapper
from django.db.models.functions import Now

from bots.engine.lease import Lease, fenced
from bots.models import BotEvent, Trade
from bots.transfers import Amounts, Baseline, Step, changes_of
from exchanges.models import BalanceBaseline, BalanceSnapshot, ExchangeConnection, UnexplainedChange
from exchanges.types import Side
from exchanges.valuation import Valuation, lines_as_json


@dataclass(frozen=True, kw_only=True)
class Record:
    """As the last holder of the lease left it. at: when all was explained; steps: the trades since then;
    last_step: the number of the last trade of all, 0 before the first."""

    baseline: Baseline | None
    at: datetime | None
    steps: Sequence[Step]
    last_step: int
    snapshot: BalanceSnapshot | None


def read_record(lease: Lease) -> Record:
    trades = Trade.objects.filter(connection_id=lease.connection_id, is_dry_run=False).order_by("pk")
    row = BalanceBaseline.objects.filter(pk=lease.connection_id).first()
    connection = ExchangeConnection.objects.select_related("last_snapshot").get(pk=lease.connection_id)
    last = trades.last()
    return Record(
        baseline=_baseline(row) if row else None,
        at=row.at if row else None,
        steps=steps_of(trades.filter(pk__gt=row.last_trade)) if row else (),
        last_step=last.pk if last else 0,
        snapshot=connection.last_snapshot,
    )


def _baseline(row: BalanceBaseline) -> Baseline:
    totals = {currency: Decimal(amount) for currency, amount in row.totals.items()}
    return Baseline(totals=totals, number=row.last_trade)


def steps_of(trades: Iterable[Trade]) -> list[Step]:
    """In the order in which they were counted."""
    return [Step(number=trade.pk, changes=_changes(trade)) for trade in trades]


def _changes(trade: Trade) -> Amounts:
    fees = [(trade.fee_currency, trade.fee_amount)] if trade.fee_currency else []
    return changes_of(Side(trade.side), trade.symbol, amount=trade.amount, cost=trade.cost, fees=fees)


def save_baseline(
    lease: Lease,
    baseline: Baseline,
    *,
    at: datetime,
    unexplained: Iterable[UnexplainedChange] = (),
    events: Iterable[BotEvent] = (),
) -> None:
    """All in one transaction: a change is told once."""
    totals = {currency: f"{amount:f}" for currency, amount in baseline.totals.items()}
    with fenced(lease):
        BalanceBaseline.objects.update_or_create(
            connection_id=lease.connection_id,
            defaults={"totals": totals, "last_trade": baseline.number, "at": at},
        )
        UnexplainedChange.objects.bulk_create(unexplained)
        BotEvent.objects.bulk_create(events)


def save_snapshot(lease: Lease, valuation: Valuation, *, hour: datetime, at: datetime) -> BalanceSnapshot:
    """The one of this hour: the first that is written stays."""
    fields = {
        "taken_at": at,
        "quote": valuation.quote,
        "total": valuation.total,
        "lines": lines_as_json(valuation.lines),
    }
    with fenced(lease):
        row, _ = BalanceSnapshot.objects.get_or_create(
            connection_id=lease.connection_id, hour=hour, defaults=fields
        )
        ExchangeConnection.objects.filter(pk=lease.connection_id).update(last_snapshot=row)
    return row


def save_next_look(lease: Lease, seconds: float) -> None:
    """When a worker is to come again though no bot is at work; never, where somebody took the key away."""
    at = ExpressionWrapper(Now() + timedelta(seconds=seconds), output_field=DateTimeField())
    with fenced(lease):
        looked_after = ExchangeConnection.objects.exclude(balances_due_at=None)
        looked_after.filter(pk=lease.connection_id).update(balances_due_at=at)
