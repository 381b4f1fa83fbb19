"""One shape of errors, whatever went wrong: {"type", "errors": [{"code", "detail", "attr"}]}."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as Refusal
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, JsonResponse
from drf_standardized_errors.handler import ExceptionHandler
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.serializers import as_serializer_error

from database.thread import is_full

FULL = "The disk of the database is full: nothing can be saved until there is space."


class DatabaseAway(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "database_away"
    default_detail = "The database does not answer at the moment. Nothing is lost: ask again later."


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class Unprocessable(APIException):
    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "unprocessable"


class OneShape(ExceptionHandler):
    """A service's refusal is a mistake of the request, told at its field; no database is a 503."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        if isinstance(exc, Refusal):
            return ValidationError(as_serializer_error(exc))
        if isinstance(exc, OperationalError | InterfaceError):
            return DatabaseAway(FULL) if is_full(exc) else DatabaseAway()
        return super().convert_known_exceptions(exc)


def answer(code: str, detail: str, status_code: int) -> JsonResponse:
    """The same shape where no view of the API was reached."""
    kind = "server_error" if status_code >= status.HTTP_500_INTERNAL_SERVER_ERROR else "client_error"
    error: dict[str, Any] = {"code": code, "detail": detail, "attr": None}
    return JsonResponse({"type": kind, "errors": [error]}, status=status_code)


def is_for_the_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")
