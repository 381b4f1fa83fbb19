"""The form of the sign-in page."""

from __future__ import annotations

from allauth.account.forms import LoginForm


class DeskLoginForm(LoginForm):  # type: ignore[misc]  # allauth is not typed
    """Its fields are named as Django's own form names them: username and password."""

    def add_prefix(self, field_name: str) -> str:
        return "username" if field_name == "login" else str(super().add_prefix(field_name))
