"""The admin's site: who may come in and by which door, and the parts of the first page."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLResolver, include, path, reverse
from unfold.sites import UnfoldAdminSite


def may_come_in(user: User | AnonymousUser) -> bool:
    """Staff, and whoever has a role or a permission: nobody has to think of a second tick."""
    return user.is_active and (user.is_staff or bool(user.get_all_permissions()))


class DeskSite(UnfoldAdminSite):  # type: ignore[misc]  # unfold is not typed
    def has_permission(self, request: HttpRequest) -> bool:
        return may_come_in(request.user)

    def extra_urls(self) -> list[URLResolver]:
        return [path("desk/", include("console.urls"))]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one door, and it asks for the second factor."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        page = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index")
        query = urlencode({REDIRECT_FIELD_NAME: page}, safe="/")
        return redirect(f"{reverse('account_login')}?{query}")

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """No box leads to it, and unfold's has an internal error for a page that is no number."""
        raise Http404

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect("account_change_password")
