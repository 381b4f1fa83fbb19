"""The admin's site: who may come in."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from unfold.sites import UnfoldAdminSite


def may_come_in(user: User | AnonymousUser) -> bool:
    """Staff, and whoever has a role or a permission: nobody has to think of a second tick."""
    return user.is_active and (user.is_staff or bool(user.get_all_permissions()))


class DeskSite(UnfoldAdminSite):  # type: ignore[misc]  # unfold is not typed
    def has_permission(self, request: HttpRequest) -> bool:
        return may_come_in(request.user)
