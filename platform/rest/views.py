"""What every view of the API does beside its own work."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import User
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from audit.services import act_through
from rest import idempotency
from rest.models import ApiToken, StoredAnswer


class _AnsweredBeforeError(Exception):
    """The stored answer is the answer."""

    def __init__(self, row: StoredAnswer) -> None:
        self.row = row


class DeskViewSet(GenericViewSet[Any]):
    """permissions: by act, what it needs beside the scope. Reading needs the `reading_permission`, if any."""

    permissions: ClassVar[dict[str, str]] = {}
    reading_permission: ClassVar[str] = ""
    lookup_value_regex = r"[0-9]{1,18}"
    _claimed: StoredAnswer | None = None

    @property
    def user(self) -> User:
        """Who asks; `MayAsk` lets nobody in who is not known."""
        user = self.request.user
        if not isinstance(user, User):
            raise TypeError("nobody is signed in")
        return user

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method in SAFE_METHODS:
            return
        if isinstance(request.auth, ApiToken):
            act_through(f"API token “{request.auth}”")
        if key := idempotency.key_of(request):
            row = idempotency.claim(request, self.user, key)
            if row.status is not None:
                raise _AnsweredBeforeError(row)
            self._claimed = row

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, _AnsweredBeforeError):
            return idempotency.replay(exc.row)
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if self._claimed is not None:
            idempotency.keep(self._claimed, response)
        return super().finalize_response(request, response, *args, **kwargs)
