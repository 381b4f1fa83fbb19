"""What a person sees when a page cannot be made."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.views.defaults import page_not_found, server_error

from database.thread import is_full
from rest.errors import answer, is_for_the_api

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
    is_outage = isinstance(error, OperationalError | InterfaceError)
    sentence = FULL if is_outage and is_full(error) else SENTENCE
    if is_for_the_api(request):
        return answer("error", sentence, 503) if is_outage else answer("error", "Server Error (500)", 500)
    if is_outage:
        return HttpResponse(sentence, status=503, content_type="text/plain; charset=utf-8")
    return server_error(request)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    if is_for_the_api(request):
        return answer("not_found", "There is nothing at this address: /api/docs/ lists what there is.", 404)
    return page_not_found(request, exception)
