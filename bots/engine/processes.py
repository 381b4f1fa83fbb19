"""The runtimes that are alive, and the burial of those on this host that are not."""

from __future__ import annotations

import os
import socket
import uuid
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from bots.models import Runtime
from exchanges.models import ExchangeConnection

ALIVE_SECONDS = 10.0
FORGOTTEN_SECONDS = 600.0


def register(runtime_id: uuid.UUID) -> None:
    Runtime.objects.create(
        id=runtime_id,
        host=_host(),
        boot_id=_boot_id(),
        pid=os.getpid(),
        process_started=_process_started(os.getpid()),
        started_at=Now(),
        heartbeat_at=Now(),
        is_dry_run=settings.DRY_RUN,
    )


def beat(runtime_id: uuid.UUID) -> bool:
    """False where the row is gone: another took us for dead."""
    return bool(Runtime.objects.filter(pk=runtime_id).update(heartbeat_at=Now()))


def leave(runtime_id: uuid.UUID) -> None:
    Runtime.objects.filter(pk=runtime_id).delete()


def count_alive() -> int:
    return _alive().count()


def alive_ids() -> set[str]:
    return {str(runtime_id) for runtime_id in _alive().values_list("pk", flat=True)}


def _alive() -> QuerySet[Runtime]:
    return Runtime.objects.filter(heartbeat_at__gt=Now() - timedelta(seconds=ALIVE_SECONDS))


def bury_dead_neighbours() -> int:
    """Frees the leases of runtimes of this host whose process is gone; how many were buried.

    Rows of other hosts go when they are long silent; their leases have expired by then.
    """
    neighbours = Runtime.objects.filter(host=_host(), boot_id=_boot_id())
    dead = [row.pk for row in neighbours if _process_started(row.pid) != row.process_started]
    for runtime_id in dead:
        _bury(runtime_id)
    Runtime.objects.filter(heartbeat_at__lt=Now() - timedelta(seconds=FORGOTTEN_SECONDS)).delete()
    return len(dead)


def _bury(runtime_id: uuid.UUID) -> None:
    with transaction.atomic():
        ExchangeConnection.objects.filter(lease_owner=runtime_id).update(
            lease_owner=None, lease_expires_at=None
        )
        Runtime.objects.filter(pk=runtime_id).delete()


def _host() -> str:
    """This host, and on Linux this pid namespace: a container's processes cannot see its neighbours'."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""
    return f"{socket.gethostname()} {namespace}".strip()


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _process_started(pid: int) -> str:
    """When the process began, in clock ticks since boot; empty where it is gone.

    Without /proc nobody can be told from a later process of the same number: a living one is taken for
    the same.
    """
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.joinpath("self").exists():
        try:
            after_name = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if after_name[0] == "Z" else after_name[19]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return "running"
