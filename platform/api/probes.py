"""Whether the desk works: for routers, platforms and monitors, which carry no token and learn little."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from bots.selectors import redis_answers, workers_alive

AWAY = (OperationalError, InterfaceError)


@never_cache
def livez(request: HttpRequest) -> JsonResponse:
    """This process answers."""
    return JsonResponse({"status": "ok"})


@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """It can serve pages: the database answers."""
    return _told({"database": _database})


@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """All parts are there. What is missing is named: without Redis trading goes on, without a worker not."""
    looks = {"database": _database, "worker": _worker}
    return _told(looks | ({"redis": redis_answers} if settings.REDIS_URL else {}))


def _told(looks: dict[str, Callable[[], bool]]) -> JsonResponse:
    found = {name: "ok" if _is_there(look) else "missing" for name, look in looks.items()}
    missing = [name for name, state in found.items() if state == "missing"]
    status = {"status": "failing" if missing else "ok", "missing": missing, "checks": found}
    return JsonResponse(status, status=503 if missing else 200)


def _is_there(look: Callable[[], bool]) -> bool:
    try:
        return look()
    except AWAY:
        return False


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone() is not None


def _worker() -> bool:
    return workers_alive() > 0
