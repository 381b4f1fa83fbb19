"""Each request has an id: that of the router in front, or one of our own; the answer names it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from django.core.signals import request_finished
from django.dispatch import receiver
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from logs.about import from_now_on

HEADER = "X-Request-ID"
# What routers write. Anything else could be a line of its own in the log, or the log of a day.
_WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{8,128}", re.ASCII)


class RequestIdMiddleware:
    """The first of all: what the others log is about this request too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = request_id_of(request.headers.get(HEADER, ""))
        # Until the answer is sent: Django logs what it refuses when all middleware is through.
        from_now_on(request_id=request_id)
        response = self._get_response(request)
        response.headers[HEADER] = request_id
        return response


def request_id_of(given: str) -> str:
    return given if _WELL_FORMED.fullmatch(given) else uuid.uuid4().hex


@receiver(request_finished)
def _forget(**_signal: object) -> None:
    from_now_on(request_id="")
