"""How often one token may ask: counted in the cache that the web processes share."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

MINUTE = 60


class PerToken(BaseThrottle):
    """So many requests in each minute of the clock, those that act apart from those that read."""

    def allow_request(self, request: Request, view: Any) -> bool:
        acts = request.method not in SAFE_METHODS
        most = settings.API_ACTS_PER_MINUTE if acts else settings.API_READS_PER_MINUTE
        key = f"api:{'acts' if acts else 'reads'}:{_who(request)}:{int(time.time()) // MINUTE}"
        return counted(key) <= most

    def wait(self) -> float:
        return MINUTE - time.time() % MINUTE


def counted(key: str) -> int:
    """How often this key was counted in this minute, this time included."""
    cache.add(key, 0, timeout=2 * MINUTE)
    try:
        return cache.incr(key)
    except ValueError:  # it went between the two
        return 1


def _who(request: Request) -> str:
    if request.auth is not None:
        return f"token-{request.auth.pk}"
    return f"user-{request.user.pk}"
