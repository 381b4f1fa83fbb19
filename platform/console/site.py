"""The admin's site: who may come in, and the parts of the first page."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.urls import URLResolver, include, path
from unfold.sites import UnfoldAdminSite


def may_come_in(user: User | AnonymousUser) -> bool:
    """Staff, and whoever has a role or a permission: nobody has to think of a second tick."""
    return user.is_active and (user.is_staff or bool(user.get_all_permissions()))


class DeskSite(UnfoldAdminSite):  # type: ignore[misc]  # unfold is not typed
    def has_permission(self, request: HttpRequest) -> bool:
        return may_come_in(request.user)

    def extra_urls(self) -> list[URLResolver]:
        return [path("desk/", include("console.urls"))]
