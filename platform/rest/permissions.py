"""Who may do what: reading needs somebody, acting needs the scope “control” and the admin's permission."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from rest.models import ApiToken, Scope


class MayAsk(BasePermission):
    """A view names in `permissions` what each of its acts needs; an act that it does not name is refused.

    `reading_permission`: where not everybody may read.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            return False
        if request.method in SAFE_METHODS:
            return _holds(request, getattr(view, "reading_permission", ""))
        if isinstance(request.auth, ApiToken) and request.auth.scope != Scope.CONTROL:
            self.message = (
                f"The token “{request.auth}” may read only: acting needs one of the scope “control”."
            )
            return False
        needed = getattr(view, "permissions", {}).get(view.action)
        self.message = f"You need the permission “{needed}” for this."
        return needed is not None and _holds(request, needed)


def _holds(request: Request, permission: str) -> bool:
    return not permission or bool(request.user.has_perm(permission))
