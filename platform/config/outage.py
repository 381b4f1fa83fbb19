"""What a person sees when a page cannot be made."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.views.defaults import server_error

from database.thread import is_full

SENTENCE = (
    "The database does not answer at the moment. Nothing is lost: look at the database, then load this page "
    "again. What it said stands in the log of the web process."
)
FULL = (
    "The disk of the database is full: nothing can be saved, and no bot places an order. What is stored is "
    "whole. Free some space, then load this page again."
)


def explain_outage(request: HttpRequest) -> HttpResponse:
    """Django's handler500; a database that is away is no defect, and says so."""
    error = sys.exc_info()[1]
    if isinstance(error, OperationalError | InterfaceError):
        return HttpResponse(
            FULL if is_full(error) else SENTENCE, status=503, content_type="text/plain; charset=utf-8"
        )
    return server_error(request)
