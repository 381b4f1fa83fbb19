"""One writer per connection: leases with an expiry and a fencing number, on the connection's row.

All times are the database's. A lease is taken by a conditional UPDATE, so of two that try one succeeds,
on PostgreSQL and on SQLite. Its holder may send until a deadline on its own clock that lies before the
expiry by the time a request can take; what it writes is fenced: the transaction sees the lease's row.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import connection as database
from django.db import models, transaction
from django.db.models import DateTimeField, Exists, ExpressionWrapper, F, OuterRef, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from bots.engine.clock import uptime
from bots.models import Bot, Order
from exchanges.gateway import HTTP_TIMEOUT_SECONDS, NotLicensedError
from exchanges.models import ExchangeConnection

LEASE_SECONDS = 15.0
RENEW_SECONDS = 2.0
MARGIN_SECONDS = 1.0
SENDING_SECONDS = LEASE_SECONDS - HTTP_TIMEOUT_SECONDS - MARGIN_SECONDS


class LeaseLostError(Exception):
    """Another worker may act for this connection now; nothing was written."""


@dataclass
class Lease:
    """The right of one runtime to act for one connection. It is the `Licence` of a gateway."""

    connection_id: uuid.UUID
    owner: uuid.UUID
    fence: int
    deadline: float = field(compare=False)
    returned: bool = False

    def check(self) -> None:
        """Right before a request leaves. Raises NotLicensedError past the deadline."""
        if self.returned or uptime() >= self.deadline:
            raise NotLicensedError("the lease has run out; nothing was sent")

    def renewed(self, asked_at: float) -> None:
        """asked_at: `uptime()` from before the renewal was sent."""
        self.deadline = asked_at + SENDING_SECONDS


def _expiry() -> Combinable:
    return ExpressionWrapper(Now() + timedelta(seconds=LEASE_SECONDS), output_field=DateTimeField())


def _with_work() -> models.QuerySet[ExchangeConnection]:
    """Connections that need a worker: a bot is at work there, an order is not settled yet, or their balances
    are to be looked at."""
    at_work = Bot.objects.at_work().filter(connection=OuterRef("pk"))
    unsettled = Order.objects.current().unsettled().filter(connection=OuterRef("pk"))
    return ExchangeConnection.objects.active().filter(
        Exists(at_work) | Exists(unsettled) | Q(balances_due_at__lte=Now())
    )


def connections_with_work() -> int:
    return _with_work().count()


_FREE = Q(lease_owner=None) | Q(lease_expires_at=None) | Q(lease_expires_at__lte=Now())


def acquire(owner: uuid.UUID, *, most: int) -> list[Lease]:
    """Takes up to `most` free leases of connections with work."""
    asked_at = uptime()
    with transaction.atomic():
        free = _with_work().filter(_FREE).order_by("pk")
        if database.features.has_select_for_update_skip_locked:
            free = free.select_for_update(skip_locked=True, of=("self",))
        taken = [key for key in free.values_list("pk", flat=True)[:most] if _take(owner, key)]
        fences = dict(ExchangeConnection.objects.filter(pk__in=taken).values_list("pk", "lease_fence"))
    return [
        Lease(connection_id=key, owner=owner, fence=fence, deadline=asked_at + SENDING_SECONDS)
        for key, fence in fences.items()
    ]


def acquire_one(owner: uuid.UUID, connection_id: uuid.UUID) -> Lease | None:
    """This connection's lease, with work or without; None while somebody else has it."""
    asked_at = uptime()
    with transaction.atomic():
        if not _take(owner, connection_id):
            return None
        fence = ExchangeConnection.objects.values_list("lease_fence", flat=True).get(pk=connection_id)
    return Lease(connection_id=connection_id, owner=owner, fence=fence, deadline=asked_at + SENDING_SECONDS)


def _take(owner: uuid.UUID, connection_id: uuid.UUID) -> bool:
    free_still = ExchangeConnection.objects.filter(_FREE, pk=connection_id)
    return bool(
        free_still.update(lease_owner=owner, lease_expires_at=_expiry(), lease_fence=F("lease_fence") + 1)
    )


def renew(owner: uuid.UUID, leases: Collection[Lease]) -> set[uuid.UUID]:
    """Renews in one statement; the ids of the connections that are still ours."""
    if not leases:
        return set()
    asked_at = uptime()
    mine = ExchangeConnection.objects.filter(
        pk__in=[lease.connection_id for lease in leases], lease_owner=owner
    )
    with transaction.atomic():
        fences = dict(_locked_in_order(mine).values_list("pk", "lease_fence"))
        mine.update(lease_expires_at=_expiry())
    kept = {lease.connection_id for lease in leases if fences.get(lease.connection_id) == lease.fence}
    for lease in leases:
        if lease.connection_id in kept:
            lease.renewed(asked_at)
    return kept


def lock_in_order(connection_ids: Collection[uuid.UUID]) -> None:
    """Before a statement that writes several rows: of two such statements, neither waits for the other's
    second row while it holds the first."""
    if len(connection_ids) > 1 and database.features.has_select_for_no_key_update:
        rows = ExchangeConnection.objects.filter(pk__in=connection_ids)
        list(_locked_in_order(rows).values_list("pk", flat=True))


def _locked_in_order(
    rows: models.QuerySet[ExchangeConnection],
) -> models.QuerySet[ExchangeConnection]:
    """SQLite has one writer, who holds it all."""
    if database.features.has_select_for_no_key_update:
        rows = rows.select_for_update(no_key=True)
    return rows.order_by("pk")


def give_back(lease: Lease) -> None:
    """Ends the lease at once; the next holder need not wait for its expiry."""
    lease.returned = True
    ExchangeConnection.objects.filter(
        pk=lease.connection_id, lease_owner=lease.owner, lease_fence=lease.fence
    ).update(lease_owner=None, lease_expires_at=None)


@contextmanager
def fenced(lease: Lease, *, unexpired: bool = False) -> Iterator[None]:
    """A transaction in which the lease is ours; with `unexpired`, by the database's clock too.

    Raises LeaseLostError otherwise. The row stays locked until the end, so nobody takes it meanwhile.
    """
    with transaction.atomic():
        row = ExchangeConnection.objects.filter(
            pk=lease.connection_id, lease_owner=lease.owner, lease_fence=lease.fence
        )
        if unexpired:
            row = row.filter(lease_expires_at__gt=Now())
        if database.features.has_select_for_no_key_update:
            row = row.select_for_update(no_key=True)
        if not list(row.values_list("pk", flat=True)):
            raise LeaseLostError("another worker acts for this connection now")
        yield
